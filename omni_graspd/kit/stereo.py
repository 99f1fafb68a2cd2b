# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Stereo pairs among Replicator's frames: which eye is the left one, and the disparity, which Replicator lacks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.rendering.annotator_data import AnnotatorData
from omni_graspd.rendering.annotators import ANNOTATORS
from omni_graspd.rendering.frame import Frame


def ordered_eyes(eyes: Sequence[Frame]) -> list[Frame]:
    """Return two frames with the left eye first, as far as they have ``camera_params``; others as they are.

    Raises:
        GraspdError: If the two cameras are no stereo pair: turned to each other, or not side by side.
    """
    if len(eyes) != 2 or any("camera_params" not in eye.channels for eye in eyes):
        return list(eyes)
    first, second = (_T_world_camera(eye) for eye in eyes)
    offset = (second[:3, 3] - first[:3, 3]) @ first[:3, :3]
    length = float(np.linalg.norm(offset))
    if not np.allclose(first[:3, :3], second[:3, :3], atol=1e-4) or abs(offset[0]) < 0.99 * length or length == 0.0:
        raise GraspdError(
            "expected the two render products to be a stereo pair (same orientation, side by side), got "
            f"{eyes[0].camera_path} and {eyes[1].camera_path}; attach one writer to each of two unrelated cameras"
        )
    return list(eyes) if offset[0] > 0 else list(reversed(eyes))


def with_disparity(eyes: Sequence[Frame]) -> list[Frame]:
    """Return the eyes of a pair with ``stereo_disparity``: focal length * baseline / depth [pixel], 0 without geometry.

    Args:
        eyes: Left and right, with ``distance_to_image_plane`` and ``camera_params``.
    """
    left, right = (_T_world_camera(eye)[:3, 3] for eye in eyes)
    baseline = float(np.linalg.norm(right - left))
    return [Frame(eye.camera_path, eye.channels | {"stereo_disparity": _disparity(eye, baseline)}) for eye in eyes]


def _disparity(eye: Frame, baseline: float) -> AnnotatorData:
    depth = eye.channels["distance_to_image_plane"].data.astype(np.float64)
    params = eye.channels["camera_params"].info
    focal_pixels = params["cameraFocalLength"] / params["cameraAperture"][0] * depth.shape[1]
    annotator = ANNOTATORS["stereo_disparity"]
    image = np.full(depth.shape, annotator.background, annotator.dtype)
    seen = np.isfinite(depth) & (depth > 0.0)
    image[seen] = focal_pixels * baseline / depth[seen]
    return AnnotatorData(image, {})


def _T_world_camera(eye: Frame) -> np.ndarray:
    # Replicator's view matrix maps world to camera and acts on row vectors.
    view = np.asarray(eye.channels["camera_params"].info["cameraViewTransform"], dtype=np.float64).reshape(4, 4)
    return np.linalg.inv(view).T
