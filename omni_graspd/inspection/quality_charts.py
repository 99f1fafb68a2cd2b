# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Charts of the quality of grasps: curves over thresholds, histograms, reasons of failure."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from omni_graspd.dataset.evaluation.measured_grasps import MeasuredGrasps
from omni_graspd.inspection.quality_summary import threshold_curve
from omni_graspd.metrics.columns import METRICS, metrics_shown
from omni_graspd.metrics.metric import Metric

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Groups = Mapping[str, Sequence[MeasuredGrasps]]
"""Tables of one dataset and hand each, by the name under which charts show them."""

_INK = "#182030"
_COLORS = ("#1f5fa8", "#d1603d", "#3a8f5c", "#8a5fb0", "#b08a1f", "#4aa3b8", "#a83f6a", "#6a6f78", "#7a9a2f", "#c98fb0")
_VERDICT_COLORS = {
    "good": "#3a8f5c",
    "object lost in some direction": "#a8c66c",
    "object lost in most directions": "#e0b050",
    "deeper than 5 mm in the object": "#d1603d",
    METRICS["pierced"].fault: "#a83f6a",
    "no force closure": "#8a5fb0",
    "the table is in the way": "#4aa3b8",
}
_FAILED_COLOR = "#6a6f78"
_MOST_REASONS = 8
_STYLE: dict[Any, Any] = {
    "font.size": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#9098a4",
    "axes.labelcolor": _INK,
    "text.color": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.grid": True,
    "grid.color": "#e6e9ee",
    "axes.axisbelow": True,
    "text.parse_math": False,  # a name with two dollar signs is no formula
}


def draw_threshold_curves(groups: Groups, count: int | None) -> bytes | None:
    """Draw contact area, epsilon and volume over the contact threshold, with 95 % bands, as in the paper's Fig. 3.

    Args:
        groups: What is compared.
        count: How many grasps of each object, best by epsilon first; None: all.

    Returns:
        A PNG; None if nothing was measured at thresholds.
    """
    import matplotlib as mpl

    with mpl.rc_context(_STYLE):
        shown = [metric for metric in metrics_shown("report") if metric.at_threshold]
        figure, axes = _panels(len(shown))
        drawn = False
        for axis, metric in zip(axes, shown, strict=True):
            for color, (name, measured) in zip(_colors(len(groups)), groups.items(), strict=True):
                curve = threshold_curve(measured, metric, count)
                if curve is None:
                    continue
                drawn = True
                millimetres = 1e3 * curve.thresholds
                axis.plot(millimetres, curve.mean, "o-", color=color, markersize=3.5, linewidth=1.6, label=name)
                axis.fill_between(millimetres, curve.low, curve.high, color=color, alpha=0.15, linewidth=0)
            axis.set_xlabel("contact threshold [mm]")
            axis.set_title(metric.title, fontsize=10.5, loc="left")
            axis.set_ylim(bottom=0)
        return _save(figure, axes[0]) if drawn else None


def draw_histograms(groups: Groups) -> bytes:
    """Draw how metrics are spread over all grasps that are not marked as failed, as outlines of equal area."""
    import matplotlib as mpl

    shown = metrics_shown("histogram")
    with mpl.rc_context(_STYLE):
        figure, axes = _panels(len(shown))
        for axis, metric in zip(axes, shown, strict=True):
            samples = [_values(measured, metric) for measured in groups.values()]
            pooled = np.concatenate([*samples, np.zeros(0)])
            if not len(pooled):
                axis.set_title(f"{metric.title}: not measured", fontsize=10.5, loc="left")
                continue
            low, high = np.percentile(pooled, [0.0, 99.5])
            bins = np.linspace(low, max(high, low + 1e-9), 31)
            for color, name, values in zip(_colors(len(groups)), groups, samples, strict=True):
                if len(values):
                    weights = np.full(len(values), 100.0 / len(values))
                    kept = np.clip(values, bins[0], bins[-1])
                    axis.hist(kept, bins, weights=weights, histtype="stepfilled", color=color, alpha=0.12)
                    axis.hist(kept, bins, weights=weights, histtype="step", color=color, linewidth=1.4, label=name)
            axis.set_title(metric.title, fontsize=10.5, loc="left")
            axis.set_ylabel("grasps [%]")
        return _save(figure, axes[0])


def draw_verdicts(groups: Groups) -> bytes:
    """Draw which share of all grasps is good, and what is wrong with the others."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    counts = _verdict_counts(groups)
    reasons = [*_VERDICT_COLORS, *sorted({v for count in counts.values() for v in count} - set(_VERDICT_COLORS))]
    with mpl.rc_context({**_STYLE, "axes.grid": False}):
        figure = Figure(figsize=(10.5, 0.9 + 0.42 * len(groups)), layout="constrained")
        axis = figure.subplots()
        left = np.zeros(len(groups))
        for reason in reasons:
            shares = np.array([100.0 * count[reason] / max(1, count.total()) for count in counts.values()])
            if not shares.any():
                continue
            color = _VERDICT_COLORS.get(reason, _FAILED_COLOR)
            axis.barh(range(len(groups)), shares, left=left, color=color, label=reason, height=0.66)
            left += shares
        axis.set_yticks(range(len(groups)), labels=list(groups))
        axis.invert_yaxis()
        axis.set_xlim(0, 100)
        axis.set_xlabel("grasps [%]")
        return _save(figure, axis)


def _verdict_counts(groups: Groups) -> dict[str, Counter]:
    """Count verdicts by group; rare reasons for which a legend has no room are taken together."""
    counts = {name: Counter(v for table in measured for v in table.verdicts()) for name, measured in groups.items()}
    others = sum(counts.values(), Counter())
    for verdict in _VERDICT_COLORS:
        del others[verdict]
    named = {*_VERDICT_COLORS, *(verdict for verdict, _ in others.most_common(_MOST_REASONS))}
    for name, count in counts.items():
        counts[name] = Counter()
        for verdict, number in count.items():
            counts[name][verdict if verdict in named else "failed otherwise"] += number
    return counts


def _values(measured: Sequence[MeasuredGrasps], metric: Metric) -> np.ndarray:
    columns = [(table.metric(metric.name), table.ok) for table in measured]
    values = np.concatenate([np.zeros(0), *(values[ok] for values, ok in columns if values is not None)])
    return metric.scale * values[np.isfinite(values)]


def _panels(count: int) -> tuple[Figure, list[Axes]]:
    from matplotlib.figure import Figure

    rows = -(-count // 3)
    figure = Figure(figsize=(10.5, 2.9 * rows), layout="constrained")
    return figure, list(np.ravel(figure.subplots(rows, 3, squeeze=False))[:count])


def _colors(count: int) -> list[str]:
    return [_COLORS[index % len(_COLORS)] for index in range(count)]


def _save(figure: Figure, axis: Axes) -> bytes:
    handles, labels = axis.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(4, max(1, len(labels))), frameon=False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130, metadata={"Software": None})
    return buffer.getvalue()
