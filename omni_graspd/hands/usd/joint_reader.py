# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Joints of a USD articulation: frames, axes, limits and mimic relations."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics

from omni_graspd.errors import GraspdError
from omni_graspd.plain_text import shortened
from omni_graspd.usd.mesh_soundness import FARTHEST
from omni_graspd.usd.transforms import local_to_world, matrix_to_pose, pose_to_matrix

_D6_AXES = ("transX", "transY", "transZ", "rotX", "rotY", "rotZ")
_AXES = {"X": np.array([1.0, 0.0, 0.0]), "Y": np.array([0.0, 1.0, 0.0]), "Z": np.array([0.0, 0.0, 1.0])}


@dataclass(frozen=True)
class Mimic:
    """A joint that follows another: position = multiplier * leader's position + offset."""

    leader: Sdf.Path
    """Path of the joint that is followed."""
    multiplier: float
    """Factor on the leader's position."""
    offset: float
    """Constant [rad or m]."""


@dataclass(frozen=True)
class JointPrim:
    """One joint between two rigid bodies, in metres and radians."""

    path: Sdf.Path
    """Path of the joint's prim."""
    body_0: Sdf.Path
    """First body."""
    body_1: Sdf.Path
    """Second body."""
    joint_type: Literal["fixed", "revolute", "prismatic"]
    """How the second body moves against the first."""
    axis: np.ndarray
    """Axis in the joint frame, shape [3]."""
    T_body_0_joint: np.ndarray
    """Joint frame in the first body's frame, shape [7]."""
    T_body_1_joint: np.ndarray
    """Joint frame in the second body's frame, shape [7]."""
    lower: float
    """Lower limit [rad or m]."""
    upper: float
    """Upper limit [rad or m]."""
    mimic: Mimic | None
    """What the joint follows, or None."""


def read_joints(
    root: Usd.Prim, source: Path, wanted: Callable[[Usd.Prim], bool] = lambda prim: True
) -> list[JointPrim]:
    """Read the joints below ``root`` that connect two rigid bodies.

    Joints to the world or within one body, disabled ones, and those excluded from the articulation are left out.

    Args:
        root: Where to look.
        source: Where it comes from, for errors.
        wanted: Tells of a joint's prim whether it is read.

    Raises:
        GraspdError: If a joint has a type or a limit that a robot's hand or arm cannot have.
    """
    joints = []
    for prim in Usd.PrimRange(root, Usd.TraverseInstanceProxies()):
        joint = UsdPhysics.Joint(prim)
        if not joint or joint.GetJointEnabledAttr().Get() is False or joint.GetExcludeFromArticulationAttr().Get():
            continue
        if not wanted(prim):
            continue
        bodies = [joint_body(root.GetStage(), rel) for rel in (joint.GetBody0Rel(), joint.GetBody1Rel())]
        if bodies[0] is not None and bodies[1] is not None and bodies[0] != bodies[1]:
            joints.append(_read_joint(prim, bodies[0], bodies[1], source))
    return joints


def is_fixed(prim: Usd.Prim) -> bool:
    """Tell whether a joint holds its bodies still: a fixed joint, or a D6 joint all of whose axes are locked."""
    if prim.GetTypeName() != "PhysicsJoint":
        return prim.IsA(UsdPhysics.FixedJoint)
    limits = [UsdPhysics.LimitAPI(prim, name) for name in _D6_AXES if prim.HasAPI(UsdPhysics.LimitAPI, name)]
    return len(limits) == len(_D6_AXES) and all(
        limit.GetLowAttr().Get() >= limit.GetHighAttr().Get() for limit in limits
    )


def turned(joint: JointPrim) -> JointPrim:
    """Swap a joint's bodies; the same positions then move the same way, about the reversed axis."""
    return replace(
        joint,
        body_0=joint.body_1,
        body_1=joint.body_0,
        axis=-joint.axis,
        T_body_0_joint=joint.T_body_1_joint,
        T_body_1_joint=joint.T_body_0_joint,
    )


def joint_body(stage: Usd.Stage, relationship: Usd.Relationship) -> Usd.Prim | None:
    """Return the rigid body that a joint's relationship points at, or None for the world."""
    targets = relationship.GetForwardedTargets()
    prim = stage.GetPrimAtPath(targets[0]) if targets else None
    while prim and not prim.IsPseudoRoot():
        if prim.HasAPI(UsdPhysics.RigidBodyAPI):
            return prim
        prim = prim.GetParent()
    return None


def _read_joint(prim: Usd.Prim, body_0: Usd.Prim, body_1: Usd.Prim, source: Path) -> JointPrim:
    joint = UsdPhysics.Joint(prim)
    joint_type, axis, lower, upper = _motion(prim, source)
    frames = (
        joint_frame(body_0, joint.GetBody0Rel(), joint.GetLocalPos0Attr().Get(), joint.GetLocalRot0Attr().Get()),
        joint_frame(body_1, joint.GetBody1Rel(), joint.GetLocalPos1Attr().Get(), joint.GetLocalRot1Attr().Get()),
    )
    mimic = read_mimic(prim, joint_type)
    return JointPrim(prim.GetPath(), body_0.GetPath(), body_1.GetPath(), joint_type, axis, *frames, lower, upper, mimic)


def _motion(prim: Usd.Prim, source: Path) -> tuple[Literal["fixed", "revolute", "prismatic"], np.ndarray, float, float]:
    if is_fixed(prim):
        return "fixed", _AXES["X"], 0.0, 0.0
    if prim.IsA(UsdPhysics.RevoluteJoint):
        joint = UsdPhysics.RevoluteJoint(prim)
        lower, upper = joint.GetLowerLimitAttr().Get(), joint.GetUpperLimitAttr().Get()
        lower = math.radians(lower) if lower is not None and math.isfinite(lower) else -math.pi
        upper = math.radians(upper) if upper is not None and math.isfinite(upper) else math.pi
        return "revolute", _axis(prim, joint.GetAxisAttr(), source), lower, upper
    if prim.IsA(UsdPhysics.PrismaticJoint):
        joint = UsdPhysics.PrismaticJoint(prim)
        metres = UsdGeom.GetStageMetersPerUnit(prim.GetStage())
        lower, upper = joint.GetLowerLimitAttr().Get(), joint.GetUpperLimitAttr().Get()
        if lower is None or upper is None or not (abs(lower) <= FARTHEST and abs(upper) <= FARTHEST):
            raise GraspdError(
                f"expected finite limits on {prim.GetPath()} in {source}, got {lower} to {upper}; set them"
            )
        return "prismatic", _axis(prim, joint.GetAxisAttr(), source), lower * metres, upper * metres
    raise GraspdError(
        f"expected fixed, revolute or prismatic joints in {source}, got {prim.GetTypeName()} at {prim.GetPath()}; lock "
        "all of its axes, or put one of those in its place"
    )


def _axis(prim: Usd.Prim, attribute: Usd.Attribute, source: Path) -> np.ndarray:
    name = attribute.Get()
    if name not in _AXES:
        raise GraspdError(
            f"expected the axis of {prim.GetPath()} in {source} to be X, Y or Z, got {shortened(str(name))!r}; set it"
        )
    return _AXES[name]


def joint_frame(body: Usd.Prim, relationship: Usd.Relationship, position: Gf.Vec3f, rotation: Gf.Quatf) -> np.ndarray:
    """Return a joint frame in the body's frame without scale, in metres; the relationship may name a prim below it."""
    cache = UsdGeom.XformCache()
    T_world_body = without_scale(local_to_world(body, cache))
    T_world_target = local_to_world(body.GetStage().GetPrimAtPath(relationship.GetForwardedTargets()[0]), cache)
    origin = T_world_target[:3, :3] @ np.array(position or (0.0, 0.0, 0.0)) + T_world_target[:3, 3]
    quat = rotation if rotation and rotation.GetLength() > 0.0 else Gf.Quatf(1.0)
    local = pose_to_matrix(np.array([0.0, 0.0, 0.0, *quat.GetImaginary(), quat.GetReal()]))
    T_world_joint = without_scale(T_world_target) @ local
    T_world_joint[:3, 3] = origin
    pose = matrix_to_pose(np.linalg.inv(T_world_body) @ T_world_joint)
    pose[:3] *= UsdGeom.GetStageMetersPerUnit(body.GetStage())
    return pose


def without_scale(matrix: np.ndarray) -> np.ndarray:
    """Return a pose whose axes have been scaled with axes of length 1, shape [4, 4]."""
    rigid = matrix.copy()
    rigid[:3, :3] /= np.linalg.norm(matrix[:3, :3], axis=0)
    return rigid


def read_mimic(prim: Usd.Prim, joint_type: str) -> Mimic | None:
    """Read PhysX's mimic schema (q + gearing q_leader + offset = 0) or Newton's (q = coef0 + coef1 q_leader).

    Constants are in the joint's USD units: degrees or stage units.
    """
    to_si = math.radians(1.0) if joint_type == "revolute" else UsdGeom.GetStageMetersPerUnit(prim.GetStage())
    # Plain OpenUSD drops applied schemas that it does not know, so the relationships are looked for, not the schemas.
    for relationship in prim.GetRelationships():
        name, leader = relationship.GetName(), relationship.GetForwardedTargets()
        if not leader:
            continue
        if name.startswith("physxMimicJoint:") and name.endswith(":referenceJoint"):
            prefix = name.rpartition(":")[0]
            gearing, offset = _value(prim, f"{prefix}:gearing", 1.0), _value(prim, f"{prefix}:offset", 0.0)
            return Mimic(leader[0], -gearing, -offset * to_si)
        if name == "newton:mimicJoint" and _value(prim, "newton:mimicEnabled", 1.0):
            multiplier, offset = _value(prim, "newton:mimicCoef1", 1.0), _value(prim, "newton:mimicCoef0", 0.0)
            return Mimic(leader[0], multiplier, offset * to_si)
    return None


def _value(prim: Usd.Prim, name: str, default: float) -> float:
    value = prim.GetAttribute(name).Get() if prim.HasAttribute(name) else None
    if value is None:
        return default
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not abs(number) <= FARTHEST:
        raise GraspdError(f"expected {name} of {prim.GetPath()} to be a number, got {shortened(str(value))}; mend it")
    return number
