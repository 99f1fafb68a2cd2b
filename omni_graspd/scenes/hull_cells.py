# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The exact convex hull of an object as PhysX colliders, cut into cells where it has too many vertices for one.

On a flat table nothing of a body but its convex hull can touch. The hull's vertices are vertices of the mesh, so an
object dropped with these colliders rests on its true surface, whatever a convex decomposition would have rounded off.
"""

from __future__ import annotations

import numpy as np

from omni_graspd.objects.convex_hull import convex_hull
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
    hull = convex_hull(vertices, vertex_limit=len(vertices))
    if len(hull.vertices) <= limit:
        return (hull,)
    centroid = hull.vertices.mean(axis=0)
    cells = [np.vstack([cell, centroid]) for cell in _split(hull.vertices, limit - 1)]
    return tuple(convex_hull(cell, vertex_limit=len(cell)) for cell in cells)


def _split(points: np.ndarray, limit: int) -> list[np.ndarray]:
    """Halve points along their widest axis until every part has at most ``limit`` of them."""
    if len(points) <= limit:
        return [points]
    axis = int(np.argmax(np.ptp(points, axis=0)))
    order = np.argsort(points[:, axis], kind="stable")
    half = len(points) // 2
    return _split(points[order[:half]], limit) + _split(points[order[half:]], limit)
