# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Solids through rings of points, with texture coordinates that survive being joined. Millimetres."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import manifold3d
import numpy as np
from object_shapes import rounded_hull, weld
from scipy.interpolate import CubicSpline
from scipy.spatial import cKDTree

from omni_graspd.usd.meshes import TriangleMesh

MM = 1e-3
Area = tuple[float, float, float, float]
"""Part of a texture: left, bottom, right, top, from 0 to 1."""
WHOLE: Area = (0.0, 0.0, 1.0, 1.0)


def superellipse(half_x: float, half_y: float, exponent: float, count: int) -> np.ndarray:
    """Return points around a superellipse, counter-clockwise from -x, shape [count, 2]."""
    angles = 2.0 * np.pi * np.arange(count) / count - np.pi
    x, y = np.cos(angles), np.sin(angles)
    radius = (np.abs(x / half_x) ** exponent + np.abs(y / half_y) ** exponent) ** (-1.0 / exponent)
    return np.stack([radius * x, radius * y], axis=-1)


def lobed_circle(radius: float, depth: float, lobes: int, count: int) -> np.ndarray:
    """Return points around a circle with grooves of the given depth, counter-clockwise from -x, shape [count, 2]."""
    angles = 2.0 * np.pi * np.arange(count) / count - np.pi
    grooved = radius - 0.5 * depth * (1.0 - np.cos(lobes * angles))
    return np.stack([grooved * np.cos(angles), grooved * np.sin(angles)], axis=-1)


def smooth_profile(points: Sequence[tuple[float, float]], count: int) -> np.ndarray:
    """Return evenly spaced points on a spline through (radius, height) points, shape [count, 2]."""
    knots = np.array(points, dtype=np.float64)
    chords = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(knots, axis=0), axis=1))])
    spline = CubicSpline(chords, knots)
    dense = spline(np.linspace(0.0, chords[-1], 2001))
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(dense, axis=0), axis=1))])
    return np.stack([np.interp(np.linspace(0.0, length[-1], count), length, column) for column in dense.T], axis=-1)


def round_end(radius: float, start: float, end: float, count: int) -> list[tuple[float, float]]:
    """Return (inset, height) steps that round an edge off: from ``radius`` inward at ``start`` to flush at ``end``."""
    angles = np.linspace(0.0, 0.5 * np.pi, count)
    return [(radius * (1.0 - np.sin(a)), start + (end - start) * (1.0 - np.cos(a))) for a in angles]


def upright(sections: Sequence[np.ndarray], heights: Sequence[float]) -> np.ndarray:
    """Place sections [count, 2] at heights, shape [ring_count, count, 3]."""
    return np.stack([np.column_stack([s, np.full(len(s), z)]) for s, z in zip(sections, heights, strict=True)])


def along_x(rings: np.ndarray) -> np.ndarray:
    """Turn rings about z so that they go along +x, what faced +x up."""
    return rings[..., [2, 1, 0]] * [1.0, -1.0, 1.0]


def loft(rings: np.ndarray, area: Area = WHOLE) -> tuple[np.ndarray, np.ndarray]:
    """Close a skin through rings, counter-clockwise as seen from the last one, with flat ends.

    Args:
        rings: Points, shape [ring_count, count, 3].
        area: Where the skin lies in the texture: around from left to right by length, along from bottom to top by
            length.

    Returns:
        Corners [face_count, 3, 3] and texture coordinates [face_count, 3, 2].
    """
    ring_count, count = rings.shape[:2]
    wide = rings[np.argmax(np.ptp(rings, axis=1).max(axis=1))]
    sides = np.linalg.norm(np.roll(wide, -1, axis=0) - wide, axis=1)
    turn = np.concatenate([[0.0], np.cumsum(sides)]) / sides.sum()
    steps = np.linalg.norm(np.diff(rings.mean(axis=1), axis=0), axis=1)
    # Rings of a flat end are apart by their radii.
    steps = np.maximum(steps, 0.5 * np.abs(np.diff(np.ptp(rings, axis=1).max(axis=1))))
    rise = np.concatenate([[0.0], np.cumsum(steps)]) / steps.sum()
    i, j = (grid.ravel() for grid in np.meshgrid(np.arange(ring_count - 1), np.arange(count), indexing="ij"))
    quads = [(i, j), (i, j + 1), (i + 1, j + 1), (i + 1, j)]
    corners = np.stack([rings[r, c % count] for r, c in quads], axis=1)
    uvs = np.stack([np.column_stack([turn[c], rise[r]]) for r, c in quads], axis=1)
    ends = [_end(np.roll(rings[0, ::-1], 1, axis=0), turn[::-1], 0.0), _end(rings[-1], turn, 1.0)]
    all_corners = np.concatenate([corners[:, [0, 1, 2]], corners[:, [0, 2, 3]], *(end[0] for end in ends)])
    all_uvs = np.concatenate([uvs[:, [0, 1, 2]], uvs[:, [0, 2, 3]], *(end[1] for end in ends)])
    left, bottom, right, top = area
    return all_corners, all_uvs * [right - left, top - bottom] + [left, bottom]


def _end(ring: np.ndarray, turn: np.ndarray, rise: float) -> tuple[np.ndarray, np.ndarray]:
    """Close a ring by a fan around its middle; ``turn`` has one value per side's ends, shape [count + 1]."""
    count = len(ring)
    middle = np.broadcast_to(ring.mean(axis=0), ring.shape)
    corners = np.stack([middle, ring, ring[np.arange(1, count + 1) % count]], axis=1)
    around = np.stack([0.5 * (turn[:-1] + turn[1:]), turn[:-1], turn[1:]], axis=-1)
    return corners, np.stack([around, np.full((count, 3), rise)], axis=-1)


def join(parts: Sequence[tuple[np.ndarray, np.ndarray]]) -> TriangleMesh:
    """Unite overlapping closed parts [mm] into one surface [m]; each face keeps its texture coordinates."""
    solid = _solid(*parts[0])
    for corners, uvs in parts[1:]:
        solid += _solid(corners, uvs)
    joined = solid.to_mesh64()
    properties = np.array(joined.vert_properties)[np.array(joined.tri_verts, dtype=np.int64)]
    vertices, faces, kept = weld(_close_up(properties[..., :3]) * MM)
    return TriangleMesh(vertices, faces, np.round(properties[kept, :, 3:5], 4))


def _close_up(corners: np.ndarray, distance: float = 0.06) -> np.ndarray:
    """Move corners that lie within a distance of each other [mm] to one place: joining leaves slivers."""
    points, inverse = np.unique(np.round(corners.reshape(-1, 3), 3) + 0.0, axis=0, return_inverse=True)
    target = np.arange(len(points))
    for first, second in sorted(cKDTree(points).query_pairs(distance)):
        target[target == target[second]] = target[first]
    return points[target][inverse.reshape(corners.shape[:2])]


def _solid(corners: np.ndarray, uvs: np.ndarray) -> manifold3d.Manifold:
    """Hand corners to manifold3d: one vertex per corner, those at one place declared equal."""
    flat = np.round(corners.reshape(-1, 3), 4) + 0.0
    _, first, inverse = np.unique(flat, axis=0, return_index=True, return_inverse=True)
    properties = np.ascontiguousarray(np.column_stack([flat, uvs.reshape(-1, 2)]))
    triangles = np.arange(len(flat), dtype=np.uint64).reshape(-1, 3)
    source = np.arange(len(flat), dtype=np.uint64)
    target = first[inverse.ravel()].astype(np.uint64)
    moved = source != target
    # A face id of its own keeps each triangle: where coplanar ones are merged, texture seams would go wrong.
    face_id = np.arange(len(triangles), dtype=np.uint64)
    solid = manifold3d.Manifold(manifold3d.Mesh64(properties, triangles, source[moved], target[moved], face_id=face_id))
    if solid.status() != manifold3d.Error.NoError or solid.volume() <= 0.0:
        raise ValueError(f"expected a closed outward part, got {solid.status()}, volume {solid.volume():g}")
    return solid


def hulls(rings: np.ndarray, cuts: Sequence[int]) -> list[TriangleMesh]:
    """Return a convex piece [m] for the rings [mm] between each two cuts, both included."""
    return [rounded_hull(rings[first : last + 1].reshape(-1, 3) * MM) for first, last in itertools.pairwise(cuts)]
