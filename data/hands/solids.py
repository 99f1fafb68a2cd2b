# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Machined-looking solids to build hand links from: bevelled prisms and domes, joined with manifold3d. Millimetres."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import manifold3d
import numpy as np

from omni_graspd.geometry.convex_hull import convex_hull
from omni_graspd.geometry.corner_normals import corner_normals
from omni_graspd.hands.usd.hand_design import LinkShape
from omni_graspd.usd.meshes import TriangleMesh

_ARC_STEP = np.radians(22.5)
_CREASE = np.radians(32.0)
_MILLIMETRE = 1e-3


@dataclass(frozen=True)
class Part:
    """A closed solid with one material."""

    solid: manifold3d.Manifold
    """The solid [mm]."""
    look: str
    """Name of its material."""


def fillet(corners: Sequence[tuple[float, float, float]]) -> np.ndarray:
    """Round the corners of a polygon.

    Args:
        corners: Position u, v and radius of each corner, in order around the polygon [mm].

    Returns:
        The outline, counter-clockwise, shape [point_count, 2].
    """
    points = np.array([corner[:2] for corner in corners], dtype=np.float64)
    outline: list[np.ndarray] = []
    for k, (_, _, radius) in enumerate(corners):
        corner, back, ahead = points[k], points[k - 1] - points[k], points[(k + 1) % len(points)] - points[k]
        back, ahead = back / np.linalg.norm(back), ahead / np.linalg.norm(ahead)
        half = 0.5 * np.arccos(np.clip(back @ ahead, -1.0, 1.0))
        turn = np.pi - 2.0 * half
        if radius <= 0.0 or turn < 1e-6:
            outline.append(corner)
            continue
        bisector = (back + ahead) / np.linalg.norm(back + ahead)
        center = corner + bisector * radius / np.sin(half)
        start = corner + back * radius / np.tan(half) - center
        side = np.sign(back[0] * ahead[1] - back[1] * ahead[0])
        for angle in np.linspace(0.0, -side * turn, max(2, int(np.ceil(turn / _ARC_STEP)) + 1)):
            c, s = np.cos(angle), np.sin(angle)
            outline.append(center + np.array([c * start[0] - s * start[1], s * start[0] + c * start[1]]))
    result = np.array(outline)
    return result if _signed_area(result) > 0.0 else result[::-1]


def circle(center: tuple[float, float], radius: float, segments: int = 24) -> np.ndarray:
    """Return a regular outline, counter-clockwise, shape [segments, 2]."""
    angles = 2.0 * np.pi * np.arange(segments) / segments
    return np.asarray(center) + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def inset(outline: np.ndarray, distance: float) -> np.ndarray:
    """Move every side of an outline inward, keeping the number of points."""
    before, after = outline - np.roll(outline, 1, axis=0), np.roll(outline, -1, axis=0) - outline
    before /= np.linalg.norm(before, axis=1, keepdims=True)
    after /= np.linalg.norm(after, axis=1, keepdims=True)
    inward = np.stack([-before[:, 1] - after[:, 1], before[:, 0] + after[:, 0]], axis=1)
    cosine = np.einsum("ij,ij->i", before, after)
    return outline + distance * inward / (1.0 + cosine)[:, None]


def prism(
    outline: np.ndarray, axis: str, low: float, high: float, bevel: float = 0.0, steps: int = 1
) -> manifold3d.Manifold:
    """Extrude an outline and bevel or round the edges of both ends.

    Args:
        outline: Counter-clockwise outline in (y, z), (x, z) or (x, y) for the axes x, y, z [mm], shape [n, 2].
        axis: Direction of extrusion.
        low: Start along the axis [mm].
        high: End along the axis [mm].
        bevel: Width of the bevels [mm]; corners of the outline need a larger radius.
        steps: Chords of the quarter circle that rounds an edge; a single one is a bevel of 45 degrees.
    """
    levels = [(low, 0.0), (high, 0.0)]
    if bevel > 0.0:
        angles = 0.5 * np.pi * np.arange(steps + 1) / steps
        # Exact at both ends, whatever the sine of a right angle is.
        rise = [(0.0, 1.0), *((1.0 - np.cos(a), 1.0 - np.sin(a)) for a in angles[1:-1]), (1.0, 0.0)]
        levels = [(low + bevel * up, bevel * aside) for up, aside in rise]
        levels += [(high - bevel * up, bevel * aside) for up, aside in reversed(rise)]
    rings = [np.column_stack([inset(outline, d) if d else outline, np.full(len(outline), w)]) for w, d in levels]
    solid = loft(rings)
    order = {"x": [2, 0, 1], "y": [0, 2, 1], "z": [0, 1, 2]}[axis]
    mesh = solid.to_mesh64()
    faces = mesh.tri_verts if axis != "y" else mesh.tri_verts[:, ::-1]
    return _manifold(mesh.vert_properties[:, order], faces)


def fingertip(radius: float, neck: float, center: float, segments: int = 24) -> manifold3d.Manifold:
    """Build a round fingertip along +z: a cylinder from ``neck`` to ``center``, closed by a hemisphere [mm]."""
    ring = circle((0.0, 0.0), 1.0, segments)
    levels = [(neck, 1.0)]
    levels += [(center + radius * np.sin(a), np.cos(a)) for a in np.radians([0, 15, 30, 45, 60, 74, 85])]
    return loft([np.column_stack([radius * scale * ring, np.full(segments, z)]) for z, scale in levels])


def rounded_tube(rows: Sequence[Sequence[float]], step: float, corner_points: int = 5) -> manifold3d.Manifold:
    """Build a limb along +z whose sections are rectangles with round corners, from a few of them.

    Sections between the rows follow monotone cubics (Fritsch and Butland, 1984).

    Args:
        rows: Position along z, half width in x, low and high side in y, and corner radius of each section [mm];
            radii are cut at half of the smaller side.
        step: Largest distance of sections along z [mm].
        corner_points: Points on each corner.
    """
    from scipy.interpolate import PchipInterpolator

    table = np.array(rows, dtype=np.float64)
    levels = np.unique(
        np.concatenate(
            [np.linspace(a, b, int(np.ceil((b - a) / step)) + 1) for a, b in itertools.pairwise(table[:, 0])]
        )
    )
    sections = PchipInterpolator(table[:, 0], table[:, 1:], axis=0)(levels)
    rings = []
    for z, (half, low, high, wanted) in zip(levels, sections, strict=True):
        radius = min(wanted, 0.999 * half, 0.4995 * (high - low))
        corners = [(half, high), (-half, high), (-half, low), (half, low)]
        points = []
        for k, corner in enumerate(corners):
            signs = np.array([-1.0 if k in (0, 3) else 1.0, -1.0 if k in (0, 1) else 1.0])
            angles = 0.5 * np.pi * (k + np.arange(corner_points) / (corner_points - 1))
            points.append(corner + radius * signs + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1))
        ring = np.concatenate(points)
        rings.append(np.column_stack([ring, np.full(len(ring), z)]))
    return loft(rings)


def mirrored(solid: manifold3d.Manifold) -> manifold3d.Manifold:
    """Join a solid with its mirror image in y."""
    return solid + solid.mirror((0.0, 1.0, 0.0))


def link_shape(parts: Sequence[Part], colliders: Sequence[manifold3d.Manifold]) -> LinkShape:
    """Join parts into one closed surface, in metres, rounded to micrometres.

    Args:
        parts: Solids; where they overlap, the first ones keep their material.
        colliders: Solids whose convex hulls are the collision pieces.
    """
    originals = [(part.solid.as_original(), part.look) for part in parts]
    look_of = {solid.original_id(): look for solid, look in originals}
    # Slivers thinner than this would shade badly and vanish in the rounding.
    joined = manifold3d.Manifold.batch_boolean([s for s, _ in originals], manifold3d.OpType.Add).simplify(0.01)
    mesh = joined.to_mesh64()
    runs = np.searchsorted(mesh.run_index, 3 * np.arange(len(mesh.tri_verts)), side="right") - 1
    looks = np.array([look_of[int(mesh.run_original_id[run])] for run in runs])
    vertices, faces, kept = _rounded(mesh)
    pieces = tuple(convex_hull(_rounded(solid.hull().simplify(0.05).to_mesh64())[0]) for solid in colliders)
    surface = TriangleMesh(vertices, faces)
    return LinkShape(surface, corner_normals(surface, crease_angle=_CREASE), tuple(looks[kept].tolist()), pieces)


def _rounded(mesh: manifold3d.Mesh64) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Round to micrometres, weld, and drop faces that vanish; returns vertices, faces and the faces' old indices."""
    points, weld = np.unique(np.round(mesh.vert_properties[:, :3], 3), axis=0, return_inverse=True)
    faces = weld.reshape(-1)[mesh.tri_verts.astype(np.int64)]
    kept = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    return points * _MILLIMETRE, faces[kept].astype(np.int32), np.flatnonzero(kept)


def _signed_area(outline: np.ndarray) -> float:
    x, y = outline.T
    return 0.5 * float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))


def loft(rings: Sequence[np.ndarray]) -> manifold3d.Manifold:
    """Join rings of equally many points, counter-clockwise and stacked along +z, and close both ends.

    Args:
        rings: Points of each ring [mm], each of shape [n, 3].
    """
    count = len(rings[0])
    index = np.arange(count)
    ahead = np.roll(index, -1)
    faces = []
    for k in range(len(rings) - 1):
        a, b = k * count + index, k * count + ahead
        c, d = a + count, b + count
        faces += [np.stack([a, b, d], axis=1), np.stack([a, d, c], axis=1)]
    cap = np.asarray(manifold3d.triangulate([np.ascontiguousarray(rings[0][:, :2])]))
    faces += [cap[:, ::-1]]
    cap = np.asarray(manifold3d.triangulate([np.ascontiguousarray(rings[-1][:, :2])]))
    faces += [cap + (len(rings) - 1) * count]
    return _manifold(np.concatenate(rings), np.concatenate(faces))


def _manifold(vertices: np.ndarray, faces: np.ndarray) -> manifold3d.Manifold:
    solid = manifold3d.Manifold(
        manifold3d.Mesh64(np.array(vertices, order="C"), np.array(faces, dtype=np.uint64, order="C"))
    )
    if solid.status() != manifold3d.Error.NoError or solid.volume() <= 0.0:
        raise ValueError(f"expected a closed solid, got {solid.status()} with a volume of {solid.volume():.3g} mm3")
    return solid
