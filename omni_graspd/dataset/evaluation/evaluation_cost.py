# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What an evaluation costs, told before it begins."""

from __future__ import annotations

from collections.abc import Collection

from omni_graspd.dataset.evaluation.evaluation_chunk import EvaluationSettings, lift_columns
from omni_graspd.metrics.columns import columns_by, metrics_at_thresholds, threshold_column

_METRICS, _THRESHOLD, _HOLD, _LIFT = 0.1, 0.03, 0.1, 0.3
"""Processor time per grasp of the metrics, of each threshold, and of each test in PhysX [s]. Measured on a few objects
and two hands; scans with many faces and hands with many links take longer."""


def evaluation_cost(settings: EvaluationSettings, lacks: Collection[str]) -> dict[str, float]:
    """Return roughly what each part of an evaluation costs per grasp, by name [s of processor time].

    Args:
        settings: What is to be measured.
        lacks: Columns that tables lack; what is there already costs nothing.
    """
    wanted = set(lacks)
    thresholds = [
        at for at in settings.thresholds if wanted & {threshold_column(name, at) for name in metrics_at_thresholds()}
    ]
    lifts = 1 + settings.lift_noise if wanted & set(lift_columns(settings)) else 0
    parts = {
        "metrics": _METRICS if wanted & set(columns_by("generate", "evaluate")) else 0.0,
        f"{len(thresholds)} thresholds": _THRESHOLD * len(thresholds),
        "hold test": _HOLD if wanted & set(columns_by("hold")) else 0.0,
        "lift test" if lifts == 1 else f"{lifts} lifts": _LIFT * lifts,
    }
    return {name: seconds for name, seconds in parts.items() if seconds}


def cost_line(parts: dict[str, float], count: int) -> str:
    """Return the cost in one line: of a grasp, part by part, and of all.

    Args:
        parts: As :func:`evaluation_cost` returns them.
        count: How many grasps there are.
    """
    each = sum(parts.values())
    of = ", ".join(f"{name} {seconds:.2g}" for name, seconds in parts.items())
    return f"about {each:.1f} s of processor time per grasp ({of}), {_time(each * count)} in all, shared by the workers"


def _time(seconds: float) -> str:
    for unit, length in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 1.5 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 1.0):.0f} s"
