# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How a hand is mounted on a flange."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.usd.transforms import IDENTITY, matrix_to_pose, pose_to_matrix, transform_points

ADAPTER = 0.01
"""Thickness of the plate between flange and hand [m]."""


def default_mount(hand: Hand, turn: float = 0.0) -> np.ndarray:
    """Return T_flange_palm of a hand whose back lies on an adapter plate on the flange, shape [7].

    The hand points along the flange's +z, away from the arm: of the palm's axes, the one that leads best from the
    middle of the palm to where the digits begin. Its back is the palm's farthest point the other way.

    Args:
        hand: The hand.
        turn: Turn about the flange's axis [rad].
    """
    palm = hand.links[0].mesh.vertices
    middle = 0.5 * (palm.min(axis=0) + palm.max(axis=0))
    poses = link_poses(hand, IDENTITY, hand.joint_positions(hand.open_positions))
    roots = [number for number, link in enumerate(hand.links) if link.parent == 0]
    tips = np.concatenate([transform_points(poses[n], hand.links[n].mesh.vertices) for n in roots])
    toward = tips.mean(axis=0) - middle
    axis = int(np.argmax(np.abs(toward)))
    pointing = np.sign(toward[axis]) * np.eye(3)[axis]
    side = np.eye(3)[(axis + 1) % 3]
    T_palm_flange = np.eye(4)
    T_palm_flange[:3, :3] = np.column_stack([side, np.cross(pointing, side), pointing])
    T_palm_flange[:3, 3] = middle
    T_palm_flange[axis, 3] = (pointing[axis] * palm[:, axis]).min() * pointing[axis] - ADAPTER * pointing[axis]
    turned = pose_to_matrix(pose_from_euler((0.0, 0.0, 0.0, 0.0, 0.0, turn)))
    return matrix_to_pose(turned @ np.linalg.inv(T_palm_flange))


def pose_from_euler(values: Sequence[float]) -> np.ndarray:
    """Return the pose of x, y, z [m] and roll, pitch, yaw [rad], as URDF has them, shape [7]."""
    from scipy.spatial.transform import Rotation

    return np.concatenate([np.array(values[:3], dtype=np.float64), Rotation.from_euler("xyz", values[3:]).as_quat()])
