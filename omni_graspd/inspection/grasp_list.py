# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Which grasps are shown, in which order, and which of them is selected."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.inspection.decisions import Decisions
from omni_graspd.inspection.grasp_catalog import GraspCatalog

Shown = Literal["all", "undecided", "accepted", "rejected"]
Status = Literal["all", "usable", "usable from above", "ok", "failed"]


@dataclass(frozen=True, kw_only=True)
class GraspFilter:
    """Which grasps are shown."""

    hand: str = ""
    """Name of a hand; empty for all."""
    object: str = ""
    """Name of an object; empty for all."""
    status: Status = "all"
    """Whether failed grasps are shown, or only those that can be carried out on the table, from above or at all."""
    decision: Shown = "all"
    """Which decisions are shown."""
    ranges: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Least and largest value of metrics by name, both included; grasps that do not have the metric are left out."""


def filtered_rows(catalog: GraspCatalog, decisions: Decisions, wanted: GraspFilter) -> np.ndarray:
    """Return the rows that a filter leaves, in the order of the catalogue.

    Args:
        catalog: The grasps.
        decisions: What was decided.
        wanted: The filter.

    Raises:
        GraspdError: If a hand, object or metric is not in the dataset.
    """
    for kind, name, names in (
        ("hand", wanted.hand, {table.hand for table in catalog.tables}),
        ("object", wanted.object, {table.object for table in catalog.tables}),
    ):
        if name and name not in names:
            raise GraspdError(f"expected the {kind} to be one of {', '.join(sorted(names))}, got {name!r}")
    keep = np.zeros(catalog.count, dtype=bool)
    for table in catalog.tables:
        if wanted.hand in ("", table.hand) and wanted.object in ("", table.object):
            keep[table.first : table.first + table.count] = True
    if wanted.status.startswith("usable"):
        keep &= catalog.usable()
        keep &= catalog.from_above() | (wanted.status == "usable")
    elif wanted.status != "all":
        keep &= catalog.ok() == (wanted.status == "ok")
    for name, (least, largest) in wanted.ranges.items():
        values = catalog.metric(name)
        keep &= (values >= least) & (values <= largest)
    if wanted.decision != "all":
        keep &= _decided(catalog, decisions, wanted.decision)
    return np.flatnonzero(keep)


def _decided(catalog: GraspCatalog, decisions: Decisions, shown: Shown) -> np.ndarray:
    chosen = np.zeros(catalog.count, dtype=bool)
    for (hand, obj, index), decision in decisions.items():
        if shown in ("undecided", decision.verdict):
            row = catalog.row_of(hand, obj, index)
            if row is not None:
                chosen[row] = True
    return ~chosen if shown == "undecided" else chosen


def sorted_rows(catalog: GraspCatalog, rows: np.ndarray, metric: str, *, descending: bool = False) -> np.ndarray:
    """Sort rows by a metric, those without it last; equal ones keep their order.

    Args:
        catalog: The grasps.
        rows: Rows to sort.
        metric: Name of a metric; empty for the order of the catalogue.
        descending: Whether the largest comes first.
    """
    if not metric:
        return rows[::-1] if descending else rows
    values = catalog.metric(metric)[rows]
    return rows[np.argsort(-values if descending else values, kind="stable")]


class GraspList:
    """The rows that are shown, in order, and the selected one, which stays selected as long as it is shown."""

    def __init__(self, catalog: GraspCatalog, decisions: Decisions) -> None:
        """Show all grasps of a catalogue, the first one selected."""
        self._catalog, self._decisions = catalog, decisions
        self._taken = np.ones(catalog.count, dtype=bool)
        self.filter, self.metric, self.descending = GraspFilter(), "", False
        self.rows = np.arange(catalog.count)
        self.selected: int | None = 0 if catalog.count else None

    def take_only(self, rows: np.ndarray) -> None:
        """Leave out all but some rows of the catalogue, whatever is filtered later."""
        self._taken = np.isin(np.arange(self._catalog.count), rows)
        self.show()

    def show(
        self, wanted: GraspFilter | None = None, metric: str | None = None, descending: bool | None = None
    ) -> None:
        """Filter and sort; what is None stays as it is.

        Raises:
            GraspdError: If a name is unknown; the list stays as it was.
        """
        wanted = self.filter if wanted is None else wanted
        metric = self.metric if metric is None else metric
        descending = self.descending if descending is None else descending
        rows = filtered_rows(self._catalog, self._decisions, wanted)
        rows = rows[self._taken[rows]]
        self.rows = sorted_rows(self._catalog, rows, metric, descending=descending)
        self.filter, self.metric, self.descending = wanted, metric, descending
        if self.selected is None or not (self.rows == self.selected).any():
            self.selected = int(self.rows[0]) if len(self.rows) else None

    def select(self, row: int) -> None:
        """Select a row of the catalogue.

        Raises:
            GraspdError: If it is not shown.
        """
        if not (self.rows == row).any():
            raise GraspdError(f"expected one of the {len(self.rows)} rows shown, got row {row}")
        self.selected = int(row)

    def step(self, by: int) -> int | None:
        """Select the next grasp, or with -1 the one before; stays at the ends. Returns the selected row."""
        if not len(self.rows):
            return None
        here = np.flatnonzero(self.rows == self.selected)
        place = int(here[0]) + by if len(here) else 0
        self.selected = int(self.rows[min(max(place, 0), len(self.rows) - 1)])
        return self.selected
