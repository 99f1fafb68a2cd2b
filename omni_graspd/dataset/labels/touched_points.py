# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Where on the object each grasp touches it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omni_graspd.geometry.signed_distance import SignedDistance
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.surface_points import HandPoints, posed_points
from omni_graspd.metrics.contacts import near_surface_distances
from omni_graspd.synthesis.contact_balance import pressing_contacts


@dataclass(frozen=True, eq=False)
class TouchedPoints:
    """Points on the object's surface that hands touch, grasp by grasp."""

    positions: np.ndarray
    """In the object frame [m], shape [contact_count, 3]."""
    grasp: np.ndarray
    """Row of the grasp, ascending, int32, shape [contact_count]."""


def touched_points(
    hand: Hand,
    points: HandPoints,
    distance: SignedDistance,
    T_object_palm: np.ndarray,
    joint_positions: np.ndarray,
    threshold: float,
) -> TouchedPoints:
    """Find the points of the object next to the nearest few points of each link that touches it.

    Args:
        hand: The hand.
        points: Points on its surface.
        distance: The object's exact signed distance.
        T_object_palm: Palm poses, shape [grasp_count, 7].
        joint_positions: All joints [rad or m], shape [grasp_count, joint_count].
        threshold: Points of the hand nearer than this touch the object [m].
    """
    positions, grasps = [np.zeros((0, 3))], [np.zeros(0, dtype=np.int32)]
    # One at a time: a grasp has thousands of points, and there may be thousands of grasps. What is out of reach counts
    # as being there, which must not be near.
    reach = 2.0 * threshold
    for row, (pose, joints) in enumerate(zip(T_object_palm, joint_positions, strict=True)):
        surface = near_surface_distances(posed_points(hand, points, pose[None], joints[None]), distance, reach)
        chosen, presses = pressing_contacts(surface.distances[0], points.link_index, threshold)
        touching = chosen[presses]
        positions.append(surface.positions[0, touching])
        grasps.append(np.full(len(touching), row, dtype=np.int32))
    return TouchedPoints(np.concatenate(positions), np.concatenate(grasps))
