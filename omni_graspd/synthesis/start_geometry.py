# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Shapes that starts are drawn from: hulls, directions about directions, frames."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import trimesh

from omni_graspd.objects.rigid_object import RigidObject

if TYPE_CHECKING:
    from scipy.spatial.transform import Rotation


@dataclass(frozen=True)
class ObjectHull:
    """The faces of an object's convex hull."""

    triangles: np.ndarray
    """Corners [m], shape [face_count, 3, 3]."""
    normals: np.ndarray
    """Unit normals, shape [face_count, 3]."""
    cumulative_area: np.ndarray
    """Area of each face and those before it [m2], shape [face_count]."""


@functools.lru_cache(maxsize=4)
def object_hull(obj: RigidObject) -> ObjectHull:
    """Return an object's convex hull; that of the same object is made once."""
    hull = trimesh.Trimesh(obj.mesh.vertices, obj.mesh.faces, process=False).convex_hull
    return ObjectHull(np.array(hull.triangles), np.array(hull.face_normals), np.cumsum(hull.area_faces))


def points_on_triangles(triangles: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return points distributed evenly over triangles [n, 3, 3] where u and v [n, 1] are over [0, 1]."""
    beyond = u + v > 1.0
    u, v = np.where(beyond, 1.0 - u, u), np.where(beyond, 1.0 - v, v)
    corner = triangles[:, 0]
    return corner + u * (triangles[:, 1] - corner) + v * (triangles[:, 2] - corner)


def tilted(directions: np.ndarray, max_angle: float, height: np.ndarray, azimuth: np.ndarray) -> np.ndarray:
    """Return directions from the caps of half-angle ``max_angle`` about unit vectors [n, 3].

    Evenly distributed where ``height`` [n, 1] is over [0, 1] and ``azimuth`` [n, 1] over a turn.
    """
    cosine = np.cos(max_angle) + (1.0 - np.cos(max_angle)) * height
    sine = np.sqrt(1.0 - cosine * cosine)
    local = np.concatenate([sine * np.cos(azimuth), sine * np.sin(azimuth), cosine], axis=1)
    return rotated(rotations_between(np.broadcast_to([0.0, 0.0, 1.0], directions.shape), directions), local)


def rotations_between(a: np.ndarray, b: np.ndarray) -> Rotation:
    """Return the smallest rotations that turn unit vectors ``a`` into unit vectors ``b``, shape [n, 3] each."""
    from scipy.spatial.transform import Rotation

    axis, cosine = np.cross(a, b), np.sum(a * b, axis=1)
    sine = np.linalg.norm(axis, axis=1)
    # Opposite vectors leave the axis open; any across will do.
    parallel = sine < 1e-9
    across = np.cross(a, np.eye(3)[np.argmin(np.abs(a), axis=1)])
    axis = np.where(parallel[:, None], across / np.linalg.norm(across, axis=1, keepdims=True), axis)
    angle = np.where(parallel, np.where(cosine > 0.0, 0.0, np.pi), np.arctan2(sine, cosine))
    return Rotation.from_rotvec(axis * (angle / np.where(parallel, 1.0, sine))[:, None])


def rotated(rotations: Rotation, vectors: np.ndarray) -> np.ndarray:
    """Return vectors [3] or [n, 3], each turned by its rotation, to the same last bit alone and among others."""
    matrices, v = rotations.as_matrix(), np.broadcast_to(vectors, (len(rotations), 3))
    return matrices[..., 0] * v[:, None, 0] + matrices[..., 1] * v[:, None, 1] + matrices[..., 2] * v[:, None, 2]


def plane_axes(normal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return two unit directions across a unit normal, right-handed with it."""
    first = np.cross(normal, np.eye(3)[int(np.argmin(np.abs(normal)))])
    first /= np.linalg.norm(first)
    return first, np.cross(normal, first)


def frames(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return rotation matrices [n, 3, 3] whose first two columns are orthogonal unit vectors [n, 3]."""
    return np.stack([first, second, np.cross(first, second)], axis=-1)
