# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""An arm that stands on someone's stage: its base, its joints, its flange, and what is mounted there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pxr import Sdf, Usd, UsdGeom

from omni_graspd.arms.arm import Arm
from omni_graspd.arms.chain import Chain, Step
from omni_graspd.errors import GraspdError
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.hands.usd.joint_reader import JointPrim, is_fixed, read_joints, turned
from omni_graspd.scenes.stage_hand import StageHand
from omni_graspd.usd.prim_export import standing_pose
from omni_graspd.usd.transforms import IDENTITY, compose, invert, pose_to_matrix

_UPRIGHT = 0.9999
"""Cosine of the largest tilt of a base that counts as upright, 0.8 degrees."""
_SAME_PLACE, _SAME_TURN = 2e-3, 0.01
"""Flanges of the same arm are so near to each other in the same posture [m], [rad]."""


@dataclass(frozen=True, eq=False)
class StageArm:
    """An arm that stands on a stage."""

    root_path: str
    """Prim that was chosen: the arm, or the robot that it is part of."""
    T_world_base: np.ndarray
    """Where its base stands in the stage's world [m], shape [7]."""
    joint_paths: dict[str, str]
    """Prim of each joint by the arm's name for it."""
    flange_path: str
    """Body that the flange is part of."""
    T_body_flange: np.ndarray
    """The flange in that body's frame [m], shape [7]."""


def stage_base(stage: Usd.Stage, path: str, arm: Arm) -> tuple[float, float, float, float]:
    """Return the place of an arm's base in the stage's world: x, y, z [m], and its turn about the vertical [degrees].

    The base is the link of that name in the arm's own file; what hangs on the arm does not matter.

    Args:
        stage: The stage; it is not changed.
        path: The arm, or the robot that it is part of.
        arm: Which arm it is.

    Raises:
        GraspdError: If there is no such arm, its base does not stand upright, or z is not up.
    """
    T_world_base = _base_pose(stage, _joints(stage, path, arm), arm, path)
    turn = pose_to_matrix(T_world_base)
    x, y, z = (float(value) for value in T_world_base[:3])
    return x, y, z, float(np.degrees(np.arctan2(turn[1, 0], turn[0, 0])))


def find_stage_arm(stage: Usd.Stage, path: str, arm: Arm) -> StageArm:
    """Find base, joints and flange of an arm below a prim.

    Args:
        stage: The stage; it is not changed.
        path: The arm, or the robot that it is part of.
        arm: Which arm it is.

    Raises:
        GraspdError: As :func:`stage_base`, if joints of the arm are missing, or it is another arm of the same names.
    """
    joints = _joints(stage, path, arm)
    T_world_base = _base_pose(stage, joints, arm, path)
    base, T_body_base = _body(joints, arm, 0, path)
    flange, T_body_link = _body(joints, arm, arm.flange_link, path)
    T_body_flange = compose(T_body_link, arm.T_link_flange)
    way = _way(joints, base, flange)
    moving = [joint for joint in way if joint.joint_type != "fixed"]
    names = tuple(joint.path.name for joint in moving)
    if names != arm.joint_names or not _moves_alike(arm, way, T_body_base, T_body_flange):
        raise GraspdError(
            f"expected {path} to be a {arm.name}, but its joints lead elsewhere; choose the arm that it is, or add it "
            "with `graspd arms add`"
        )
    paths = {joint.path.name: str(joint.path) for joint in moving}
    return StageArm(path, T_world_base, paths, str(flange), T_body_flange)


def stage_mount(stage: Usd.Stage, arm: StageArm, hand: StageHand) -> np.ndarray:
    """Return T_flange_palm of a hand that fixed joints hold on an arm, shape [7].

    Args:
        stage: The stage; it is not changed.
        arm: The arm.
        hand: The hand.

    Raises:
        GraspdError: If the hand is not on that arm.
    """
    joints = read_joints(stage.GetPseudoRoot(), Path(arm.root_path), is_fixed)
    for body, T_first_body in _poses(joints, Sdf.Path(arm.flange_path)):
        if body == Sdf.Path(hand.palm_path):
            return compose(invert(arm.T_body_flange), compose(T_first_body, hand.T_body_palm))
    raise GraspdError(
        f"the hand at {hand.root_path} is not on the arm at {arm.root_path}: no fixed joints lead from "
        f"{Sdf.Path(arm.flange_path).name} to {Sdf.Path(hand.palm_path).name}"
    )


def _joints(stage: Usd.Stage, path: str, arm: Arm) -> list[JointPrim]:
    """Read the joints of an arm, and all fixed ones, below a prim; others, such as a hand's, are not looked at."""
    root = stage.GetPrimAtPath(path)
    if not root or root.IsPseudoRoot():
        raise GraspdError(f"expected the arm's prim, got {path!r}; select the arm on the stage")
    joints = read_joints(root, Path(path), lambda prim: is_fixed(prim) or prim.GetName() in arm.joint_names)
    there = {joint.path.name for joint in joints if joint.joint_type != "fixed"}
    missing = [name for name in arm.joint_names if name not in there]
    if missing:
        raise GraspdError(
            f"expected the joints of {arm.name} below {path}, but {', '.join(missing[:3])} is not there; select that "
            "arm, or choose the arm that it is"
        )
    return joints


def _base_pose(stage: Usd.Stage, joints: Sequence[JointPrim], arm: Arm, path: str) -> np.ndarray:
    """Return T_world_base of an arm that stands upright, shape [7]."""
    body, T_body_base = _body(joints, arm, 0, path)
    if UsdGeom.GetStageUpAxis(stage) != UsdGeom.Tokens.z:
        raise GraspdError("expected a stage whose up axis is Z, got Y; arms need Z up")
    T_world_base = compose(standing_pose(stage.GetPrimAtPath(body)), T_body_base)
    if pose_to_matrix(T_world_base)[2, 2] < _UPRIGHT:
        raise GraspdError(f"expected {body} to stand upright, got it tilted; grasps are for arms that stand")
    return T_world_base


def _body(joints: Sequence[JointPrim], arm: Arm, link: int, path: str) -> tuple[Sdf.Path, np.ndarray]:
    """Return the body of the base or of the flange's link, and that link's pose in its frame, shape [7].

    It has the link's name; importers merge links between which nothing moves, so that it may be another of those. A
    hand may have links of the same names: an arm's hang on its joints.
    """
    articulation = arm.articulation
    beside = arm.joint_names[0 if link == 0 else -1]
    starts = [end for joint in joints if joint.path.name == beside for end in (joint.body_0, joint.body_1)]
    fixed = [joint for joint in joints if joint.joint_type == "fixed"]
    bodies = {body for start in starts for body, _ in _poses(fixed, start)}
    poses = link_poses(articulation, IDENTITY, np.clip(0.0, arm.lower, arm.upper))
    for other in arm.still_links(link):
        name = articulation.links[other].name
        found = sorted(body for body in bodies if body.name == name)
        if len(found) > 1:
            listed = ", ".join(map(str, found))
            raise GraspdError(f"expected one link {name} below {path}, got {listed}; select a single robot")
        if found:
            return found[0], compose(invert(poses[other]), poses[link])
    raise GraspdError(
        f"expected the link {articulation.links[link].name} of {arm.name} below {path}, got none; select that arm, or "
        "choose the arm that it is"
    )


def _poses(joints: Sequence[JointPrim], start: Sdf.Path) -> Iterator[tuple[Sdf.Path, np.ndarray]]:
    """Yield the bodies that fixed joints tie to one, itself first, and their poses in its frame, shape [7]."""
    found, todo = {start}, [(start, IDENTITY)]
    for body, pose in todo:
        yield body, pose
        for joint in _from(joints, body):
            if joint.body_1 not in found:
                found.add(joint.body_1)
                todo.append((joint.body_1, compose(pose, _across(joint))))


def _way(joints: Sequence[JointPrim], start: Sdf.Path, end: Sdf.Path) -> list[JointPrim]:
    """Return the joints that lead from one body to another, each with the nearer one first; none where none do."""
    ways: dict[Sdf.Path, list[JointPrim]] = {start: []}
    todo = [start]
    for body in todo:
        for joint in _from(joints, body):
            if joint.body_1 not in ways:
                ways[joint.body_1] = [*ways[body], joint]
                todo.append(joint.body_1)
    return ways.get(end, [])


def _from(joints: Sequence[JointPrim], body: Sdf.Path) -> Iterator[JointPrim]:
    for joint in joints:
        if joint.body_0 == body:
            yield joint
        elif joint.body_1 == body:
            yield turned(joint)


def _across(joint: JointPrim) -> np.ndarray:
    return compose(joint.T_body_0_joint, invert(joint.T_body_1_joint))


def _moves_alike(arm: Arm, way: Sequence[JointPrim], T_body_base: np.ndarray, T_body_flange: np.ndarray) -> bool:
    """Tell whether joints on a stage move the flange as the arm's do, by a few postures."""
    steps = [Step(joint.joint_type, joint.axis, joint.T_body_0_joint, joint.T_body_1_joint) for joint in way]
    postures = arm.lower + np.array([[0.3], [0.5], [0.8]]) * (arm.upper - arm.lower)
    seen = np.linalg.inv(pose_to_matrix(T_body_base)) @ Chain.along(steps, T_body_flange).end(postures)
    off = np.linalg.inv(arm.chain().end(postures)) @ seen
    turns = np.arccos(np.clip(0.5 * (np.trace(off[:, :3, :3], axis1=1, axis2=2) - 1.0), -1.0, 1.0))
    return bool(np.linalg.norm(off[:, :3, 3], axis=1).max() < _SAME_PLACE and turns.max() < _SAME_TURN)
