# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A hand that is dragged into the table comes out of it, and what was never above it does not win."""

from __future__ import annotations

import numpy as np
import pytest

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.lowest_point import lowest_heights
from omni_graspd.inspection.reoptimization import form_fingers, ranking_scores, reoptimize
from omni_graspd.objects.object_library import load_object
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.surroundings import Surroundings

_CONFIG = SynthesisConfig(iterations=60, point_count=400)


@pytest.fixture(scope="module")
def barrett() -> Hand:
    return load_hand("barrett")


@pytest.fixture(scope="module")
def can() -> RigidObject:
    return load_object("soup_can")


@pytest.fixture(scope="module")
def table(can: RigidObject) -> Surroundings:
    """The can upright."""
    return Surroundings(np.array([0.0, 0.0, 1.0, can.mesh.vertices[:, 2].min()]))


@pytest.fixture(scope="module")
def beside(barrett: Hand, can: RigidObject) -> np.ndarray:
    """A palm beside the can near its foot, approaching along X: the fingers reach below the table."""
    pose = np.array([-0.19, 0.0, float(can.mesh.vertices[:, 2].min()) + 0.01, 0.0, np.sqrt(0.5), 0.0, np.sqrt(0.5)])
    np.testing.assert_allclose(barrett.approach_direction, [0.0, 0.0, 1.0], atol=1e-6)
    return pose


def test_a_hand_dragged_into_the_table_ends_above_it(barrett, can, table, beside):
    joints = barrett.joint_positions(barrett.open_positions)
    assert lowest_heights(barrett, table.plane, beside, joints) < -0.02
    *_, last = reoptimize(barrett, can, beside, joints, _CONFIG, surroundings=table)
    assert lowest_heights(barrett, table.plane, last.T_object_palm, last.joint_positions) > -1e-3
    *_, floating = reoptimize(barrett, can, beside, joints, _CONFIG)
    assert lowest_heights(barrett, table.plane, floating.T_object_palm, floating.joint_positions) < -0.01


def test_hands_in_the_table_rank_behind_all_others(barrett, can, table, beside):
    joints = barrett.joint_positions(barrett.open_positions)
    above = beside + np.array([0.0, 0.0, 0.1, 0.0, 0.0, 0.0, 0.0])
    poses, postures = np.stack([beside, above]), np.stack([joints, joints])
    free = ranking_scores(barrett, can, poses, postures, _CONFIG)
    scores = ranking_scores(barrett, can, poses, postures, _CONFIG, surroundings=table)
    assert scores[0] == pytest.approx(free[0] + 1.0) and scores[1] == pytest.approx(free[1])


def test_while_it_is_dragged_the_palm_stays_under_the_cursor(barrett, can, table, beside):
    joints = barrett.joint_positions(barrett.open_positions)
    shown = form_fingers(barrett, can, beside, joints, _CONFIG, surroundings=table)
    np.testing.assert_allclose(shown.T_object_palm, beside, atol=1e-12)
