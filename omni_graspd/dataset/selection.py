# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Some of the grasps of a table: those that meet a condition, or the best of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from omni_graspd.condition import Condition
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.reach.reach_columns import ARM_LIFTED, REACHABLE, reach_columns
from omni_graspd.dataset.tables import GraspTable
from omni_graspd.errors import GraspdError
from omni_graspd.metrics.columns import METRICS
from omni_graspd.scenes.scene_grasps import FROM_ABOVE
from omni_graspd.synthesis.grasp import Way

_RANKING = ("loss_drop", "loss_escape", "epsilon")
"""Columns by which grasps rank, the first that is there."""


@dataclass(frozen=True)
class Selection:
    """Which grasps are taken."""

    where: str = ""
    """Condition on columns, for example: usable and epsilon > 0.2; empty: all."""
    top: int | None = None
    """The best grasps of each hand and object; None: all."""
    by: str = ""
    """Column by which grasps are best; by default the ranking score, usable ones first."""

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            GraspdError: If one is wrong.
        """
        if self.where:
            Condition(self.where)
        if self.top is not None and self.top < 1:
            raise GraspdError(f"expected at least 1 grasp as the best, got top {self.top}")
        if self.by and self.top is None:
            raise GraspdError(f"expected a number of best grasps with the column {self.by!r}, got none; give top, too")

    @property
    def takes_all(self) -> bool:
        """Whether nothing is left out."""
        return not self.where and self.top is None

    def rows(self, columns: Mapping[str, Any], count: int) -> np.ndarray:
        """Return the rows that are taken: in their order, or the best first.

        Args:
            columns: Values by name, one per row, or one for all.
            count: How many rows there are.

        Raises:
            GraspdError: If there is no such column.
        """
        rows = np.flatnonzero(Condition(self.where).holds(columns, count)) if self.where else np.arange(count)
        if self.top is None:
            return rows
        score = np.broadcast_to(self._score(columns), (count,))[rows]
        good = np.broadcast_to(np.asarray(columns.get("usable", True)).astype(bool), (count,))[rows]
        return rows[np.lexsort((np.nan_to_num(score, nan=np.inf), ~good))][: self.top]

    def _score(self, columns: Mapping[str, Any]) -> np.ndarray:
        """Return what is low for good grasps; equal for all where there is nothing to tell them apart."""
        by = self.by or next((name for name in _RANKING if name in columns), "")
        if not by:
            return np.zeros(1)
        if by not in columns or np.asarray(columns[by]).dtype.kind not in "bif":
            numbers = [name for name, column in columns.items() if np.asarray(column).dtype.kind in "bif"]
            raise GraspdError(f"expected a column of numbers, one of {', '.join(sorted(numbers))}; got {by!r}")
        metric = METRICS.get(by)
        is_low_first = by.startswith("loss_") or (metric is not None and metric.better < 0)
        return np.asarray(columns[by], dtype=np.float64) * (1.0 if is_low_first else -1.0)


EVERYTHING = Selection()
"""All grasps."""


def selection_columns(table: GraspTable, split: str = "") -> dict[str, Any]:
    """Return what conditions can ask of the grasps of a table: its columns of one value, and what follows from them.

    Args:
        table: The grasps.
        split: Split of the object, where it is known.

    Returns:
        Values by name, each [grasp_count], or a text for all rows.
    """
    batch = table.grasps
    columns: dict[str, Any] = {"hand": table.hand, "object": table.object, "index": table.indices}
    if split:
        columns["split"] = split
    columns |= {"status": np.asarray(batch.status, dtype=object), "ok": batch.ok, "usable": table.good}
    if table.rest_poses is not None:
        columns["rest_pose"] = table.rest_poses
    if batch.postures is not None:
        columns["pregrasp_clearance"] = batch.postures.pregrasp_clearance
    if batch.way is not None:
        values = {field.name: np.asarray(getattr(batch.way, field.name)) for field in fields(Way)}
        columns |= {name: array for name, array in values.items() if array.ndim == 1 and name != "usable"}
        if batch.postures is not None:
            pregrasps, way = batch.postures.T_object_pregrasp_palm, batch.way
            columns["from_above"] = comes_from_above(pregrasps, way.T_object_hover_palm, way.table_plane)
    columns |= {f"loss_{name}": values for name, values in batch.losses.items()}
    return columns | {name: np.asarray(values) for name, values in table.metrics.items()}


def selected_rows(
    table: GraspTable, selection: Selection, split: str = "", layout: DatasetLayout | None = None
) -> np.ndarray:
    """Return the rows of a table that are taken: in their order, or the best first.

    Args:
        table: The grasps.
        selection: Which of them.
        split: Split of the object, where it is known.
        layout: Paths of the dataset that they are in, which has the columns of arms.

    Raises:
        GraspdError: If the table has no such column.
    """
    if selection.takes_all:
        return np.arange(len(table.indices))
    columns = selection_columns(table, split)
    asked = f"{selection.where} {selection.by}"
    if layout is not None and (REACHABLE in asked or ARM_LIFTED in asked):
        columns |= reach_columns(layout, table.hand, table.object, table.indices)
    return selection.rows(columns, len(table.indices))


def comes_from_above(
    T_object_pregrasp_palm: np.ndarray, T_object_hover_palm: np.ndarray, table_plane: np.ndarray
) -> np.ndarray:
    """Tell which hands come within 60 degrees from above, from pregrasp to hover.

    Args:
        T_object_pregrasp_palm: Palm poses of the pregrasps, shape [grasp_count, 7].
        T_object_hover_palm: Palm poses at hover, shape [grasp_count, 7].
        table_plane: Table tops: unit normal and offset, shape [grasp_count, 4].

    Returns:
        Bool, shape [grasp_count].
    """
    motion = T_object_hover_palm[:, :3] - T_object_pregrasp_palm[:, :3]
    down = -np.einsum("gi,gi->g", motion, table_plane[:, :3])
    return down >= np.cos(FROM_ABOVE) * np.linalg.norm(motion, axis=1).clip(1e-9)
