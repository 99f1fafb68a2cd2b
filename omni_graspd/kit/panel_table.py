# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The panel's table of grasps: a page of rows, a column for each metric, sorted by a click on its head."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import omni.ui as ui

from omni_graspd.errors import GraspdError
from omni_graspd.inspection.inspection import Inspection
from omni_graspd.kit.panel_rows import ROW_HEIGHT
from omni_graspd.metrics.columns import metrics_shown
from omni_graspd.metrics.metric import Metric

_PAGE = 12
_NAME_WIDTH, _NAME_LENGTH, _VERDICT_WIDTH = 112, 14, 58
"""Widths of columns [pixel], and the characters of a name that fit: buttons grow with their text."""
_STYLE = {"Button": {"padding": 1, "margin": 1}}
_ESCAPE = Metric(
    name="loss_escape", kind="float64", unit="1", meaning="Loss of escape: low is good.", by="generate", label="escape"
)
_METRICS = (_ESCAPE, *metrics_shown("panel"))


def build_grasp_table(
    session: Inspection | None, selected: Callable[[int], None], sorted_by: Callable[[str], None]
) -> None:
    """Build the page of the table that has the selected grasp, inside the container that is open.

    Args:
        session: The open dataset; None: a line says that there is none.
        selected: Called with the row that the user clicked.
        sorted_by: Called with the metric whose head the user clicked; empty for the grasps' own order.
    """
    with ui.VStack(style=_STYLE):
        if session is None:
            ui.Label("no dataset is open", height=20)
            return
        try:
            rows = [(int(row), *_name(session, int(row)), _cells(session, int(row))) for row in _page(session)]
        except GraspdError as error:
            ui.Label(str(error), height=40, word_wrap=True)
            return
        _build_head(session, sorted_by)
        for row, title, shown, (*cells, verdict) in rows:
            with ui.HStack(height=20):
                ui.Button(
                    shown,
                    width=_NAME_WIDTH,
                    tooltip=f"Show {title} in the viewport.",
                    clicked_fn=lambda row=row: selected(row),
                )
                for cell in cells:
                    ui.Label(cell, alignment=ui.Alignment.CENTER)
                ui.Label(verdict, width=_VERDICT_WIDTH, alignment=ui.Alignment.CENTER)
        ui.Label(f"{len(session.list.rows)} of {session.catalog.count} grasps", height=20)


def _build_head(session: Inspection, sorted_by: Callable[[str], None]) -> None:
    with ui.HStack(height=ROW_HEIGHT):
        ui.Button("grasp", width=_NAME_WIDTH, tooltip="Sort by number.", clicked_fn=lambda: sorted_by(""))
        for metric in _shown_metrics(session):
            text = f"{metric.label} {metric.shown_unit}".strip()
            ui.Button(text, tooltip=metric.meaning, clicked_fn=lambda metric=metric: sorted_by(metric.name))
        ui.Label("decision", width=_VERDICT_WIDTH, alignment=ui.Alignment.CENTER)


def _shown_metrics(session: Inspection) -> list[Metric]:
    return [metric for metric in _METRICS if metric.name in session.catalog.metric_names()]


def _page(session: Inspection) -> np.ndarray:
    here = np.flatnonzero(session.list.rows == session.list.selected)
    first = int(here[0]) // _PAGE * _PAGE if len(here) else 0
    return session.list.rows[first : first + _PAGE]


def _name(session: Inspection, row: int) -> tuple[str, str]:
    """Return the name of a grasp, and what of it fits into the column, with a mark before the selected one."""
    table = session.catalog.table_of(row)
    name = f"{table.hand} {table.object} {session.catalog.index_of(row)}"
    mark = "> " if row == session.list.selected else ""
    room = _NAME_LENGTH - len(mark)
    return name, mark + (name if len(name) <= room else f"..{name[2 - room :]}")


def _cells(session: Inspection, row: int) -> list[str]:
    """Return what a row says behind the name: metrics, decision."""
    table, index = session.catalog.table_of(row), session.catalog.index_of(row)
    decision = session.decisions.get((table.hand, table.object, index))
    values = [(metric, session.catalog.metric(metric.name)[row]) for metric in _shown_metrics(session)]
    texts = [f"{metric.scale * value:.{metric.digits}f}" if np.isfinite(value) else "-" for metric, value in values]
    return [*texts, "" if decision is None else decision.verdict]
