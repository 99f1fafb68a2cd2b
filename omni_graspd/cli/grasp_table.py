# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What is printed of the grasps of a dataset: one line for each object and hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from omni_graspd.dataset.manifest import is_around_table
from omni_graspd.inspection.summary import DatasetSummary, GraspSummary

if TYPE_CHECKING:
    from rich.table import Table


def grasp_table(summary: DatasetSummary) -> Table:
    """Return counts and means of quality, a row for each object and hand."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for row in summary.grasps:
        cells = _grasp_cells(row, summary)
        if not table.columns:
            for name in cells:
                table.add_column(name, justify="left" if name in ("hand", "object") else "right")
        table.add_row(*cells.values())
    return table


def _grasp_cells(row: GraspSummary, summary: DatasetSummary) -> dict[str, str]:
    """Return what the table says of an object and a hand, by column; on a table: what can be carried out there."""
    on_table = is_around_table(summary.manifest.config)
    cells = {"hand": row.hand, "object": row.object}
    cells |= {"rest poses": str(row.rest_pose_count or 0)} if on_table else {}
    cells |= {"grasps": str(row.grasp_count), "ok": str(row.ok_count)}
    cells |= {"usable": str(row.usable_count or 0)} if on_table else {}
    cells |= {
        "force closure": _number(100.0 * row.force_closure, ".0f", " %"),
        "epsilon": _number(row.epsilon, ".3f"),
        "contact cm²": _number(1e4 * row.contact_area, ".1f"),
        "deepest mm": _number(1e3 * row.penetration_depth, ".1f"),
        "scenes": str(summary.scene_counts[row.object]),
        "scene grasps": str(row.scene_grasp_count),
    }
    cells |= {"usable there": str(row.usable_scene_count or 0)} if on_table else {"colliding": str(row.colliding_count)}
    return cells | {"images": str(summary.image_counts[row.object])}


def _number(value: float, form: str, unit: str = "") -> str:
    return "-" if value != value else f"{value:{form}}{unit}"
