# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Whether an object passes through links of a hand, and how far the hand would have to move to be free of it.

The distance of hand points from the nearest face cannot tell: in a wall it is at most half the wall's thickness, also
where a finger has passed through it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omni_graspd.geometry.signed_distance import SignedDistance
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.placed_hands import PlacedHands
from omni_graspd.metrics.contacts import exact_distance
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.synthesis.walls import pierced_links, sphere_depths

# A hand that is pierced is moved in steps along directions spread over the sphere until it is free [m].
_STEP = 2e-3
_FARTHEST = 0.06
# A sphere that is touched no deeper than this is free [m].
_TOUCHING = 1e-3


@dataclass(frozen=True)
class WallMeasures:
    """How a batch of hands stands to the walls of an object."""

    pierced_links: np.ndarray
    """Which links the object passes through, shape [grasp_count, link_count], bool."""
    depth: np.ndarray
    """How deep the object is in the links, or how far a pierced hand would have to move to be free [m], [grasp_count].
    """

    @property
    def pierced(self) -> np.ndarray:
        """Number of links that the object passes through, shape [grasp_count], int32."""
        return self.pierced_links.sum(axis=1, dtype=np.int32)


def measure_walls(
    hand: Hand, distance: SignedDistance, T_object_palm: np.ndarray, joint_positions: np.ndarray
) -> WallMeasures:
    """Measure how hands stand to the walls of an object.

    A link is pierced where the object's surface cuts a line inside it, see :mod:`omni_graspd.hands.skeleton`. Depth is
    that of the object in spheres inside the links; where a link is pierced, the least of the distances by which the
    hand can be moved along 26 directions until none is, in steps of 2 mm, at most 6 cm.

    Args:
        hand: The hand.
        distance: The exact distance to the object.
        T_object_palm: Palm poses, shape [grasp_count, 7].
        joint_positions: All joints [rad or m], shape [grasp_count, joint_count].
    """
    hands = PlacedHands.of(hand, T_object_palm, joint_positions)
    pierced, depth = pierced_links(hands, distance), sphere_depths(hands, distance)
    for row in np.flatnonzero(pierced.any(axis=1)):
        way_out = _way_out(hands.rows(np.array([row])), distance)
        depth[row] = max(depth[row], way_out)
    return WallMeasures(pierced, depth)


def passes_through(hand: Hand, obj: RigidObject, T_object_palm: np.ndarray, joint_positions: np.ndarray) -> np.ndarray:
    """Tell which hands an object passes through, shape [grasp_count], bool; none whose numbers are not finite.

    Args:
        hand: The hand.
        obj: The object.
        T_object_palm: Palm poses in the object frame, shape [grasp_count, 7].
        joint_positions: All joints [rad or m], shape [grasp_count, joint_count].
    """
    finite = np.isfinite(np.concatenate([T_object_palm, joint_positions], axis=1)).all(axis=1)
    through = np.zeros(len(T_object_palm), dtype=bool)
    distance = exact_distance(obj, "cpu")
    hands = PlacedHands.of(hand, T_object_palm[finite], joint_positions[finite])
    through[finite] = pierced_links(hands, distance).any(axis=1)
    return through


def _way_out(hand: PlacedHands, distance: SignedDistance) -> float:
    """Return how far one hand must be moved to be free [m]."""
    grid = np.stack(np.meshgrid(*[(-1.0, 0.0, 1.0)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    directions = grid[np.abs(grid).sum(axis=1) > 0.0]
    directions = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    copies = hand.rows(np.zeros(len(directions), dtype=int))
    for step in range(1, round(_FARTHEST / _STEP) + 1):
        moved = copies.moved(step * _STEP * directions)
        rows = np.flatnonzero(sphere_depths(moved, distance) <= _TOUCHING)
        if len(rows) and not pierced_links(moved.rows(rows), distance).any(axis=1).all():
            return step * _STEP
    return _FARTHEST
