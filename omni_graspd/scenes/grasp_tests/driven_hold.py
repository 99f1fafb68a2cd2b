# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The hold test with a hand that presses, and one that shakes: joints are driven from the grasp toward the squeeze."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.geometry.convex_decomposition import convex_pieces
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.metrics.walls import passes_through
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.ranges import require_not_negative, require_positive
from omni_graspd.scenes.grasp_tests.driven_hand import DrivePhysics, link_path
from omni_graspd.scenes.grasp_tests.driven_hold_stage import (
    DrivenGrasp,
    Shake,
    author_driven_stage,
    copy_path,
    object_path,
)
from omni_graspd.scenes.grasp_tests.hand_colliders import hand_colliders
from omni_graspd.scenes.grasp_tests.hold import HOLD_DIRECTIONS, HoldConfig, HoldResult, Simulate
from omni_graspd.scenes.simulation import SimulateConfig
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import compose, invert


@dataclass(frozen=True, kw_only=True)
class DrivenHoldConfig:
    """How the hand presses, and whether it shakes."""

    hold: HoldConfig = field(default_factory=HoldConfig)
    """What the test with a fixed hand uses, too: duration, threshold, mass, friction, solver."""
    drive: DrivePhysics = field(default_factory=DrivePhysics)
    """Gains of the joints."""
    closing_time: float = 0.25
    """Time to press before gravity sets in [s]."""
    shake_amplitude: float = 0.0
    """How far the palm swings along the direction of gravity [m]; 0: it stays."""
    shake_frequency: float = 4.0
    """How fast it swings [Hz]."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_positive(self, "hold", "closing_time", "shake_frequency", finite=True)
        require_not_negative(self, "hold", "shake_amplitude")


async def measure_driven_hold(
    simulate: Simulate,
    hand: Hand,
    obj: RigidObject,
    T_object_palm: np.ndarray,
    joint_positions: np.ndarray,
    squeeze_joint_positions: np.ndarray,
    config: DrivenHoldConfig | None = None,
    *,
    object_pieces: Sequence[TriangleMesh] | None = None,
) -> HoldResult:
    """Let each hand press the object, then let gravity pull along :data:`HOLD_DIRECTIONS`, and see whether it stays.

    First the joints are driven from the grasp toward the squeeze posture without gravity. Then six copies of hand and
    object go on from there, each with gravity along its own direction and, if asked for, a palm that swings along it.
    Displacements are those of the object against the palm after gravity sets in. A hand that the object passes through
    is not tried, as in the test with a fixed hand.

    Args:
        simulate: The backend's simulation.
        hand: The hand.
        obj: The object.
        T_object_palm: Palm poses in the object frame, shape [grasp_count, 7].
        joint_positions: All joints in the grasp [rad or m], shape [grasp_count, joint_count].
        squeeze_joint_positions: All joints that the drives pull toward, same shape.
        config: Drives, duration, threshold, shaking.
        object_pieces: Convex meshes in the object frame [m]; by default as in the test with a fixed hand.

    Raises:
        GraspdError: If the shapes of the arrays do not fit the hand.

    References:
        Chen et al., "BODex" and its benchmark DexGraspBench, 2024: drives the joints toward a squeeze posture.
    """
    config = config or DrivenHoldConfig()
    shape = (len(T_object_palm), hand.joint_count)
    if joint_positions.shape != shape or squeeze_joint_positions.shape != shape:
        raise GraspdError(
            f"expected joint and squeeze positions of shape {list(shape)} for {len(shape)} palm poses of {hand.name}, "
            f"got {list(joint_positions.shape)} and {list(squeeze_joint_positions.shape)}; pass every joint of each "
            "grasp"
        )
    pieces = tuple(object_pieces or obj.convex_pieces or convex_pieces(obj.mesh, config.hold.decomposition))
    if config.hold.object_mass is not None:
        inertia = obj.inertia * (config.hold.object_mass / obj.mass)
        obj = dataclasses.replace(obj, mass=config.hold.object_mass, inertia=inertia)
    test = _DrivenTest(simulate, hand, hand_colliders(hand), obj, pieces, config)
    displacements = np.full((len(T_object_palm), len(HOLD_DIRECTIONS)), np.nan)
    numbers = np.concatenate([T_object_palm, joint_positions, squeeze_joint_positions], axis=1)
    possible = np.isfinite(numbers).all(axis=1) & ~passes_through(hand, obj, T_object_palm, joint_positions)
    for grasp in np.flatnonzero(possible):
        pressed = await test.press(T_object_palm[grasp], joint_positions[grasp], squeeze_joint_positions[grasp])
        displacements[grasp] = await test.pull(pressed)
        await asyncio.sleep(0.0)
    return HoldResult(displacements, displacements < config.hold.moved_threshold)


@dataclass(frozen=True)
class _DrivenTest:
    """What all grasps of an object by a hand have in common."""

    simulate: Simulate
    hand: Hand
    hand_pieces: Sequence[Sequence[TriangleMesh]]
    obj: RigidObject
    pieces: Sequence[TriangleMesh]
    config: DrivenHoldConfig

    async def press(self, T_object_palm: np.ndarray, joints: np.ndarray, targets: np.ndarray) -> DrivenGrasp:
        """Drive the joints without gravity; return where everything is then."""
        links = link_poses(self.hand, T_object_palm, joints)
        links[:, :3] -= self.obj.center_of_mass
        start = np.array([0, 0, 0, 0, 0, 0, 1.0])
        paths, poses = await self._run(
            DrivenGrasp(joints, targets, links, start), np.zeros((1, 3)), self.config.closing_time, None
        )
        pressed = dict(zip(paths, poses[-1], strict=True))
        moved = np.array([pressed.get(link_path(copy_path(0), i), links[i]) for i in range(len(links))])
        # Bodies part a little at their joints; from here on they are together again.
        links = link_poses(self.hand, links[0], _joint_positions(self.hand, moved))
        return DrivenGrasp(joints, targets, links, pressed[object_path(0)])

    async def pull(self, grasp: DrivenGrasp) -> np.ndarray:
        """Let gravity act; returns the largest displacement against the palm in each direction [m], shape [6]."""
        amplitude = self.config.shake_amplitude
        shake = Shake(amplitude, self.config.shake_frequency) if amplitude > 0.0 else None
        paths, poses = await self._run(grasp, HOLD_DIRECTIONS, self.config.hold.duration, shake)
        displacements = []
        for copy in range(len(HOLD_DIRECTIONS)):
            moved = poses[:, paths.index(object_path(copy)), :3]
            if shake is not None:
                moved = moved - poses[:, paths.index(link_path(copy_path(copy), 0)), :3]
            displacements.append(np.linalg.norm(moved - moved[0], axis=-1).max())
        return np.array(displacements)

    async def _run(
        self, grasp: DrivenGrasp, directions: np.ndarray, duration: float, shake: Shake | None
    ) -> tuple[tuple[str, ...], np.ndarray]:
        """Simulate; returns the paths of the bodies and their poses, shape [record_count, body_count, 7]."""
        hold = self.config.hold
        stage = author_driven_stage(
            self.hand,
            self.hand_pieces,
            self.obj,
            self.pieces,
            grasp,
            directions,
            hold.physics,
            self.config.drive,
            shake,
        )
        interval = hold.record_interval if shake is None else 1.0 / 60.0
        result = await self.simulate(
            stage,
            SimulateConfig(
                time_step=hold.time_step,
                max_time=duration,
                rest_time=np.inf,
                record_interval=min(interval, duration),
            ),
        )
        return result.body_paths, result.poses


def _joint_positions(hand: Hand, T_world_link: np.ndarray) -> np.ndarray:
    """Read joint positions off the poses of the links; shape [joint_count]."""
    positions = np.zeros(hand.joint_count)
    for link, pose in zip(hand.links, T_world_link, strict=True):
        if link.joint >= 0:
            T_world_joint = compose(T_world_link[link.parent], link.T_parent_joint)
            motion = compose(invert(T_world_joint), compose(pose, link.T_link_joint))
            if link.joint_type == "prismatic":
                positions[link.joint] = motion[:3] @ link.axis
            else:
                angle = 2.0 * np.arctan2(motion[3:6] @ link.axis, motion[6])
                positions[link.joint] = (angle + np.pi) % (2.0 * np.pi) - np.pi
    return positions
