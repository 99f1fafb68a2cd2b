# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Where grasps start: the open hand in front of the object, palm toward it (approach sampling; paper, section IV-A)."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.geometry.signed_distance import SignedDistance
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.placed_hands import PlacedHands
from omni_graspd.hands.surface_points import HandPoints, posed_points, spread_subset
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.ranges import require_at_least, require_not_negative
from omni_graspd.seeding import random_generator
from omni_graspd.synthesis.start_geometry import (
    ObjectHull,
    object_hull,
    points_on_triangles,
    rotated,
    rotations_between,
    tilted,
)
from omni_graspd.synthesis.walls import PIERCED_DEPTH, pierced_links, sphere_depths
from omni_graspd.usd.transforms import IDENTITY, pose_to_matrix

# Depth is measured at so many points of the hand: a start need not be exact.
_DEPTH_POINTS = 250
# A hand that thin walls are in deeper than this is drawn again [m].
_MAX_OVERLAP = 0.006
# So often a hand is drawn again for walls, each time for its depth, too.
_WALL_ATTEMPTS = 5
# Surface farther than this is not looked for [m], which is most of the cost. A hand with points deeper than this has
# others on the way there, so that it still reads as too deep.
_DEPTH_REACH = 0.02


@dataclass(frozen=True, kw_only=True)
class StartConfig:
    """How starting poses are sampled."""

    gap: float = 0.01
    """Distance between the palm's approach point and the object's convex hull [m]."""
    tilt: float = 0.2
    """Largest angle between approach direction and inward surface normal [rad]."""
    max_depth: float = 0.005
    """Starts that reach deeper into the object than this are redrawn [m]."""
    attempts: int = 16
    """Most draws per start; if all are too deep, the shallowest is taken."""
    preshape: float = 0.0
    """Where the joints start, from the open posture (0) to the middle of their ranges (1)."""
    jitter: float = 0.25
    """Random offset of the joints from there [fraction of their range]."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_at_least(self, "synthesis.start", 1, "attempts")
        if not 0.0 <= self.preshape <= 1.0:
            raise GraspdError(f"expected synthesis.start.preshape to be in [0, 1], got {self.preshape}")
        require_not_negative(self, "synthesis.start", "jitter", "gap", "tilt", "max_depth")


def sample_starts(
    hand: Hand,
    obj: RigidObject,
    grasp_indices: Sequence[int],
    config: StartConfig,
    *,
    candidates: int = 1,
    points: HandPoints,
    distance: SignedDistance,
    thin_walled: bool = False,
    attempt: int = 0,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Sample palm poses and joint positions to start from.

    A point is drawn uniformly by area on the object's convex hull, so that no start lies in a cavity. The palm's
    approach point is put ``gap`` in front of it, facing it within ``tilt``, with a random roll. A hand that reaches
    deeper into the object than ``max_depth`` is drawn again; after ``attempts`` draws the shallowest is taken. So is
    one that thin walls are in with the joints from which it starts. Each grasp has its own random stream.

    Args:
        hand: The hand.
        obj: The object.
        grasp_indices: Which grasps; a start depends on its index, not on the others.
        config: Sampling settings.
        candidates: Starts per grasp.
        points: Points on the hand's surface, to measure depth.
        distance: The object's signed distance.
        thin_walled: Whether the object has walls that can be in a hand without its points noticing.
        attempt: Number of the try, from 0; each has streams of its own.
        seed: The run's seed.

    Returns:
        T_object_palm, shape [grasp_count * candidates, 7], and actuated positions [rad or m], shape
        [grasp_count * candidates, actuated_count]; the candidates of a grasp follow one another.
    """
    hull = object_hull(obj)
    middle = 0.5 * (hand.joint_lower + hand.joint_upper)[hand.actuated]
    actuated = hand.open_positions + config.preshape * (middle - hand.open_positions)
    in_palm = _depth_points(hand, points, tuple(actuated.tolist()))
    # The first try has no number, so that it draws what it drew before there were others.
    number = (attempt,) if attempt else ()
    streams = [
        random_generator(seed, "start", hand.name, obj.name, int(index), candidate + 1, *number)
        for index in grasp_indices
        for candidate in range(candidates)
    ]
    poses, opened = np.zeros((len(streams), 7)), np.zeros((len(streams), hand.actuated_count))
    left = np.arange(len(streams))
    overlaps = np.full(len(streams), np.inf)
    for _ in range(_WALL_ATTEMPTS):
        drawn = _shallow_poses(hand, hull, config, in_palm, distance, [streams[int(row)] for row in left])
        shifted = _shifted(hand, config, actuated, [streams[row] for row in left])
        if not thin_walled:
            return drawn, shifted
        drawn_overlaps = _wall_overlaps(hand, distance, drawn, shifted)
        better = drawn_overlaps < overlaps[left]
        poses[left[better]], opened[left[better]] = drawn[better], shifted[better]
        overlaps[left[better]] = drawn_overlaps[better]
        left = np.flatnonzero(overlaps > _MAX_OVERLAP)
        if not len(left):
            break
    return poses, opened


def _shallow_poses(
    hand: Hand,
    hull: ObjectHull,
    config: StartConfig,
    in_palm: np.ndarray,
    distance: SignedDistance,
    streams: Sequence[np.random.Generator],
) -> np.ndarray:
    """Draw one palm pose from each stream in which the hand reaches into the object little, shape [stream_count, 7]."""
    poses, depths = np.zeros((len(streams), 7)), np.full(len(streams), np.inf)
    for _ in range(config.attempts):
        again = np.flatnonzero(depths > config.max_depth)
        if not len(again):
            break
        drawn = _draw_poses(hand, hull, config, [streams[int(row)] for row in again])
        drawn_depths = _depths(drawn, in_palm, distance, max(_DEPTH_REACH, 2.0 * config.max_depth))
        better = drawn_depths < depths[again]
        poses[again[better]], depths[again[better]] = drawn[better], drawn_depths[better]
    return poses


def _shifted(
    hand: Hand, config: StartConfig, actuated: np.ndarray, streams: Sequence[np.random.Generator]
) -> np.ndarray:
    """Shift the joints by what each stream draws, within limits, shape [stream_count, actuated_count]."""
    lower, upper = hand.joint_lower[hand.actuated], hand.joint_upper[hand.actuated]
    shape = len(streams), len(actuated)
    shifts = np.array([stream.uniform(-1.0, 1.0, size=len(actuated)) for stream in streams]).reshape(shape)
    return np.clip(actuated + config.jitter * (upper - lower) * shifts, lower, upper)


def _wall_overlaps(hand: Hand, distance: SignedDistance, poses: np.ndarray, actuated: np.ndarray) -> np.ndarray:
    """Return how deep the object is in each hand [m], and more where it passes through a link, shape [grasp_count]."""
    hands = PlacedHands.of(hand, poses, hand.joint_positions(actuated), distance.device)
    pierced = pierced_links(hands, distance).any(axis=1)
    return sphere_depths(hands, distance) + np.where(pierced, PIERCED_DEPTH, 0.0)


def _draw_poses(
    hand: Hand, hull: ObjectHull, config: StartConfig, streams: Sequence[np.random.Generator]
) -> np.ndarray:
    """Draw one palm pose from each stream, shape [stream_count, 7]."""
    from scipy.spatial.transform import Rotation

    area, u, v, height, azimuth, roll = np.array([stream.random(6) for stream in streams]).T[..., None]
    faces = np.searchsorted(hull.cumulative_area, area[:, 0] * hull.cumulative_area[-1])
    points = points_on_triangles(hull.triangles[faces], u, v)
    normals = tilted(hull.normals[faces], config.tilt, height, 2.0 * np.pi * azimuth)
    rotations = rotations_between(np.broadcast_to(hand.approach_direction, normals.shape), -normals)
    rotations = Rotation.from_rotvec(2.0 * np.pi * roll * normals) * rotations
    positions = points + config.gap * normals - rotated(rotations, hand.approach_point)
    return np.concatenate([positions, rotations.as_quat(canonical=True)], axis=1)


@functools.lru_cache(maxsize=16)
def _depth_points(hand: Hand, points: HandPoints, actuated: tuple[float, ...]) -> np.ndarray:
    """Return where some points of the hand are in the palm frame, with given actuated positions, shape [n, 3]."""
    in_palm = posed_points(hand, points, IDENTITY[None], hand.joint_positions(np.array(actuated))[None])[0]
    return in_palm[spread_subset(in_palm, _DEPTH_POINTS)]


def _depths(poses: np.ndarray, in_palm: np.ndarray, distance: SignedDistance, reach: float) -> np.ndarray:
    """Return how deep each posed hand reaches into the object [m], shape [grasp_count]; depths up to ``reach``."""
    matrices = pose_to_matrix(poses)
    placed = np.einsum("gij,pj->gpi", matrices[:, :3, :3], in_palm) + matrices[:, None, :3, 3]
    distances, _ = distance.query(placed.reshape(-1, 3), reach)
    return -distances.reshape(len(poses), -1).min(axis=1).astype(np.float64)
