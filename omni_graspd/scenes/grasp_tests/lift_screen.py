# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What can be said of a way before anything is simulated."""

from __future__ import annotations

import numpy as np

from omni_graspd.geometry.signed_distance import SignedDistance
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.lowest_point import lowest_heights
from omni_graspd.hands.surface_points import posed_points, sample_surface_points
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.scenes.grasp_tests.lift_motion import HandWay, closing_path

_POINT_COUNT = 1000
_CLOSING_SAMPLES = 17
_TABLE_TOP = np.array([0.0, 0.0, 1.0, 0.0])


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


def lowest_on_the_way(hand: Hand, way: HandWay) -> float:
    """Return the height of the lowest point of a hand that is where it should be, from pregrasp to grasp [m]."""
    palms, joints = closing_path(way, _CLOSING_SAMPLES)
    palms, joints = np.vstack([way.T_world_palm[:1], palms]), np.vstack([way.joint_positions[:1], joints])
    return float(lowest_heights(hand, _TABLE_TOP, palms, joints).min())
