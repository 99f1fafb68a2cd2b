# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Means over many grasps in the layout of the paper's Table II, and curves over thresholds as in its Fig. 3."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from omni_graspd.dataset.evaluation.measured_grasps import MeasuredGrasps
from omni_graspd.metrics.columns import metrics_shown
from omni_graspd.metrics.metric import Metric

_BOOTSTRAP_DRAWS = 1000


@dataclass(frozen=True)
class QualityRow:
    """Means of a choice of grasps: over the grasps of an object, then over the objects."""

    dataset: str
    """Name of the dataset."""
    hand: str
    """Name of the hand."""
    objects: int
    """Number of objects."""
    grasps: int
    """Number of grasps chosen, over all objects."""
    values: dict[str, float]
    """Mean by column, in the units of tables and charts; NaN where no grasp has the metric."""


def quality_row(measured: Sequence[MeasuredGrasps], count: int | None) -> QualityRow:
    """Average the best usable grasps of each object by epsilon; grasps marked as failed are left out.

    Args:
        measured: Tables of one dataset and hand, one for each object.
        count: How many of each object; None: all.
    """
    chosen = [table.best(count) for table in measured]
    return QualityRow(
        measured[0].dataset,
        measured[0].table.hand,
        len(measured),
        sum(len(rows) for rows in chosen),
        {metric.name: _mean(measured, chosen, metric) for metric in metrics_shown("report")},
    )


def _mean(measured: Sequence[MeasuredGrasps], chosen: Sequence[np.ndarray], metric: Metric) -> float:
    means = []
    for table, rows in zip(measured, chosen, strict=True):
        values = table.metric(metric.name)
        if values is not None and np.isfinite(values[rows]).any():
            means.append(np.nanmean(values[rows]))
    return metric.scale * float(np.mean(means)) if means else float("nan")


@dataclass(frozen=True)
class Curve:
    """A metric over contact thresholds."""

    thresholds: np.ndarray
    """Contact thresholds [m], ascending, shape [threshold_count]."""
    mean: np.ndarray
    """Mean, in the unit of charts, shape [threshold_count]."""
    low: np.ndarray
    """Lower end of the 95 % band of the mean, shape [threshold_count]."""
    high: np.ndarray
    """Upper end of it, shape [threshold_count]."""


def threshold_curve(measured: Sequence[MeasuredGrasps], metric: Metric, count: int | None) -> Curve | None:
    """Average a metric at every threshold at which it was measured.

    The band comes from drawing objects anew (bootstrap, 1,000 draws), or grasps where there are fewer than four
    objects.

    Args:
        measured: Tables of one dataset and hand.
        metric: Contact area, epsilon or volume.
        count: How many grasps of each object, best first; None: all.

    Returns:
        The curve; None if there are no columns of that metric at thresholds.
    """
    found = [_thresholds(table, metric.name) for table in measured]
    thresholds = sorted(set.intersection(*map(set, found)))
    if not thresholds:
        return None
    rows = [table.best(count) for table in measured]
    columns = [f"{metric.name}_{1e3 * at:.6g}mm" for at in thresholds]
    samples = []
    for table, best in zip(measured, rows, strict=True):
        values = np.stack([np.asarray(table.table.metrics[name], dtype=np.float64)[best] for name in columns], axis=1)
        samples.append(metric.scale * values[np.isfinite(values).all(axis=1)])
    samples = [values for values in samples if len(values)]
    if not samples:
        return None
    units = np.stack([values.mean(axis=0) for values in samples]) if len(samples) >= 4 else np.concatenate(samples)
    low, high = _band(units)
    mean = np.stack([values.mean(axis=0) for values in samples]).mean(axis=0)
    return Curve(np.array(thresholds), mean, low, high)


def _thresholds(table: MeasuredGrasps, metric: str) -> list[float]:
    names = [name for name in table.table.metrics if name.startswith(f"{metric}_") and name.endswith("mm")]
    return [1e-3 * float(name.removeprefix(f"{metric}_").removesuffix("mm")) for name in names]


def _band(units: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    drawn = random.integers(len(units), size=(_BOOTSTRAP_DRAWS, len(units)))
    means = units[drawn].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5], axis=0)
    return low, high
