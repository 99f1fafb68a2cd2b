# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Convex hulls with few enough vertices for PhysX."""

from __future__ import annotations

import itertools

import numpy as np
import trimesh

from omni_graspd.errors import GraspdError
from omni_graspd.usd.meshes import TriangleMesh

PHYSX_VERTEX_LIMIT = 64
"""PhysX reduces hulls with more vertices by itself, and then no longer follows our surface."""


def convex_hull(points: np.ndarray, *, vertex_limit: int = PHYSX_VERTEX_LIMIT) -> TriangleMesh:
    """Compute the convex hull of points, or of the few of them that describe it best.

    Beyond ``vertex_limit``, vertices are taken one by one, each time the one farthest outside the hull of those taken.

    Args:
        points: Points, shape [point_count, 3].
        vertex_limit: Most vertices of the result.

    Returns:
        A closed convex mesh, faces counter-clockwise seen from outside.

    Raises:
        GraspdError: If all points are in one plane.
    """
    from scipy.spatial import ConvexHull, QhullError

    try:
        points = points[ConvexHull(points).vertices]
    except QhullError as error:
        raise GraspdError("expected an object with volume, got a flat one; give it thickness") from error
    if len(points) > vertex_limit:
        points = points[_most_telling(points, vertex_limit)]
    hull = trimesh.convex.convex_hull(points)
    return TriangleMesh(np.array(hull.vertices, dtype=np.float64), np.array(hull.faces, dtype=np.int32))


def _most_telling(points: np.ndarray, count: int) -> list[int]:
    from scipy.spatial import ConvexHull

    directions = np.array([d for d in itertools.product((-1, 0, 1), repeat=3) if any(d)], dtype=np.float64)
    chosen = sorted({int(i) for i in np.argmax(points @ directions.T, axis=0)})[:count]
    while len(chosen) < count:
        planes = ConvexHull(points[chosen]).equations
        outside = (points @ planes[:, :3].T + planes[:, 3]).max(axis=1)
        outside[chosen] = 0.0
        chosen.append(int(np.argmax(outside)))
    return chosen
