# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The convex hull of an object as PhysX colliders, cut into cells where it has too many vertices for one.

On a flat table nothing of a body but its convex hull can touch. The hull's vertices are vertices of the mesh, so an
object dropped with these colliders rests on its true surface, whatever a convex decomposition would have rounded off.
Scans have thousands of hull vertices that stand out by less than their noise; those can be left out.
"""

from __future__ import annotations

import itertools

import numpy as np

from omni_graspd.geometry.convex_hull import convex_hull
from omni_graspd.usd.meshes import TriangleMesh

CELL_VERTEX_LIMIT = 60
"""Most vertices of one cell; PhysX simplifies convex meshes of more than 64 by default."""


def hull_cells(
    vertices: np.ndarray, limit: int = CELL_VERTEX_LIMIT, *, tolerance: float = 0.0
) -> tuple[TriangleMesh, ...]:
    """Cut the convex hull of points into convex cells whose union has the very same hull, or nearly.

    Each cell is spanned by neighbouring hull vertices and the hull's centroid, which gives flat cells volume.

    Args:
        vertices: Points [m], shape [vertex_count, 3].
        limit: Most vertices of a cell.
        tolerance: Vertices may be left out that stand out of the result by less than this [m].

    Returns:
        Convex meshes; one when the hull itself is within the limit.

    Raises:
        GraspdError: If the points are flat.
    """
    hull = convex_hull(vertices, vertex_limit=len(vertices))
    if tolerance > 0.0:
        kept = hull.vertices[telling_vertices(hull.vertices, tolerance)]
        hull = convex_hull(kept, vertex_limit=len(kept))
    if len(hull.vertices) <= limit:
        return (hull,)
    centroid = hull.vertices.mean(axis=0)
    cells = [np.vstack([cell, centroid]) for cell in _split(hull.vertices, limit - 1)]
    return tuple(convex_hull(cell, vertex_limit=len(cell)) for cell in cells)


def _split(points: np.ndarray, limit: int) -> list[np.ndarray]:
    """Cut points across their widest axis, over and over, into as few equal parts as have at most ``limit`` of them."""
    count = -(-len(points) // limit)
    if count == 1:
        return [points]
    axis = int(np.argmax(np.ptp(points, axis=0)))
    order = np.argsort(points[:, axis], kind="stable")
    cut = round(len(points) * (count // 2) / count)
    return _split(points[order[:cut]], limit) + _split(points[order[cut:]], limit)


def face_cells(vertices: np.ndarray, limit: int = CELL_VERTEX_LIMIT) -> tuple[TriangleMesh, ...]:
    """Cut the convex hull of points into cells so that each face of the hull is a face of one of them.

    PhysX looks for the contacts of a convex shape with a box or a triangle at one face of the shape. A body whose hull
    has a face with corners in three cells rocks on it; here each face has all its corners in one. That takes more
    cells than :func:`hull_cells`. Flat faces with more corners than ``limit`` are cut all the same.

    Args:
        vertices: Points [m], shape [vertex_count, 3].
        limit: Most vertices of a cell.

    Returns:
        Convex meshes whose union has the very same hull; one when the hull itself is within the limit.
    """
    hull = convex_hull(vertices, vertex_limit=len(vertices))
    if len(hull.vertices) <= limit:
        return (hull,)
    corners = hull.vertices[hull.faces]
    middles = _flat_face_middles(corners)
    centroid = hull.vertices.mean(axis=0)
    for count in range(2, len(hull.faces) + 1):
        parts = [np.unique(hull.faces[part]) for part in _split_faces(middles, np.arange(len(middles)), count)]
        if max(map(len, parts)) < limit:
            break
    cells = [np.vstack([hull.vertices[part], centroid]) for part in parts]
    return tuple(convex_hull(cell, vertex_limit=len(cell)) for cell in cells)


def _flat_face_middles(corners: np.ndarray) -> np.ndarray:
    """Return for each triangle the middle of the flat face it is part of, and a little of its own, to tell apart."""
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)
    size = np.ptp(corners.reshape(-1, 3), axis=0).max()
    offsets = np.einsum("ij,ij->i", normals, corners[:, 0]) / size
    _, group = np.unique(np.round(np.c_[normals, offsets], 4), axis=0, return_inverse=True)
    group = group.ravel()
    middles = corners.mean(axis=1)
    sums = np.zeros((group.max() + 1, 3))
    np.add.at(sums, group, middles)
    return (sums / np.bincount(group)[:, None])[group] + 1e-6 * middles


def _split_faces(middles: np.ndarray, faces: np.ndarray, count: int) -> list[np.ndarray]:
    """Cut faces across the widest axis of their middles, over and over, into ``count`` equal parts."""
    if count == 1:
        return [faces]
    axis = int(np.argmax(np.ptp(middles[faces], axis=0)))
    order = faces[np.argsort(middles[faces, axis], kind="stable")]
    cut = round(len(faces) * (count // 2) / count)
    return _split_faces(middles, order[:cut], count // 2) + _split_faces(middles, order[cut:], count - count // 2)


def telling_vertices(points: np.ndarray, tolerance: float) -> np.ndarray:
    """Choose hull vertices so that none stands out of the hull of those chosen by more than ``tolerance``.

    Each round adds, for every face that others stand out of, the one farthest out.

    Returns:
        Ascending indices.
    """
    from scipy.spatial import ConvexHull

    directions = np.array([d for d in itertools.product((-1, 0, 1), repeat=3) if any(d)], dtype=np.float64)
    chosen = np.unique(np.argmax(points @ directions.T, axis=0))
    if np.linalg.matrix_rank(points[chosen] - points[chosen[0]]) < 3:
        return np.arange(len(points))
    while True:
        planes = ConvexHull(points[chosen]).equations
        outside = points @ planes[:, :3].T + planes[:, 3]
        farthest = np.argmax(outside, axis=0)
        wanted = farthest[outside[farthest, np.arange(len(planes))] > tolerance]
        if np.all(np.isin(wanted, chosen)):
            return chosen
        chosen = np.union1d(chosen, wanted)
