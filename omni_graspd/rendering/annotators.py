# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The annotator contract: names, dtypes, shapes and side data of every channel, as in Replicator.

Each channel is declared once: renderers make it, the writer stores it, datasets describe it, and tests hold all to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from omni_graspd.rendering.annotator_data import (
    BACKGROUND_ID,
    BOX_2D_DTYPE,
    BOX_3D_DTYPE,
    OCCLUSION_DTYPE,
    AnnotatorData,
)
from omni_graspd.rendering.channel_files import (
    ArrayFile,
    BoxFiles,
    ChannelFiles,
    ColourFile,
    InfoFile,
    NormalFile,
    PointFiles,
    SegmentationFiles,
)
from omni_graspd.rendering.instances import instance_info, semantic_info
from omni_graspd.rendering.label_channels import (
    SeenView,
    disparity_values,
    normal_values,
    occlusion_channel,
    pixel_image,
    pointcloud_channel,
)

_IMAGE = ("height", "width")
_ROWS = ("count",)


@dataclass(frozen=True, kw_only=True)
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
    files: ChannelFiles
    """How it is written and read."""
    make: Callable[[SeenView], AnnotatorData] | None = None
    """Makes it of what a camera sees; None for images with :attr:`values`."""
    values: Callable[[SeenView], np.ndarray] | None = None
    """Returns the values of the pixels that show geometry, shape [hit_count, ...]."""
    info_keys: tuple[str, ...] = ()
    """Keys of the side data."""
    init_params: dict[str, Any] = field(default_factory=dict)
    """What Replicator's annotator is told so that it delivers this."""
    is_traced: bool = False
    """Whether paths are traced for it: it has colours."""
    is_stereo: bool = False
    """Whether only the eyes of a stereo pair have it; Replicator has none of these."""
    is_default: bool = True
    """Whether it is rendered unless other channels are asked for."""
    network_input: str = ""
    """What the card of a dataset calls it as input of a network; empty where it is none."""

    @property
    def is_image(self) -> bool:
        """Whether it has a value for each pixel."""
        return self.shape[:2] == _IMAGE

    def channel(self, view: SeenView) -> AnnotatorData:
        """Make the channel of what a camera sees."""
        if self.make is not None:
            return self.make(view)
        if self.values is None:
            raise ValueError(f"annotator {self.name} declares neither make nor values; declare one of them")
        return AnnotatorData(pixel_image(view.hits, self.values(view), self.background, self.dtype), {})

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
            raise ValueError(f"{self.name}: expected info keys {self.info_keys}, {missing} missing")


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

_IDS = {"colorize": False, "semanticTypes": ["class"]}
_CLASSES = {"semanticTypes": ["class"]}
_FLOAT = np.dtype("<f4")
_ID = np.dtype("<u4")


def _boxes(name: str, dtype: np.dtype, network_input: str) -> Annotator:
    return Annotator(
        name=name,
        dtype=dtype,
        shape=_ROWS,
        background=None,
        files=BoxFiles(),
        make=lambda view: view.boxes[name],
        info_keys=_BOX_INFO,
        init_params=_CLASSES,
        network_input=network_input,
    )


ANNOTATORS: dict[str, Annotator] = {
    annotator.name: annotator
    for annotator in (
        Annotator(
            name="rgb",
            dtype=np.dtype("u1"),
            shape=(*_IMAGE, 4),
            background=None,
            files=ColourFile(),
            make=lambda view: AnnotatorData(view.rgb, {}),
            is_traced=True,
            network_input="RGB",
        ),
        Annotator(
            name="distance_to_camera",
            dtype=_FLOAT,
            shape=_IMAGE,
            background=np.inf,
            files=ArrayFile(),
            values=lambda view: view.hits.distance,
            network_input="depth",
        ),
        Annotator(
            name="distance_to_image_plane",
            dtype=_FLOAT,
            shape=_IMAGE,
            background=np.inf,
            files=ArrayFile(),
            values=lambda view: view.hits.depth,
            network_input="depth",
        ),
        Annotator(
            name="normals",
            dtype=_FLOAT,
            shape=(*_IMAGE, 4),
            background=0.0,
            files=NormalFile(),
            values=lambda view: normal_values(view.hits),
            network_input="normals",
        ),
        Annotator(
            name="semantic_segmentation",
            dtype=_ID,
            shape=_IMAGE,
            background=BACKGROUND_ID,
            files=SegmentationFiles({"idToLabels": "labels"}),
            make=lambda view: AnnotatorData(view.semantic_image, semantic_info(view.instances)),
            info_keys=("idToLabels",),
            init_params=_IDS,
            network_input="segmentation",
        ),
        Annotator(
            name="instance_segmentation",
            dtype=_ID,
            shape=_IMAGE,
            background=BACKGROUND_ID,
            files=SegmentationFiles({"idToLabels": "mapping", "idToSemantics": "semantics_mapping"}),
            make=lambda view: AnnotatorData(view.instance_image, instance_info(view.instances)),
            info_keys=("idToLabels", "idToSemantics"),
            init_params=_IDS,
            network_input="segmentation",
        ),
        _boxes("bounding_box_2d_tight", BOX_2D_DTYPE, "2D boxes"),
        _boxes("bounding_box_2d_loose", BOX_2D_DTYPE, "2D boxes"),
        _boxes("bounding_box_3d", BOX_3D_DTYPE, "3D boxes"),
        Annotator(
            name="occlusion",
            dtype=OCCLUSION_DTYPE,
            shape=_ROWS,
            background=None,
            files=ArrayFile(),
            make=lambda view: occlusion_channel(view.instances, view.occlusion),
        ),
        Annotator(
            name="camera_params",
            dtype=_FLOAT,
            shape=(0,),
            background=None,
            files=InfoFile(),
            make=lambda view: AnnotatorData(np.zeros(0, dtype=np.float32), view.camera.camera_params()),
            info_keys=_CAMERA_INFO,
        ),
        Annotator(
            name="pointcloud",
            dtype=_FLOAT,
            shape=(*_ROWS, 3),
            background=None,
            files=PointFiles(),
            make=lambda view: pointcloud_channel(view.hits, view.rgb, view.semantic_image, view.instance_image),
            info_keys=_POINT_INFO,
            is_traced=True,
            is_default=False,  # it repeats what the images hold
            network_input="point cloud",
        ),
        Annotator(
            name="stereo_disparity",
            dtype=_FLOAT,
            shape=_IMAGE,
            background=0.0,
            files=ArrayFile(),
            values=lambda view: disparity_values(view.hits, view.camera, view.baseline or 0.0),
            is_stereo=True,
            network_input="disparity",
        ),
    )
}
"""All channels of a frame, by name. All but ``stereo_disparity`` are Replicator's."""

STEREO_ANNOTATORS = tuple(name for name, annotator in ANNOTATORS.items() if annotator.is_stereo)
"""Channels that only the eyes of a stereo pair have."""
TRACED_ANNOTATORS = tuple(name for name, annotator in ANNOTATORS.items() if annotator.is_traced)
"""Channels for which paths are traced."""
DEFAULT_ANNOTATORS = tuple(name for name, annotator in ANNOTATORS.items() if annotator.is_default)
"""What is rendered unless other channels are asked for."""
LABEL_ANNOTATORS = tuple(name for name in DEFAULT_ANNOTATORS if name not in TRACED_ANNOTATORS)
"""What takes no path tracing: all default channels but the colour image."""
