# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The stage of the driven hold test: hands whose joints are driven, each around a free object, far from one another.

Links are rigid bodies with joints between them. All joint frames are laid so that the joint is at zero in the grasp.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics

from omni_graspd.hands.hand import Hand, Link
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.ranges import require_not_negative, require_positive
from omni_graspd.scenes.hold_stage import METERS_PER_UNIT, HoldPhysics, author_motion, author_pieces
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.physics import apply_physx, apply_rigid_body, author_physics_material, bind_physics_material
from omni_graspd.usd.stage import create_stage
from omni_graspd.usd.transforms import IDENTITY, author_pose, compose

SPACING = 4.0
"""Distance between two hands [m]; an object that is let go falls 1.2 m."""

_SCALE = 1.0 / METERS_PER_UNIT


@dataclass(frozen=True, kw_only=True)
class DrivePhysics:
    """How the joints of the hand press."""

    stiffness: float = 3.0
    """Torque per angle between squeeze and actual posture [N m/rad]; prismatic joints: force over a lever of 5 cm."""
    damping: float = 0.1
    """Torque per angular speed [N m s/rad]."""
    max_torque: float = 1.0
    """Largest torque of a joint [N m]."""
    link_mass: float = 0.1
    """Mass of every link [kg]; links have no weight."""
    link_gyration: float = 0.05
    """Radius of gyration of every link [m]. Large, as that of geared motors is: else contacts at the far end of a light
    link give way to the drive."""
    palm_mass: float = 20.0
    """Mass of a palm that shakes [kg]; large, so that nothing slows it down."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        masses = ("link_mass", "link_gyration", "palm_mass")
        require_positive(self, "drive", "stiffness", "max_torque", *masses, finite=True)
        require_not_negative(self, "drive", "damping")


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


def object_path(copy: int) -> str:
    """Return the path of the object in a copy."""
    return f"/World/copy_{copy}/object"


def link_path(copy: int, link: int) -> str:
    """Return the path of a link in a copy."""
    return f"/World/copy_{copy}/link_{link}"


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
        UsdGeom.Xform.Define(stage, f"/World/copy_{copy}")
        body = author_pieces(stage, object_path(copy), centred, physics)
        _place(body, grasp.T_world_object + offset)
        author_motion(body, obj, direction, physics)
        _set_velocity(body, velocity)
        for index, link in enumerate(hand.links):
            prim = author_pieces(stage, link_path(copy, index), hand_pieces[index], physics)
            _place(prim, grasp.T_world_link[index] + offset)
            links.append(prim.GetPath())
            if index > 0 or shake is not None:
                _author_link(prim, drive.link_mass if index else drive.palm_mass, drive, physics)
                _set_velocity(prim, velocity)
            if index > 0:
                _author_joint(stage, copy, index, link, grasp, drive)
        if shake is not None:
            _author_shaker(stage, copy, grasp.T_world_link[0] + offset, direction, drive, shake)
    group = UsdPhysics.CollisionGroup.Define(stage, "/World/Links")
    group.CreateFilteredGroupsRel().SetTargets([group.GetPath()])
    group.GetCollidersCollectionAPI().CreateIncludesRel().SetTargets(links)
    return stage


def _place(prim: Usd.Prim, pose: np.ndarray) -> None:
    author_pose(prim, np.concatenate([pose[:3] * _SCALE, pose[3:]]))


def _set_velocity(prim: Usd.Prim, velocity: np.ndarray) -> None:
    UsdPhysics.RigidBodyAPI(prim).CreateVelocityAttr(Gf.Vec3f(*(float(v) * _SCALE for v in velocity)))


def _author_link(prim: Usd.Prim, mass: float, drive: DrivePhysics, physics: HoldPhysics) -> None:
    inertia = mass * drive.link_gyration**2 * np.eye(3)
    apply_rigid_body(prim, mass=mass, center_of_mass=np.zeros(3), inertia=inertia * _SCALE**2)
    apply_physx(
        prim,
        "PhysxRigidBodyAPI",
        {
            "physxRigidBody:linearDamping": 0.0,
            "physxRigidBody:sleepThreshold": 0.0,
            "physxRigidBody:stabilizationThreshold": 0.0,
            "physxRigidBody:maxDepenetrationVelocity": physics.max_depenetration_speed * _SCALE,
            "physxRigidBody:solverPositionIterationCount": 2 * physics.position_iterations,
            "physxRigidBody:solverVelocityIterationCount": physics.velocity_iterations,
        },
    )


def _author_joint(stage: Usd.Stage, copy: int, index: int, link: Link, grasp: DrivenGrasp, drive: DrivePhysics) -> None:
    """Connect a link to its parent; the joint axis is the X axis of the joint frames."""
    path = f"/World/copy_{copy}/joint_{index}"
    aligned = np.concatenate([np.zeros(3), _rotation_to(link.axis)])
    moved = IDENTITY.copy()
    target = 0.0
    if link.joint_type == "fixed":
        joint = UsdPhysics.FixedJoint.Define(stage, path)
        aligned = IDENTITY
    else:
        position = float(grasp.joint_positions[link.joint])
        target = float(grasp.targets[link.joint]) - position
        if link.joint_type == "revolute":
            joint = UsdPhysics.RevoluteJoint.Define(stage, path)
            moved[3], moved[6] = np.sin(0.5 * position), np.cos(0.5 * position)
            _author_drive(joint.GetPrim(), "angular", np.degrees(target), _SCALE**2 * np.pi / 180.0, drive)
        else:
            joint = UsdPhysics.PrismaticJoint.Define(stage, path)
            moved[0] = position
            _author_drive(joint.GetPrim(), "linear", target * _SCALE, 1.0 / 0.05**2, drive)
        joint.CreateAxisAttr("X")
    _set_frames(
        joint,
        (link_path(copy, link.parent), compose(link.T_parent_joint, compose(aligned, moved))),
        (link_path(copy, index), compose(link.T_link_joint, aligned)),
    )


def _author_drive(prim: Usd.Prim, kind: str, target: float, unit: float, drive: DrivePhysics) -> None:
    api = UsdPhysics.DriveAPI.Apply(prim, kind)
    api.CreateTypeAttr("force")
    api.CreateTargetPositionAttr(float(target))
    api.CreateStiffnessAttr(drive.stiffness * unit)
    api.CreateDampingAttr(drive.damping * unit)
    api.CreateMaxForceAttr(drive.max_torque * (_SCALE**2 if kind == "angular" else _SCALE / 0.05))


def _author_shaker(
    stage: Usd.Stage, copy: int, T_world_palm: np.ndarray, direction: np.ndarray, drive: DrivePhysics, shake: Shake
) -> None:
    """Hang the palm on an undamped spring along a direction; with its velocity at the start it swings as a sine."""
    joint = UsdPhysics.PrismaticJoint.Define(stage, f"/World/copy_{copy}/shaker")
    joint.CreateAxisAttr("X")
    spring = UsdPhysics.DriveAPI.Apply(joint.GetPrim(), "linear")
    spring.CreateTypeAttr("force")
    spring.CreateTargetPositionAttr(0.0)
    spring.CreateStiffnessAttr(drive.palm_mass * (2.0 * np.pi * shake.frequency) ** 2)
    spring.CreateDampingAttr(0.0)
    frame = np.concatenate([T_world_palm[:3], _rotation_to(direction)])
    inverse = T_world_palm[3:] * np.array([-1.0, -1.0, -1.0, 1.0])
    in_palm = compose(np.concatenate([np.zeros(3), inverse]), np.concatenate([np.zeros(3), frame[3:]]))
    _set_frames(joint, (None, frame), (link_path(copy, 0), in_palm))


def _set_frames(joint: UsdPhysics.Joint, first: tuple[str | None, np.ndarray], second: tuple[str, np.ndarray]) -> None:
    if first[0] is not None:
        joint.CreateBody0Rel().SetTargets([first[0]])
    joint.CreateBody1Rel().SetTargets([second[0]])
    for pose, set_position, set_rotation in (
        (first[1], joint.CreateLocalPos0Attr, joint.CreateLocalRot0Attr),
        (second[1], joint.CreateLocalPos1Attr, joint.CreateLocalRot1Attr),
    ):
        x, y, z, w = (float(v) for v in pose[3:])
        set_position(Gf.Vec3f(*(float(v) * _SCALE for v in pose[:3])))
        set_rotation(Gf.Quatf(w, x, y, z))


def _rotation_to(axis: np.ndarray) -> np.ndarray:
    """Return the shortest rotation that takes X to a unit axis, as a quaternion xyzw."""
    cross, cosine = np.cross([1.0, 0.0, 0.0], axis), float(axis[0])
    if cosine < -1.0 + 1e-9:
        return np.array([0.0, 0.0, 1.0, 0.0])
    quat = np.concatenate([cross, [1.0 + cosine]])
    return quat / np.linalg.norm(quat)
