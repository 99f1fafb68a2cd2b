# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How fast hand points move along given directions when joints move."""

from __future__ import annotations

import numpy as np

from omni_graspd.geometry.signed_distance import SignedDistance
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.hands.surface_points import HandPoints, posed_points
from omni_graspd.usd.transforms import pose_to_matrix

_DAMPING = 1e-5
"""Of the least squares that press, against the squared lever of a finger [m2 per point]."""


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


def pressing_steps(
    hand: Hand,
    points: HandPoints,
    distance: SignedDistance,
    T_object_palm: np.ndarray,
    actuated: np.ndarray,
    *,
    threshold: float,
    press: float,
) -> np.ndarray:
    """Return how actuated joints move to carry near surface into the object, palm and object still.

    Args:
        hand: The hand.
        points: Points on its surface.
        distance: The object's signed distance.
        T_object_palm: Palm poses, shape [grasp_count, 7].
        actuated: Actuated positions [rad or m], shape [grasp_count, actuated_count].
        threshold: Points nearer to the object than this press [m].
        press: How far they are to move inward [m].

    Returns:
        Steps [rad or m], in the least-squares sense with couplings; joints that move no such point stay. Shape
        [grasp_count, actuated_count].
    """
    joints = hand.joint_positions(actuated)
    placed = posed_points(hand, points, T_object_palm, joints)
    distances, normals = distance.query(placed.reshape(-1, 3), 2.0 * threshold)
    touching = distances.reshape(placed.shape[:2]) < threshold
    # How fast each point sinks in per actuated joint; zero where it does not touch.
    inward = -normals.reshape(placed.shape) * touching[..., None]
    sinking = sinking_speeds(hand, points, placed, inward, link_poses(hand, T_object_palm, joints))
    counts = np.maximum(touching.sum(axis=1), 1)
    return least_squares_steps(sinking, press * sinking.sum(axis=1), _DAMPING * counts)


def least_squares_steps(sinking: np.ndarray, target: np.ndarray, damping: np.ndarray) -> np.ndarray:
    """Return how actuated joints move so that points sink in as they should, in the damped least-squares sense.

    Args:
        sinking: What :func:`sinking_speeds` gives, shape [grasp_count, point_count, actuated_count].
        target: Wanted sinking, weighed by ``sinking`` and summed over the points, shape [grasp_count, actuated_count].
        damping: Keeps joints still that move no point, shape [grasp_count].

    Returns:
        Steps [rad or m], shape [grasp_count, actuated_count].
    """
    still = damping[:, None, None] * np.eye(sinking.shape[-1])
    normal_matrix = np.einsum("gpk,gpl->gkl", sinking, sinking) + still
    return np.linalg.solve(normal_matrix, target[..., None])[..., 0]


def joints_above(hand: Hand) -> np.ndarray:
    """Tell which joints move a link, shape [link_count, joint_count], bool."""
    above = np.zeros((len(hand.links), hand.joint_count), dtype=bool)
    for index, link in enumerate(hand.links):
        if link.parent >= 0:
            above[index] = above[link.parent]
        if link.joint >= 0:
            above[index, link.joint] = True
    return above
