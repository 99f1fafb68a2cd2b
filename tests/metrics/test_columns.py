# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The declarations of metric columns: what follows from them, and that one of them is all a new metric needs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from omni_graspd.dataset.evaluation.evaluation_chunk import EvaluationSettings, evaluation_columns
from omni_graspd.dataset.evaluation.measured_grasps import MeasuredGrasps
from omni_graspd.dataset.table_schema import metric_column
from omni_graspd.dataset.tables import GraspTable
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.inspection.grasp_contacts import grasp_contacts
from omni_graspd.metrics.columns import METRICS, metrics_shown
from omni_graspd.metrics.evaluate import MetricsConfig, evaluate_grasps
from omni_graspd.metrics.metric import Metric
from omni_graspd.objects.object_library import load_object
from omni_graspd.synthesis.grasp import GraspBatch

_TALL = Metric(
    name="tall",
    kind="float64",
    unit="m",
    meaning="Height of the palm.",
    by="generate",
    measure=lambda grasps: grasps.T_object_palm[:, 2],
    fault="the palm is high",
    label="height",
    shown_unit="cm",
    scale=1e2,
    report=35,
)


@pytest.fixture
def tall(monkeypatch) -> Metric:
    monkeypatch.setitem(METRICS, "tall", _TALL)
    return _TALL


def test_columns_of_an_evaluated_table_keep_their_order():
    """The order is that of the files of datasets made before."""
    settings = EvaluationSettings(thresholds=(0.003,), lift_test=True, lift_noise=2)
    expected = """contact_area contact_count epsilon volume force_closure pierced crossed penetration_depth
        intersection_volume self_penetration_area joint_limit_margin displacement held lifted lift_drift lift_reason
        lift_score contact_area_3mm facing_area_3mm epsilon_3mm volume_3mm"""
    assert evaluation_columns(settings) == tuple(expected.split())


def test_places_are_taken_once():
    for where in ("report", "histogram", "viewer", "panel"):
        places = [getattr(metric, where) for metric in metrics_shown(where)]
        assert places == sorted(set(places))
    assert [metric.title for metric in metrics_shown("report")[:5]] == ["CA [cm²]", "IV [cm³]", "ε", "Vol", "SD [cm]"]


def test_columns_at_thresholds_say_theirs():
    column = metric_column("facing_area_2.5mm", "float64")
    assert column.meaning == "Area of the hand's surface nearer than 2.5 mm that faces the object."
    assert (column.kind, column.unit) == ("float64", "m2")
    assert metric_column("held_3mm", "int32").meaning == "Metric 'held_3mm'."


@pytest.mark.slow
def test_a_declaration_is_all_a_new_metric_needs(tall):
    hand, mug = load_hand("allegro"), load_object("mug")
    poses, joints = np.tile([0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 1.0], (2, 1)), np.zeros((2, hand.joint_count))
    poses[0, 2] = 0.0
    measured = evaluate_grasps(hand, mug, poses, joints, MetricsConfig(point_count=50))
    np.testing.assert_array_equal(measured["tall"], [0.0, 0.5])
    assert grasp_contacts(hand, mug, poses[1], joints[1], MetricsConfig(point_count=50)).figures()["tall"] == 0.5
    assert "tall" in evaluation_columns(EvaluationSettings())
    assert metric_column("tall", "").meaning == tall.meaning
    assert metrics_shown("report")[3].title == "height [cm]"
    batch = GraspBatch(poses, joints, {}, ("ok", "ok"))
    table = GraspTable("allegro", "mug", hand.joint_names, np.arange(2, dtype=np.int32), 0, batch, measured)
    table = replace(table, metrics={"tall": measured["tall"]})
    assert MeasuredGrasps("set", Path(), table).verdicts() == ["good", "the palm is high"]
