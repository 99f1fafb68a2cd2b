# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""All analytic metrics of a batch of grasps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.surface_points import posed_points, sample_surface_points, spread_subset
from omni_graspd.metrics.contacts import surface_distances
from omni_graspd.metrics.force_closure import epsilon_and_volume, is_force_closure, primitive_wrenches
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.objects.signed_distance import SignedDistance, SignedDistanceConfig
from omni_graspd.ranges import require_at_least, require_not_negative, require_positive


@dataclass(frozen=True, kw_only=True)
class MetricsConfig:
    """What counts as contact and how the grasp wrench space is built."""

    contact_threshold: float = 0.005
    """Hand points nearer to the object than this are contacts [m]; 5 mm in the paper's Table II."""
    friction: float = 0.5
    """Coulomb friction."""
    cone_edges: int = 6
    """Edges per friction cone."""
    contact_count: int = 28
    """Contacts kept for the grasp wrench space, spread over all of them."""
    point_count: int = 4000
    """Points on the hand's surface that are tested."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_positive(self, "metrics", "contact_threshold", unit=" m")
        require_not_negative(self, "metrics", "friction")
        require_at_least(self, "metrics", 3, "cone_edges")
        require_at_least(self, "metrics", 2, "contact_count")
        require_at_least(self, "metrics", 1, "point_count")


def evaluate_grasps(
    hand: Hand,
    obj: RigidObject,
    T_object_palm: np.ndarray,
    joint_positions: np.ndarray,
    config: MetricsConfig,
    *,
    device: str = "cpu",
) -> dict[str, np.ndarray]:
    """Measure grasps with the exact mesh of the object.

    Torques are about the centre of mass and divided by the object's largest distance from it.

    Args:
        hand: The hand.
        obj: The object.
        T_object_palm: Palm poses in the object frame, shape [grasp_count, 7].
        joint_positions: All joints [rad or m], shape [grasp_count, joint_count].
        config: Thresholds.
        device: Warp device for the distances.

    Returns:
        Columns of shape [grasp_count]: ``contact_area`` (hand surface within the threshold [m2]), ``contact_count``
        (hand points within it), ``epsilon``, ``volume``, ``force_closure`` (bool), ``penetration_depth`` (deepest hand
        point [m]).
    """
    points = sample_surface_points(hand, config.point_count)
    positions = posed_points(hand, points, T_object_palm, joint_positions)
    exact = SignedDistance.build(
        obj.mesh, closed=obj.closed, device=device, config=SignedDistanceConfig(phong_alpha=0.0)
    )
    reach = float(np.linalg.norm(np.ptp(obj.mesh.vertices, axis=0)))
    surface = surface_distances(positions, exact, reach)
    touching = surface.distances < config.contact_threshold
    wrench_space = [
        _wrench_space(obj, surface.positions[grasp][touching[grasp]], surface.normals[grasp][touching[grasp]], config)
        for grasp in range(len(positions))
    ]
    closed, epsilon, volume = zip(*wrench_space, strict=True) if wrench_space else ((), (), ())
    return {
        # Not a matrix product: its sums would depend on how many grasps there are.
        "contact_area": np.where(touching, points.areas, 0.0).sum(axis=1),
        "contact_count": touching.sum(axis=1),
        "epsilon": np.array(epsilon, dtype=np.float64),
        "volume": np.array(volume, dtype=np.float64),
        "force_closure": np.array(closed, dtype=bool),
        "penetration_depth": np.maximum(0.0, -surface.distances.min(axis=1)),
    }


def _wrench_space(
    obj: RigidObject, positions: np.ndarray, normals: np.ndarray, config: MetricsConfig
) -> tuple[bool, float, float]:
    if len(positions) < 2:
        return False, 0.0, 0.0
    kept = spread_subset(positions, config.contact_count)
    wrenches = primitive_wrenches(
        positions[kept],
        normals[kept],
        friction=config.friction,
        edge_count=config.cone_edges,
        center=obj.center_of_mass,
        torque_scale=float(np.linalg.norm(obj.mesh.vertices - obj.center_of_mass, axis=1).max()),
    )
    return is_force_closure(wrenches), *epsilon_and_volume(wrenches)
