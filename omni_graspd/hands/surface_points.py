# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Points spread evenly over the outside of a hand: what can touch an object."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import trimesh

from omni_graspd.errors import GraspdError
from omni_graspd.geometry.surface_rays import sky_shares
from omni_graspd.geometry.winding_distance import winding_distances
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import IDENTITY, invert, pose_to_matrix, transform_points

# A point this far inside another link is covered by it [m].
_COVERED_DEPTH = 0.0005
# No object reaches into a gap between links that is narrower than this [m].
_GAP = 0.002
# From the bottom of holes and from walls inside a link less of the outside is seen than this.
_SMALLEST_SKY = 0.1
# A share of the surface; forks and pockets of a solid link hide less than this, walls inside an assembly more.
_MOST_HIDDEN = 0.15


@dataclass(frozen=True, eq=False)
class HandPoints:
    """Points on a hand's links, sorted by link."""

    link_index: np.ndarray
    """Link of each point, ascending, shape [point_count]."""
    positions: np.ndarray
    """In the link's frame [m], shape [point_count, 3]."""
    normals: np.ndarray
    """Unit normals out of the link, in its frame, shape [point_count, 3]."""
    areas: np.ndarray
    """Surface that each point stands for [m2], shape [point_count]; they sum to the hand's outside."""


@dataclass(frozen=True)
class _LinkSample:
    positions: np.ndarray
    normals: np.ndarray
    area: float


@functools.lru_cache(maxsize=16)
def sample_surface_points(hand: Hand, count: int, seed: int = 0) -> HandPoints:
    """Spread points over the surface of all links by area, without what other links cover in the open posture.

    Surface that faces another link across a narrow gap, as in a hinge, counts as covered; so do walls inside a link
    that is an assembly of parts, and the bottom of its holes. The same points are sampled once for a hand.

    Args:
        hand: The hand.
        count: How many points; rounding per link can add or drop a few.
        seed: Seed of the sampling.

    Raises:
        GraspdError: If the hand has no surface.
    """
    random = np.random.default_rng(seed)
    opened = _open_links(hand)
    samples = [_exterior(opened, link, count, random) for link in range(len(hand.links))]
    total = sum(sample.area for sample in samples)
    if not total > 0.0:
        raise GraspdError(f"expected meshes on the links of {hand.source}, got none; add visual or collision meshes")
    parts = []
    for link, sample in enumerate(samples):
        share = round(count * sample.area / total)
        if share == 0:
            continue
        kept = spread_subset(sample.positions, share)
        parts.append((link, sample.positions[kept], sample.normals[kept], sample.area / len(kept)))
    if not parts:
        raise GraspdError(f"expected enough points to give every link some, got {count}; ask for more")
    return HandPoints(
        link_index=np.concatenate([np.full(len(p), link) for link, p, _, _ in parts]),
        positions=np.concatenate([p for _, p, _, _ in parts]),
        normals=np.concatenate([n for _, _, n, _ in parts]),
        areas=np.concatenate([np.full(len(p), area) for _, p, _, area in parts]),
    )


@dataclass(frozen=True)
class _OpenLink:
    """A link in the open posture."""

    mesh: TriangleMesh
    T_palm_link: np.ndarray
    T_link_palm: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    """Corners of its box, in its frame [m]; of a link without faces, nothing lies between them."""


def _open_links(hand: Hand) -> list[_OpenLink]:
    opened = []
    poses = link_poses(hand, IDENTITY, hand.joint_positions(hand.open_positions))
    for pose, mesh in zip(poses, (link.mesh for link in hand.links), strict=True):
        vertices = mesh.vertices if len(mesh.faces) else np.full((1, 3), np.nan)
        opened.append(_OpenLink(mesh, pose, invert(pose), vertices.min(axis=0), vertices.max(axis=0)))
    return opened


def _exterior(opened: list[_OpenLink], link: int, count: int, random: np.random.Generator) -> _LinkSample:
    """Sample one link densely and keep what neither another link nor the link itself covers."""
    mesh = opened[link].mesh
    if not len(mesh.faces):
        return _LinkSample(np.zeros((0, 3)), np.zeros((0, 3)), 0.0)
    surface = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    candidates = max(64, count)
    positions, faces = trimesh.sample.sample_surface(surface, candidates, seed=int(random.integers(2**31)))[:2]
    normals = surface.face_normals[faces]
    buried = _covered(opened, link, positions, _COVERED_DEPTH)
    free = ~(buried | _covered(opened, link, positions + _GAP * normals, 0.0))
    hidden = sky_shares(mesh, positions, normals) < _SMALLEST_SKY
    if hidden.mean() > _MOST_HIDDEN and not hidden[free].all():
        free &= ~hidden
    return _LinkSample(positions[free], normals[free], float(surface.area) * float(free.mean()))


def _covered(opened: list[_OpenLink], link: int, positions: np.ndarray, depth: float) -> np.ndarray:
    """Tell which points in a link's frame lie deeper than ``depth`` inside another link, shape [point_count], bool."""
    points = transform_points(opened[link].T_palm_link, positions)
    covered = np.zeros(len(points), dtype=bool)
    for index, other in enumerate(opened):
        if index == link:
            continue
        local = transform_points(other.T_link_palm, points)
        near = np.all((local > other.lower) & (local < other.upper), axis=1)
        if near.any():
            covered[near] |= winding_distances(other.mesh, local[near], 0.1) < -depth
    return covered


def posed_points(hand: Hand, points: HandPoints, T_object_palm: np.ndarray, joint_positions: np.ndarray) -> np.ndarray:
    """Place surface points of the hand in the object frame.

    Args:
        hand: The hand.
        points: Points on its links.
        T_object_palm: Palm poses, shape [grasp_count, 7].
        joint_positions: All joints [rad or m], shape [grasp_count, joint_count].

    Returns:
        Positions in the object frame [m], shape [grasp_count, point_count, 3].
    """
    return _placed(points, _link_frames(hand, points, T_object_palm, joint_positions))


def posed_surface(
    hand: Hand, points: HandPoints, T_object_palm: np.ndarray, joint_positions: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Place surface points of the hand with their normals; see :func:`posed_points`.

    Returns:
        Positions [m] and unit normals out of the hand in the object frame, each [grasp_count, point_count, 3].
    """
    T_object_link = _link_frames(hand, points, T_object_palm, joint_positions)
    return _placed(points, T_object_link), np.einsum("gpij,pj->gpi", T_object_link[..., :3, :3], points.normals)


def _link_frames(hand: Hand, points: HandPoints, T_object_palm: np.ndarray, joint_positions: np.ndarray) -> np.ndarray:
    """Return the frame of each point's link, shape [grasp_count, point_count, 4, 4]."""
    return pose_to_matrix(link_poses(hand, T_object_palm, joint_positions))[:, points.link_index]


def _placed(points: HandPoints, T_object_link: np.ndarray) -> np.ndarray:
    return np.einsum("gpij,pj->gpi", T_object_link[..., :3, :3], points.positions) + T_object_link[..., :3, 3]


def spread_subset(positions: np.ndarray, count: int) -> np.ndarray:
    """Choose points that cover a set: the first, then always the one farthest from those chosen.

    Args:
        positions: Points, shape [point_count, 3].
        count: How many to choose at most.

    Returns:
        Indices, shape [min(count, point_count)].
    """
    if len(positions) <= count:
        return np.arange(len(positions))
    chosen = [0]
    nearest = np.linalg.norm(positions - positions[0], axis=1)
    while len(chosen) < count:
        chosen.append(int(np.argmax(nearest)))
        nearest = np.minimum(nearest, np.linalg.norm(positions - positions[chosen[-1]], axis=1))
    return np.array(chosen)


def chain(positions: np.ndarray) -> np.ndarray:
    """Order points so that each is followed by the nearest of those that are left.

    Args:
        positions: Points, shape [point_count, 3].

    Returns:
        Indices, shape [point_count].
    """
    left, order = np.arange(len(positions)), []
    here = 0
    while len(left):
        order.append(int(left[here]))
        left = np.delete(left, here)
        if len(left):
            here = int(np.argmin(((positions[left] - positions[order[-1]]) ** 2).sum(axis=1)))
    return np.array(order, dtype=int)
