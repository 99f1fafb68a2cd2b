# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How a hand is mounted on a flange."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.usd.transforms import IDENTITY, matrix_to_pose, pose_to_matrix, transform_points

ADAPTER = 0.01
"""Least thickness of what is between flange and hand [m]."""
_SIDEWAYS = 0.5
"""Hands that look less to the side of where they point look ahead."""


def default_mount(hand: Hand, turn: float = 0.0, tilt: float = 0.5 * math.pi) -> np.ndarray:
    """Return T_flange_palm of a hand whose back lies on an adapter on the flange, shape [7].

    The hand points along the flange's +z, away from the arm: of the palm's axes, the one that leads best from the
    middle of the palm to where the digits begin. The adapter keeps all of the palm off the flange, its middle on the
    flange's axis.

    Args:
        hand: The hand.
        turn: Turn about the flange's axis [rad].
        tilt: How far the adapter is bent toward the back of the hand, so that the palm looks farther along the flange's
            axis [rad]; at a right angle it looks straight along it. Without effect on hands that look where they point.

    Raises:
        GraspdError: If the palm has no surface that could lie on an adapter.
    """
    palm = hand.links[0].mesh.vertices
    if not len(palm):
        raise GraspdError(
            f"expected the palm of {hand.name}, {hand.links[0].name}, to have a surface to mount it by, got none; give "
            "--mount X Y Z ROLL PITCH YAW"
        )
    middle = 0.5 * (palm.min(axis=0) + palm.max(axis=0))
    pointing = _pointing(hand, middle)
    looking = hand.approach_direction - (hand.approach_direction @ pointing) * pointing
    length = float(np.linalg.norm(looking))
    if length > _SIDEWAYS:
        side, ahead = np.cross(pointing, looking / length), looking / length
    else:
        side, tilt = np.roll(np.abs(pointing), 1), 0.0
        ahead = np.cross(side, pointing)
    out = np.cos(tilt) * pointing + np.sin(tilt) * ahead
    turned = pose_to_matrix(pose_from_euler((0.0, 0.0, 0.0, 0.0, 0.0, turn)))[:3, :3]
    matrix = np.eye(4)
    matrix[:3, :3] = turned @ np.stack([np.cross(side, out), side, out])
    placed = palm @ matrix[:3, :3].T
    matrix[:3, 3] = -matrix[:3, :3] @ middle
    matrix[2, 3] = ADAPTER - placed[:, 2].min()
    return matrix_to_pose(matrix)


def _pointing(hand: Hand, middle: np.ndarray) -> np.ndarray:
    """Return the axis of the palm along which digits stand out of it, with its sign, shape [3]."""
    poses = link_poses(hand, IDENTITY, hand.joint_positions(hand.open_positions))
    roots = [number for number, link in enumerate(hand.links) if link.parent == 0]
    points = [transform_points(poses[n], hand.links[n].mesh.vertices) for n in roots]
    # Digits often begin with a link without surface: its frame will do.
    points = np.concatenate([some if len(some) else poses[n][None, :3] for n, some in zip(roots, points, strict=True)])
    toward = points.mean(axis=0) - middle
    axis = int(np.argmax(np.abs(toward)))
    return np.sign(toward[axis]) * np.eye(3)[axis]


def pose_from_euler(values: Sequence[float]) -> np.ndarray:
    """Return the pose of x, y, z [m] and roll, pitch, yaw [rad], as URDF has them, shape [7]."""
    from scipy.spatial.transform import Rotation

    return np.concatenate([np.array(values[:3], dtype=np.float64), Rotation.from_euler("xyz", values[3:]).as_quat()])
