# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How far posed hands are from the object and from what stands around it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omni_graspd.geometry.signed_distance import SignedDistance
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.kinematics import link_matrices
from omni_graspd.hands.lowest_point import link_hulls, lowest_heights
from omni_graspd.hands.surface_points import HandPoints, posed_points
from omni_graspd.synthesis.crossing import crossing_links
from omni_graspd.synthesis.walls import pierced_links, sphere_depths

# A hand whose points are clear, but that crosses an obstacle between them, is that deep in it [m].
_CROSSED = 1e-6
REACH = 0.02
"""Distances from object and obstacles are measured up to here [m]."""


@dataclass(frozen=True)
class HandClearance:
    """Measures hands against one object and its surroundings.

    Distances from the table are exact. Those from object and obstacles are those of points on the hand; what such
    points miss is found by :func:`~omni_graspd.synthesis.crossing.crossing_links`.
    """

    hand: Hand
    """The hand."""
    points: HandPoints
    """Points on its surface."""
    distance: SignedDistance
    """The object."""
    plane: np.ndarray | None
    """Table top: unit normal and offset in the object frame [m], shape [4]; None without a table."""
    obstacles: SignedDistance | None = None
    """What else stands around, in the object frame."""
    thin_walled: bool = False
    """Whether the object has walls that can be in a hand without its points noticing."""

    def object_gaps(self, T_object_palm: np.ndarray, joint_positions: np.ndarray) -> np.ndarray:
        """Return the distance of each hand from the object [m], negative inside, shape [grasp_count]."""
        return self._gaps(self.distance, T_object_palm, joint_positions)

    def depths(self, T_object_palm: np.ndarray, joint_positions: np.ndarray) -> np.ndarray:
        """Return how deep each hand and the object are in one another [m], shape [grasp_count].

        Negative where no point of the hand is inside the object, and no thin wall in the spheres inside the links.
        """
        depths = -self.object_gaps(T_object_palm, joint_positions)
        if not self.thin_walled:
            return depths
        spheres = sphere_depths(self.hand, self.distance, T_object_palm, joint_positions)
        return np.maximum(depths, np.where(spheres > 0.0, spheres, -np.inf))

    def pierced(self, T_object_palm: np.ndarray, joint_positions: np.ndarray) -> np.ndarray:
        """Tell which hands the object passes through, shape [grasp_count], bool."""
        return np.asarray(pierced_links(self.hand, self.distance, T_object_palm, joint_positions).any(axis=1))

    def heights(self, T_object_palm: np.ndarray, joint_positions: np.ndarray) -> np.ndarray:
        """Return the height of the lowest vertex over the table [m], infinite without one, shape [...].

        Args:
            T_object_palm: Palm poses, shape [..., 7].
            joint_positions: All joints [rad or m], shape [..., joint_count].
        """
        if self.plane is None:
            return np.full(np.shape(T_object_palm)[:-1], np.inf)
        return lowest_heights(self.hand, self.plane, T_object_palm, joint_positions)

    def obstacle_gaps(self, T_object_palm: np.ndarray, joint_positions: np.ndarray) -> np.ndarray:
        """Return the distance of each hand from the obstacles [m], infinite without any, shape [grasp_count].

        It is negative wherever a triangle of the hand crosses one, between points on the hand, too.
        """
        if self.obstacles is None:
            return np.full(len(T_object_palm), np.inf)
        gaps = self._gaps(self.obstacles, T_object_palm, joint_positions)
        rows = np.flatnonzero(gaps >= 0.0)
        crosses = crossing_links(self.hand, self.obstacles.mesh, T_object_palm[rows], joint_positions[rows])
        gaps[rows[crosses.any(axis=1)]] = -_CROSSED
        return gaps

    def corner_gaps(self, T_object_palm: np.ndarray, joint_positions: np.ndarray) -> np.ndarray:
        """Return the distance of the nearest corner of the links' hulls from object and obstacles [m], [grasp_count].

        It finds what lies between points on the hand; for hands that are apart.
        """
        matrices = link_matrices(self.hand, T_object_palm, joint_positions)
        corners = [
            np.einsum("gij,pj->gpi", matrices[:, link, :3, :3], vertices) + matrices[:, link, None, :3, 3]
            for link, vertices in enumerate(link_hulls(self.hand))
            if len(vertices)
        ]
        placed = np.concatenate(corners, axis=1)
        return np.minimum.reduce(
            [
                distance.query(placed.reshape(-1, 3), REACH)[0].reshape(placed.shape[:2]).min(axis=1, initial=REACH)
                for distance in (self.distance, self.obstacles)
                if distance is not None
            ]
        ).astype(np.float64)

    def around(self, T_object_palm: np.ndarray, joint_positions: np.ndarray) -> np.ndarray:
        """Return the distance of each hand from table and obstacles [m], shape [grasp_count]."""
        heights = self.heights(T_object_palm, joint_positions)
        return np.minimum(heights, self.obstacle_gaps(T_object_palm, joint_positions))

    def _gaps(self, distance: SignedDistance, T_object_palm: np.ndarray, joint_positions: np.ndarray) -> np.ndarray:
        placed = posed_points(self.hand, self.points, T_object_palm, joint_positions)
        distances, _ = distance.query(placed.reshape(-1, 3), REACH)
        return distances.reshape(placed.shape[:2]).min(axis=1).astype(np.float64)
