# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Where grasps start: the open hand in front of the object, palm toward it (approach sampling; paper, section IV-A)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import trimesh

from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.surface_points import HandPoints, posed_points, spread_subset
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.objects.signed_distance import SignedDistance
from omni_graspd.ranges import require_at_least, require_not_negative
from omni_graspd.seeding import random_generator
from omni_graspd.usd.transforms import IDENTITY, pose_to_matrix

if TYPE_CHECKING:
    from scipy.spatial.transform import Rotation

# Depth is measured at so many points of the hand: a start need not be exact.
_DEPTH_POINTS = 250
# Surface farther than this is not looked for; no hand starts so deep that it would be missed [m].
_DEPTH_REACH = 0.05


@dataclass(frozen=True, kw_only=True)
class StartConfig:
    """How starting poses are sampled."""

    gap: float = 0.01
    """Distance between the palm's approach point and the object's convex hull [m]."""
    tilt: float = 0.2
    """Largest angle between the approach direction and the inward surface normal [rad]."""
    max_depth: float = 0.005
    """A start that reaches deeper into the object than this is drawn again [m]."""
    attempts: int = 16
    """How often a start is drawn at most; the shallowest is taken when all are too deep."""
    preshape: float = 0.0
    """How far the joints start from the open posture (0) toward the middle of their ranges (1)."""
    jitter: float = 0.25
    """Joints start within this share of their range from there."""

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
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Sample palm poses and joint positions to start from.

    A point is drawn uniformly by area on the object's convex hull, so that no start lies in a cavity. The palm's
    approach point is put ``gap`` in front of it, facing it within ``tilt``, with a random roll. A hand that reaches
    deeper into the object than ``max_depth`` is drawn again; after ``attempts`` draws the shallowest is taken. Each
    grasp has its own random stream.

    Args:
        hand: The hand.
        obj: The object.
        grasp_indices: Which grasps; a start depends on its index, not on the others.
        config: Sampling settings.
        candidates: Starts per grasp.
        points: Points on the hand's surface, to measure depth.
        distance: The object's signed distance.
        seed: The run's seed.

    Returns:
        T_object_palm, shape [grasp_count * candidates, 7], and actuated positions [rad or m], shape
        [grasp_count * candidates, actuated_count]; the candidates of a grasp follow one another.
    """
    hull = trimesh.Trimesh(obj.mesh.vertices, obj.mesh.faces, process=False).convex_hull
    middle = 0.5 * (hand.joint_lower + hand.joint_upper)[hand.actuated]
    actuated = hand.open_positions + config.preshape * (middle - hand.open_positions)
    in_palm = posed_points(hand, points, IDENTITY[None], hand.joint_positions(actuated)[None])[0]
    in_palm = in_palm[spread_subset(in_palm, _DEPTH_POINTS)]
    streams = [
        random_generator(seed, "start", hand.name, obj.name, int(index), candidate + 1)
        for index in grasp_indices
        for candidate in range(candidates)
    ]
    poses, depths = np.zeros((len(streams), 7)), np.full(len(streams), np.inf)
    for _ in range(config.attempts):
        again = np.flatnonzero(depths > config.max_depth)
        if not len(again):
            break
        drawn = np.array([_draw_pose(hand, hull, config, streams[row]) for row in again])
        drawn_depths = _depths(drawn, in_palm, distance)
        better = drawn_depths < depths[again]
        poses[again[better]], depths[again[better]] = drawn[better], drawn_depths[better]
    lower, upper = hand.joint_lower[hand.actuated], hand.joint_upper[hand.actuated]
    shifts = np.array([stream.uniform(-1.0, 1.0, size=len(actuated)) for stream in streams]).reshape(
        len(streams), len(actuated)
    )
    return poses, np.clip(actuated + config.jitter * (upper - lower) * shifts, lower, upper)


def _draw_pose(hand: Hand, hull: trimesh.Trimesh, config: StartConfig, random: np.random.Generator) -> np.ndarray:
    from scipy.spatial.transform import Rotation

    cumulative_area = np.cumsum(hull.area_faces)
    face = int(np.searchsorted(cumulative_area, random.uniform(0.0, cumulative_area[-1])))
    point = _random_point_on_triangle(hull.triangles[face], random)
    normal = _tilted(hull.face_normals[face], config.tilt, random)
    rotation = _rotation_between(hand.approach_direction, -normal)
    rotation = Rotation.from_rotvec(normal * random.uniform(0.0, 2.0 * np.pi)) * rotation
    position = point + config.gap * normal - rotation.apply(hand.approach_point)
    return np.concatenate([position, rotation.as_quat(canonical=True)])


def _depths(poses: np.ndarray, in_palm: np.ndarray, distance: SignedDistance) -> np.ndarray:
    """Return how deep each posed hand reaches into the object [m], shape [grasp_count]."""
    matrices = pose_to_matrix(poses)
    placed = np.einsum("gij,pj->gpi", matrices[:, :3, :3], in_palm) + matrices[:, None, :3, 3]
    distances, _ = distance.query(placed.reshape(-1, 3), _DEPTH_REACH)
    return -distances.reshape(len(poses), -1).min(axis=1).astype(np.float64)


def _random_point_on_triangle(triangle: np.ndarray, random: np.random.Generator) -> np.ndarray:
    u, v = random.uniform(size=2)
    if u + v > 1.0:
        u, v = 1.0 - u, 1.0 - v
    return triangle[0] + u * (triangle[1] - triangle[0]) + v * (triangle[2] - triangle[0])


def _tilted(direction: np.ndarray, max_angle: float, random: np.random.Generator) -> np.ndarray:
    """Return a direction drawn uniformly from the cap of half-angle ``max_angle`` about a unit vector."""
    cosine = random.uniform(np.cos(max_angle), 1.0)
    azimuth = random.uniform(0.0, 2.0 * np.pi)
    sine = np.sqrt(1.0 - cosine * cosine)
    local = np.array([sine * np.cos(azimuth), sine * np.sin(azimuth), cosine])
    return _rotation_between(np.array([0.0, 0.0, 1.0]), direction).apply(local)


def _rotation_between(a: np.ndarray, b: np.ndarray) -> Rotation:
    """Return the smallest rotation that turns unit vector ``a`` into unit vector ``b``."""
    from scipy.spatial.transform import Rotation

    axis = np.cross(a, b)
    sine, cosine = np.linalg.norm(axis), float(np.dot(a, b))
    if sine < 1e-9:
        if cosine > 0.0:
            return Rotation.identity()
        axis = np.cross(a, np.eye(3)[np.argmin(np.abs(a))])
        return Rotation.from_rotvec(np.pi * axis / np.linalg.norm(axis))
    return Rotation.from_rotvec(axis / sine * np.arctan2(sine, cosine))
