# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The robot's lift test with two jaws on an arm: Coulomb decides, and the palm goes where the way has it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np
import pytest
from armed_jaws import BASE, MOUNT, make_robot
from lift_jaws import make_block, make_grasp

from omni_graspd.arms.arm import Arm
from omni_graspd.arms.arm_lift import ArmLiftTest, RobotWay
from omni_graspd.arms.one_robot import joined
from omni_graspd.arms.reach import find_reach
from omni_graspd.arms.reach_config import ReachConfig
from omni_graspd.arms.seed_bank import SeedBank
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.scenes.grasp_tests.driven_hand import DrivePhysics
from omni_graspd.scenes.grasp_tests.lift_config import LiftConfig
from omni_graspd.scenes.grasp_tests.lift_trials import LiftOutcome
from omni_graspd.scenes.way_stations import way_stations
from omni_graspd.standalone.simulate import simulate
from omni_graspd.usd.transforms import IDENTITY, compose, invert, matrix_to_pose, pose_to_matrix

_STIFFNESS = 500.0
"""Of the jaws' drives [N/m]."""
# The block weighs 0.98 N; the lift takes up to 1.3 times as much. At friction 0.6 each jaw has to press with 1.07 N.
_ENOUGH, _TOO_LITTLE = 1.8 / _STIFFNESS, 0.6 / _STIFFNESS


@pytest.fixture(scope="module")
def robot(tmp_path_factory: pytest.TempPathFactory) -> tuple[Arm, Hand]:
    return make_robot(tmp_path_factory.mktemp("robot"))


def _way(arm: Arm, squeeze: float) -> RobotWay:
    batch = make_grasp(squeeze)
    stations = way_stations(IDENTITY, batch.T_object_palm, batch.joint_positions, batch.postures, batch.way)
    palms = np.stack([pose_to_matrix(station.T_world_palm) for station in stations], axis=1)
    wanted = pose_to_matrix(invert(BASE)) @ palms @ pose_to_matrix(invert(MOUNT))
    bank = SeedBank.of(arm.chain(), 2000)
    reach = find_reach(arm.chain(), bank, wanted, lambda grasp, station, positions: "", ReachConfig(starts=4))
    assert reach.reachable.all()
    hand = np.array([station.joint_positions[0] for station in stations])
    return RobotWay(BASE, IDENTITY, reach.arm_positions[0], hand, np.array([0.0, 0.0, 1.0]))


def _lift(robot: tuple[Arm, Hand], way: RobotWay) -> LiftOutcome:
    block = replace(make_block(), mass=0.1, inertia=make_block().inertia / 3.0)
    drive = DrivePhysics(stiffness=_STIFFNESS * 0.05**2, damping=0.05, max_torque=3.0)
    test = ArmLiftTest(simulate, *robot, MOUNT, block, [block.mesh], LiftConfig(drive=drive))
    return asyncio.run(test.lift(way))


@pytest.mark.parametrize(
    ("squeeze", "reason"), [(_ENOUGH, ""), pytest.param(_TOO_LITTLE, "slipped", marks=pytest.mark.slow)]
)
def test_a_block_comes_along_if_the_jaws_press_enough(robot, squeeze: float, reason: str):
    outcome = _lift(robot, _way(robot[0], squeeze))
    assert outcome.reason == reason
    if not reason:  # the arm is 10 cm higher, and so is the block
        assert outcome.drift < 0.002
        assert outcome.tilt < np.radians(1.0)


@pytest.mark.slow
def test_an_arm_that_follows_another_way_does_not_lift(robot):
    way = _way(robot[0], _ENOUGH)
    elsewhere = way.arm_positions + np.array([0.3, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    assert _lift(robot, replace(way, arm_positions=elsewhere)).reason


@pytest.mark.slow
def test_the_same_way_comes_out_the_same(robot):
    way = _way(robot[0], _ENOUGH)
    assert _lift(robot, way) == _lift(robot, way)


def test_links_of_the_whole_robot_are_where_those_of_its_parts_are(robot):
    arm, hand = robot[0], load_hand("allegro")
    whole = joined(arm, hand, MOUNT)
    posture = np.array([0.3, 0.5, -0.4, 0.9, 0.2, 0.7, -1.0])
    opened = hand.joint_positions(hand.open_positions)
    found = link_poses(whole, BASE, np.concatenate([posture, opened]))
    palm = compose(compose(BASE, matrix_to_pose(arm.chain().end(posture[None])[0])), MOUNT)
    expected = np.concatenate([link_poses(arm.articulation, BASE, posture), link_poses(hand, palm, opened)])
    np.testing.assert_allclose(found[:, :3], expected[:, :3], atol=1e-6)
    assert np.abs((found[:, 3:] * expected[:, 3:]).sum(axis=1)).min() > 1.0 - 1e-9
    assert whole.actuated_count == 7 + hand.actuated_count
