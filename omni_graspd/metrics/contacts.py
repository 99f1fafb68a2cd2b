# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Which parts of the hand touch the object, and where on the object."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omni_graspd.geometry.signed_distance import SignedDistance, SignedDistanceConfig
from omni_graspd.objects.rigid_object import RigidObject


@dataclass(frozen=True)
class SurfaceDistances:
    """Signed distances of points on the hand's surface to the object, for a batch of grasps."""

    distances: np.ndarray
    """Signed distance to the exact mesh [m], negative inside, shape [grasp_count, point_count]."""
    positions: np.ndarray
    """Closest points on the object, in the object frame [m], shape [grasp_count, point_count, 3]."""
    normals: np.ndarray
    """Unit normals out of the object there; zero where nothing is near, shape [grasp_count, point_count, 3]."""


def exact_distance(obj: RigidObject, device: str) -> SignedDistance:
    """Return the signed distance to the triangles of an object, without the smoothing of the synthesis."""
    config = SignedDistanceConfig(phong_alpha=0.0)
    return SignedDistance.build(obj.mesh, closed=obj.closed, device=device, config=config)


def near_surface_distances(positions: np.ndarray, distance: SignedDistance, reach: float) -> SurfaceDistances:
    """Measure how far points of the hand are from the object, where it is near or around them.

    Points outside the object that are farther than ``reach`` are not looked at closely; those inside are exact however
    deep. Takes a third of the time of :func:`surface_distances`.

    Args:
        positions: Points in the object frame [m], shape [grasp_count, point_count, 3].
        distance: The object's exact signed distance.
        reach: Surface farther than this is looked for only from inside the object's bounding box [m].

    Returns:
        Distances, ``reach`` or more where the point is outside and the object farther than that.
    """
    points = positions.reshape(-1, 3)
    distances, normals = distance.query(points, reach)
    box = distance.mesh.points.numpy()
    low, high = box.min(axis=0), box.max(axis=0)
    deep = np.flatnonzero((distances >= reach) & ((points > low) & (points < high)).all(axis=1))
    if len(deep):
        distances[deep], normals[deep] = distance.query(points[deep], float(np.linalg.norm(high - low)))
    return _closest(positions, distances, normals)


def surface_distances(positions: np.ndarray, distance: SignedDistance, reach: float) -> SurfaceDistances:
    """Measure how far points of the hand are from the object.

    Args:
        positions: Points in the object frame [m], shape [grasp_count, point_count, 3].
        distance: The object's exact signed distance.
        reach: Surface farther than this is not looked for [m].
    """
    distances, normals = distance.query(positions.reshape(-1, 3), reach)
    return _closest(positions, distances, normals)


def _closest(positions: np.ndarray, distances: np.ndarray, normals: np.ndarray) -> SurfaceDistances:
    distances = distances.reshape(positions.shape[:2]).astype(np.float64)
    normals = normals.reshape(positions.shape).astype(np.float64)
    return SurfaceDistances(distances, positions - distances[..., None] * normals, normals)
