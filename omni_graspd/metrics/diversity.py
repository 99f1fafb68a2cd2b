# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How much the grasps of a set differ: figures of the whole set, not of a grasp."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.surface_points import posed_points, sample_surface_points
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.ranges import require_at_least, require_positive
from omni_graspd.usd.transforms import pose_to_matrix


@dataclass(frozen=True, kw_only=True)
class DiversityConfig:
    """How finely postures and directions are told apart."""

    joint_bins: int = 100
    """Bins over the range of each joint, as in DexGraspNet."""
    direction_bins: int = 200
    """Bins of equal area, on average, over the directions from which a hand comes."""
    surface_points: int = 2000
    """Points on the object's surface that may be touched."""
    hand_points: int = 4000
    """Points on the hand's surface that may touch them."""
    contact_threshold: float = 0.005
    """A point of the object is touched if a point of the hand is nearer than this [m]."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_at_least(self, "diversity", 2, "joint_bins", "direction_bins")
        require_at_least(self, "diversity", 1, "surface_points", "hand_points")
        require_positive(self, "diversity", "contact_threshold", unit=" m")


@dataclass(frozen=True)
class Diversity:
    """Figures of a set of grasps."""

    joint_entropy: float
    """Entropy of the positions of a motor, mean over the motors [nat]; at most the logarithm of the smaller of the
    numbers of bins and of grasps."""
    direction_entropy: float
    """Entropy of the direction in which the palm faces in the object frame [nat], bounded alike."""
    coverage: float
    """Share of the object's surface that some grasp of the set touches."""


def measure_diversity(
    hand: Hand,
    obj: RigidObject,
    T_object_palm: np.ndarray,
    joint_positions: np.ndarray,
    config: DiversityConfig | None = None,
) -> Diversity:
    """Measure how much the grasps of one object by one hand differ.

    Entropies are those of the histogram, and grow with the number of grasps up to the number of bins: compare sets of
    equal size.

    Args:
        hand: The hand.
        obj: The object.
        T_object_palm: Palm poses in the object frame, shape [grasp_count, 7].
        joint_positions: All joints [rad or m], shape [grasp_count, joint_count].
        config: Bins.

    Returns:
        The figures; NaN without grasps.
    """
    config = config or DiversityConfig()
    if not len(T_object_palm):
        return Diversity(np.nan, np.nan, np.nan)
    return Diversity(
        _joint_entropy(hand, joint_positions, config.joint_bins),
        _direction_entropy(hand, T_object_palm, config.direction_bins),
        _coverage(hand, obj, T_object_palm, joint_positions, config),
    )


def _joint_entropy(hand: Hand, joint_positions: np.ndarray, bins: int) -> float:
    if not len(hand.actuated):
        return 0.0
    entropies = []
    for joint in hand.actuated:
        ends = float(hand.joint_lower[joint]), float(hand.joint_upper[joint])
        counts, _ = np.histogram(np.clip(joint_positions[:, joint], *ends), bins=bins, range=ends)
        entropies.append(_entropy(counts))
    return float(np.mean(entropies))


def _direction_entropy(hand: Hand, T_object_palm: np.ndarray, bins: int) -> float:
    facing = pose_to_matrix(T_object_palm)[:, :3, :3] @ hand.approach_direction
    nearest = np.argmax(facing @ _sphere_lattice(bins).T, axis=1)
    return _entropy(np.bincount(nearest, minlength=bins))


def _sphere_lattice(count: int) -> np.ndarray:
    """Return a spiral of unit vectors that share the sphere evenly, shape [count, 3]."""
    height = 1.0 - (2.0 * np.arange(count) + 1.0) / count
    angle = np.pi * (3.0 - np.sqrt(5.0)) * np.arange(count)
    radius = np.sqrt(1.0 - height**2)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), height], axis=1)


def _entropy(counts: np.ndarray) -> float:
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum()) + 0.0


def _coverage(
    hand: Hand, obj: RigidObject, T_object_palm: np.ndarray, joint_positions: np.ndarray, config: DiversityConfig
) -> float:
    import trimesh
    from scipy.spatial import cKDTree

    surface = trimesh.Trimesh(obj.mesh.vertices, obj.mesh.faces, process=False)
    spots = trimesh.sample.sample_surface(surface, config.surface_points, seed=0)[0]
    points = sample_surface_points(hand, config.hand_points)
    touched = np.zeros(len(spots), dtype=bool)
    for pose, joints in zip(T_object_palm, joint_positions, strict=True):
        tree = cKDTree(posed_points(hand, points, pose[None], joints[None])[0])
        touched |= np.isfinite(tree.query(spots, distance_upper_bound=config.contact_threshold)[0])
    return float(touched.mean())
