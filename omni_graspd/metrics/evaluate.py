# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Contact area, grasp wrench space and penetration of a batch of grasps, at one threshold or at many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.surface_points import HandPoints, posed_surface, sample_surface_points
from omni_graspd.metrics.columns import measure_single, threshold_column
from omni_graspd.metrics.contacts import SurfaceDistances, exact_distance, near_surface_distances
from omni_graspd.metrics.metric import GraspsToMeasure
from omni_graspd.metrics.walls import measure_walls
from omni_graspd.metrics.wrench_space import WrenchSpace, wrench_spaces
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.ranges import require_at_least, require_not_negative, require_positive

# Grasps measured together: what is in memory does not grow with the batch.
_CHUNK_SIZE = 64


@dataclass(frozen=True, kw_only=True)
class MetricsConfig:
    """What counts as contact and how the grasp wrench space is built."""

    contact_threshold: float = 0.005
    """Hand points closer to the object than this are contacts [m]; 5 mm in the paper's Table II."""
    friction: float = 0.5
    """Coulomb friction of the contacts."""
    cone_edges: int = 6
    """Edges per friction cone."""
    contact_count: int = 28
    """Contacts kept for the grasp wrench space, spread evenly over all contacts."""
    point_count: int = 4000
    """Sample points on the hand's surface."""
    volume: bool = False
    """Also measure the volume of the grasp wrench space, which takes longer than making the grasps. `graspd evaluate`
    can add it later."""

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
    points: HandPoints | None = None,
    device: str = "cpu",
    threads: int = 1,
) -> dict[str, np.ndarray]:
    """Measure grasps with the exact mesh of the object.

    Torques are about the centre of mass and divided by the object's largest distance from it.

    Args:
        hand: The hand.
        obj: The object.
        T_object_palm: Palm poses in the object frame, shape [grasp_count, 7].
        joint_positions: All joints [rad or m], shape [grasp_count, joint_count].
        config: Thresholds.
        points: Points on the hand's surface; sampled if not given, which takes a second or so.
        device: Warp device for the distances.
        threads: Grasps whose wrench space is measured at the same time.

    Returns:
        Columns of shape [grasp_count], all that :mod:`~omni_graspd.metrics.columns` says are measured here:
        ``contact_area`` (hand surface within the threshold [m2]), ``contact_count`` (hand points within it),
        ``epsilon``, ``volume`` where the settings ask for it, ``force_closure`` (bool),
        ``pierced`` (links that the object passes through), ``penetration_depth`` (of the deepest hand point, or more
        where a wall is in the hand, see :func:`~omni_graspd.metrics.walls.measure_walls` [m]).
    """
    points = points or sample_surface_points(hand, config.point_count)
    parts = []
    for surface, _ in _chunks(hand, obj, points, T_object_palm, joint_positions, config.contact_threshold, device):
        touching = surface.distances < config.contact_threshold
        space = contact_wrench_spaces(obj, surface, touching, config, volume=config.volume, threads=threads)
        parts.append(
            {
                "contact_area": _area(points, touching),
                "contact_count": touching.sum(axis=1),
                "epsilon": space.epsilon,
                **({"volume": space.volume} if config.volume else {}),
                "force_closure": space.force_closure,
                "penetration_depth": np.maximum(0.0, -surface.distances.min(axis=1)),
            }
        )
    columns = _joined(parts)
    walls = measure_walls(hand, exact_distance(obj, device), T_object_palm, joint_positions)
    depth = np.maximum(columns["penetration_depth"], walls.depth)
    columns |= {"pierced": walls.pierced, "penetration_depth": depth}
    grasps = GraspsToMeasure(
        hand, obj, T_object_palm, joint_positions, lambda count: sample_surface_points(hand, count), device
    )
    return columns | measure_single(grasps, "generate")


def evaluate_thresholds(
    hand: Hand,
    obj: RigidObject,
    T_object_palm: np.ndarray,
    joint_positions: np.ndarray,
    thresholds: Sequence[float],
    config: MetricsConfig,
    *,
    points: HandPoints | None = None,
    known: dict[str, np.ndarray] | None = None,
    device: str = "cpu",
    threads: int = 1,
) -> dict[str, np.ndarray]:
    """Measure contact area and grasp wrench space at several thresholds, as in the paper's Fig. 3.

    Args:
        hand: The hand.
        obj: The object.
        T_object_palm: Palm poses in the object frame, shape [grasp_count, 7].
        joint_positions: All joints [rad or m], shape [grasp_count, joint_count].
        thresholds: Hand points nearer than this are contacts [m]; at least one.
        config: Friction, cones and sampling; its own threshold does not matter.
        points: Points on the hand's surface; sampled if not given.
        known: What :func:`evaluate_grasps` returned for the same grasps; with epsilon and volume in it, the
            wrench space at its threshold is not measured again.
        device: Warp device for the distances.
        threads: Grasps whose wrench space is measured at the same time.

    Returns:
        Columns of shape [grasp_count] for each threshold, as named by
        :func:`~omni_graspd.metrics.columns.threshold_column`: ``contact_area`` [m2];
        ``facing_area`` [m2], the part of it that looks against the object's normal; ``epsilon``; ``volume``.
    """
    points = points or sample_surface_points(hand, config.point_count)
    spaces = {name: values for name, values in (known or {}).items() if name in ("epsilon", "volume")}
    measured = [at for at in thresholds if len(spaces) == 2 and at == config.contact_threshold]
    parts = []
    for surface, normals in _chunks(hand, obj, points, T_object_palm, joint_positions, max(thresholds), device):
        facing = (normals * surface.normals).sum(axis=-1) < 0.0
        columns = {}
        for threshold in thresholds:
            touching = surface.distances < threshold
            columns[threshold_column("contact_area", threshold)] = _area(points, touching)
            columns[threshold_column("facing_area", threshold)] = _area(points, touching & facing)
            if threshold not in measured:
                space = contact_wrench_spaces(obj, surface, touching, config, threads=threads)
                columns[threshold_column("epsilon", threshold)] = space.epsilon
                columns[threshold_column("volume", threshold)] = space.volume
        parts.append(columns)
    columns = _joined(parts)
    for name, values in spaces.items():
        if measured:
            columns[threshold_column(name, measured[0])] = np.array(values)
    return columns


def _chunks(
    hand: Hand,
    obj: RigidObject,
    points: HandPoints,
    T_object_palm: np.ndarray,
    joint_positions: np.ndarray,
    threshold: float,
    device: str,
) -> Iterator[tuple[SurfaceDistances, np.ndarray]]:
    """Yield distances and the hand points' normals, both in the object frame; once at least, so with no grasps, too."""
    distance = exact_distance(obj, device)
    for start in range(0, max(1, len(T_object_palm)), _CHUNK_SIZE):
        chunk = slice(start, start + _CHUNK_SIZE)
        positions, normals = posed_surface(hand, points, T_object_palm[chunk], joint_positions[chunk])
        yield near_surface_distances(positions, distance, 2.0 * threshold), normals


def _joined(parts: Sequence[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _area(points: HandPoints, touching: np.ndarray) -> np.ndarray:
    """Sum the areas of points; not a matrix product, whose sums would depend on how many grasps there are."""
    return np.where(touching, points.areas, 0.0).sum(axis=1)


def contact_wrench_spaces(
    obj: RigidObject,
    surface: SurfaceDistances,
    touching: np.ndarray,
    config: MetricsConfig,
    *,
    volume: bool = True,
    threads: int = 1,
) -> WrenchSpace:
    """Call :func:`~omni_graspd.metrics.wrench_space.wrench_spaces` with a configuration's friction, cones and count."""
    return wrench_spaces(
        obj,
        surface,
        touching,
        friction=config.friction,
        cone_edges=config.cone_edges,
        contact_count=config.contact_count,
        volume=volume,
        threads=threads,
    )
