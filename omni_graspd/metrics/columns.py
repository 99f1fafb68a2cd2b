# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""All metric columns, each declared once: tables, checks, reports, the viewer and the docs' table follow from here."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

import numpy as np

from omni_graspd.metrics.metric import GraspsToMeasure, MeasuredBy, Metric

# What measures a metric is imported when it is measured: tables are read without Warp and USD.


def _intersection_volumes(grasps: GraspsToMeasure) -> np.ndarray:
    from omni_graspd.metrics.intersection_volume import intersection_volumes

    return intersection_volumes(
        grasps.hand, grasps.obj, grasps.T_object_palm, grasps.joint_positions, grasps.intersection
    )


def _self_penetration_areas(grasps: GraspsToMeasure) -> np.ndarray:
    from omni_graspd.metrics.self_penetration import SelfPenetrationConfig, self_penetration_areas

    config = grasps.self_penetration or SelfPenetrationConfig()
    points = grasps.surface_points(config.point_count)
    return self_penetration_areas(grasps.hand, grasps.joint_positions, config, points=points, device=grasps.device)


def _crossed_link_counts(grasps: GraspsToMeasure) -> np.ndarray:
    from omni_graspd.synthesis.crossed_links import crossed_links

    return crossed_links(grasps.hand, grasps.joint_positions, grasps.device).sum(axis=1, dtype=np.int32)


def _joint_limit_margins(grasps: GraspsToMeasure) -> np.ndarray:
    from omni_graspd.metrics.joint_margin import joint_limit_margins

    return joint_limit_margins(grasps.hand, grasps.joint_positions)


METRICS = {
    metric.name: metric
    for metric in (
        Metric(
            name="contact_area",
            kind="float64",
            unit="m2",
            meaning="Area of the hand's surface that touches the object.",
            by="generate",
            at_threshold="Area of the hand's surface nearer to the object than {0}.",
            least=0.0,
            label="CA",
            shown_unit="cm²",
            scale=1e4,
            digits=1,
            better=1,
            report=10,
            histogram=10,
            viewer=30,
            panel=20,
        ),
        Metric(
            name="facing_area",
            kind="float64",
            unit="m2",
            meaning="Area of the hand's surface near the object that faces it; at thresholds only.",
            by="thresholds",
            at_threshold="Area of the hand's surface nearer than {0} that faces the object.",
        ),
        Metric(
            name="contact_count",
            kind="int32",
            unit="1",
            meaning="Number of contact points.",
            by="generate",
        ),
        Metric(
            name="epsilon",
            kind="float64",
            unit="1",
            meaning="Ferrari-Canny epsilon quality; 0 without force closure.",
            by="generate",
            at_threshold="Ferrari-Canny epsilon quality of the contacts nearer than {0}.",
            least=0.0,
            label="ε",
            better=1,
            report=30,
            histogram=20,
            viewer=10,
            panel=10,
        ),
        Metric(
            name="volume",
            kind="float64",
            unit="1",
            meaning="Volume of the grasp wrench space; torques are divided by a length of the object.",
            by="generate",
            at_threshold="Volume of the grasp wrench space of the contacts nearer than {0}.",
            label="Vol",
            better=1,
            report=40,
            viewer=20,
        ),
        Metric(
            name="force_closure",
            kind="bool",
            unit="1",
            meaning="Whether the contacts resist any wrench.",
            by="generate",
            label="closed",
            better=1,
            report=70,
        ),
        Metric(
            name="pierced",
            kind="int32",
            unit="1",
            meaning="Number of links that the object passes through.",
            by="generate",
            least=0.0,
            fault="the object passes through the hand",
            label="pierced links",
            better=-1,
            report=90,
            viewer=40,
        ),
        Metric(
            name="crossed",
            kind="int32",
            unit="1",
            meaning="Number of links that another link passes through.",
            by="generate",
            measure=_crossed_link_counts,
            least=0.0,
            fault="a link passes through another",
            label="crossed links",
            better=-1,
            report=95,
            viewer=45,
        ),
        Metric(
            name="penetration_depth",
            kind="float64",
            unit="m",
            meaning="Depth of the deepest hand point inside the object, or of a wall in the hand.",
            by="generate",
            least=0.0,
            label="depth",
            shown_unit="mm",
            scale=1e3,
            digits=1,
            better=-1,
            report=80,
            histogram=50,
            viewer=50,
            panel=30,
        ),
        Metric(
            name="intersection_volume",
            kind="float64",
            unit="m3",
            meaning="Volume that the object shares with the filled links.",
            by="evaluate",
            measure=_intersection_volumes,
            least=0.0,
            label="IV",
            shown_unit="cm³",
            scale=1e6,
            digits=2,
            better=-1,
            report=20,
            histogram=30,
            viewer=60,
        ),
        Metric(
            name="self_penetration_area",
            kind="float64",
            unit="m2",
            meaning="Area of the hand's surface deep inside other links.",
            by="evaluate",
            measure=_self_penetration_areas,
            label="self",
            shown_unit="cm²",
            scale=1e4,
            digits=2,
            better=-1,
            report=100,
        ),
        Metric(
            name="joint_limit_margin",
            kind="float64",
            unit="1",
            meaning="Distance of the joint closest to a limit from it, as a fraction of its range; negative beyond.",
            by="evaluate",
            measure=_joint_limit_margins,
            label="joint margin",
            better=1,
            report=110,
            histogram=60,
        ),
        Metric(
            name="displacement",
            kind="float64",
            unit="m",
            meaning="Displacement of the object in the hold test, capped and averaged over six directions of gravity.",
            by="hold",
            label="SD",
            shown_unit="cm",
            scale=1e2,
            digits=2,
            better=-1,
            report=50,
            histogram=40,
        ),
        Metric(
            name="held",
            kind="float64",
            unit="1",
            meaning="Fraction of six directions of gravity in which the object stays in the hand.",
            by="hold",
            label="held",
            better=1,
            report=60,
            viewer=70,
        ),
        Metric(
            name="lifted",
            kind="bool",
            unit="1",
            meaning="Whether the hand lifts the object in the lift test.",
            by="lift",
        ),
        Metric(
            name="lift_drift",
            kind="float64",
            unit="m",
            meaning="Distance of the object from where the lift should have taken it; NaN if it was not tried.",
            by="lift",
        ),
        Metric(
            name="lift_reason",
            kind="string",
            unit="1",
            meaning="Why the object was not lifted; empty where it was.",
            by="lift",
        ),
        Metric(
            name="lift_score",
            kind="float64",
            unit="1",
            meaning="Fraction of lifts with an error in the palm's pose that succeed.",
            by="lift noise",
        ),
        Metric(
            name="predicted_score",
            kind="float64",
            unit="1",
            meaning="How much a predicted grasp looks like those that the network learned from, 0 to 1.",
            by="predict",
            label="score",
            digits=2,
            better=1,
        ),
    )
}
"""By name, in the order of the tables' columns."""


def columns_by(*tests: MeasuredBy) -> tuple[str, ...]:
    """Return the names of the columns that any of the given tests measures, in order."""
    return tuple(name for name, metric in METRICS.items() if metric.by in tests)


def metrics_at_thresholds() -> tuple[str, ...]:
    """Return the names of the metrics that are measured at contact thresholds, too, in order."""
    return tuple(name for name, metric in METRICS.items() if metric.at_threshold)


def metrics_shown(where: Literal["report", "histogram", "viewer", "panel"]) -> tuple[Metric, ...]:
    """Return the metrics that have a place in a table or chart, in their order there."""
    placed = [(getattr(metric, where), metric) for metric in METRICS.values() if getattr(metric, where) is not None]
    return tuple(metric for _, metric in sorted(placed, key=lambda entry: entry[0]))


def faults() -> dict[str, str]:
    """Return what is wrong with grasps of which a metric is above 0, by the metric's name."""
    return {name: metric.fault for name, metric in METRICS.items() if metric.fault}


def measure_single(
    grasps: GraspsToMeasure, by: MeasuredBy, names: Collection[str] | None = None
) -> dict[str, np.ndarray]:
    """Measure the metrics that have a function of their own.

    Args:
        grasps: The grasps.
        by: Which metrics are meant.
        names: Metrics wanted, others are left out; None: all.

    Returns:
        Columns of shape [grasp_count] by name, in order.
    """
    columns = {}
    for metric in METRICS.values():
        if metric.by == by and metric.measure is not None and (names is None or metric.name in names):
            columns[metric.name] = metric.measure(grasps)
    return columns


def threshold_column(metric: str, threshold: float) -> str:
    """Name the column of a metric at a threshold [m]: ``epsilon_3mm``, ``epsilon_2.5mm``."""
    return f"{metric}_{1e3 * threshold:.6g}mm"
