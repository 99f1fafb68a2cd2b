# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a file's numbers mean what its format says: order of quaternions and joints, radians, metres.

Under a wrong order of the quaternion the hand turns about its palm and the fingers end far from the object; under a
wrong order of the joints they end outside of their limits. A mistake is named where another order fits far better.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.formats.hand_conventions import CONVENTIONS
from omni_graspd.formats.joint_orders import joint_orders
from omni_graspd.formats.object_files import load_scaled_object
from omni_graspd.formats.record import GraspRecord
from omni_graspd.formats.registry import FORMATS
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.usd.transforms import IDENTITY, compose, invert, pose_to_matrix

_MOST_GRASPS = 200
_BEYOND = 0.1
"""Joints may pass their limits by this much: other projects' models have limits of their own [rad or m]."""
_SPOILT, _SOUND = 0.5, 0.1
"""A reading is wrong if more than the first share of the grasps pass limits, and less than the second by another."""
_CLOSER = 0.8
"""Another order of the quaternion is right if it brings the fingers closer than this share of their distance, ..."""
_NEARER = 0.005
"""... and by this much nearer [m]. In right files of four planners and ours, others bring them 1.2 times as far."""


def check_reading(record: GraspRecord, hand: Hand, object_path: Path | None, format_name: str) -> None:
    """Refuse grasps that another order of quaternions or joints, or another unit, explains far better.

    Args:
        record: Grasps of our hand, as :func:`omni_graspd.formats.hand_mapping.to_hand` gives them.
        hand: The hand.
        object_path: Mesh of the object, where it is known; else distances are taken from the object's origin.
        format_name: Name of the format that they were read as.

    Raises:
        GraspdError: If the file seems to have been written with a mistake; the message names it.
    """
    part = record.rows(
        np.unique(np.linspace(0, len(record) - 1, _MOST_GRASPS).astype(int)) if len(record) else slice(0)
    )
    if not len(part):
        return
    again = "write the file again, or read it as it is with --no-check"
    mistake = _joint_mistake(part, hand)
    if mistake:
        raise GraspdError(f"expected joints of {hand.name} as {format_name} has them, got {mistake}; {again}")
    others = _other_rotations(part.T_object_palm, FORMATS[format_name].rotation, _foreign_palm(hand, format_name))
    mistake = _pose_mistake(part, hand, _surface(record, object_path), others)
    if mistake:
        raise GraspdError(f"expected poses of the palm as {format_name} has them, got {mistake}; {again}")


def _joint_mistake(record: GraspRecord, hand: Hand) -> str:
    positions = record.joint_positions
    as_read = _outside(positions, hand)
    if as_read < _SPOILT:
        return ""
    if _outside(np.deg2rad(positions), hand) < _SOUND and np.abs(positions).max() > 2.0 * np.pi:
        return f"degrees: {100 * as_read:.0f} % of the grasps pass joint limits, as radians of these numbers none do"
    orders = joint_orders(hand)
    shares = {}
    for read_as, order in orders.items():
        raw = positions[:, [hand.joint_names.index(name) for name in order]]
        for meant, other in orders.items():
            if meant != read_as:
                shares[read_as, meant] = _outside(raw[:, [other.index(name) for name in hand.joint_names]], hand)
    best = min(shares, key=lambda pair: shares[pair])
    if shares[best] > _SOUND:
        return ""
    return (
        f"another order of the joints: {100 * as_read:.0f} % of the grasps pass joint limits in the order "
        f"{best[0]!r}, {100 * shares[best]:.0f} % in the order {best[1]!r}"
    )


def _outside(positions: np.ndarray, hand: Hand) -> float:
    """Return the share of grasps with a joint beyond its limits."""
    beyond = np.maximum(hand.joint_lower - positions, positions - hand.joint_upper)
    return float((beyond.max(axis=1) > _BEYOND).mean())


def _pose_mistake(record: GraspRecord, hand: Hand, surface: np.ndarray, others: dict[str, np.ndarray]) -> str:
    as_read = _finger_distance(record.T_object_palm, record, hand, surface)
    for meant, poses in others.items():
        distance = _finger_distance(poses, record, hand, surface)
        if distance < _CLOSER * as_read and distance < as_read - _NEARER:
            return (
                f"{meant}: the fingers end {1e3 * as_read:.0f} mm from the object as it is read, "
                f"{1e3 * distance:.0f} mm the other way"
            )
    return ""


def _foreign_palm(hand: Hand, format_name: str) -> np.ndarray:
    """Return our palm in the frame whose pose the format's files have, shape [7]."""
    known = [convention for convention in CONVENTIONS.get(format_name, ()) if convention.hand == hand.name]
    return np.array(known[0].T_foreign_palm) if known else IDENTITY


def _other_rotations(T_object_palm: np.ndarray, rotation: str, T_foreign_palm: np.ndarray) -> dict[str, np.ndarray]:
    poses = compose(T_object_palm, invert(T_foreign_palm))
    position, (x, y, z, w) = poses[:, :3], poses[:, 3:].T
    inverse = {"rotations the other way round": (-x, -y, -z, w)}
    if rotation == "quaternions":
        swapped = {
            "quaternions in the order xyzw where wxyz is expected": (w, x, y, z),
            "quaternions in the order wxyz where xyzw is expected": (y, z, w, x),
        }
        inverse = swapped | inverse
    read = {name: np.concatenate([position, np.stack(parts, axis=1)], axis=1) for name, parts in inverse.items()}
    return {name: compose(other, T_foreign_palm) for name, other in read.items()}


def _finger_distance(poses: np.ndarray, record: GraspRecord, hand: Hand, surface: np.ndarray) -> float:
    """Return the median over grasps of the mean distance of the last links from the object [m]."""
    from scipy.spatial import cKDTree

    parents = {link.parent for link in hand.links}
    tips = [i for i, link in enumerate(hand.links) if i not in parents and len(link.mesh.vertices)]
    centers = np.array([hand.links[i].mesh.vertices.mean(axis=0) for i in tips])
    matrices = pose_to_matrix(link_poses(hand, poses, record.joint_positions))[:, tips]
    points = np.einsum("gtij,tj->gti", matrices[..., :3, :3], centers) + matrices[..., :3, 3]
    distances = cKDTree(surface).query(points)[0]
    return float(np.median(distances.mean(axis=1)))


def _surface(record: GraspRecord, object_path: Path | None) -> np.ndarray:
    """Return points on the object [m], shape [point_count, 3]; its origin where the object is unknown."""
    import trimesh

    if object_path is None:
        return np.zeros((1, 3))
    mesh = load_scaled_object(object_path, record.object, record.object_scale).mesh
    return trimesh.sample.sample_surface(trimesh.Trimesh(mesh.vertices, mesh.faces, process=False), 2000, seed=0)[0]
