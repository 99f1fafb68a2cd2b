# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Units in which columns are shown to people: centimetres and millimetres where tables have metres."""

from __future__ import annotations

from omni_graspd.dataset.table_schema import POSTURE_COLUMNS, REST_POSE_COLUMNS, WAY_COLUMNS, loss_column
from omni_graspd.metrics.columns import METRICS

_SMALLER = {"m": ("mm", 1e3), "m2": ("cm²", 1e4), "m²": ("cm²", 1e4), "m3": ("cm³", 1e6), "1": ("", 1.0)}


def shown_unit(name: str) -> tuple[str, float]:
    """Return the unit in which a column of base grasps is shown, empty for plain numbers, and the factor to it.

    Args:
        name: Name of the column; of one that is not known the values are shown as they are.
    """
    metric = METRICS.get(name)
    if metric is not None and metric.shown_unit:
        return metric.shown_unit, metric.scale
    columns = {**POSTURE_COLUMNS, **REST_POSE_COLUMNS, **WAY_COLUMNS}
    if metric is not None:
        unit = metric.unit
    elif name.startswith("loss_"):
        return loss_column(name).unit.replace("1", ""), 1.0
    else:
        unit = columns[name].unit if name in columns else "1"
    return _SMALLER.get(unit, (unit, 1.0))
