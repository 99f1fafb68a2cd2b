# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A hand on someone's stage, alone or on an arm: its joints, its palm, and how both are driven to a grasp."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics

from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.usd.joint_reader import JointPrim, joint_body, read_joints
from omni_graspd.usd.transforms import local_to_world, matrix_to_pose, pose_to_matrix

_SAME_PLACE = 2e-3
"""Joints of the palm may stand so far from where the hand has them [m]."""
_ARROW = 0.05
"""Length at whose end axes of joints are compared [m]."""


@dataclass(frozen=True, eq=False)
class StageHand:
    """A hand that stands on a stage."""

    root_path: str
    """Prim that was chosen: the articulation, or what holds it."""
    joint_paths: dict[str, str]
    """Prim of each joint by the hand's name for it."""
    palm_path: str
    """Body that is the palm."""
    T_body_palm: np.ndarray
    """The hand's palm frame in that body [m], shape [7]: files of the same hand may put it elsewhere."""
    is_floating: bool
    """Whether nothing holds the palm: no arm, no joint to the world."""


def find_stage_hand(stage: Usd.Stage, path: str, hand: Hand) -> StageHand:
    """Find the joints and the palm of a hand below a prim.

    Args:
        stage: The stage.
        path: The hand, or the robot that holds it.
        hand: Which hand it is.

    Raises:
        GraspdError: If joints of the hand are missing, or it is another hand of the same joint names.
    """
    root = stage.GetPrimAtPath(path)
    if not root or root.IsPseudoRoot():
        raise GraspdError(f"expected the hand's prim, got {path!r}; select the hand or the robot on the stage")
    joints = read_joints(root, Path(path), lambda prim: prim.GetName() in hand.joint_names)
    by_name = {joint.path.name: joint for joint in joints}
    missing = [name for name in hand.joint_names if name not in by_name]
    if missing:
        prims = Usd.PrimRange(root, Usd.TraverseInstanceProxies())
        moving = [prim for prim in prims if prim.IsA(UsdPhysics.RevoluteJoint) or prim.IsA(UsdPhysics.PrismaticJoint)]
        found = ", ".join(sorted({prim.GetName() for prim in moving})) or "none"
        raise GraspdError(
            f"expected the joints of {hand.name} below {path}, but {', '.join(missing[:3])} is not there; "
            f"it has {found}; select that hand, or choose the hand that it is"
        )
    palm, T_body_palm = _palm(hand, by_name, path)
    paths = {name: str(by_name[name].path) for name in hand.joint_names}
    return StageHand(path, paths, str(palm), T_body_palm, is_floating=not _is_held(stage, root.GetPath()))


def _palm(hand: Hand, by_name: dict[str, JointPrim], path: str) -> tuple[Sdf.Path, np.ndarray]:
    """Return the palm's body and the hand's palm frame in it, from the joints that leave the palm."""
    from scipy.spatial.transform import Rotation

    links = [link for link in hand.links if link.parent == 0 and link.joint >= 0]
    joints = [by_name[hand.joint_names[link.joint]] for link in links]
    ours = _lines(np.array([link.T_parent_joint for link in links]), [link.axis for link in links])
    theirs = _lines(np.array([joint.T_body_0_joint for joint in joints]), [joint.axis for joint in joints])
    middles = [np.array(lines[0]).mean(axis=0) for lines in (theirs, ours)]
    vectors = [
        np.concatenate([lines[0] - middle, lines[1]]) for lines, middle in zip((theirs, ours), middles, strict=True)
    ]
    if np.linalg.matrix_rank(vectors[1], tol=_SAME_PLACE) > 1:
        rotation = Rotation.align_vectors(vectors[0], vectors[1])[0]
    else:  # one joint, or two of a gripper on one line: the joint's own frame tells how it is turned about that
        frames = [pose_to_matrix(pose)[:3, :3] for pose in (joints[0].T_body_0_joint, links[0].T_parent_joint)]
        rotation = Rotation.from_matrix(frames[0] @ frames[1].T)
    if (
        len({joint.body_0 for joint in joints}) != 1
        or np.abs(rotation.apply(vectors[1]) - vectors[0]).max() > _SAME_PLACE
    ):
        raise GraspdError(
            f"expected {path} to be a {hand.name}, but its fingers stand elsewhere on the palm; choose another hand"
        )
    return joints[0].body_0, np.concatenate([middles[0] - rotation.apply(middles[1]), rotation.as_quat(canonical=True)])


def _lines(poses: np.ndarray, axes: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return where joints are, and arrows of a finger's length along their axes, both [joint_count, 3] in metres."""
    directions = np.einsum("nij,nj->ni", pose_to_matrix(poses)[:, :3, :3], np.array(axes))
    return poses[:, :3], _ARROW * directions


def _is_held(stage: Usd.Stage, root: Sdf.Path) -> bool:
    """Tell whether a joint ties what is below a prim to the world or to something else."""
    for prim in stage.Traverse():
        joint = UsdPhysics.Joint(prim)
        if not joint or joint.GetJointEnabledAttr().Get() is False:
            continue
        bodies = [joint_body(stage, rel) for rel in (joint.GetBody0Rel(), joint.GetBody1Rel())]
        inside = [body is not None and body.GetPath().HasPrefix(root) for body in bodies]
        if inside[0] != inside[1]:
            return True
    return False


def set_targets(
    stage: Usd.Stage, joint_paths: Mapping[str, str], joint_positions: Mapping[str, float]
) -> tuple[str, ...]:
    """Set the targets of the drives, in USD's units: degrees, or the stage's units of length.

    Args:
        stage: The stage; its edit target is written to.
        joint_paths: Prim of each joint by name, of a hand or an arm.
        joint_positions: Position of each joint by name [rad or m].

    Returns:
        Names of joints without a drive, which stay as they are: those that follow others have none.
    """
    units, without = UsdGeom.GetStageMetersPerUnit(stage), []
    with Sdf.ChangeBlock():
        for name, position in joint_positions.items():
            prim = stage.GetPrimAtPath(joint_paths[name])
            is_revolute = prim.IsA(UsdPhysics.RevoluteJoint)
            kind = "angular" if is_revolute else "linear"
            if not prim.HasAPI(UsdPhysics.DriveAPI, kind):
                without.append(name)
                continue
            target = math.degrees(position) if is_revolute else position / units
            UsdPhysics.DriveAPI(prim, kind).CreateTargetPositionAttr().Set(float(target))
    return tuple(without)


def move_palm(stage: Usd.Stage, hand: StageHand, T_world_palm: np.ndarray) -> None:
    """Move a floating hand as a whole so that its palm comes to a pose.

    Args:
        stage: The stage; its edit target is written to.
        hand: The hand.
        T_world_palm: Palm pose in the stage's world frame [m], shape [7].

    Raises:
        GraspdError: If an arm, or the world, holds the hand.
    """
    if not hand.is_floating:
        raise GraspdError(
            f"expected a floating hand, but {hand.root_path} is held by a joint; bring its palm there with the arm"
        )
    root, units = stage.GetPrimAtPath(hand.root_path), UsdGeom.GetStageMetersPerUnit(stage)
    now = _body_pose(stage, hand)
    then = pose_to_matrix(T_world_palm) @ np.linalg.inv(pose_to_matrix(hand.T_body_palm))
    for matrix in (now, then):
        matrix[:3, 3] /= units
    T_world_root = then @ np.linalg.inv(now) @ local_to_world(root)
    parent = np.eye(4) if UsdGeom.Xformable(root).GetResetXformStack() else local_to_world(root.GetParent())
    _set_local(UsdGeom.Xformable(root), np.linalg.inv(parent) @ T_world_root)


def palm_pose(stage: Usd.Stage, hand: StageHand) -> np.ndarray:
    """Return where the palm is on the stage, in its world frame [m], shape [7]."""
    return matrix_to_pose(_body_pose(stage, hand) @ pose_to_matrix(hand.T_body_palm))


def _body_pose(stage: Usd.Stage, hand: StageHand) -> np.ndarray:
    """Return the pose of the palm's body as a matrix without scale [m], shape [4, 4]."""
    matrix = local_to_world(stage.GetPrimAtPath(hand.palm_path)).copy()
    matrix[:3, :3] /= np.linalg.norm(matrix[:3, :3], axis=0)
    matrix[:3, 3] *= UsdGeom.GetStageMetersPerUnit(stage)
    return matrix


def _set_local(root: UsdGeom.Xformable, local: np.ndarray) -> None:
    """Set a local matrix, in the translation and orientation that are there, as Isaac Sim's prims have them."""
    kinds = [op.GetOpType() for op in root.GetOrderedXformOps()]
    usual = [UsdGeom.XformOp.TypeTranslate, UsdGeom.XformOp.TypeOrient]
    if kinds[:2] == usual and kinds[2:] in ([], [UsdGeom.XformOp.TypeScale]):
        translate, orient = root.GetOrderedXformOps()[:2]
        rigid = local.copy()
        rigid[:3, :3] /= np.linalg.norm(local[:3, :3], axis=0)
        x, y, z, w = (float(value) for value in matrix_to_pose(rigid)[3:])
        translate.Set(Gf.Vec3d(*(float(value) for value in local[:3, 3])))
        is_double = orient.GetPrecision() == UsdGeom.XformOp.PrecisionDouble
        orient.Set(Gf.Quatd(w, x, y, z) if is_double else Gf.Quatf(w, x, y, z))
    else:
        root.MakeMatrixXform().Set(Gf.Matrix4d(local.T))
