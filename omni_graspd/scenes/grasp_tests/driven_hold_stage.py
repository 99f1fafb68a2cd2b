# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The stage of the driven hold test: hands whose joints are driven, each around a free object, far from one another.

All joint frames are laid so that the joint is at zero in the grasp.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics

from omni_graspd.hands.hand import Hand
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.scenes.grasp_tests.driven_hand import (
    DrivePhysics,
    author_driven_hand,
    link_path,
    place,
    rotation_to,
    set_frames,
    target_attribute,
    target_value,
)
from omni_graspd.scenes.grasp_tests.hold_stage import METERS_PER_UNIT, HoldPhysics, author_motion, author_pieces
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.physics import apply_physx, author_physics_material, bind_physics_material
from omni_graspd.usd.stage import create_stage
from omni_graspd.usd.transforms import compose

SPACING = 4.0
"""Distance between two hands [m]; an object that is let go falls 1.2 m."""

_SCALE = 1.0 / METERS_PER_UNIT


@dataclass(frozen=True)
class Shake:
    """Motion of the palm: a sine along the direction of gravity."""

    amplitude: float
    """[m]"""
    frequency: float
    """[Hz]"""


@dataclass(frozen=True)
class DrivenGrasp:
    """One hand around an object, in the frame of the object's centre of mass."""

    joint_positions: np.ndarray
    """Joints in the grasp, where the joint frames are at zero [rad or m], shape [joint_count]."""
    targets: np.ndarray
    """Joint positions that the drives pull toward, shape [joint_count]."""
    T_world_link: np.ndarray
    """Poses of the links at the start, shape [link_count, 7]."""
    T_world_object: np.ndarray
    """Pose of the object at the start, shape [7]."""


def copy_path(copy: int) -> str:
    """Return the path of the folder of a copy, in which the links of the hand are."""
    return f"/World/copy_{copy}"


def object_path(copy: int) -> str:
    """Return the path of the object in a copy."""
    return f"{copy_path(copy)}/object"


def author_driven_stage(
    hand: Hand,
    hand_pieces: Sequence[Sequence[TriangleMesh]],
    obj: RigidObject,
    object_pieces: Sequence[TriangleMesh],
    grasp: DrivenGrasp,
    directions: np.ndarray,
    physics: HoldPhysics,
    drive: DrivePhysics,
    shake: Shake | None = None,
) -> Usd.Stage:
    """Author the stage in memory and in centimetres: one copy of hand and object for each direction of gravity.

    Args:
        hand: The hand.
        hand_pieces: Convex meshes of each link, in its frame [m].
        obj: The object; its mass properties are used.
        object_pieces: Convex meshes in the object frame [m].
        grasp: Where everything starts.
        directions: Directions of gravity, a zero vector for none, shape [copy_count, 3].
        physics: Gravity and contact.
        drive: Gains of the joints.
        shake: Motion of the palm; None: it is fixed.
    """
    stage = create_stage("World")
    UsdGeom.SetStageMetersPerUnit(stage, METERS_PER_UNIT)
    scene = UsdPhysics.Scene.Define(stage, "/World/PhysicsScene")
    scene.CreateGravityDirectionAttr(Gf.Vec3f(0.0, 0.0, -1.0))
    scene.CreateGravityMagnitudeAttr(0.0)
    apply_physx(scene.GetPrim(), "PhysxSceneAPI", {"physxScene:enableEnhancedDeterminism": True})
    material = author_physics_material(stage, "/World/Contact", friction=physics.friction, restitution=0.0)
    bind_physics_material(stage.GetDefaultPrim(), material)
    centred = [TriangleMesh(piece.vertices - obj.center_of_mass, piece.faces) for piece in object_pieces]
    links: list[Sdf.Path] = []
    for copy, direction in enumerate(directions):
        offset = np.array([SPACING * copy, 0, 0, 0, 0, 0, 0])
        velocity = np.zeros(3) if shake is None else direction * shake.amplitude * 2.0 * np.pi * shake.frequency
        folder = copy_path(copy)
        UsdGeom.Xform.Define(stage, folder)
        body = author_pieces(stage, object_path(copy), centred, physics)
        place(body, grasp.T_world_object + offset)
        author_motion(body, obj, direction, physics)
        _set_velocity(body, velocity)
        palm = "fixed" if shake is None else "free"
        prims = author_driven_hand(stage, folder, hand, hand_pieces, grasp.joint_positions, physics, drive, palm)
        for index, (prim, link) in enumerate(zip(prims, hand.links, strict=True)):
            place(prim, grasp.T_world_link[index] + offset)
            links.append(prim.GetPath())
            if prim.HasAPI(UsdPhysics.RigidBodyAPI):
                _set_velocity(prim, velocity)
            if link.joint >= 0:
                pull = float(grasp.targets[link.joint]) - float(grasp.joint_positions[link.joint])
                target_attribute(stage, folder, index, link).Set(target_value(link, pull))
        if shake is not None:
            _author_shaker(stage, folder, grasp.T_world_link[0] + offset, direction, drive, shake)
    group = UsdPhysics.CollisionGroup.Define(stage, "/World/Links")
    group.CreateFilteredGroupsRel().SetTargets([group.GetPath()])
    group.GetCollidersCollectionAPI().CreateIncludesRel().SetTargets(links)
    return stage


def _set_velocity(prim: Usd.Prim, velocity: np.ndarray) -> None:
    UsdPhysics.RigidBodyAPI(prim).CreateVelocityAttr(Gf.Vec3f(*(float(v) * _SCALE for v in velocity)))


def _author_shaker(
    stage: Usd.Stage, folder: str, T_world_palm: np.ndarray, direction: np.ndarray, drive: DrivePhysics, shake: Shake
) -> None:
    """Hang the palm on an undamped spring along a direction; with its velocity at the start it swings as a sine."""
    joint = UsdPhysics.PrismaticJoint.Define(stage, f"{folder}/shaker")
    joint.CreateAxisAttr("X")
    spring = UsdPhysics.DriveAPI.Apply(joint.GetPrim(), "linear")
    spring.CreateTypeAttr("force")
    spring.CreateTargetPositionAttr(0.0)
    spring.CreateStiffnessAttr(drive.palm_mass * (2.0 * np.pi * shake.frequency) ** 2)
    spring.CreateDampingAttr(0.0)
    frame = np.concatenate([T_world_palm[:3], rotation_to(direction)])
    inverse = T_world_palm[3:] * np.array([-1.0, -1.0, -1.0, 1.0])
    in_palm = compose(np.concatenate([np.zeros(3), inverse]), np.concatenate([np.zeros(3), frame[3:]]))
    set_frames(joint, (None, frame), (link_path(folder, 0), in_palm))
