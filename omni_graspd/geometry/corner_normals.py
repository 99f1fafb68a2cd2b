# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Normals of a mesh's corners, vertices and edges: for smooth interpolation, and to tell inside from outside."""

from __future__ import annotations

import numpy as np

from omni_graspd.geometry.folded_edges import faces_at_folds
from omni_graspd.usd.meshes import TriangleMesh


def surface_normals(mesh: TriangleMesh, *, crease_angle: float) -> np.ndarray:
    """Gather the nine normals per face that the signed distance reads.

    Returns:
        Per face: the smooth unit normals of its corners (:func:`corner_normals`), then the pseudo-normals of its three
        vertices and of its edges ij, jk and ki (:func:`pseudo_normals`); shape [face_count, 9, 3].
    """
    return np.concatenate([corner_normals(mesh, crease_angle=crease_angle), pseudo_normals(mesh)], axis=1)


def pseudo_normals(mesh: TriangleMesh) -> np.ndarray:
    """Compute angle-weighted pseudo-normals, whose product with the way to the closest point has the right sign.

    Returns:
        Of each face's three vertices, then of its edges ij, jk, ki, not of unit length; shape [face_count, 6, 3]. All
        six are zero beside folded edges, where they would not tell inside from outside.

    References:
        Bærentzen and Aanæs, "Signed distance computation using the angle weighted pseudonormal", TVCG 2005.
    """
    normals, angles = _face_normals(mesh), _corner_angles(mesh)
    vertices = np.zeros((len(mesh.vertices), 3))
    np.add.at(vertices, mesh.faces.ravel(), (normals[:, None, :] * angles[:, :, None]).reshape(-1, 3))
    ends = np.sort(np.stack([mesh.faces, np.roll(mesh.faces, -1, axis=1)], axis=-1).reshape(-1, 2), axis=1)
    _, edge = np.unique(ends, axis=0, return_inverse=True)
    edges = np.zeros((edge.max(initial=-1) + 1, 3))
    np.add.at(edges, edge.ravel(), np.repeat(normals, 3, axis=0))
    result = np.concatenate([vertices[mesh.faces], edges[edge.reshape(-1, 3)]], axis=1)
    result[faces_at_folds(mesh.faces, edge.reshape(-1, 3), edges)] = 0.0
    return result


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
