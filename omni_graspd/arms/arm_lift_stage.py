# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The stage of a robot's lift test: a table top, an object, and a robot whose joints follow a motion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pxr import Usd, UsdGeom, UsdPhysics

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.scenes.grasp_tests.driven_hand import (
    DrivePhysics,
    author_driven_hand,
    link_path,
    place,
    set_frames,
    target_attribute,
    target_value,
)
from omni_graspd.scenes.grasp_tests.hold_stage import author_free_body, author_pieces
from omni_graspd.scenes.grasp_tests.lift_config import LiftConfig
from omni_graspd.scenes.grasp_tests.lift_place import author_table_top
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.physics import apply_physx
from omni_graspd.usd.stage import create_stage
from omni_graspd.usd.transforms import IDENTITY, compose

_ROBOT = "/World/robot"
_ARM_DRIVE = DrivePhysics(
    stiffness=40000.0, damping=800.0, max_torque=1e5, link_mass=2.0, link_gyration=0.1, palm_mass=20.0
)
"""Stiff, so that the way is tried and not a controller; trails by 20 ms."""


@dataclass(frozen=True, eq=False)
class ArmLiftStage:
    """A stage in memory and in centimetres; its time codes are seconds."""

    stage: Usd.Stage
    """The stage."""
    config: LiftConfig
    """Gravity and contact."""

    def add_object(
        self, path: str, obj: RigidObject, pieces: Sequence[TriangleMesh], T_world_object: np.ndarray
    ) -> None:
        """Put an object on the stage; its prim's origin is the centre of mass.

        Args:
            path: Path of its prim.
            obj: Its mass properties are used.
            pieces: Convex meshes in its frame [m].
            T_world_object: Its pose, shape [7].
        """
        centred = [TriangleMesh(piece.vertices - obj.center_of_mass, piece.faces) for piece in pieces]
        body = author_pieces(self.stage, path, centred, self.config.physics)
        author_free_body(body, obj, self.config.physics)
        place(body, compose(T_world_object, np.append(obj.center_of_mass, [0.0, 0.0, 0.0, 1.0])))


def author_arm_lift(
    robot: Hand,
    arm_link_count: int,
    pieces: Sequence[Sequence[TriangleMesh]],
    T_world_base: np.ndarray,
    times: np.ndarray,
    positions: np.ndarray,
    config: LiftConfig,
) -> ArmLiftStage:
    """Author table top and robot.

    Args:
        robot: Arm and hand as one.
        arm_link_count: How many of its links, the first ones, are the arm's.
        pieces: Convex meshes of each link, in its frame [m].
        T_world_base: Where it stands, shape [7].
        times: Of the samples [s], shape [sample_count].
        positions: Where all joints should be [rad or m], shape [sample_count, joint_count].
        config: Gravity, contact, and the hand's drives.
    """
    stage = create_stage("World")
    stage.SetTimeCodesPerSecond(1.0)
    author_table_top(stage, config.physics)
    root = UsdGeom.Xform.Define(stage, _ROBOT).GetPrim()
    UsdPhysics.ArticulationRootAPI.Apply(root)
    settings = {
        "physxArticulation:enabledSelfCollisions": False,
        "physxArticulation:sleepThreshold": 0.0,
        "physxArticulation:solverPositionIterationCount": 2 * config.physics.position_iterations,
        "physxArticulation:solverVelocityIterationCount": config.physics.velocity_iterations,
    }
    apply_physx(root, "PhysxArticulationAPI", settings)
    # Joint frames lie on one another at the start, so that the articulation begins there.
    start = positions[0]
    own = dict.fromkeys(range(arm_link_count), _ARM_DRIVE)
    prims = author_driven_hand(stage, _ROBOT, robot, pieces, start, config.physics, config.drive, "free", own)
    for prim, pose in zip(prims, link_poses(robot, T_world_base, start), strict=True):
        place(prim, pose)
        apply_physx(prim, "PhysxRigidBodyAPI", {"physxRigidBody:disableGravity": True})
    stand = UsdPhysics.FixedJoint.Define(stage, f"{_ROBOT}/stand")
    set_frames(stand, (None, T_world_base), (link_path(_ROBOT, 0), IDENTITY))
    for index, link in enumerate(robot.links):
        if link.joint >= 0:
            attribute = target_attribute(stage, _ROBOT, index, link)
            for time, target in zip(times.tolist(), positions[:, link.joint] - start[link.joint], strict=True):
                attribute.Set(target_value(link, target), time)
    _keep_arm_off_table(stage, arm_link_count)
    return ArmLiftStage(stage, config)


def _keep_arm_off_table(stage: Usd.Stage, arm_link_count: int) -> None:
    """Let the arm pass through the endless table top: it stands beside the real one, maybe lower."""
    links = [link_path(_ROBOT, link) for link in range(arm_link_count)]
    for name, members in (("Arm", links), ("Top", ["/World/Table"])):
        group = UsdPhysics.CollisionGroup.Define(stage, f"/World/{name}_group")
        group.GetCollidersCollectionAPI().CreateIncludesRel().SetTargets(members)
    arm = UsdPhysics.CollisionGroup(stage.GetPrimAtPath("/World/Arm_group"))
    arm.CreateFilteredGroupsRel().SetTargets(["/World/Top_group"])
