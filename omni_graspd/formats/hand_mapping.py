# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grasps of a foreign hand model as grasps of ours, and back: joint names, directions and the palm frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.formats.hand_conventions import CONVENTIONS, HandConvention
from omni_graspd.formats.record import GraspRecord, ordered_joints
from omni_graspd.hands.hand import Hand
from omni_graspd.usd.transforms import compose, invert, matrix_to_pose, pose_to_matrix

_WRIST_ORIGIN = (0.0, -0.01, 0.213)
_WRIST_TO_PALM = (0.0, 0.0, 0.034)


def find_convention(format_name: str, record: GraspRecord, hand_name: str = "") -> HandConvention | None:
    """Find the hand model that a file's grasps belong to; None where the format has none for them.

    By the joint names in the file; without any, by the name of the hand.

    Args:
        format_name: Name of the format.
        record: Grasps as read.
        hand_name: Name of our hand, where the user gave one.
    """
    known = CONVENTIONS.get(format_name, ())
    for convention in known:
        foreign = {joint.foreign for joint in convention.joints} | set(convention.wrist)
        if record.joint_names and foreign == set(record.joint_names):
            return convention
    if record.joint_names:
        return None
    return next((c for c in known if c.hand == hand_name or (not hand_name and record.hand in c.names)), None)


def guess_hand(format_name: str, record: GraspRecord) -> str:
    """Return the name of our hand for a file's grasps, or what the file calls it."""
    convention = find_convention(format_name, record)
    return convention.hand if convention else record.hand


def to_hand(record: GraspRecord, hand: Hand, format_name: str) -> GraspRecord:
    """Express grasps of a file in our hand: its joints in its order, and its palm frame.

    Raises:
        GraspdError: If the joints are not those of the hand.
    """
    convention = find_convention(format_name, record, hand.name)
    if convention is None:
        if not record.joint_names and record.joint_positions.shape[1] == hand.joint_count:
            record = replace(record, joint_names=hand.joint_names)
        return replace(ordered_joints(record, hand), hand=hand.name)
    if convention.hand != hand.name:
        raise GraspdError(
            f"expected grasps of {hand.name}, got joints of {convention.hand} as in {format_name}: "
            f"{', '.join(record.joint_names[:4])}, ...; leave --hand out or give --hand {convention.hand}"
        )
    foreign = tuple(joint.foreign for joint in convention.joints)
    names = record.joint_names or (*convention.wrist, *foreign)
    if record.joint_positions.shape[1] != len(names):
        raise GraspdError(
            f"expected {len(names)} joints for {convention.names[0]} as in {format_name}, got "
            f"{record.joint_positions.shape[1]}; name the right hand with --hand"
        )
    column = [names.index(name) for name in foreign]
    sign = np.array([joint.sign for joint in convention.joints])
    offset = np.array([joint.offset for joint in convention.joints])

    def joints(positions: np.ndarray | None) -> np.ndarray | None:
        return None if positions is None else positions[:, column] * sign + offset

    def palms(poses: np.ndarray | None, positions: np.ndarray | None) -> np.ndarray | None:
        if poses is None or not len(poses):
            return poses
        if convention.wrist and positions is not None:
            return compose(poses, _wrist_poses(positions[:, [names.index(name) for name in convention.wrist]]))
        return compose(poses, np.array(convention.T_foreign_palm))

    notes = record.notes
    if not convention.verified:
        notes += (f"{format_name} {convention.names[0]}: palm frame or joint order taken from descriptions, not data",)
    positions = joints(record.joint_positions)
    poses = palms(record.T_object_palm, record.joint_positions)
    assert positions is not None and poses is not None
    mapped = replace(
        record,
        hand=hand.name,
        joint_names=tuple(joint.ours for joint in convention.joints),
        joint_positions=positions,
        T_object_palm=poses,
        T_object_pregrasp_palm=palms(record.T_object_pregrasp_palm, record.pregrasp_joint_positions),
        pregrasp_joint_positions=joints(record.pregrasp_joint_positions),
        squeeze_joint_positions=joints(record.squeeze_joint_positions),
        notes=notes,
    )
    return ordered_joints(mapped, hand)


def from_hand(record: GraspRecord, format_name: str) -> GraspRecord:
    """Express grasps of our hand as a format's own hand model has them; unchanged where it has none for that hand.

    Args:
        record: Grasps of our hand.
        format_name: Name of the format.
    """
    convention = next((c for c in CONVENTIONS.get(format_name, ()) if c.hand == record.hand and not c.wrist), None)
    if convention is None or set(record.joint_names) != {joint.ours for joint in convention.joints}:
        return record
    column = [record.joint_names.index(joint.ours) for joint in convention.joints]
    sign = np.array([joint.sign for joint in convention.joints])
    offset = np.array([joint.offset for joint in convention.joints])
    T_palm_foreign = invert(np.array(convention.T_foreign_palm))

    def joints(positions: np.ndarray | None) -> np.ndarray | None:
        return None if positions is None else (positions[:, column] - offset) * sign

    def roots(poses: np.ndarray | None) -> np.ndarray | None:
        return poses if poses is None or not len(poses) else compose(poses, T_palm_foreign)

    positions, poses = joints(record.joint_positions), roots(record.T_object_palm)
    assert positions is not None and poses is not None
    return replace(
        record,
        hand=convention.names[0],
        joint_names=tuple(joint.foreign for joint in convention.joints),
        joint_positions=positions,
        T_object_palm=poses,
        T_object_pregrasp_palm=roots(record.T_object_pregrasp_palm),
        pregrasp_joint_positions=joints(record.pregrasp_joint_positions),
        squeeze_joint_positions=joints(record.squeeze_joint_positions),
        way=None,  # no such format has a place for it
    )


def _wrist_poses(positions: np.ndarray) -> np.ndarray:
    """Pose of the Shadow palm in the forearm's frame for WRJ2 (about y) and WRJ1 (about x), shape [grasp_count, 7]."""
    second, first = positions[:, 0] / 2.0, positions[:, 1] / 2.0
    zero = np.zeros(len(positions))
    about_y = _poses(_WRIST_ORIGIN, np.stack([zero, np.sin(second), zero, np.cos(second)], axis=1))
    about_x = _poses(_WRIST_TO_PALM, np.stack([np.sin(first), zero, zero, np.cos(first)], axis=1))
    return matrix_to_pose(pose_to_matrix(about_y) @ pose_to_matrix(about_x))


def _poses(position: Sequence[float], quaternions: np.ndarray) -> np.ndarray:
    return np.concatenate([np.broadcast_to(position, (len(quaternions), 3)), quaternions], axis=1)
