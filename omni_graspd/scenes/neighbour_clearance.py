# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How far hands are from the objects beside the grasped one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from omni_graspd.geometry.filled_solid import filled_solid
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.scenes.clutter import Neighbour
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import pose_to_matrix

if TYPE_CHECKING:
    from manifold3d import Manifold

REACH = 0.05
"""Distances are measured up to here [m]."""
_TOUCHING = 1e-6
"""Hands nearer than this are looked at exactly to tell whether they touch [m]."""


class NeighbourClearance:
    """Distances of a hand to neighbours: exact between the meshes, hollow parts filled.

    Meshes that bound no solid stand for their convex hulls.
    """

    def __init__(self, hand: Hand, neighbours: Sequence[Neighbour]) -> None:
        """Make the solids."""
        self._hand = hand
        self._links = [_solid(link.mesh) for link in hand.links]
        self._empty = np.array([link.is_empty() for link in self._links], dtype=bool)
        self._corners = np.stack([_box_corners(link) for link in self._links])
        self._obstacles = [
            _solid(neighbour.obj.mesh).transform(pose_to_matrix(neighbour.T_world_object)[:3])
            for neighbour in neighbours
        ]
        self._boxes = np.array([obstacle.bounding_box() for obstacle in self._obstacles]).reshape(-1, 2, 3)

    def measure(self, T_world_palm: np.ndarray, joint_positions: np.ndarray) -> np.ndarray:
        """Return the distance to the nearest neighbour for each posed hand [m], shape [grasp_count].

        At most :data:`REACH`; 0 where the hand touches or overlaps a neighbour, NaN for a hand that is nowhere.

        Args:
            T_world_palm: Palm poses, shape [grasp_count, 7].
            joint_positions: All joints [rad or m], shape [grasp_count, joint_count].
        """
        return self._nearest(T_world_palm, joint_positions, REACH)

    def clears(self, T_world_palm: np.ndarray, joint_positions: np.ndarray) -> np.ndarray:
        """Return whether each posed hand touches no neighbour, shape [grasp_count], bool; False for one nowhere.

        Much faster than to measure how far it is.

        Args:
            T_world_palm: Palm poses, shape [grasp_count, 7].
            joint_positions: All joints [rad or m], shape [grasp_count, joint_count].
        """
        return self._nearest(T_world_palm, joint_positions, _TOUCHING) > 0.0

    def _nearest(self, T_world_palm: np.ndarray, joint_positions: np.ndarray, reach: float) -> np.ndarray:
        finite = np.isfinite(T_world_palm).all(axis=1) & np.isfinite(joint_positions).all(axis=1)
        distances = np.full(len(T_world_palm), np.nan)
        rows = np.flatnonzero(finite)
        if not len(rows):
            return distances
        matrices = pose_to_matrix(link_poses(self._hand, T_world_palm[rows], joint_positions[rows]))
        bounds = self._bounds(matrices)
        for row, T_world_link, bound in zip(rows, matrices, bounds, strict=True):
            distances[row] = self._distance(T_world_link, bound, reach)
        return distances

    def _bounds(self, T_world_link: np.ndarray) -> np.ndarray:
        """Return a least distance of each link from each obstacle by their boxes, shape [count, link, obstacle]."""
        rotation, shift = T_world_link[..., :3, :3], T_world_link[..., :3, 3]
        corners = np.einsum("nlij,lcj->nlci", rotation, self._corners) + shift[:, :, None]
        low, high = corners.min(axis=2)[:, :, None], corners.max(axis=2)[:, :, None]
        gaps = np.maximum(self._boxes[:, 0] - high, low - self._boxes[:, 1])
        return np.where(self._empty[:, None], np.inf, np.linalg.norm(np.maximum(gaps, 0.0), axis=-1))

    def _distance(self, T_world_link: np.ndarray, bound: np.ndarray, reach: float) -> float:
        """Return the distance of one hand, the pairs that may be nearest first."""
        nearest = reach
        for pair in np.argsort(bound, axis=None):
            number, other = np.unravel_index(pair, bound.shape)
            if not bound[number, other] < nearest:
                break
            link = self._links[number].transform(np.ascontiguousarray(T_world_link[number, :3]))
            nearest = min(nearest, float(link.min_gap(self._obstacles[other], nearest)))
        return nearest


def _solid(mesh: TriangleMesh) -> Manifold:
    import manifold3d

    solid = filled_solid(mesh) if len(mesh.faces) else manifold3d.Manifold()
    return manifold3d.Manifold.hull_points(np.array(mesh.vertices)) if solid is None else solid


def _box_corners(solid: Manifold) -> np.ndarray:
    """Return the corners of a solid's bounding box in its own frame, shape [8, 3]; zeros for an empty one."""
    if solid.is_empty():
        return np.zeros((8, 3))
    low, high = np.array(solid.bounding_box()).reshape(2, 3)
    return np.array([[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])])
