# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Shading normals for meshes that carry none: smooth across flat edges, sharp across creases."""

from __future__ import annotations

import numpy as np


def face_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Compute unit face normals [face_count, 3]; +Z for triangles without area."""
    a, b, c = vertices[faces[:, 0]], vertices[faces[:, 1]], vertices[faces[:, 2]]
    return _unit(np.cross(b - a, c - a))


def crease_normals(vertices: np.ndarray, faces: np.ndarray, crease_angle: float = 40.0) -> np.ndarray:
    """Compute shading normals per face corner, averaged over faces that meet at less than the crease angle.

    Vertices at equal positions count as one, so seams of texture coordinates stay invisible.

    Args:
        vertices: Positions, shape [vertex_count, 3].
        faces: Vertex indices, shape [face_count, 3].
        crease_angle: Edges with a larger angle between their faces stay sharp [degree].

    Returns:
        Unit normals, shape [face_count, 3, 3].
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    normals = face_normals(vertices, faces)
    _, weld = np.unique(vertices, axis=0, return_inverse=True)
    links = _soft_corner_links(weld.reshape(-1)[faces], normals, np.cos(np.radians(crease_angle)))
    count = faces.size
    graph = coo_array((np.ones(len(links), dtype=np.int8), (links[:, 0], links[:, 1])), shape=(count, count))
    group_count, group = connected_components(graph, directed=False)
    weighted = (normals[:, None] * _corner_angles(vertices, faces)[..., None]).reshape(-1, 3)
    summed = np.stack([np.bincount(group, weighted[:, axis], group_count) for axis in range(3)], axis=-1)
    return _unit(summed)[group].reshape(-1, 3, 3)


def _soft_corner_links(welded: np.ndarray, normals: np.ndarray, cosine: float) -> np.ndarray:
    """Return pairs of corner indices [link_count, 2] that share a vertex and a soft edge."""
    face_count = len(welded)
    start = np.arange(3 * face_count)
    end = start - start % 3 + (start + 1) % 3
    vertex = welded.reshape(-1)
    swapped = vertex[start] > vertex[end]
    low, high = np.where(swapped, end, start), np.where(swapped, start, end)
    order = np.lexsort((vertex[high], vertex[low]))
    low, high = low[order], high[order]
    same = (vertex[low][1:] == vertex[low][:-1]) & (vertex[high][1:] == vertex[high][:-1])
    soft = np.sum(normals[low[1:] // 3] * normals[low[:-1] // 3], axis=-1) > cosine
    first = np.flatnonzero(same & soft)
    return np.concatenate(
        [np.stack([low[first], low[first + 1]], axis=-1), np.stack([high[first], high[first + 1]], axis=-1)]
    )


def _corner_angles(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    corners = vertices[faces]
    to_next = _unit(np.roll(corners, -1, axis=1) - corners)
    to_previous = _unit(np.roll(corners, 1, axis=1) - corners)
    return np.arccos(np.clip(np.sum(to_next * to_previous, axis=-1), -1.0, 1.0))


def _unit(vectors: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.where(length > 0.0, vectors / np.where(length > 0.0, length, 1.0), [0.0, 0.0, 1.0])
