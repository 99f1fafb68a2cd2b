# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Points in the world from an image of distances: the point cloud of a view that has none in its files."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from omni_graspd.rendering.annotator_data import UNLABELLED_ID

DEPTHS = ("distance_to_image_plane", "distance_to_camera")
"""Channels from which points are computed, the better one first: the other was rounded after a root was taken."""


def depth_points(channels: Mapping[str, np.ndarray], intrinsics: np.ndarray, T_world_camera: np.ndarray) -> np.ndarray:
    """Compute the points that the pixels of a view show, in row-major order.

    Replicator's ``pointcloud`` has the same points in another order: recordings of Isaac Sim 6.0.1 have them so.

    Args:
        channels: Images by channel, each [height, width]: one of :data:`DEPTHS`, infinite where nothing is hit, and
            ``instance_segmentation`` where it is known. Then points of geometry without a label are left out.
        intrinsics: Matrix [pixel], shape [3, 3]; the origin is the upper left corner of the image.
        T_world_camera: Pose of the camera, looking along +Z with +Y down, shape [4, 4].

    Returns:
        Points in the world, shape [point_count, 3], float32, in the unit of the distances.
    """
    name = next(name for name in DEPTHS if name in channels)
    depths = image_plane_distances(name, channels[name], intrinsics)
    kept = np.isfinite(depths)
    if "instance_segmentation" in channels:
        kept &= channels["instance_segmentation"] > UNLABELLED_ID
    points = points_before_camera(depths, kept, intrinsics)
    return (points @ T_world_camera[:3, :3].T + T_world_camera[:3, 3]).astype(np.float32)


def points_before_camera(depths: np.ndarray, kept: np.ndarray, intrinsics: np.ndarray) -> np.ndarray:
    """Compute the points that pixels show, in the camera's frame, in row-major order.

    Args:
        depths: Distances to the image plane, shape [height, width].
        kept: Which pixels are wanted, bool, same shape.
        intrinsics: Matrix [pixel], shape [3, 3].

    Returns:
        Points in OpenCV's axes, shape [point_count, 3], in the unit of the distances.
    """
    rows, columns = np.nonzero(kept)
    pixels = np.stack([columns + 0.5, rows + 0.5, np.ones(len(rows))], axis=-1)
    return (pixels @ np.linalg.inv(intrinsics).T) * depths[kept][:, None]


def image_plane_distances(name: str, image: np.ndarray, intrinsics: np.ndarray) -> np.ndarray:
    """Return the distance of what each pixel shows along the camera's axis.

    Args:
        name: Which of :data:`DEPTHS` the image holds.
        image: The channel, shape [height, width]; infinite where nothing is hit.
        intrinsics: Matrix [pixel], shape [3, 3].
    """
    distances = np.asarray(image, dtype=np.float64)
    if name == "distance_to_image_plane":
        return distances
    return distances / np.linalg.norm(_rays(distances.shape, intrinsics), axis=-1)


def _rays(shape: tuple[int, ...], intrinsics: np.ndarray) -> np.ndarray:
    """Return the ray through the middle of each pixel, of length 1 along the axis, shape [height, width, 3]."""
    rows, columns = np.indices(shape)
    pixels = np.stack([columns + 0.5, rows + 0.5, np.ones(shape)], axis=-1)
    return pixels @ np.linalg.inv(intrinsics).T
