# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What can be said of a way before anything is simulated: open hands in the object, commanded hands below the table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.hands.surface_points import posed_points, sample_surface_points
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.objects.signed_distance import SignedDistance
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import pose_to_matrix

_POINT_COUNT = 1000


def depths_in_object(
    hand: Hand, obj: RigidObject, T_object_palm: np.ndarray, joint_positions: np.ndarray
) -> np.ndarray:
    """Return how deep hands reach into an object [m], shape [grasp_count].

    Args:
        hand: The hand.
        obj: The object.
        T_object_palm: Palm poses in the object frame, shape [grasp_count, 7].
        joint_positions: All joints, shape [grasp_count, joint_count].
    """
    points = sample_surface_points(hand, _POINT_COUNT)
    placed = posed_points(hand, points, T_object_palm, joint_positions)
    distance = SignedDistance.build(obj.mesh, closed=obj.closed, device="cpu")
    size = float(np.linalg.norm(np.ptp(obj.mesh.vertices, axis=0)))
    near, _ = distance.query(placed.reshape(-1, 3), size)
    return np.maximum(-near.reshape(placed.shape[:2]).min(axis=1), 0.0).astype(np.float64)


def lowest_points(
    hand: Hand, hand_pieces: Sequence[Sequence[TriangleMesh]], T_world_palm: np.ndarray, joint_positions: np.ndarray
) -> np.ndarray:
    """Return the height of the lowest point of what a hand collides with [m], shape [...].

    Args:
        hand: The hand.
        hand_pieces: Convex meshes of each link, in its frame [m].
        T_world_palm: Palm poses, shape [..., 7].
        joint_positions: All joints, shape [..., joint_count].
    """
    matrices = pose_to_matrix(link_poses(hand, T_world_palm, joint_positions))
    lowest = np.full(matrices.shape[:-3], np.inf)
    for index, pieces in enumerate(hand_pieces):
        if pieces:
            vertices = np.concatenate([piece.vertices for piece in pieces])
            heights = matrices[..., index, 2, :3] @ vertices.T + matrices[..., index, 2, 3:]
            lowest = np.minimum(lowest, heights.min(axis=-1))
    return lowest
