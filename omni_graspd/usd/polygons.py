# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Polygons as triangles: convex ones as fans, concave ones cut so that no triangle leaves them."""

from __future__ import annotations

import numpy as np

_STRAIGHT = 1e-6
"""Sine of the turn up to which a corner is straight."""


def triangulate(counts: np.ndarray, indices: np.ndarray, vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split polygons into triangles, polygon by polygon: two fewer than it has corners, none of fewer than three.

    Args:
        counts: Corners of each polygon, shape [polygon_count].
        indices: Vertex index of each corner, shape [corner_count].
        vertices: Positions, shape [vertex_count, 3]; any indices and positions are accepted.

    Returns:
        Vertex indices [face_count, 3], and the position of each in ``indices`` [face_count, 3] (for corner data).
    """
    counts, indices = np.asarray(counts, dtype=np.int64), np.asarray(indices)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)
    faces = np.maximum(counts - 2, 0)
    first_face = np.cumsum(faces) - faces
    corners = fan(counts)
    many = np.flatnonzero(counts > 3)
    if len(many) and len(vertices) and counts.sum() == len(indices):
        positions = np.asarray(vertices, dtype=np.float64)[np.clip(indices, 0, len(vertices) - 1)]
        for chosen, normal in _concave(counts, starts, positions, many):
            at = positions[starts[chosen] : starts[chosen] + counts[chosen]]
            cut = _cut(at, normal)
            if cut is not None:
                corners[first_face[chosen] : first_face[chosen] + faces[chosen]] = starts[chosen] + cut
    return indices[corners].astype(np.int32), corners


def fan(counts: np.ndarray) -> np.ndarray:
    """Return the corners of the triangles of polygons whose first corner sees all others, shape [face_count, 3].

    Args:
        counts: Corners of each polygon, shape [polygon_count].
    """
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)
    faces = np.maximum(counts - 2, 0)
    polygon = np.repeat(np.arange(len(counts)), faces)
    step = np.arange(len(polygon)) - np.repeat(np.cumsum(faces) - faces, faces)
    return starts[polygon, None] + np.stack([np.zeros_like(step), step + 1, step + 2], axis=-1)


def _concave(
    counts: np.ndarray, starts: np.ndarray, positions: np.ndarray, many: np.ndarray
) -> list[tuple[int, np.ndarray]]:
    """Return those of the polygons ``many`` that turn the other way somewhere, each with its normal."""
    sizes = counts[many]
    owner = np.repeat(np.arange(len(many)), sizes)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    size, start = sizes[owner], starts[many][owner]
    here = positions[start + within]
    following = positions[start + (within + 1) % size] - here
    preceding = here - positions[start + (within - 1) % size]
    origin = positions[start]
    normals = np.stack(
        [np.bincount(owner, weights=part) for part in np.cross(here - origin, here + following - origin).T], axis=-1
    )
    turn = np.einsum("ci,ci->c", np.cross(preceding, following), normals[owner])
    lengths = [np.linalg.norm(vectors, axis=1) for vectors in (preceding, following, normals)]
    reflex = turn < -_STRAIGHT * lengths[0] * lengths[1] * lengths[2][owner]
    return [(int(many[index]), normals[index]) for index in np.unique(owner[reflex])]


def _cut(positions: np.ndarray, normal: np.ndarray) -> np.ndarray | None:
    """Return corners of the triangles of one polygon, shape [corner_count - 2, 3]; None where that cannot be done."""
    import manifold3d

    unit = normal / np.linalg.norm(normal)
    right = np.cross(unit, np.eye(3)[np.argmin(np.abs(unit))])
    right /= np.linalg.norm(right)
    flat = (positions - positions[0]) @ np.stack([right, np.cross(unit, right)], axis=1)
    cut = np.asarray(manifold3d.triangulate([flat]), dtype=np.int64).reshape(-1, 3)
    return cut if len(cut) == len(positions) - 2 else None
