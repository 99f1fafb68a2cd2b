# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How far hands are from the objects beside the grasped one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.metrics.filled_solid import filled_solid
from omni_graspd.scenes.clutter import Neighbour
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import pose_to_matrix

if TYPE_CHECKING:
    from manifold3d import Manifold

REACH = 0.05
"""Distances are measured up to here [m]."""


class NeighbourClearance:
    """Distances of a hand to neighbours: exact between the meshes, hollow parts filled.

    Meshes that bound no solid stand for their convex hulls.
    """

    def __init__(self, hand: Hand, neighbours: Sequence[Neighbour]) -> None:
        """Make the solids."""
        self._hand = hand
        self._links = [_solid(link.mesh) for link in hand.links]
        self._obstacles = [
            _solid(neighbour.obj.mesh).transform(pose_to_matrix(neighbour.T_world_object)[:3])
            for neighbour in neighbours
        ]

    def measure(self, T_world_palm: np.ndarray, joint_positions: np.ndarray) -> np.ndarray:
        """Return the distance to the nearest neighbour for each posed hand [m], shape [grasp_count].

        At most :data:`REACH`; 0 where the hand touches or overlaps a neighbour, NaN for a hand that is nowhere.

        Args:
            T_world_palm: Palm poses, shape [grasp_count, 7].
            joint_positions: All joints [rad or m], shape [grasp_count, joint_count].
        """
        finite = np.isfinite(T_world_palm).all(axis=1) & np.isfinite(joint_positions).all(axis=1)
        distances = np.full(len(T_world_palm), np.nan)
        for row in np.flatnonzero(finite):
            poses = link_poses(self._hand, T_world_palm[row], joint_positions[row])
            distances[row] = self._distance(pose_to_matrix(poses)[:, :3])
        return distances

    def _distance(self, T_world_link: np.ndarray) -> float:
        nearest = REACH
        for solid, matrix in zip(self._links, T_world_link, strict=True):
            link = solid.transform(np.ascontiguousarray(matrix))
            for obstacle in self._obstacles:
                if not link.is_empty() and _box_distance(link.bounding_box(), obstacle.bounding_box()) < nearest:
                    nearest = min(nearest, float(link.min_gap(obstacle, nearest)))
        return nearest


def _solid(mesh: TriangleMesh) -> Manifold:
    import manifold3d

    solid = filled_solid(mesh) if len(mesh.faces) else manifold3d.Manifold()
    return manifold3d.Manifold.hull_points(np.array(mesh.vertices)) if solid is None else solid


def _box_distance(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the distance of two bounding boxes, each x y z of the lower and of the upper corner."""
    a, b = np.asarray(one).reshape(2, 3), np.asarray(other).reshape(2, 3)
    return float(np.linalg.norm(np.maximum(0.0, np.maximum(a[0] - b[1], b[0] - a[1]))))
