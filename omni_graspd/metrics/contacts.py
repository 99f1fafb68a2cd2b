# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Which parts of the hand touch the object, and where on the object."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.hands.surface_points import HandPoints
from omni_graspd.objects.signed_distance import SignedDistance
from omni_graspd.usd.transforms import pose_to_matrix


@dataclass(frozen=True)
class SurfaceDistances:
    """Signed distances of points on the hand's surface to the object, for a batch of grasps."""

    distances: np.ndarray
    """Signed distance to the exact mesh [m], negative inside, shape [grasp_count, point_count]."""
    positions: np.ndarray
    """Closest points on the object, in the object frame [m], shape [grasp_count, point_count, 3]."""
    normals: np.ndarray
    """Unit normals out of the object there; zero where nothing is near, shape [grasp_count, point_count, 3]."""


def posed_points(hand: Hand, points: HandPoints, T_object_palm: np.ndarray, joint_positions: np.ndarray) -> np.ndarray:
    """Place surface points of the hand in the object frame.

    Args:
        hand: The hand.
        points: Points on its links.
        T_object_palm: Palm poses, shape [grasp_count, 7].
        joint_positions: All joints [rad or m], shape [grasp_count, joint_count].

    Returns:
        Positions in the object frame [m], shape [grasp_count, point_count, 3].
    """
    T_object_link = pose_to_matrix(link_poses(hand, T_object_palm, joint_positions))[:, points.link_index]
    return np.einsum("gpij,pj->gpi", T_object_link[..., :3, :3], points.positions) + T_object_link[..., :3, 3]


def surface_distances(positions: np.ndarray, distance: SignedDistance, reach: float) -> SurfaceDistances:
    """Measure how far points of the hand are from the object.

    Args:
        positions: Points in the object frame [m], shape [grasp_count, point_count, 3].
        distance: The object's exact signed distance.
        reach: Surface farther than this is not looked for [m].
    """
    distances, normals = distance.query(positions.reshape(-1, 3), reach)
    distances = distances.reshape(positions.shape[:2]).astype(np.float64)
    normals = normals.reshape(positions.shape).astype(np.float64)
    return SurfaceDistances(distances, positions - distances[..., None] * normals, normals)


def spread_subset(positions: np.ndarray, count: int) -> np.ndarray:
    """Choose points that cover a set: the first, then always the one farthest from those chosen.

    Args:
        positions: Points, shape [point_count, 3].
        count: How many to choose at most.

    Returns:
        Indices, shape [min(count, point_count)].
    """
    if len(positions) <= count:
        return np.arange(len(positions))
    chosen = [0]
    nearest = np.linalg.norm(positions - positions[0], axis=1)
    while len(chosen) < count:
        chosen.append(int(np.argmax(nearest)))
        nearest = np.minimum(nearest, np.linalg.norm(positions - positions[chosen[-1]], axis=1))
    return np.array(chosen)
