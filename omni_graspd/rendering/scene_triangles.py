# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What a camera sees at its pixel centres, given which triangle each ray meets: positions, distances, normals.

A renderer only says which triangle a pixel shows. All numbers follow from the triangle's plane in double precision, so
they are equal whatever renderer, variant or machine traced the rays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from omni_graspd.rendering.pinhole_camera import PinholeCamera
from omni_graspd.rendering.surfaces import Surface

_EDGE_ON = 1e-12


@dataclass(frozen=True)
class Hits:
    """What the pixel centres of an image show; arrays of hits are in row-major pixel order."""

    surface: np.ndarray
    """Surface index + 1, 0 where nothing is hit, shape [height, width]."""
    pixels: np.ndarray
    """Flat indices of pixels with a hit, shape [hit_count]."""
    depth: np.ndarray
    """Distance to the image plane [stage unit], shape [hit_count]."""
    distance: np.ndarray
    """Distance to the camera [stage unit], shape [hit_count]."""
    positions: np.ndarray
    """Points in the world, shape [hit_count, 3]."""
    normals: np.ndarray
    """Unit shading normals in the world, shape [hit_count, 3]."""


class SceneTriangles:
    """All triangles of a stage in one list."""

    def __init__(self, surfaces: Sequence[Surface]) -> None:
        """Gather the triangles of all surfaces, in order."""
        counts = [len(surface.corners) for surface in surfaces]
        self._first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        self._corners = _stack([surface.corners for surface in surfaces])
        self._normals = _stack([surface.normals for surface in surfaces])

    def hits(self, camera: PinholeCamera, surface: np.ndarray, triangle: np.ndarray) -> Hits:
        """Compute where the rays through the pixel centres meet the planes of their triangles.

        Args:
            camera: The camera.
            surface: Surface index + 1 by pixel, 0 where nothing is hit, shape [height, width].
            triangle: Index of the triangle within the surface by pixel, shape [height, width].
        """
        pixels = np.flatnonzero(surface)
        faces = self._first[surface.ravel()[pixels] - 1] + triangle.ravel()[pixels]
        seen = np.zeros(len(self._corners), dtype=bool)
        seen[faces] = True
        position_in_seen = np.cumsum(seen) - 1
        local = position_in_seen[faces]
        corners, corner_normals = self._corners[seen], self._normals[seen]

        eye = camera.T_world_camera[:3, 3]
        directions = pixel_directions(camera).reshape(-1, 3)[pixels]
        depth = _plane_depth(corners, local, camera, directions)
        positions = eye + depth[:, None] * directions
        return Hits(
            surface=surface,
            pixels=pixels,
            depth=depth,
            distance=depth * np.sqrt(np.einsum("pk,pk->p", directions, directions)),
            positions=positions,
            normals=_interpolated_normals(corners, corner_normals, local, positions),
        )


def pixel_directions(camera: PinholeCamera) -> np.ndarray:
    """Return the directions through the pixel centres in the world, one unit deep, shape [height, width, 3]."""
    right, up, back = camera.T_world_camera[:3, :3].T
    columns = (np.arange(camera.width) + 0.5 - camera.principal_point[0]) / camera.focal_pixels
    rows = (np.arange(camera.height) + 0.5 - camera.principal_point[1]) / camera.focal_pixels
    return columns[None, :, None] * right - rows[:, None, None] * up - back


def _stack(arrays: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(arrays) if arrays else np.zeros((0, 3, 3))


def _plane_depth(corners: np.ndarray, face: np.ndarray, camera: PinholeCamera, directions: np.ndarray) -> np.ndarray:
    """Return how deep each ray meets the plane of its face, within the depths of the face's corners, shape [hits]."""
    eye, back = camera.T_world_camera[:3, 3], camera.T_world_camera[:3, 2]
    start = corners[:, 0]
    normals = np.cross(corners[:, 1] - start, corners[:, 2] - start)
    height = np.einsum("fk,fk->f", start - eye, normals)
    corner_depth = (eye - corners) @ back
    slope = np.einsum("pk,pk->p", normals[face], directions)
    scale = np.linalg.norm(normals, axis=-1)[face]
    steep = np.abs(slope) > _EDGE_ON * scale
    depth = np.where(steep, height[face] / np.where(steep, slope, 1.0), corner_depth[face, 0])
    # A ray along a triangle's plane may meet the plane anywhere, but it met the triangle.
    return np.clip(depth, corner_depth.min(axis=1)[face], corner_depth.max(axis=1)[face])


def _interpolated_normals(
    corners: np.ndarray, corner_normals: np.ndarray, face: np.ndarray, points: np.ndarray
) -> np.ndarray:
    """Return unit normals at points of faces, from those at the corners, shape [hits, 3]."""
    normals = corner_normals[:, 0][face]
    bent = (corner_normals != corner_normals[:, :1]).any(axis=(1, 2))[face]
    if bent.any():
        normals[bent] = _bent_normals(corners, corner_normals, face[bent], points[bent])
    return normals


def _bent_normals(corners: np.ndarray, corner_normals: np.ndarray, face: np.ndarray, points: np.ndarray) -> np.ndarray:
    start = corners[:, 0]
    one, two = corners[:, 1] - start, corners[:, 2] - start
    area = np.cross(one, two)
    square = np.maximum(np.einsum("fk,fk->f", area, area), 1e-300)[:, None]
    # Gradients of the second and third barycentric coordinate.
    gradients = np.stack([np.cross(two, area), np.cross(area, one)], axis=1) / square[..., None]
    offset = points - start[face]
    weights = np.clip(np.einsum("pck,pk->pc", gradients[face], offset), 0.0, 1.0)
    bends = corner_normals[:, 1:] - corner_normals[:, :1]
    normals = corner_normals[:, 0][face] + np.einsum("pc,pck->pk", weights, bends[face])
    return normals / np.maximum(np.sqrt(np.einsum("pk,pk->p", normals, normals)), 1e-30)[:, None]
