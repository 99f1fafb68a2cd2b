# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The annotator contract: names, dtypes, shapes and side data of every channel, as in Replicator.

Renderers fill it, the writer stores it, tests hold both to it.
Boxes are in pixels, both corners inclusive: a box of one pixel has ``x_min == x_max``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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


@dataclass(frozen=True)
class Annotator:
    """What one channel holds."""

    name: str
    """Replicator's annotator name."""
    dtype: np.dtype
    """Dtype of the array."""
    channels: int | None
    """Last axis of an image [height, width, channels]; 0 for [height, width]; None where the array is no image."""
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
        if self.channels is not None:
            shape = (height, width, self.channels) if self.channels else (height, width)
            if channel.data.shape != shape:
                raise ValueError(f"{self.name}: expected shape {shape}, got {channel.data.shape}")
        missing = [key for key in self.info_keys if key not in channel.info]
        if missing:
            raise ValueError(f"{self.name}: expected info keys {self.info_keys}, missing {missing}")


_BOX_INFO = ("idToLabels", "bboxIds", "primPaths")
_CAMERA_INFO = (
    "cameraAperture",
    "cameraApertureOffset",
    "cameraFStop",
    "cameraFocalLength",
    "cameraFocusDistance",
    "cameraModel",
    "cameraNearFar",
    "cameraProjection",
    "cameraViewTransform",
    "metersPerSceneUnit",
    "renderProductResolution",
)

ANNOTATORS: dict[str, Annotator] = {
    annotator.name: annotator
    for annotator in (
        Annotator("rgb", np.dtype("u1"), 4, None, ()),
        Annotator("distance_to_camera", np.dtype("<f4"), 0, np.inf, ()),
        Annotator("distance_to_image_plane", np.dtype("<f4"), 0, np.inf, ()),
        Annotator("normals", np.dtype("<f4"), 4, 0.0, ()),
        Annotator("semantic_segmentation", np.dtype("<u4"), 0, BACKGROUND_ID, ("idToLabels",)),
        Annotator("instance_segmentation", np.dtype("<u4"), 0, BACKGROUND_ID, ("idToLabels", "idToSemantics")),
        Annotator("bounding_box_2d_tight", BOX_2D_DTYPE, None, None, _BOX_INFO),
        Annotator("bounding_box_2d_loose", BOX_2D_DTYPE, None, None, _BOX_INFO),
        Annotator("bounding_box_3d", BOX_3D_DTYPE, None, None, _BOX_INFO),
        Annotator("camera_params", np.dtype("<f4"), None, None, _CAMERA_INFO),
    )
}
"""All channels of a frame, by name."""
