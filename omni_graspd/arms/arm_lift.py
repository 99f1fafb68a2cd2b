# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The lift test of a whole robot: arm and hand follow stored joint positions in PhysX; does the object come along?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from omni_graspd.arms.arm import Arm
from omni_graspd.arms.arm_lift_stage import author_arm_lift
from omni_graspd.arms.one_robot import joined
from omni_graspd.hands.hand import Hand
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.scenes.grasp_tests.hand_colliders import hand_colliders
from omni_graspd.scenes.grasp_tests.hold import Simulate
from omni_graspd.scenes.grasp_tests.lift_config import LiftConfig
from omni_graspd.scenes.grasp_tests.lift_motion import phase_shares
from omni_graspd.scenes.grasp_tests.lift_trials import LiftOutcome, judge
from omni_graspd.scenes.simulation import SimulateConfig
from omni_graspd.scenes.way_stations import LIFT_HEIGHT, STAGES
from omni_graspd.usd.meshes import TriangleMesh

OBJECT_PATH = "/World/object"


@dataclass(frozen=True, eq=False)
class RobotWay:
    """The way of one grasp on an arm, in the world; the table top is z = 0."""

    T_world_base: np.ndarray
    """Where the arm stands, shape [7]."""
    T_world_object: np.ndarray
    """Rest pose of the object, shape [7]."""
    arm_positions: np.ndarray
    """Joints of the arm at each station, shape [station_count, arm_joint_count]."""
    hand_positions: np.ndarray
    """Joints of the hand at each station, shape [station_count, hand_joint_count]."""
    up: np.ndarray
    """Unit direction of the lift in the world, shape [3]."""


@dataclass(frozen=True, eq=False)
class ArmLiftTest:
    """What all tries of a robot with an object have in common.

    The protocol is that of the hand's test, in time and thresholds. The arm is an articulation that stands on its base;
    it feels no gravity, and touches the object only: that it clears all else is known. Neighbours are left out.
    """

    simulate: Simulate
    """The backend's simulation."""
    arm: Arm
    """The arm."""
    hand: Hand
    """The hand."""
    T_flange_palm: np.ndarray
    """How it is mounted, shape [7]."""
    obj: RigidObject
    """The object, of the mass that it has in the test."""
    object_pieces: Sequence[TriangleMesh]
    """Convex meshes in its frame [m]."""
    config: LiftConfig = field(default_factory=LiftConfig)
    """The protocol; how high the lift goes is said by the way."""

    async def lift(self, way: RobotWay) -> LiftOutcome:
        """Simulate one way."""
        times, positions, share = self._motion(way)
        robot = joined(self.arm, self.hand, self.T_flange_palm)
        pieces = (*hand_colliders(self.arm.articulation), *hand_colliders(self.hand))
        stage = author_arm_lift(
            robot, len(self.arm.articulation.links), pieces, way.T_world_base, times, positions, self.config
        )
        stage.add_object(OBJECT_PATH, self.obj, self.object_pieces, way.T_world_object)
        result = await self.simulate(stage.stage, self._simulation())
        risen = LIFT_HEIGHT * np.interp(result.times, times, share)
        return judge(result.times, result.poses[:, 0], risen[:, None] * way.up, self.config)

    def _motion(self, way: RobotWay) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return times, targets of all joints, and the share of the lift that is done at each time."""
        times, shares = phase_shares(self.config.phases)
        station = np.diff(list(STAGES.values())) @ shares
        stored = np.concatenate([way.arm_positions, way.hand_positions], axis=1)
        columns = [np.interp(station, np.arange(len(stored)), column) for column in stored.T]
        return times, np.stack(columns, axis=1), shares[-1]

    def _simulation(self) -> SimulateConfig:
        return SimulateConfig(
            time_step=self.config.time_step,
            max_time=self.config.phases.starts["end"],
            rest_time=np.inf,
            record_interval=self.config.record_interval,
        )
