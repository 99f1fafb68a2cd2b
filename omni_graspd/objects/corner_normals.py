# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Vertex normals per face corner, smooth over soft edges and split at hard ones."""

from __future__ import annotations

import numpy as np

from omni_graspd.usd.meshes import TriangleMesh


def corner_normals(mesh: TriangleMesh, *, crease_angle: float) -> np.ndarray:
    """Compute a unit normal for each corner of each face.

    Faces around a vertex that are joined by soft edges share one normal, the sum of their normals weighted by the
    angle at the vertex. An edge is soft if exactly two faces share it, with opposite directions along it, and if they
    meet at less than ``crease_angle``.

    Args:
        mesh: A welded mesh.
        crease_angle: Angle between face normals from which on an edge is hard [rad].

    Returns:
        Normals, shape [face_count, 3, 3]; corners of degenerate faces get an arbitrary unit normal.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    normals, angles = _face_normals(mesh), _corner_angles(mesh)
    pairs = _soft_corner_pairs(mesh.faces, normals, np.cos(crease_angle))
    corner_count = mesh.faces.size
    graph = coo_array((np.ones(len(pairs), dtype=bool), (pairs[:, 0], pairs[:, 1])), shape=(corner_count, corner_count))
    group_count, group = connected_components(graph, directed=False)
    sums = np.zeros((group_count, 3))
    np.add.at(sums, group, (normals[:, None, :] * angles[:, :, None]).reshape(-1, 3))
    result = sums[group].reshape(-1, 3, 3)
    length = np.linalg.norm(result, axis=-1, keepdims=True)
    return np.where(length > 1e-9, result / np.maximum(length, 1e-9), normals[:, None, :])


def _face_normals(mesh: TriangleMesh) -> np.ndarray:
    a, b, c = (mesh.vertices[mesh.faces[:, i]] for i in range(3))
    cross = np.cross(b - a, c - a)
    length = np.linalg.norm(cross, axis=-1, keepdims=True)
    return np.where(length > 0, cross / np.where(length > 0, length, 1.0), [0.0, 0.0, 1.0])


def _corner_angles(mesh: TriangleMesh) -> np.ndarray:
    corners = mesh.vertices[mesh.faces]
    forward = np.roll(corners, -1, axis=1) - corners
    backward = np.roll(corners, 1, axis=1) - corners
    sine = np.linalg.norm(np.cross(forward, backward), axis=-1)
    return np.arctan2(sine, np.einsum("fck,fck->fc", forward, backward))


def _soft_corner_pairs(faces: np.ndarray, normals: np.ndarray, least_cosine: float) -> np.ndarray:
    """Return pairs of corner indices that share a vertex across a soft edge, shape [pair_count, 2]."""
    start, end = faces.ravel(), np.roll(faces, -1, axis=1).ravel()
    corner = np.arange(faces.size)
    next_corner = (corner // 3) * 3 + (corner + 1) % 3
    low, high = np.minimum(start, end), np.maximum(start, end)
    order = np.lexsort((start, high, low))
    _, first, count = np.unique(np.stack([low, high])[:, order], axis=1, return_index=True, return_counts=True)
    one, other = order[first[count == 2]], order[first[count == 2] + 1]
    soft = (start[one] == end[other]) & (np.einsum("ek,ek->e", normals[one // 3], normals[other // 3]) > least_cosine)
    one, other = one[soft], other[soft]
    return np.concatenate([np.stack([one, next_corner[other]], 1), np.stack([next_corner[one], other], 1)])
