# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The label channels of a frame, made from what the pixel centres show; written once for all renderers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from omni_graspd.rendering.annotators import ANNOTATORS, OCCLUSION_DTYPE, UNLABELLED_ID
from omni_graspd.rendering.frame import AnnotatorData
from omni_graspd.rendering.instances import Instance
from omni_graspd.rendering.pinhole_camera import PinholeCamera
from omni_graspd.rendering.scene_triangles import Hits


def image_channel(name: str, hits: Hits, values: np.ndarray) -> AnnotatorData:
    """Spread values of hits [hit_count, ...] over an image that is background elsewhere."""
    annotator = ANNOTATORS[name]
    shape = hits.surface.shape if values.ndim == 1 else (*hits.surface.shape, values.shape[-1])
    image = np.full(shape, annotator.background, dtype=annotator.dtype)
    image.reshape(-1, *values.shape[1:])[hits.pixels] = values
    return AnnotatorData(image, {})


def normals_channel(hits: Hits) -> AnnotatorData:
    """Return the shading normals in the world; the fourth component is 1 where there is geometry."""
    return image_channel("normals", hits, np.concatenate([hits.normals, np.ones((len(hits.pixels), 1))], axis=-1))


def disparity_channel(hits: Hits, camera: PinholeCamera, baseline: float) -> AnnotatorData:
    """Return how far a point's image in the left eye lies to the right of that in the right eye.

    Args:
        hits: What the eye sees.
        camera: The eye.
        baseline: Distance between the eyes [stage unit].

    Returns:
        ``focal length * baseline / depth`` [pixel]; 0 where there is no geometry, as infinitely far away.
    """
    return image_channel("stereo_disparity", hits, camera.focal_pixels * baseline / hits.depth)


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
    normals = np.concatenate([hits.normals[kept], np.ones((len(pixels), 1))], axis=-1).astype(np.float32)
    info = {
        "pointRgb": rgb.reshape(-1, 4)[pixels].ravel(),
        "pointNormals": normals.ravel(),
        "pointSemantic": semantic.ravel()[pixels],
        "pointInstance": instance.ravel()[pixels],
    }
    return AnnotatorData(hits.positions[kept].astype(np.float32), info)
