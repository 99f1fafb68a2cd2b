# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Joint targets that press: jaws in closed form, torques by virtual work, and targets that stay over the table."""

from __future__ import annotations

import numpy as np
import pytest
from box_hands import box_mesh, gripper
from table_bench import QUICK, find, posed_vertices, table

from omni_graspd.errors import GraspdError
from omni_graspd.geometry.signed_distance import SignedDistance, SignedDistanceConfig
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.surface_points import posed_points, sample_surface_points
from omni_graspd.objects.object_library import load_object
from omni_graspd.synthesis.contact_balance import balance_forces, pressing_contacts
from omni_graspd.synthesis.models import object_model
from omni_graspd.synthesis.squeeze import Squeeze, SqueezeConfig, balanced_squeeze
from omni_graspd.usd.meshes import TriangleMesh

_UP = np.array([0.0, 0.0, 1.0])
_BLOCK = box_mesh((0.03, 0.02, 0.025), (0.0, 0.0, 0.025))
_MIDDLE = np.array([0.0, 0.0, 0.025])
# The tips are 5 mm over the table, and the jaws before the middle of the block.
_FROM_ABOVE = np.array([0.0, 0.0, 0.1, 1.0, 0.0, 0.0, 0.0])


def exact_distance(mesh: TriangleMesh) -> SignedDistance:
    return SignedDistance.build(mesh, closed=True, device="cpu", config=SignedDistanceConfig(phong_alpha=0.0))


def press(hand: Hand, mesh: TriangleMesh, pose: np.ndarray, actuated: np.ndarray, **options: float) -> Squeeze:
    """Squeeze a block with one hand."""
    config = SqueezeConfig(**{"weight": 0.0, **options})
    points = sample_surface_points(hand, 1000)
    task = config.task(_UP, 0.02)
    return balanced_squeeze(
        hand, points, exact_distance(mesh), _MIDDLE, task, pose[None], np.asarray(actuated)[None], config
    )


def test_jaws_press_toward_the_block_with_half_the_force_each():
    """A sliding jaw's drive has the stiffness of a hinged one over a lever of 5 cm: 2000 N/m where that has 5 N m."""
    squeeze = press(gripper(), _BLOCK, _FROM_ABOVE, np.array([0.02, 0.02]), force=20.0, stiffness=5.0)
    np.testing.assert_allclose(squeeze.targets, 0.02 - 10.0 / 2000.0, atol=1e-4)
    assert squeeze.imbalance[0] < 1e-3


def test_jaws_that_are_apart_close_first():
    """1 mm on one side and 2 mm on the other; both are near enough to press."""
    squeeze = press(gripper(), _BLOCK, _FROM_ABOVE, np.array([0.021, 0.022]), force=20.0, stiffness=5.0)
    np.testing.assert_allclose(squeeze.targets[0], 0.02 - 10.0 / 2000.0, atol=3e-4)


def test_one_jaw_alone_is_out_of_balance():
    squeeze = press(gripper(), _BLOCK, _FROM_ABOVE, np.array([0.02, 0.05]))
    assert squeeze.imbalance[0] == pytest.approx(1.0, abs=0.05)
    # The other one does not move: it touches nothing.
    assert squeeze.targets[0, 1] == pytest.approx(0.05, abs=1e-6)
    assert squeeze.targets[0, 0] < 0.02


def test_a_hand_far_away_stays_as_it_is():
    squeeze = press(gripper(), _BLOCK, _FROM_ABOVE + np.array([1.0, 0, 0, 0, 0, 0, 0]), np.array([0.02, 0.03]))
    np.testing.assert_allclose(squeeze.targets, [[0.02, 0.03]], atol=1e-12)
    assert squeeze.imbalance[0] == 1.0


def test_no_target_moves_by_more_than_the_most():
    squeeze = press(gripper(), _BLOCK, _FROM_ABOVE, np.array([0.02, 0.02]), stiffness=0.01, max_shift=0.26)
    # 0.26 rad over a lever of 5 cm.
    np.testing.assert_allclose(squeeze.targets, 0.02 - 0.013, atol=1e-9)


def test_where_forces_act_is_measured_from_the_centre_of_mass():
    """Jaws 2 cm beside the middle of the block, and 1.5 cm above it."""
    pose = _FROM_ABOVE + np.array([0.02, 0.0, 0.03, 0, 0, 0, 0])
    squeeze = press(gripper(), box_mesh((0.06, 0.02, 0.1), (0.0, 0.0, 0.1)), pose, np.array([0.02, 0.02]), weight=1.0)
    middle_of_jaws = 0.1 + 0.03 - 0.095 + 0.04
    assert squeeze.lever[0] == pytest.approx(0.02, abs=0.006)
    assert squeeze.height[0] == pytest.approx(middle_of_jaws - _MIDDLE[2], abs=0.03)


def test_a_spread_of_zero_is_refused():
    with pytest.raises(GraspdError, match="spread"):
        SqueezeConfig(spread=0.0)


@pytest.fixture(scope="module")
def grasped(hand):
    can = load_object("soup_can")
    return can, find(hand, can, range(6), table(can))


@pytest.mark.slow
def test_torques_do_the_work_of_the_forces(hand, grasped):
    """Virtual work: what the drives do on a small motion is what the contact forces do on the points they act on."""
    can, batch = grasped
    points, distance = sample_surface_points(hand, 400), exact_distance(can.mesh)
    actuated = batch.joint_positions[:, hand.actuated]
    soft, softer = (SqueezeConfig(stiffness=stiffness, max_shift=1e9) for stiffness in (1.0, 0.5))
    task = soft.task(_UP, 0.03)
    once, twice = (
        balanced_squeeze(hand, points, distance, can.center_of_mass, task, batch.T_object_palm, actuated, config)
        for config in (soft, softer)
    )
    # Shifts differ by the torque over the stiffness; what closes gaps is the same.
    torques = twice.targets - once.targets
    step = 1e-6
    for row in range(6):
        pose, joints = batch.T_object_palm[row : row + 1], actuated[row]
        placed = posed_points(hand, points, pose, hand.joint_positions(joints)[None])[0]
        distances, normals = distance.query(placed, 0.01)
        slots, presses = pressing_contacts(distances, points.link_index, soft.contact_threshold)
        chosen = slots[presses]
        forces, left = balance_forces(placed[chosen] - can.center_of_mass, normals[chosen].astype(np.float64), task)
        assert once.imbalance[row] == pytest.approx(left, abs=1e-9)
        for joint in range(hand.actuated_count):
            moved = [
                posed_points(hand, points, pose, hand.joint_positions(joints + side * np.eye(len(joints))[joint])[None])
                for side in (step, -step)
            ]
            speed = (moved[0] - moved[1])[0, chosen] / (2.0 * step)
            assert torques[row, joint] == pytest.approx((forces * speed).sum(), abs=1e-6)
    assert np.abs(torques).max() > 0.1


def test_usable_squeezes_press_inward_and_stay_over_the_table(hand, grasped):
    can, batch = grasped
    distance = exact_distance(can.mesh)
    points = sample_surface_points(hand, 1200)
    for row in np.flatnonzero(batch.usable):
        squeezed = batch.postures.squeeze_joint_positions[row]
        assert posed_vertices(hand, batch.T_object_palm[row], squeezed)[:, 2].min() >= 0.0
        before, after = (
            distance.query(posed_points(hand, points, batch.T_object_palm[row : row + 1], joints[None])[0], 0.05)[0]
            for joints in (batch.joint_positions[row], squeezed)
        )
        touching = (before < 0.004) & (np.abs(before - after) > 1e-6)
        # What touches would sink in.
        assert (before - after)[touching].mean() > 0.0005


@pytest.mark.slow
def test_where_a_digit_would_press_into_the_table_it_presses_less(hand):
    can, config = load_object("low_can"), SqueezeConfig()
    around = table(can)
    batch = find(hand, can, range(16), around, tries=1)
    model = object_model(can, SignedDistanceConfig(), "cpu")
    points, actuated = sample_surface_points(hand, QUICK["point_count"]), batch.joint_positions[:, hand.actuated]
    task = config.task(around.upward, model.gyration_radius)
    wanted = balanced_squeeze(
        hand, points, model.distance, can.center_of_mass, task, batch.T_object_palm, actuated, config
    )
    asked = wanted.targets - actuated
    given = batch.postures.squeeze_joint_positions[:, hand.actuated] - actuated
    shortened = 0
    for row in range(16):
        lowest = posed_vertices(hand, batch.T_object_palm[row], hand.joint_positions(wanted.targets[row]))[:, 2].min()
        if lowest >= 0.0:
            np.testing.assert_allclose(given[row], asked[row], atol=1e-5)
        elif batch.way.grasp_clearance[row] >= 0.0:
            moved = np.abs(asked[row]) > 1e-6
            shares = given[row, moved] / asked[row, moved]
            assert shares.min() < 0.75
            assert (shares > 0.1).all() and (shares < 1.0 + 1e-3).all()
            # Only the digits that were in the table, not the whole hand.
            shortened += shares.max() > 0.999
            assert batch.way.squeeze_clearance[row] > lowest
    assert shortened >= 2
