# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Quality of a batch of grasps, measured independently of the optimiser."""

from __future__ import annotations

import asyncio

import numpy as np

from omni_graspd.geometry.convex_decomposition import convex_pieces
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.surface_points import sample_surface_points
from omni_graspd.metrics.evaluate import MetricsConfig, evaluate_grasps
from omni_graspd.metrics.intersection_volume import intersection_volumes
from omni_graspd.metrics.self_penetration import self_penetration_areas
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.scenes.grasp_tests.hold import HoldConfig, measure_hold
from omni_graspd.standalone.simulate import simulate
from omni_graspd.synthesis.grasp import GraspBatch
from omni_graspd.usd.meshes import TriangleMesh

COLUMNS = ("CA cm2", "eps", "closed", "IV cm3", "deep mm", "self cm2", "hold", "SD cm", "escape")
# Farther than this a falling object is gone; displacements are capped there [m].
_GONE = 0.1


def collision_pieces(obj: RigidObject) -> tuple[TriangleMesh, ...]:
    """Return convex pieces of an object, fine enough to judge grasps by."""
    return tuple(obj.convex_pieces or convex_pieces(obj.mesh, HoldConfig().decomposition))


def measure_quality(
    hand: Hand, obj: RigidObject, batch: GraspBatch, pieces: tuple[TriangleMesh, ...]
) -> dict[str, np.ndarray]:
    """Return the columns of the benchmark, one number per grasp; failed grasps count with what they are.

    Contact area, epsilon, closure and depth at 5 mm with 4000 hand points; intersection volume of filled links; hand
    surface deeper than 2 mm in other links; held directions of gravity and capped displacement, in PhysX.
    """
    grasps = (hand, obj, batch.T_object_palm, batch.joint_positions)
    metrics = evaluate_grasps(*grasps, MetricsConfig())
    hold = asyncio.run(measure_hold(simulate, *grasps, HoldConfig(), object_pieces=pieces))
    points = sample_surface_points(hand, MetricsConfig().point_count)
    values = (
        1e4 * metrics["contact_area"],
        metrics["epsilon"],
        metrics["force_closure"].astype(float),
        1e6 * intersection_volumes(*grasps),
        1e3 * metrics["penetration_depth"],
        1e4 * self_penetration_areas(hand, batch.joint_positions, points=points),
        hold.held.mean(axis=1),
        1e2 * np.minimum(hold.displacements, _GONE).mean(axis=1),
        batch.losses["escape"],
    )
    return dict(zip(COLUMNS, values, strict=True))
