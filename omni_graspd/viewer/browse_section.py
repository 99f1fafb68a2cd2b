# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Which grasps are shown and in which order: filters, a histogram to brush, a list to choose from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from omni_graspd.inspection.grasp_list import GraspFilter, Status

if TYPE_CHECKING:
    from omni_graspd.viewer.inspection_page import InspectionPage

_ALL, _TABLE = "all", "table order"
_BINS, _ROWS, _STEPS = 40, 10, 200


class BrowseSection:
    """Filters by hand, object, status and decision; a range of a metric; sorting; the page of the list."""

    def __init__(self, page: InspectionPage) -> None:
        """Add the controls."""
        self._page = page
        gui, catalog = page.server.gui, page.session.catalog
        metrics = catalog.metric_names()
        changed = page.tasks.callback(lambda _: self._filter())
        with gui.add_folder("Browse") as self._folder:
            self.list = gui.add_markdown("")
            self.place = gui.add_slider("grasp", 1, max(2, catalog.count), 1, 1)
            self.place.on_update(page.tasks.callback(lambda _: self._go()))
            self.hand = gui.add_dropdown("hand", (_ALL, *dict.fromkeys(table.hand for table in catalog.tables)))
            self.object = gui.add_dropdown("object", (_ALL, *dict.fromkeys(table.object for table in catalog.tables)))
            self.status = gui.add_dropdown("status", get_args(Status))
            self.decision = gui.add_dropdown("decision", (_ALL, "undecided", "accepted", "rejected"))
            self.sort = gui.add_dropdown("sort by", (_TABLE, *metrics))
            self.descending = gui.add_checkbox("largest first", False)
            for control in (self.hand, self.object, self.status, self.decision, self.sort, self.descending):
                control.on_update(changed)
            self.metric = gui.add_dropdown("histogram of", tuple(metrics))
            self.metric.on_update(page.tasks.callback(lambda _: self._brush_anew()))
            self.histogram: Any = None
            self.range = gui.add_multi_slider("range", 0, _STEPS, 1, (0, _STEPS))
            self.range.on_update(changed)

    def update(self) -> None:
        """Show which grasps are listed and which of them is selected."""
        session = self._page.session
        rows, selected = session.list.rows, session.list.selected
        here = np.flatnonzero(rows == selected)
        self.place.max = max(2, len(rows))
        if len(here):
            self.place.value = int(here[0]) + 1
        first = max(0, int(here[0]) - _ROWS // 2) if len(here) else 0
        lines = [f"{len(rows)} of {session.catalog.count} grasps", "", "| grasp | escape | epsilon | decision |"]
        lines += ["| --- | ---: | ---: | --- |", *(self._line(int(row)) for row in rows[first : first + _ROWS])]
        self.list.content = "\n".join(lines)
        if self.histogram is None and len(rows):
            self._draw_histogram()

    def _line(self, row: int) -> str:
        session = self._page.session
        table, index = session.catalog.table_of(row), session.catalog.index_of(row)
        decision = session.decisions.get((table.hand, table.object, index))
        names = session.catalog.metric_names()
        figures = [
            f"{session.catalog.metric(name)[row]:.3g}" if name in names else "" for name in ("loss_escape", "epsilon")
        ]
        name = f"{table.hand} {table.object} {index}"
        name = f"**{name}**" if row == session.list.selected else name
        return f"| {name} | {' | '.join(figures)} | {'' if decision is None else decision.verdict} |"

    async def _go(self) -> None:
        rows = self._page.session.list.rows
        if len(rows):
            self._page.session.select(int(rows[min(self.place.value, len(rows)) - 1]))
        await self._page.show_selected()

    async def _filter(self) -> None:
        session = self._page.session
        wanted = GraspFilter(
            hand="" if self.hand.value == _ALL else self.hand.value,
            object="" if self.object.value == _ALL else self.object.value,
            status=self.status.value,
            decision=self.decision.value,
        )
        least, largest = self.range.value
        if (least, largest) != (0, _STEPS):
            low, high = self._extent()
            bounds = low + (high - low) * least / _STEPS, low + (high - low) * largest / _STEPS
            wanted = replace(wanted, ranges={self.metric.value: bounds})
        before = session.list.selected
        metric = "" if self.sort.value == _TABLE else self.sort.value
        session.list.show(wanted, metric, self.descending.value)
        if session.list.selected != before:
            session.reset()
        await self._page.show_selected()

    async def _brush_anew(self) -> None:
        self.range.value = (0, _STEPS)
        self._draw_histogram()
        await self._filter()

    def _extent(self) -> tuple[float, float]:
        values = self._page.session.catalog.metric(self.metric.value)
        values = values[np.isfinite(values)]
        return (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)

    def _draw_histogram(self) -> None:
        import viser.uplot as uplot

        values = self._page.session.catalog.metric(self.metric.value)
        low, high = self._extent()
        extent = low, high if high > low else low + 1.0
        counts, edges = np.histogram(values[np.isfinite(values)], bins=_BINS, range=extent)
        data = (0.5 * (edges[1:] + edges[:-1]), counts.astype(np.float64))
        if self.histogram is not None:
            self.histogram.data = data
            return
        series = (uplot.Series(label=""), uplot.Series(label="grasps", stroke="#3478dc", fill="#3478dc44", width=1))
        scales = {"x": uplot.Scale(time=False), "y": uplot.Scale()}
        with self._folder:
            self.histogram = self._page.server.gui.add_uplot(data, series, title="histogram", scales=scales, aspect=2.2)
