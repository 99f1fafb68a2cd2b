# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Annotations drawn into the picture they belong to: masks, 2D and 3D boxes, and distances as colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from omni_graspd.rendering.annotator_data import AnnotatorData
from omni_graspd.rendering.boxes import box_3d_corners
from omni_graspd.rendering.frame import Frame

if TYPE_CHECKING:
    from PIL import ImageDraw

PALETTE = ((236, 30, 150), (66, 106, 232), (245, 130, 32), (0, 168, 120), (148, 103, 189), (190, 160, 20))
"""sRGB colours of instances, in turn."""

_MASK_OPACITY = 0.3
_SUPERSAMPLING = 3
_NOTHING = (240, 242, 245)
_TURBO = np.array(
    (
        (48, 18, 59),
        (70, 107, 227),
        (40, 187, 236),
        (49, 242, 153),
        (163, 253, 60),
        (237, 208, 58),
        (251, 129, 34),
        (210, 49, 5),
        (122, 4, 3),
    )
)
"""Nine points of the colour map 'turbo', sRGB."""


def draw_annotations(frame: Frame, labels: set[str]) -> np.ndarray:
    """Draw mask, tight 2D box, and 3D box of each labelled prim into the colour image.

    Args:
        frame: A frame with ``rgb``, ``instance_segmentation``, the box channels and ``camera_params``.
        labels: Semantic classes to draw; others (a table) are left out.

    Returns:
        sRGB image, shape [height, width, 3], uint8.
    """
    from PIL import Image, ImageDraw

    tight, solid = frame.channels["bounding_box_2d_tight"], frame.channels["bounding_box_3d"]
    instances = frame.channels["instance_segmentation"]
    colors = _prim_colors(tight, labels)
    picture = frame.channels["rgb"].data[..., :3].astype(np.float64)
    for identifier, path in instances.info["idToLabels"].items():
        if path in colors:
            mask = instances.data == int(identifier)
            picture[mask] = (1.0 - _MASK_OPACITY) * picture[mask] + _MASK_OPACITY * np.array(colors[path])
    image = Image.fromarray(np.rint(picture).astype(np.uint8))
    large = image.resize((image.width * _SUPERSAMPLING, image.height * _SUPERSAMPLING), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(large)
    for row, path in zip(solid.data, solid.info["primPaths"], strict=True):
        if path in colors:
            corners = _project(box_3d_corners(row), frame.channels["camera_params"].info)
            _draw_solid(draw, corners, _lighter(colors[path]))
    for row, path in zip(tight.data, tight.info["primPaths"], strict=True):
        if path in colors:
            # Corners are inclusive pixel indices; the line goes around the outermost pixels.
            low, high = (int(row["x_min"]), int(row["y_min"])), (int(row["x_max"]) + 1, int(row["y_max"]) + 1)
            box = [_SUPERSAMPLING * value for value in (*low, *high)]
            draw.rectangle(box, outline=colors[path], width=2 * _SUPERSAMPLING)
    return np.asarray(large.resize(image.size, Image.Resampling.LANCZOS))


def _prim_colors(boxes: AnnotatorData, labels: set[str]) -> dict[str, tuple[int, int, int]]:
    """Return a colour for each prim whose semantic class is one of ``labels``."""
    names = boxes.info["idToLabels"]
    wanted = [
        path
        for row, path in zip(boxes.data, boxes.info["primPaths"], strict=True)
        if names[str(row["semanticId"])]["class"] in labels
    ]
    return {path: PALETTE[index % len(PALETTE)] for index, path in enumerate(wanted)}


def _project(points: np.ndarray, camera: dict) -> np.ndarray:
    """Project world points [point_count, 3] by Replicator's camera_params to image points [point_count, 2]."""
    view = np.array(camera["cameraViewTransform"]).reshape(4, 4)
    clip = np.c_[points, np.ones(len(points))] @ view @ np.array(camera["cameraProjection"]).reshape(4, 4)
    device = clip[:, :2] / clip[:, 3:]
    return (device * [0.5, -0.5] + 0.5) * camera["renderProductResolution"]


def _draw_solid(draw: ImageDraw.ImageDraw, corners: np.ndarray, color: tuple[int, ...]) -> None:
    points = [tuple(float(value) for value in _SUPERSAMPLING * corner) for corner in corners]
    for start in range(8):
        for axis in range(3):
            end = start | 1 << axis
            if end != start:
                draw.line([points[start], points[end]], fill=color, width=int(1.5 * _SUPERSAMPLING))


def _lighter(color: tuple[int, int, int]) -> tuple[int, ...]:
    return tuple(int(0.45 * value + 0.55 * 255) for value in color)


def color_normals(normals: np.ndarray) -> np.ndarray:
    """Return normals as colours: x, y and z from -1 to 1 are red, green and blue from none to full.

    Args:
        normals: Channel ``normals``, shape [height, width, 4]; the fourth component is 0 where there is nothing.

    Returns:
        sRGB image, shape [height, width, 3], uint8.
    """
    picture = np.rint(127.5 * (np.clip(normals[..., :3], -1.0, 1.0) + 1.0)).astype(np.uint8)
    picture[normals[..., 3] == 0.0] = _NOTHING
    return picture


def color_distances(distances: np.ndarray, limits: tuple[float, float] | None = None) -> np.ndarray:
    """Paint distances: near is red, far is blue, nothing there is light grey.

    Args:
        distances: Distances [m], infinite where there is nothing, shape [height, width].
        limits: Nearest and farthest distance of the colour scale [m]; by default the 1st and 99th percentile.

    Returns:
        sRGB image, shape [height, width, 3], uint8.
    """
    finite = np.isfinite(distances)
    near, far = limits or (tuple(np.quantile(distances[finite], [0.01, 0.99])) if finite.any() else (0.0, 1.0))
    share = np.clip((far - np.where(finite, distances, far)) / max(far - near, 1e-9), 0.0, 1.0)
    position = share * (len(_TURBO) - 1)
    picture = np.stack([np.interp(position, np.arange(len(_TURBO)), channel) for channel in _TURBO.T], axis=-1)
    picture[~finite] = _NOTHING
    return np.rint(picture).astype(np.uint8)
