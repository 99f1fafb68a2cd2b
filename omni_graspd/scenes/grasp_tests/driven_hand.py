# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A hand whose joints are driven, on a stage: links are rigid bodies with joints between them, each with its own drive.

Coupled joints are driven, too, each toward its own target.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pxr import Gf, Usd, UsdPhysics

from omni_graspd.hands.hand import Hand, Link
from omni_graspd.ranges import require_not_negative, require_positive
from omni_graspd.scenes.grasp_tests.hold_stage import METERS_PER_UNIT, HoldPhysics, author_pieces
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.physics import apply_physx, apply_rigid_body
from omni_graspd.usd.transforms import IDENTITY, author_pose, compose

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


def author_driven_hand(
    stage: Usd.Stage,
    folder: str,
    hand: Hand,
    hand_pieces: Sequence[Sequence[TriangleMesh]],
    zero_positions: np.ndarray,
    physics: HoldPhysics,
    drive: DrivePhysics,
    palm: Literal["fixed", "free", "kinematic"],
    own_drives: Mapping[int, DrivePhysics] | None = None,
) -> list[Usd.Prim]:
    """Author a hand on a stage in centimetres, its links in a heap; see :func:`place`.

    Args:
        stage: The stage; it is changed.
        folder: Path of the prim under which links and joints go.
        hand: The hand.
        hand_pieces: Convex meshes of each link, in its frame [m].
        zero_positions: Joint positions at which the joint frames lie on one another, so that PhysX has the joints at
            zero there, shape [joint_count]. PhysX counts angles to half a turn either way.
        physics: Contact and solver.
        drive: Gains of the joints.
        palm: Whether the palm stands still, is a body like the others, or goes where its transform is animated to.
        own_drives: Gains and masses of links that have others, by number of the link.

    Returns:
        The prim of each link.
    """
    prims = []
    for index, link in enumerate(hand.links):
        prim = author_pieces(stage, link_path(folder, index), hand_pieces[index], physics)
        prims.append(prim)
        own = (own_drives or {}).get(index, drive)
        if index > 0 or palm != "fixed":
            _author_body(prim, own.link_mass if index else own.palm_mass, own, physics)
        if index > 0:
            _author_joint(stage, folder, index, link, zero_positions, own)
    if palm == "kinematic":
        UsdPhysics.RigidBodyAPI(prims[0]).CreateKinematicEnabledAttr(True)
    return prims


def link_path(folder: str, link: int) -> str:
    """Return the path of a link of a hand."""
    return f"{folder}/link_{link}"


def place(prim: Usd.Prim, pose: np.ndarray) -> None:
    """Put a prim of a stage in centimetres to a pose in metres, shape [7]."""
    author_pose(prim, np.concatenate([pose[:3] * _SCALE, pose[3:]]))


def target_attribute(stage: Usd.Stage, folder: str, index: int, link: Link) -> Usd.Attribute:
    """Return the attribute to which the drive of a link's movable joint aims; its value is :func:`target_value`."""
    kind = "angular" if link.joint_type == "revolute" else "linear"
    return UsdPhysics.DriveAPI(stage.GetPrimAtPath(_joint_path(folder, index)), kind).GetTargetPositionAttr()


def target_value(link: Link, offset: float) -> float:
    """Return a joint position, counted from its zero [rad or m], in the units of the stage: degrees or centimetres."""
    return float(np.degrees(offset)) if link.joint_type == "revolute" else float(offset) * _SCALE


def set_frames(joint: UsdPhysics.Joint, first: tuple[str | None, np.ndarray], second: tuple[str, np.ndarray]) -> None:
    """Connect two prims, the first of which may be the world, by the poses of the joint in their frames [m]."""
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


def rotation_to(axis: np.ndarray) -> np.ndarray:
    """Return the shortest rotation that takes X to a unit axis, as a quaternion xyzw."""
    cross, cosine = np.cross([1.0, 0.0, 0.0], axis), float(axis[0])
    if cosine < -1.0 + 1e-9:
        return np.array([0.0, 0.0, 1.0, 0.0])
    quat = np.concatenate([cross, [1.0 + cosine]])
    return quat / np.linalg.norm(quat)


def _joint_path(folder: str, index: int) -> str:
    return f"{folder}/joint_{index}"


def _author_body(prim: Usd.Prim, mass: float, drive: DrivePhysics, physics: HoldPhysics) -> None:
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


def _author_joint(
    stage: Usd.Stage, folder: str, index: int, link: Link, zero_positions: np.ndarray, drive: DrivePhysics
) -> None:
    """Connect a link to its parent; the joint axis is the X axis of the joint frames."""
    path = _joint_path(folder, index)
    aligned = np.concatenate([np.zeros(3), rotation_to(link.axis)])
    moved = IDENTITY.copy()
    if link.joint_type == "fixed":
        joint = UsdPhysics.FixedJoint.Define(stage, path)
        aligned = IDENTITY
    else:
        position = float(zero_positions[link.joint])
        if link.joint_type == "revolute":
            joint = UsdPhysics.RevoluteJoint.Define(stage, path)
            moved[3], moved[6] = np.sin(0.5 * position), np.cos(0.5 * position)
            _author_drive(joint.GetPrim(), "angular", _SCALE**2 * np.pi / 180.0, drive)
        else:
            joint = UsdPhysics.PrismaticJoint.Define(stage, path)
            moved[0] = position
            _author_drive(joint.GetPrim(), "linear", 1.0 / 0.05**2, drive)
        joint.CreateAxisAttr("X")
    set_frames(
        joint,
        (link_path(folder, link.parent), compose(link.T_parent_joint, compose(aligned, moved))),
        (link_path(folder, index), compose(link.T_link_joint, aligned)),
    )


def _author_drive(prim: Usd.Prim, kind: str, unit: float, drive: DrivePhysics) -> None:
    api = UsdPhysics.DriveAPI.Apply(prim, kind)
    api.CreateTypeAttr("force")
    api.CreateTargetPositionAttr(0.0)
    api.CreateStiffnessAttr(drive.stiffness * unit)
    api.CreateDampingAttr(drive.damping * unit)
    api.CreateMaxForceAttr(drive.max_torque * (_SCALE**2 if kind == "angular" else _SCALE / 0.05))
