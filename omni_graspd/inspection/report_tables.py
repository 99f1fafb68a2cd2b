# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The tables of a report: how many grasps can be used, and how good they are, by hand and by object."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from omni_graspd.dataset.evaluation.measured_grasps import MeasuredGrasps
from omni_graspd.inspection.quality_charts import Groups
from omni_graspd.inspection.quality_summary import QualityRow, quality_row
from omni_graspd.metrics.columns import metrics_shown
from omni_graspd.metrics.metric import Metric

_COUNTS = (
    "Usable: did not fail and, where there is a table, the whole motion is clear of it. "
    "Good: usable, and no metric finds a fault."
)
_ALL = "All usable grasps; mean of the objects' means."
_BY_OBJECT = "The same, object by object."


def report_tables(groups: Groups, rows: dict[str, list[QualityRow]], top: int) -> list[dict[str, Any]]:
    """Return the tables for the page: caption, headings, rows of cells, and how many columns of text come first.

    The dataset has a column where there are several.

    Args:
        groups: Tables of grasps by dataset and hand.
        rows: Means by group: ``top`` of the best, ``all`` of all usable grasps.
        top: How many of each object are the best.
    """
    shown = [m for m in metrics_shown("report") if any(np.isfinite(row.values[m.name]) for row in rows["all"])]
    several = len({table.dataset for measured in groups.values() for table in measured}) > 1
    titles = [metric.title for metric in shown]
    best = f"Best {top} of each object by ε, as in the paper's Table II; mean of the objects' means."
    tables = [
        (_COUNTS, ["hand", "objects", "grasps", "usable", "share", "good", "share"], 1, _count_rows(groups)),
        (best, ["hand", "objects", "grasps", *titles], 1, _mean_rows(rows["top"], shown)),
        (_ALL, ["hand", "objects", "usable", *titles], 1, _mean_rows(rows["all"], shown)),
        (_BY_OBJECT, ["hand", "object", "grasps", "usable", "good", *titles], 2, _object_rows(groups, shown)),
    ]
    first = 0 if several else 1  # each row begins with the dataset
    return [
        {
            "caption": caption,
            "headings": ["dataset", *headings][first:],
            "rows": [cells[first:] for cells in lines],
            "text_columns": 1 + text_columns - first,
        }
        for caption, headings, text_columns, lines in tables
    ]


def _count_rows(groups: Groups) -> list[list[Any]]:
    lines = []
    for measured in groups.values():
        grasps = sum(len(table.table.indices) for table in measured)
        usable, good = sum(_usable(table) for table in measured), sum(_good(table) for table in measured)
        first = measured[0]
        counts = [grasps, usable, _share(usable, grasps), good, _share(good, grasps)]
        lines.append([first.dataset, first.table.hand, len(measured), *counts])
    return lines


def _mean_rows(rows: Sequence[QualityRow], shown: Sequence[Metric]) -> list[list[Any]]:
    return [[row.dataset, row.hand, row.objects, row.grasps, *_values(row, shown)] for row in rows]


def _object_rows(groups: Groups, shown: Sequence[Metric]) -> list[list[Any]]:
    return [
        [
            *(table.dataset, table.table.hand, table.table.object),
            *(len(table.table.indices), _usable(table), _good(table)),
            *_values(quality_row([table], None), shown),
        ]
        for measured in groups.values()
        for table in measured
    ]


def _usable(table: MeasuredGrasps) -> int:
    return int(table.table.good.sum())


def _good(table: MeasuredGrasps) -> int:
    return sum(verdict == "good" for verdict in table.verdicts())


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %"


def _values(row: QualityRow, shown: Sequence[Metric]) -> list[str]:
    values = [(row.values[metric.name], metric.digits) for metric in shown]
    return [f"{value:.{digits}f}" if np.isfinite(value) else "–" for value, digits in values]
