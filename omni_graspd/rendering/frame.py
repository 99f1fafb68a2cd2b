# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What a renderer is asked and what it answers: one frame of annotator channels per camera."""

from __future__ import annotations

from dataclasses import dataclass

from omni_graspd.errors import GraspdError
from omni_graspd.plain_text import shortened
from omni_graspd.ranges import require_at_least, require_not_negative
from omni_graspd.rendering.annotator_data import AnnotatorData
from omni_graspd.rendering.annotators import ANNOTATORS, DEFAULT_ANNOTATORS


@dataclass(frozen=True)
class Frame:
    """The channels seen by one camera."""

    camera_path: str
    """Prim path of the camera."""
    channels: dict[str, AnnotatorData]
    """Channels by annotator name."""


@dataclass(frozen=True)
class CameraRig:
    """One view: a single camera, or a stereo pair with equal intrinsics."""

    name: str
    """Name of the view, for example ``view_0000``."""
    camera_paths: tuple[str, ...]
    """Camera prims: one for mono; left, then right, for stereo."""
    width: int
    """Image width [pixel]."""
    height: int
    """Image height [pixel]."""


@dataclass(frozen=True, kw_only=True)
class RenderConfig:
    """How images are made."""

    annotators: tuple[str, ...] = DEFAULT_ANNOTATORS
    """Annotators to render; without rgb and pointcloud, nothing is path-traced, which is ten times faster."""
    samples_per_pixel: int = 16
    """Samples per pixel before denoising; 4, 16 and 64 are fastest."""
    max_depth: int = 6
    """Longest light path, in segments."""
    denoise: bool = True
    """Denoise the colour image (on by default)."""
    seed: int = 0
    """Seed of the colour image's noise; in a dataset, combined with the run's seed and the scene."""
    variant: str = "auto"
    """Mitsuba variant: auto, cuda_ad_rgb, llvm_ad_rgb or scalar_rgb."""
    index: bool = False
    """Also write images.json, an index of all images with their files, cameras, scene, view and eye."""
    coco: bool = False
    """Also write coco.json: masks and boxes of all images, in COCO format."""
    writer_threads: int = 2
    """Threads that encode and write images while the next ones are rendered; affects only time and memory."""

    def __post_init__(self) -> None:
        """Check names and ranges; Mitsuba does not survive some values out of them."""
        unknown = [name for name in self.annotators if name not in ANNOTATORS]
        if unknown or not self.annotators:
            got = shortened(", ".join(unknown)) or "none"
            raise GraspdError(f"expected render.annotators among {', '.join(ANNOTATORS)}, got {got}")
        missing = [name for name in ("rgb", "instance_segmentation") if name not in self.annotators]
        if self.coco and missing:
            raise GraspdError(
                "--render.coco needs the annotators rgb and instance_segmentation, but render.annotators has no "
                f"{' and no '.join(missing)}; add them, or drop --render.coco"
            )
        require_at_least(self, "render", 1, "samples_per_pixel", "max_depth", "writer_threads")
        require_not_negative(self, "render", "seed")
