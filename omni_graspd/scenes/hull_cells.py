# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The exact convex hull of an object as PhysX colliders, cut into cells where it has too many vertices for one.

On a flat table nothing of a body but its convex hull can touch. The hull's vertices are vertices of the mesh, so an
object dropped with these colliders rests on its true surface, whatever a convex decomposition would have rounded off.
"""

from __future__ import annotations

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.usd.meshes import TriangleMesh

CELL_VERTEX_LIMIT = 60
"""Most vertices of one cell; PhysX simplifies convex meshes of more than 64 by default."""


def hull_cells(vertices: np.ndarray, limit: int = CELL_VERTEX_LIMIT) -> tuple[TriangleMesh, ...]:
    """Cut the convex hull of points into convex cells whose union has the very same hull.

    Each cell is spanned by neighbouring hull vertices and the hull's centroid, which gives flat cells volume.

    Args:
        vertices: Points [m], shape [vertex_count, 3].
        limit: Most vertices of a cell.

    Returns:
        Convex meshes; one when the hull itself is within the limit.

    Raises:
        GraspdError: If the points are flat.
    """
    hull = convex_hull(vertices)
    if len(hull.vertices) <= limit:
        return (hull,)
    centroid = hull.vertices.mean(axis=0)
    return tuple(convex_hull(np.vstack([cell, centroid])) for cell in _split(hull.vertices, limit - 1))


def convex_hull(points: np.ndarray) -> TriangleMesh:
    """Return the convex hull of points [point_count, 3], faces counter-clockwise seen from outside.

    Raises:
        GraspdError: If the points are flat.
    """
    from scipy.spatial import ConvexHull, QhullError

    try:
        hull = ConvexHull(points)
    except QhullError as error:
        raise GraspdError("expected an object with volume, got a flat one; give it thickness") from error
    index = np.full(len(points), -1, dtype=np.int32)
    index[hull.vertices] = np.arange(len(hull.vertices), dtype=np.int32)
    vertices = np.asarray(points)[hull.vertices]
    faces = index[hull.simplices]
    corners = vertices[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    inward = np.einsum("ij,ij->i", normals, hull.equations[:, :3]) < 0
    faces[inward] = faces[inward, ::-1]
    return TriangleMesh(vertices, faces)


def _split(points: np.ndarray, limit: int) -> list[np.ndarray]:
    """Halve points along their widest axis until every part has at most ``limit`` of them."""
    if len(points) <= limit:
        return [points]
    axis = int(np.argmax(np.ptp(points, axis=0)))
    order = np.argsort(points[:, axis], kind="stable")
    half = len(points) // 2
    return _split(points[order[:half]], limit) + _split(points[order[half:]], limit)
