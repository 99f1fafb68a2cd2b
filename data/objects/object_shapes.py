# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Closed surfaces with texture coordinates: solids of revolution, rounded boxes, and a mug. Metres."""

from __future__ import annotations

import itertools

import manifold3d
import numpy as np

from omni_graspd.geometry.convex_hull import convex_hull
from omni_graspd.usd.meshes import TriangleMesh


def arc(center: tuple[float, float], radius: float, start: float, end: float, count: int) -> list[tuple[float, float]]:
    """Return points on a circle from ``start`` to ``end`` [degrees], both included."""
    angles = np.radians(np.linspace(start, end, count))
    return [(center[0] + radius * np.cos(a), center[1] + radius * np.sin(a)) for a in angles]


def revolve(profile: list[tuple[float, float]], counts: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Turn a profile about the z axis.

    Args:
        profile: Radius and height of each ring from the lower pole to the upper pole, poles excluded; the poles lie at
            the heights of the first and last ring.
        counts: Points of each ring; neighbours have equal numbers or differ by a factor of two.

    Returns:
        Vertices [vertex_count, 3] and outward faces [face_count, 3].
    """
    vertices = [np.array([[0.0, 0.0, profile[0][1]]])]
    rings, offset = [], 1
    for (radius, height), count in zip(profile, counts, strict=True):
        angles = 2.0 * np.pi * np.arange(count) / count
        vertices.append(np.stack([radius * np.cos(angles), radius * np.sin(angles), np.full(count, height)], axis=-1))
        rings.append(offset + np.arange(count))
        offset += count
    vertices.append(np.array([[0.0, 0.0, profile[-1][1]]]))
    faces = [(0, b, a) for a, b in itertools.pairwise([*rings[0], rings[0][0]])]
    for lower, upper in itertools.pairwise(rings):
        faces += _strip(lower, upper)
    faces += [(a, b, offset) for a, b in itertools.pairwise([*rings[-1], rings[-1][0]])]
    return np.concatenate(vertices), np.array(faces, dtype=np.int32)


def _strip(lower: np.ndarray, upper: np.ndarray) -> list[tuple[int, int, int]]:
    """Join two rings, the lower one first in the sense of an outward profile."""
    faces = []
    fine, coarse = (lower, upper) if len(lower) >= len(upper) else (upper, lower)
    ratio, count = len(fine) // len(coarse), len(fine)
    for i in range(count):
        a, b = fine[i], fine[(i + 1) % count]
        c = coarse[((i + ratio // 2) // ratio) % len(coarse)]
        d = coarse[((i + 1 + ratio // 2) // ratio) % len(coarse)]
        triangles = [(a, b, c)] if c == d else [(a, b, d), (a, d, c)]
        faces += triangles if fine is lower else [triangle[::-1] for triangle in triangles]
    return faces


def wrap_angle(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Return the turn about z of each face corner, from 0 to a little over 1, continuous within faces, [face_count, 3].

    The seam lies at the back, at -x; what is drawn at the middle of the texture faces +x.
    """
    turn = np.arctan2(vertices[:, 1], vertices[:, 0]) / (2.0 * np.pi) + 0.5
    corner = turn[faces]
    # Corners on the axis have no angle of their own: that of the face's other corners.
    on_axis = (np.hypot(vertices[:, 0], vertices[:, 1]) < 1e-9)[faces]
    corner = np.where(on_axis, np.nan, corner)
    corner = np.where(np.nanmax(corner, axis=1, keepdims=True) - corner > 0.5, corner + 1.0, corner)
    return np.where(on_axis, np.nanmean(corner, axis=1, keepdims=True), corner)


def rounded_box(size: tuple[float, float, float], radius: float, spacing: float) -> tuple[np.ndarray, np.ndarray]:
    """Build a box with rounded edges, centred at the origin.

    Returns:
        Face corners as positions [face_count, 3, 3], and as positions on the unrounded box [face_count, 3, 3].
    """
    half = 0.5 * np.array(size)
    lines = []
    for extent in half:
        inner = np.linspace(-(extent - radius), extent - radius, max(2, round(2.0 * (extent - radius) / spacing) + 1))
        edge = np.array([extent - 0.5 * radius, extent])
        lines.append(np.concatenate([-edge[::-1], inner, edge]))
    corners = []
    for axis, side in itertools.product(range(3), (-1.0, 1.0)):
        u, v = (axis + 1) % 3, (axis + 2) % 3
        for (u0, u1), (v0, v1) in itertools.product(itertools.pairwise(lines[u]), itertools.pairwise(lines[v])):
            quad = np.zeros((4, 3))
            quad[:, axis] = side * half[axis]
            quad[:, u], quad[:, v] = [u0, u1, u1, u0], [v0, v0, v1, v1]
            quad = quad if side > 0 else quad[::-1]
            corners += [quad[[0, 1, 2]], quad[[0, 2, 3]]]
    flat = np.array(corners)
    core = np.clip(flat, -(half - radius), half - radius)
    outward = flat - core
    return core + radius * outward / np.linalg.norm(outward, axis=-1, keepdims=True), flat


def sweep_ellipse(path: np.ndarray, half_width: float, half_height: float, count: int) -> manifold3d.Manifold:
    """Sweep an ellipse along a path in the xz plane, its long axis along y."""
    tangent = np.gradient(path, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    side = np.stack([tangent[:, 2], np.zeros(len(path)), -tangent[:, 0]], axis=-1)
    angles = 2.0 * np.pi * np.arange(count) / count
    rings = path[:, None] + half_height * np.cos(angles)[None, :, None] * side[:, None]
    rings[..., 1] += half_width * np.sin(angles)
    vertices = np.concatenate([path[:1], rings.reshape(-1, 3), path[-1:]])
    ring = [1 + k * count + np.arange(count) for k in range(len(path))]
    faces = [(0, b, a) for a, b in itertools.pairwise([*ring[0], ring[0][0]])]
    for lower, upper in itertools.pairwise(ring):
        faces += _strip(lower, upper)
    last = len(vertices) - 1
    faces += [(a, b, last) for a, b in itertools.pairwise([*ring[-1], ring[-1][0]])]
    solid = to_manifold(vertices, np.array(faces))
    return solid if solid.volume() > 0 else to_manifold(vertices, np.array(faces)[:, ::-1])


def to_manifold(vertices: np.ndarray, faces: np.ndarray) -> manifold3d.Manifold:
    """Hand a closed surface to manifold3d.

    Raises:
        ValueError: If it is not closed.
    """
    solid = manifold3d.Manifold(
        manifold3d.Mesh64(np.ascontiguousarray(vertices), np.ascontiguousarray(faces, dtype=np.uint64))
    )
    if solid.status() != manifold3d.Error.NoError:
        raise ValueError(f"expected a closed surface, got {solid.status()}")
    return solid


def weld(corners: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Round face corners [face_count, 3, 3] to micrometres and weld them.

    Returns:
        Vertices, faces, and the indices of the faces that are left.
    """
    vertices, inverse = np.unique(np.round(corners.reshape(-1, 3), 6) + 0.0, axis=0, return_inverse=True)
    faces = inverse.reshape(-1, 3).astype(np.int32)
    a, b, c = faces.T
    kept = np.flatnonzero((a != b) & (b != c) & (c != a))
    return vertices, faces[kept], kept


def ring_sectors(profile: np.ndarray, count: int) -> list[TriangleMesh]:
    """Cut a ring with the given convex cross-section (radius, height) into convex sectors."""
    pieces = []
    for k in range(count):
        angles = 2.0 * np.pi * (k + np.array([0.0, 0.5, 1.0])) / count
        sector = [(r * np.cos(a), r * np.sin(a), z) for a in angles for r, z in profile]
        pieces.append(rounded_hull(np.array(sector)))
    return pieces


def rounded_hull(points: np.ndarray) -> TriangleMesh:
    """Compute a hull whose vertices are rounded to micrometres."""
    return convex_hull(np.round(points, 6) + 0.0)
