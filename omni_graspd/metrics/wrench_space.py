# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The grasp wrench space of hand points within a threshold of the object, for a batch of grasps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from omni_graspd.hands.surface_points import spread_subset
from omni_graspd.metrics.contacts import SurfaceDistances
from omni_graspd.metrics.epsilon_quality import epsilon_quality
from omni_graspd.metrics.force_closure import epsilon_and_volume, is_force_closure, primitive_wrenches
from omni_graspd.objects.rigid_object import RigidObject

# Above this, the wrenches surround the origin beyond the tolerance of any linear program.
_CLEARLY_CLOSED = 1e-4


@dataclass(frozen=True)
class WrenchSpace:
    """Quality of the grasp wrench spaces of a batch."""

    epsilon: np.ndarray
    """Ferrari and Canny's L1 quality, shape [grasp_count]."""
    volume: np.ndarray
    """Volume of the six-dimensional hull, shape [grasp_count]; NaN where it was not asked for."""
    force_closure: np.ndarray
    """Whether any wrench can be resisted, shape [grasp_count], bool."""


def wrench_spaces(
    obj: RigidObject,
    surface: SurfaceDistances,
    touching: np.ndarray,
    *,
    friction: float,
    cone_edges: int,
    contact_count: int,
    volume: bool = True,
    threads: int = 1,
) -> WrenchSpace:
    """Measure the wrenches that contacts at the closest points of the object can exert.

    Torques are about the centre of mass and divided by the object's largest distance from it.

    Args:
        obj: The object.
        surface: Distances of the hand's points.
        touching: Which points are contacts, shape [grasp_count, point_count], bool.
        friction: Coulomb friction.
        cone_edges: Edges per friction cone.
        contact_count: Contacts kept of each grasp, spread over all of them.
        volume: Whether the volume is measured, too, which takes ten times as long.
        threads: Grasps measured at the same time; Qhull and HiGHS let other threads run.
    """
    torque_scale = float(np.linalg.norm(obj.mesh.vertices - obj.center_of_mass, axis=1).max())
    wrenches = partial(
        primitive_wrenches,
        friction=friction,
        edge_count=cone_edges,
        center=obj.center_of_mass,
        torque_scale=torque_scale,
    )

    def measure(grasp: int) -> tuple[float, float, bool]:
        positions, normals = surface.positions[grasp][touching[grasp]], surface.normals[grasp][touching[grasp]]
        if len(positions) < 2:
            return 0.0, 0.0 if volume else np.nan, False
        kept = spread_subset(positions, contact_count)
        edges = wrenches(positions[kept], normals[kept])
        epsilon, size = epsilon_and_volume(edges) if volume else (epsilon_quality(edges), np.nan)
        return epsilon, size, epsilon > _CLEARLY_CLOSED or is_force_closure(edges)

    rows = np.array(list(_each(measure, range(len(touching)), threads)), dtype=np.float64).reshape(-1, 3)
    return WrenchSpace(rows[:, 0], rows[:, 1], rows[:, 2] > 0.5)


def _each(measure: Callable[[int], tuple], grasps: Iterable[int], threads: int) -> Iterable[tuple]:
    if threads <= 1:
        return map(measure, grasps)
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(measure, grasps))
