# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The table in a depth image whose camera pose is not known, and the object that stands on it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.prediction.depth_image import DepthImage
from omni_graspd.rendering.depth_points import points_before_camera
from omni_graspd.seeding import random_generator

_TRIES, _MOST_POINTS = 256, 4096
_ON_TABLE = 0.005
"""What is this close to the plane is the table [m]."""
_FEWEST = 0.25
"""Share of the points beside the object that must lie on the plane."""
_STANDS = 0.008
"""What is higher than this over the table stands on it [m]."""


def placed_image(image: DepthImage) -> DepthImage:
    """Return an image with what it lacks: the camera over the table it sees, and the mask of what stands there.

    Args:
        image: The image.

    Raises:
        GraspdError: If no table, or nothing on it, is seen.
    """
    if image.T_world_camera is None:
        image = replace(image, T_world_camera=find_table(image))
    if image.mask is None:
        image = replace(image, mask=_standing(image))
    return image


def find_table(image: DepthImage) -> np.ndarray:
    """Find the plane on which most pixels beside the object lie.

    Planes through three random points are tried, the same ones for the same image; the best is fitted to its points.

    Args:
        image: The image; its mask, if it has one, is left out.

    Returns:
        T_table_camera, shape [4, 4]: the table top is z = 0, Z points to the camera's side, and the camera is over the
        origin.

    Raises:
        GraspdError: If there is no such plane.
    """
    beside = image.measured if image.mask is None else image.measured & ~np.asarray(image.mask, dtype=bool)
    points = points_before_camera(np.asarray(image.depth, dtype=np.float64), beside, image.intrinsics)
    random = random_generator(0, "table plane")
    if len(points) > _MOST_POINTS:
        points = points[random.choice(len(points), _MOST_POINTS, replace=False)]
    on_plane = _best_plane(points, random) if len(points) >= 3 else np.zeros(len(points), dtype=bool)
    if len(points) < 3 or on_plane.mean() < _FEWEST:
        raise GraspdError(
            "expected to see the table around the object, got no plane on which a quarter of the pixels lie; pass the "
            "camera's pose as T_world_camera"
        )
    center = points[on_plane].mean(axis=0)
    normal = np.linalg.svd(points[on_plane] - center, full_matrices=False)[2][2]
    normal = -normal if normal @ center > 0.0 else normal
    return _upright(normal, float(-normal @ center))


def _best_plane(points: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return which points lie on the plane through three of them that has most of them."""
    corners = points[random.integers(len(points), size=(_TRIES, 3))]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    normals = np.divide(normals, lengths, out=np.zeros_like(normals), where=lengths > 1e-9)
    offsets = (normals * corners[:, 0]).sum(axis=1)
    near = np.abs(points @ normals.T - offsets) < _ON_TABLE
    near[:, lengths[:, 0] <= 1e-9] = False
    return near[:, int(near.sum(axis=0).argmax())]


def _upright(normal: np.ndarray, height: float) -> np.ndarray:
    """Return the pose of a camera over a table whose normal it sees, its own x axis kept as far as possible."""
    ahead = np.array([1.0, 0.0, 0.0]) if abs(normal[0]) < 0.9 else np.array([0.0, 1.0, 0.0])
    x = ahead - (ahead @ normal) * normal
    x /= np.linalg.norm(x)
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([x, np.cross(normal, x), normal])
    matrix[2, 3] = height
    return matrix


def _standing(image: DepthImage) -> np.ndarray:
    """Return the mask of what stands on the table: of connected pixels over it those nearest the image's middle."""
    from scipy import ndimage

    assert image.T_world_camera is not None
    measured, mask = image.measured, np.zeros(np.shape(image.depth), dtype=bool)
    points = points_before_camera(np.asarray(image.depth, dtype=np.float64), measured, image.intrinsics)
    mask[measured] = points @ image.T_world_camera[2, :3] + image.T_world_camera[2, 3] > _STANDS
    regions = np.zeros(mask.shape, dtype=np.int32)
    count = int(ndimage.label(mask, output=regions))  # pyright: ignore[reportArgumentType]
    middle = 0.5 * np.array(mask.shape)
    best, score = 0, 0.0
    for number in range(1, count + 1):
        rows, columns = np.nonzero(regions == number)
        away = np.linalg.norm((np.array([rows.mean(), columns.mean()]) - middle) / middle)
        if len(rows) / (1.0 + 4.0 * away**2) > score:
            best, score = number, len(rows) / (1.0 + 4.0 * away**2)
    if not best:
        raise GraspdError("expected an object on the table in the image, got none; pass a mask")
    return regions == best
