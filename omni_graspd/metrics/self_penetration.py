# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Self-penetration: how much of the hand's surface lies inside the hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omni_graspd.geometry.filled_solid import filled_surface
from omni_graspd.geometry.signed_distance import SignedDistance, SignedDistanceConfig
from omni_graspd.hands.collidable_pairs import collidable_link_pairs
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.hands.surface_points import HandPoints, sample_surface_points
from omni_graspd.ranges import require_at_least, require_not_negative
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import IDENTITY, pose_to_matrix


@dataclass(frozen=True, kw_only=True)
class SelfPenetrationConfig:
    """From which depth on surface counts."""

    depth: float = 0.002
    """Depth inside another link beyond which the surface counts [m]."""
    point_count: int = 4000
    """Sample points on the hand's surface."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_not_negative(self, "self_penetration", "depth", unit=" [m]")
        require_at_least(self, "self_penetration", 1, "point_count")


def self_penetration_areas(
    hand: Hand,
    joint_positions: np.ndarray,
    config: SelfPenetrationConfig | None = None,
    *,
    points: HandPoints | None = None,
    device: str = "cpu",
) -> np.ndarray:
    """Measure the surface of the hand that lies deep inside another link.

    Links are filled as for :func:`~omni_graspd.metrics.intersection_volume.intersection_volumes`. Surface that other
    links cover in the open posture is no surface. Pairs that overlap by design are left out, see
    :func:`~omni_graspd.hands.collidable_pairs.collidable_link_pairs`.

    Args:
        hand: The hand.
        joint_positions: All joints [rad or m], shape [grasp_count, joint_count].
        config: Depth and sampling.
        points: Points on the hand's surface; sampled if not given, which takes a second or so.
        device: Warp device for the distances.

    Returns:
        Areas [m2], shape [grasp_count].
    """
    config = config or SelfPenetrationConfig()
    points = points or sample_surface_points(hand, config.point_count)
    matrices = pose_to_matrix(link_poses(hand, IDENTITY, joint_positions))
    tested = collidable_link_pairs(hand)
    buried = np.zeros((len(joint_positions), len(points.areas)), dtype=bool)
    for link, mesh in enumerate(link.mesh for link in hand.links):
        if len(mesh.faces) and tested[:, link].any():
            buried |= _inside_link(mesh, link, matrices, points, tested[:, link], config.depth, device)
    # Not a matrix product: its sums would depend on how many grasps there are.
    return np.where(buried, points.areas, 0.0).sum(axis=1)


def _inside_link(
    mesh: TriangleMesh,
    link: int,
    matrices: np.ndarray,
    points: HandPoints,
    tested: np.ndarray,
    depth: float,
    device: str,
) -> np.ndarray:
    """Tell which points of ``tested`` links are deep inside one link, shape [grasp_count, point_count], bool."""
    low, high = mesh.vertices.min(axis=0) + depth, mesh.vertices.max(axis=0) - depth
    surface, closed = filled_surface(mesh)
    exact = SignedDistanceConfig(phong_alpha=0.0)
    distance = SignedDistance.build(surface, closed=closed, device=device, config=exact)
    local = np.linalg.inv(matrices[:, link])[:, None] @ matrices
    inside = np.zeros((len(matrices), len(points.areas)), dtype=bool)
    for other in np.flatnonzero(tested):
        mine = np.flatnonzero(points.link_index == other)
        placed = np.einsum("gij,pj->gpi", local[:, other, :3, :3], points.positions[mine])
        placed += local[:, other, None, :3, 3]
        grasp, row = np.nonzero(((placed > low) & (placed < high)).all(axis=-1))
        if len(grasp):
            reach = float(np.linalg.norm(high - low)) + depth
            inside[grasp, mine[row]] = distance.query(placed[grasp, row], reach)[0] < -depth
    return inside
