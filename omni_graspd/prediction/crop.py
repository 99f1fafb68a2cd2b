# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The object in a depth image as points in a frame that makes learning easy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omni_graspd.prediction.depth_image import DepthImage
from omni_graspd.prediction.shape_grid import GridPlace, seen_grid
from omni_graspd.prediction.table_search import placed_image
from omni_graspd.rendering.depth_points import points_before_camera
from omni_graspd.usd.transforms import matrix_to_pose

POINT_COUNT = 256
"""Points of a crop."""


@dataclass(frozen=True, eq=False)
class Crop:
    """Points on the part of an object that a camera sees.

    The crop frame stands on the table: Z is up, z = 0 the table top, x points from the camera to the object, and the
    origin is below the middle of what is seen.
    """

    points: np.ndarray
    """Points on the object [m], shape [point_count, 3], float32."""
    camera: np.ndarray
    """Unit direction from the origin to the camera, shape [3], float32."""
    T_camera_crop: np.ndarray
    """The crop frame before the camera, shape [7]."""
    place: GridPlace
    """Voxels around the object."""
    seen: np.ndarray
    """What the camera knows of them, :func:`~omni_graspd.prediction.shape_grid.seen_grid`."""


def crop_object(image: DepthImage, random: np.random.Generator, count: int = POINT_COUNT) -> Crop:
    """Turn the pixels of an object into points.

    Args:
        image: The image.
        random: Draws the pixels.
        count: How many points; pixels are drawn again where there are too few.

    Raises:
        GraspdError: If too few pixels show the object, or neither pose nor table are known.
    """
    image = placed_image(image)
    assert image.T_world_camera is not None
    T_world_camera = np.asarray(image.T_world_camera, dtype=np.float64)
    before = points_before_camera(np.asarray(image.depth, dtype=np.float64), image.object_pixels(), image.intrinsics)
    seen = before @ T_world_camera[:3, :3].T + T_world_camera[:3, 3]
    T_world_crop = _crop_frame(T_world_camera, np.append(seen[:, :2].mean(axis=0), 0.0))
    again = random.integers(len(seen), size=max(count - len(seen), 0))
    drawn = np.concatenate([random.permutation(len(seen))[:count], again])
    T_crop_camera = np.linalg.inv(T_world_crop) @ T_world_camera
    points = before[drawn] @ T_crop_camera[:3, :3].T + T_crop_camera[:3, 3]
    camera = T_crop_camera[:3, 3] / np.linalg.norm(T_crop_camera[:3, 3])
    T_camera_crop, place = np.linalg.inv(T_crop_camera), GridPlace.around(points)
    return Crop(
        points=points.astype(np.float32),
        camera=camera.astype(np.float32),
        T_camera_crop=matrix_to_pose(T_camera_crop),
        place=place,
        seen=seen_grid(image, place, T_camera_crop),
    )


def _crop_frame(T_world_camera: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """Return T_world_crop, shape [4, 4]."""
    ahead = origin[:2] - T_world_camera[:2, 3]
    if np.linalg.norm(ahead) < 1e-3:
        ahead = -T_world_camera[:2, 1]  # it looks straight down: up in the image is ahead
    x, y = ahead / np.linalg.norm(ahead)
    matrix = np.eye(4)
    matrix[:3, :3] = [[x, -y, 0.0], [y, x, 0.0], [0.0, 0.0, 1.0]]
    matrix[:3, 3] = origin
    return matrix
