# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How fast hand points move along given directions when joints move."""

from __future__ import annotations

import numpy as np

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.surface_points import HandPoints
from omni_graspd.usd.transforms import pose_to_matrix


def sinking_speeds(
    hand: Hand, points: HandPoints, placed: np.ndarray, directions: np.ndarray, T_object_link: np.ndarray
) -> np.ndarray:
    """Return the speed of each point along its direction per actuated joint, [grasp_count, point_count, actuated]."""
    matrices = pose_to_matrix(T_object_link)
    result = np.zeros((*placed.shape[:2], hand.actuated_count))
    moved_by = joints_above(hand)[points.link_index]
    for index, link in enumerate(hand.links):
        if link.joint < 0:
            continue
        joint_frame = matrices[:, index] @ pose_to_matrix(link.T_link_joint)
        axis = np.einsum("gij,j->gi", joint_frame[:, :3, :3], link.axis)[:, None]
        rows = np.flatnonzero(moved_by[:, link.joint])
        motion = np.broadcast_to(axis, placed[:, rows].shape)
        if link.joint_type == "revolute":
            motion = np.cross(axis, placed[:, rows] - joint_frame[:, None, :3, 3])
        speed = np.einsum("gpi,gpi->gp", motion, directions[:, rows])
        # Not a matrix product: for one this large BLAS starts threads, which get in the way of ours.
        for actuated in np.flatnonzero(hand.coupling[link.joint]):
            result[:, rows, actuated] += hand.coupling[link.joint, actuated] * speed
    return result


def joints_above(hand: Hand) -> np.ndarray:
    """Tell which joints move a link, shape [link_count, joint_count], bool."""
    above = np.zeros((len(hand.links), hand.joint_count), dtype=bool)
    for index, link in enumerate(hand.links):
        if link.parent >= 0:
            above[index] = above[link.parent]
        if link.joint >= 0:
            above[index, link.joint] = True
    return above
