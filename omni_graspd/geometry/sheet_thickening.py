# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Sheets without thickness, as many models of bowls and leaves are, made solid: both sides moved apart, rims closed."""

from __future__ import annotations

import numpy as np

from omni_graspd.geometry.mesh_parts import connected_parts
from omni_graspd.geometry.open_edges import edge_groups, open_edges
from omni_graspd.usd.meshes import TriangleMesh, merge_meshes, select_faces

_FARTHEST = 2.0
"""Where faces meet at an edge, the corner is moved up to so many times as far as the faces are."""
_SINGULAR = 1e-3
"""Directions in which the faces at a corner agree less than this say nothing about where it goes."""


def thicken_sheets(mesh: TriangleMesh, thickness: float) -> tuple[TriangleMesh, int]:
    """Make the open parts of a surface solid: half of the thickness to each side, closed along the rim.

    A corner moves so that all faces around it move by the same distance; the rim stands square on the sheet. Where
    three faces or more meet at an edge, or where a one-sided surface turns over, the sheet is cut and each piece is
    made solid by itself; the pieces run into each other there. Closed parts stay as they are.

    Args:
        mesh: A welded surface whose neighbouring faces agree; texture coordinates go to both sides.
        thickness: How thick the sheets become [m].

    Returns:
        The surface, and how many of its parts were made solid.
    """
    is_open = _in_open_parts(mesh)
    if not is_open.any():
        return mesh, 0
    sheet, kept = (select_faces(mesh, np.flatnonzero(chosen)) for chosen in (is_open, ~is_open))
    return merge_meshes([kept, _solid(sheet, thickness)]), len(np.unique(connected_parts(sheet)))


def _solid(sheet: TriangleMesh, thickness: float) -> TriangleMesh:
    faces, origin, is_rim = _cut(sheet.faces)
    front = sheet.vertices[origin]
    offsets = 0.5 * thickness * _offsets(front, faces)
    back = faces[:, ::-1] + len(front)
    start, end = np.stack([faces, np.roll(faces, -1, axis=1)], axis=-1)[is_rim].T
    behind = start + len(front), end + len(front)
    walls = [np.stack([end, start, behind[0]], axis=1), np.stack([end, behind[0], behind[1]], axis=1)]
    uvs = None
    if sheet.uvs is not None:
        first, second = sheet.uvs[is_rim], np.roll(sheet.uvs, -1, axis=1)[is_rim]
        at_walls = [np.stack(corners, axis=1) for corners in ((second, first, first), (second, first, second))]
        uvs = np.concatenate([sheet.uvs, sheet.uvs[:, ::-1], *at_walls])
    vertices = np.concatenate([front + offsets, front - offsets])
    return TriangleMesh(vertices, np.concatenate([faces, back, *walls]).astype(np.int32), uvs)


def _in_open_parts(mesh: TriangleMesh) -> np.ndarray:
    """Tell which faces belong to parts that are not closed, shape [face_count]."""
    edges = open_edges(mesh.faces)
    part = connected_parts(mesh)
    at_rim = np.zeros(len(mesh.vertices), dtype=bool)
    at_rim[edges.edges.ravel()] = True
    at_rim[edges.irregular_edges.ravel()] = True
    return np.isin(part, np.unique(part[at_rim[mesh.faces].any(axis=1)]))


def _cut(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give faces corners of their own unless they share an edge with exactly one other face, which agrees.

    Returns:
        Faces, shape [face_count, 3]; which vertex each of their corners was, shape [corner_count]; and which sides of
        the faces are rims, shape [face_count, 3].
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    order, first, sharing = edge_groups(faces)
    one, other = order[first[sharing == 2]], order[first[sharing == 2] + 1]
    corners = faces.ravel()
    agree = corners[one] != corners[other]
    one, other = one[agree], other[agree]
    # A side runs from its corner to the next one of the face; neighbours run along it in opposite directions.
    pairs = np.concatenate([np.stack([one, _next(other)], axis=1), np.stack([_next(one), other], axis=1)])
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(corners), len(corners)))
    count, fan = connected_components(graph, directed=False)
    origin = np.zeros(count, dtype=np.int64)
    origin[fan] = corners
    is_rim = np.ones(len(corners), dtype=bool)
    is_rim[np.concatenate([one, other])] = False
    return fan.reshape(-1, 3), origin, is_rim.reshape(-1, 3)


def _next(side: np.ndarray) -> np.ndarray:
    """Return the side after each side of a triangle; side ``s`` is that of face ``s // 3``."""
    return side - side % 3 + (side + 1) % 3


def _offsets(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Return how corners move if all faces move by 1 along their normals, shape [vertex_count, 3].

    Around a corner the offset d that comes nearest to n . d = 1 for all normals n is taken, faces weighted by their
    angle there; where they hardly differ, it lies along their mean.
    """
    edges = vertices[np.roll(faces, -1, axis=1)] - vertices[faces]
    normals = np.cross(edges[:, 0], edges[:, 1])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-300)
    unit = edges / np.maximum(np.linalg.norm(edges, axis=2, keepdims=True), 1e-300)
    angles = np.arccos(np.clip(-np.einsum("fci,fci->fc", unit, np.roll(unit, 1, axis=1)), -1.0, 1.0))
    matrices, sums = np.zeros((len(vertices), 3, 3)), np.zeros((len(vertices), 3))
    for corner in range(3):
        weight = angles[:, corner]
        np.add.at(matrices, faces[:, corner], weight[:, None, None] * normals[:, :, None] * normals[:, None, :])
        np.add.at(sums, faces[:, corner], weight[:, None] * normals)
    values, axes = np.linalg.eigh(matrices)
    kept = values > _SINGULAR * np.maximum(values[:, -1:], 1e-300)
    along = np.einsum("vij,vi->vj", axes, sums) * kept / np.where(kept, values, 1.0)
    offsets = np.einsum("vij,vj->vi", axes, along)
    return offsets * np.minimum(1.0, _FARTHEST / np.maximum(np.linalg.norm(offsets, axis=1, keepdims=True), 1e-300))
