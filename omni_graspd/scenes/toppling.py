# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Quasi-static toppling: how a convex body tips from face to face until its centre of mass is over the one it lies on.

A simulation may leave a round body balanced on an edge or a corner. Toppling lets it down onto the face that is next.
"""

from __future__ import annotations

import numpy as np

EDGE_MARGIN = 2e-4
"""A body whose centre of mass is nearer than this to being over an edge of its face tips over it [m]."""


def toppled_pose(vertices: np.ndarray, center_of_mass: np.ndarray, T_world_object: np.ndarray) -> np.ndarray:
    """Turn a body that was left on a horizontal plane onto the face on which it comes to lie.

    Args:
        vertices: Points whose convex hull is the body, in the object frame [m], shape [vertex_count, 3].
        center_of_mass: In the object frame [m], shape [3].
        T_world_object: Pose with gravity along -Z, shape [7].

    Returns:
        The pose turned by the smallest rotation about the centre of mass that lays the face down, shape [7].
    """
    from scipy.spatial.transform import Rotation

    rotation = Rotation.from_quat(T_world_object[3:])
    down = np.array([0.0, 0.0, -1.0])
    face = rotation.apply(resting_direction(vertices, center_of_mass, rotation.inv().apply(down)))
    axis = np.cross(face, down)
    sine = float(np.linalg.norm(axis))
    turn = Rotation.from_rotvec(axis * (np.arctan2(sine, face @ down) / sine if sine > 0.0 else 0.0))
    turned = (turn * rotation).as_quat()
    middle = T_world_object[:3] + rotation.apply(center_of_mass)
    return np.concatenate([middle - (turn * rotation).apply(center_of_mass), turned])


def resting_direction(vertices: np.ndarray, center_of_mass: np.ndarray, down: np.ndarray) -> np.ndarray:
    """Topple a body until it rests and return the outward normal of the face it then lies on.

    It lies down on the face that the plumb line from the centre of mass leaves through. If the plumb line to that face
    leaves through another one, or comes too close to an edge of a face that is nearer, it tips on. The centre of mass
    gets lower each time, so this ends (Goldberg et al., "Part pose statistics", 1999).

    Args:
        vertices: Points whose convex hull is the body [m], shape [vertex_count, 3].
        center_of_mass: Inside the hull [m], shape [3].
        down: Direction of gravity in the object frame at the start, shape [3].

    Returns:
        Unit vector, shape [3].
    """
    from scipy.spatial import ConvexHull

    equations = ConvexHull(np.asarray(vertices) - center_of_mass).equations
    normals, heights = equations[:, :3], -equations[:, 3]
    face = _left_through(normals, heights, down)
    while True:
        following = _left_through(normals, heights, normals[face])
        if heights[following] >= heights[face] - 1e-9:
            following = _nearest_edge(normals, heights, face)
        if following is None:
            return normals[face]
        face = following


def _left_through(normals: np.ndarray, heights: np.ndarray, direction: np.ndarray) -> int:
    """Return the face through which a ray from the centre of mass leaves the hull."""
    slopes = normals @ direction
    return int(np.argmin(np.where(slopes > 1e-9, heights / np.maximum(slopes, 1e-9), np.inf)))


def _nearest_edge(normals: np.ndarray, heights: np.ndarray, face: int) -> int | None:
    """Return the nearest face beyond an edge within the margin, if the centre of mass is lower over it."""
    cosines = normals @ normals[face]
    sines = np.sqrt(np.maximum(1.0 - cosines**2, 0.0))
    distances = np.where(sines > 1e-4, (heights - heights[face] * cosines) / np.maximum(sines, 1e-4), np.inf)
    close = (distances < EDGE_MARGIN) & (heights < heights[face] - 1e-9)
    return int(np.argmin(np.where(close, distances, np.inf))) if close.any() else None
