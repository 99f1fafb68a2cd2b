# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The label channels of a frame, made from what the pixel centres show; written once for all renderers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from omni_graspd.rendering.annotator_data import OCCLUSION_DTYPE, UNLABELLED_ID, AnnotatorData
from omni_graspd.rendering.boxes import PixelBox, box_channels

if TYPE_CHECKING:
    # Channels are read without USD, which these need to be made.
    from omni_graspd.rendering.instances import Instance
    from omni_graspd.rendering.pinhole_camera import PinholeCamera
    from omni_graspd.rendering.scene_triangles import Hits


@dataclass(frozen=True, eq=False)
class SeenView:
    """What a camera sees, as far as channels are made of it."""

    camera: PinholeCamera
    """The camera."""
    hits: Hits
    """What the centres of the pixels show."""
    instances: Sequence[Instance]
    """All labelled prims of the stage."""
    instance_image: np.ndarray
    """Instance ids, shape [height, width]."""
    semantic_image: np.ndarray
    """Semantic ids, shape [height, width]."""
    picture: np.ndarray | None
    """Colour image, shape [height, width, 4]; None where no channel asks for colours."""
    baseline: float | None
    """Distance between the eyes of a stereo pair [stage unit]; None for a single camera."""
    trace_boxes: Callable[[], tuple[dict[int, PixelBox], dict[int, float]]]
    """Returns projected box and occlusion ratio by instance id."""

    @property
    def rgb(self) -> np.ndarray:
        """The colour image, shape [height, width, 4]."""
        if self.picture is None:
            raise ValueError("there is no colour image; declare the channels that need one as traced")
        return self.picture

    @cached_property
    def _traced(self) -> tuple[dict[int, PixelBox], dict[int, float]]:
        return self.trace_boxes()

    @property
    def occlusion(self) -> dict[int, float]:
        """Occlusion ratio by instance id; prims outside the image have none."""
        return self._traced[1]

    @cached_property
    def boxes(self) -> dict[str, AnnotatorData]:
        """The channels of boxes, by name."""
        return box_channels(self.instances, self.camera, self.instance_image, *self._traced)


def pixel_image(hits: Hits, values: np.ndarray, background: float | None, dtype: np.dtype) -> np.ndarray:
    """Spread values of hits [hit_count, ...] over an image that is background elsewhere."""
    shape = hits.surface.shape if values.ndim == 1 else (*hits.surface.shape, values.shape[-1])
    image = np.full(shape, background, dtype=dtype)
    image.reshape(-1, *values.shape[1:])[hits.pixels] = values
    return image


def normal_values(hits: Hits) -> np.ndarray:
    """Return the shading normals in the world, and 1 where there is geometry, shape [hit_count, 4]."""
    return np.concatenate([hits.normals, np.ones((len(hits.pixels), 1))], axis=-1)


def disparity_values(hits: Hits, camera: PinholeCamera, baseline: float) -> np.ndarray:
    """Return how far a point's image in the left eye lies to the right of that in the right eye.

    Args:
        hits: What the eye sees.
        camera: The eye.
        baseline: Distance between the eyes [stage unit].

    Returns:
        ``focal length * baseline / depth`` [pixel], shape [hit_count]; the background's 0 is that of infinity.
    """
    return camera.focal_pixels * baseline / hits.depth


def occlusion_channel(instances: Sequence[Instance], occlusion: Mapping[int, float]) -> AnnotatorData:
    """Return the occlusion ratio of every labelled prim whose projection meets the image.

    Args:
        instances: All labelled prims of the stage.
        occlusion: Ratio by instance id; prims outside the image have none.
    """
    rows = [(i.instance_id, i.semantic_id, occlusion[i.instance_id]) for i in instances if i.instance_id in occlusion]
    return AnnotatorData(np.array(rows, OCCLUSION_DTYPE), {})


def pointcloud_channel(hits: Hits, rgb: np.ndarray, semantic: np.ndarray, instance: np.ndarray) -> AnnotatorData:
    """Return the points of labelled prims in the world, in row-major pixel order.

    Args:
        hits: What the camera sees.
        rgb: Colour image, shape [height, width, 4].
        semantic: Semantic ids, shape [height, width].
        instance: Instance ids, shape [height, width].
    """
    kept = instance.ravel()[hits.pixels] > UNLABELLED_ID
    pixels = hits.pixels[kept]
    normals = normal_values(hits)[kept].astype(np.float32)
    info = {
        "pointRgb": rgb.reshape(-1, 4)[pixels].ravel(),
        "pointNormals": normals.ravel(),
        "pointSemantic": semantic.ravel()[pixels],
        "pointInstance": instance.ravel()[pixels],
    }
    return AnnotatorData(hits.positions[kept].astype(np.float32), info)
