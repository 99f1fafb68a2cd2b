# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The tables of an evaluated dataset, as a report needs them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.manifest import read_manifest
from omni_graspd.dataset.selection import EVERYTHING, Selection, selected_rows
from omni_graspd.dataset.splits import split_by_object
from omni_graspd.dataset.tables import GraspTable, read_grasps
from omni_graspd.errors import GraspdError
from omni_graspd.metrics.columns import faults
from omni_graspd.plain_text import shortened

_LARGEST_DEPTH = 0.005
_NEEDED = ("epsilon", "contact_area", "intersection_volume")


@dataclass(frozen=True)
class MeasuredGrasps:
    """The grasps of one object by one hand, with their metrics."""

    dataset: str
    """Name of the dataset's folder."""
    root: Path
    """The dataset folder."""
    table: GraspTable
    """Grasps and metrics."""

    @property
    def ok(self) -> np.ndarray:
        """Which grasps are not marked as failed, shape [grasp_count], bool."""
        return self.table.grasps.ok

    def metric(self, name: str) -> np.ndarray | None:
        """Return a column, shape [grasp_count], or None if the table has none of that name."""
        values = self.table.metrics.get(name)
        return None if values is None else np.asarray(values, dtype=np.float64)

    def best(self, count: int | None) -> np.ndarray:
        """Return the rows of the best grasps by epsilon, all with None; without those that failed or are not usable."""
        rows = np.flatnonzero(self.table.good)
        order = rows[np.argsort(-np.nan_to_num(self.table.metrics["epsilon"][rows], nan=-1.0), kind="stable")]
        return order[:count]

    def verdicts(self) -> list[str]:
        """Say of each grasp what is wrong with it, the first reason that applies, or ``good``."""
        held, depth = self.metric("held"), self.metric("penetration_depth")
        closed = self.metric("force_closure")
        faulty = [(values > 0, fault) for name, fault in faults().items() if (values := self.metric(name)) is not None]
        good, verdicts = self.table.good, []
        for row, status in enumerate(self.table.grasps.status):
            if status != "ok":
                verdicts.append(f"failed: {shortened(status)}")
            elif not good[row]:
                verdicts.append("the table is in the way")
            elif wrong := [fault for rows, fault in faulty if rows[row]]:
                verdicts.append(wrong[0])
            elif closed is not None and not closed[row]:
                verdicts.append("no force closure")
            elif depth is not None and depth[row] > _LARGEST_DEPTH:
                verdicts.append("deeper than 5 mm in the object")
            elif held is not None and held[row] < 0.5:
                verdicts.append("object lost in most directions")
            elif held is not None and held[row] < 1.0:
                verdicts.append("object lost in some direction")
            else:
                verdicts.append("good")
        return verdicts


def read_measured_grasps(root: Path, selection: Selection = EVERYTHING) -> list[MeasuredGrasps]:
    """Read all tables of base grasps of an evaluated dataset, those without rows left out.

    Args:
        root: The dataset folder.
        selection: Which grasps of each hand and object are taken.

    Raises:
        GraspdError: If the folder is no dataset, has no grasps, or was not evaluated.
    """
    layout, manifest = DatasetLayout(root), read_manifest(root)
    split_of = split_by_object(manifest.objects)
    found = []
    for hand, obj, path in layout.grasp_tables(manifest.hands, manifest.objects):
        table = read_grasps(path)
        missing = [name for name in _NEEDED if name not in table.metrics]
        if missing:
            raise GraspdError(
                f"the grasps of {obj} by {hand} in {root} have no {', '.join(missing)}; run `graspd evaluate {root}` "
                "first"
            )
        if not selection.takes_all:
            table = table.take(selected_rows(table, selection, split_of[obj], layout))
        if len(table.indices):
            found.append(MeasuredGrasps(root.resolve().name, root, table))
    if not found and selection.where:
        raise GraspdError(f"expected grasps that meet {selection.where!r}, got none in {root}")
    if not found:
        raise GraspdError(f"there are no grasps in {root}; run `graspd synthesize` with the same options first")
    return found
