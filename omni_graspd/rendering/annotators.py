# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The annotator contract: names, dtypes, shapes and side data of every channel, as in Replicator.

Renderers fill it, the writer stores it, tests hold both to it.
Boxes are in pixels, both corners inclusive: a box of one pixel has ``x_min == x_max``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from omni_graspd.rendering.frame import AnnotatorData

BACKGROUND_ID = 0
"""Semantic and instance id of pixels that show no geometry."""
UNLABELLED_ID = 1
"""Semantic and instance id of geometry without a semantic class."""
FIRST_LABEL_ID = 2
"""Semantic and instance ids of labelled prims count up from here, in stage order."""

BOX_2D_DTYPE = np.dtype(
    [
        ("semanticId", "<u4"),
        *((name, "<i4") for name in ("x_min", "y_min", "x_max", "y_max")),
        ("occlusionRatio", "<f4"),
    ]
)
"""One row of a 2D box channel. ``occlusionRatio`` is 1 - visible / unoccluded pixels inside the image."""
BOX_3D_DTYPE = np.dtype(
    [
        ("semanticId", "<u4"),
        *((name, "<f4") for name in ("x_min", "y_min", "z_min", "x_max", "y_max", "z_max")),
        ("transform", "<f4", (4, 4)),
        ("occlusionRatio", "<f4"),
    ]
)
"""One row of the 3D box channel: extent in the prim's frame; ``transform`` is its local-to-world row-vector matrix."""
OCCLUSION_DTYPE = np.dtype([("instanceId", "<u4"), ("semanticId", "<u4"), ("occlusionRatio", "<f4")])
"""One row of the occlusion channel."""


@dataclass(frozen=True)
class Annotator:
    """What one channel holds."""

    name: str
    """Replicator's annotator name."""
    dtype: np.dtype
    """Dtype of the array."""
    shape: tuple[str | int, ...]
    """Axes of the array; ``height``, ``width`` and ``count`` (any number of rows) stand for numbers."""
    background: float | None
    """Value of pixels that show no geometry; None where there is no fixed one."""
    info_keys: tuple[str, ...]
    """Keys of the side data."""

    def check(self, channel: AnnotatorData, width: int, height: int) -> None:
        """Check a channel against the contract.

        Args:
            channel: What a renderer made.
            width: Image width [pixel].
            height: Image height [pixel].

        Raises:
            ValueError: If dtype, shape or side data differ.
        """
        if channel.data.dtype != self.dtype:
            raise ValueError(f"{self.name}: expected dtype {self.dtype}, got {channel.data.dtype}")
        sizes = {"height": height, "width": width, "count": len(channel.data)}
        shape = tuple(sizes[axis] if isinstance(axis, str) else axis for axis in self.shape)
        if channel.data.shape != shape:
            raise ValueError(f"{self.name}: expected shape {shape}, got {channel.data.shape}")
        missing = [key for key in self.info_keys if key not in channel.info]
        if missing:
            raise ValueError(f"{self.name}: expected info keys {self.info_keys}, missing {missing}")


_IMAGE = ("height", "width")
_ROWS = ("count",)
_BOX_INFO = ("idToLabels", "bboxIds", "primPaths")
_CAMERA_INFO = (
    "cameraAperture",
    "cameraApertureOffset",
    "cameraFStop",
    "cameraFisheyeLensP",
    "cameraFisheyeLensS",
    "cameraFisheyeMaxFOV",
    "cameraFisheyeNominalHeight",
    "cameraFisheyeNominalWidth",
    "cameraFisheyeOpticalCentre",
    "cameraFisheyePolynomial",
    "cameraFocalLength",
    "cameraFocusDistance",
    "cameraModel",
    "cameraNearFar",
    "cameraProjection",
    "cameraViewTransform",
    "metersPerSceneUnit",
    "renderProductResolution",
)
_POINT_INFO = ("pointRgb", "pointNormals", "pointSemantic", "pointInstance")

ANNOTATORS: dict[str, Annotator] = {
    annotator.name: annotator
    for annotator in (
        Annotator("rgb", np.dtype("u1"), (*_IMAGE, 4), None, ()),
        Annotator("distance_to_camera", np.dtype("<f4"), _IMAGE, np.inf, ()),
        Annotator("distance_to_image_plane", np.dtype("<f4"), _IMAGE, np.inf, ()),
        Annotator("normals", np.dtype("<f4"), (*_IMAGE, 4), 0.0, ()),
        Annotator("semantic_segmentation", np.dtype("<u4"), _IMAGE, BACKGROUND_ID, ("idToLabels",)),
        Annotator("instance_segmentation", np.dtype("<u4"), _IMAGE, BACKGROUND_ID, ("idToLabels", "idToSemantics")),
        Annotator("bounding_box_2d_tight", BOX_2D_DTYPE, _ROWS, None, _BOX_INFO),
        Annotator("bounding_box_2d_loose", BOX_2D_DTYPE, _ROWS, None, _BOX_INFO),
        Annotator("bounding_box_3d", BOX_3D_DTYPE, _ROWS, None, _BOX_INFO),
        Annotator("occlusion", OCCLUSION_DTYPE, _ROWS, None, ()),
        Annotator("camera_params", np.dtype("<f4"), (0,), None, _CAMERA_INFO),
        Annotator("pointcloud", np.dtype("<f4"), (*_ROWS, 3), None, _POINT_INFO),
        Annotator("stereo_disparity", np.dtype("<f4"), _IMAGE, 0.0, ()),
    )
}
"""All channels of a frame, by name. All but ``stereo_disparity`` are Replicator's."""

STEREO_ANNOTATORS = ("stereo_disparity",)
"""Channels that only the eyes of a stereo pair have."""
DEFAULT_ANNOTATORS = tuple(name for name in ANNOTATORS if name != "pointcloud")
"""What is rendered unless other channels are asked for; a point cloud repeats what the images hold."""
LABEL_ANNOTATORS = tuple(name for name in DEFAULT_ANNOTATORS if name != "rgb")
"""What takes no path tracing: all default channels but the colour image."""
