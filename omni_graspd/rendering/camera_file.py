# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Cameras from the files of ``camera_params``, checked: datasets of strangers may say anything there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.plain_text import shortened

_LARGEST_SIDE = 1 << 16
_ROTATION_TOLERANCE = 1e-3


@dataclass(frozen=True)
class CameraFile:
    """Where a pinhole camera stands and what it sees."""

    T_world_camera: np.ndarray
    """Pose, shape [4, 4]; the camera looks along its -Z with +Y up, as in USD."""
    intrinsics: np.ndarray
    """Matrix [pixel], shape [3, 3]; the origin is the upper left corner of the image."""


def read_camera_file(path: Path) -> CameraFile:
    """Read a file that a renderer wrote for ``camera_params``.

    Raises:
        GraspdError: If it is missing, damaged, or says what no camera can be.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError(f"a {type(content).__name__}")
        return CameraFile(_pose(content), _intrinsics(content))
    except (OSError, ValueError, RecursionError) as error:
        raise GraspdError(
            f"cannot read the camera parameters {path}: {shortened(str(error), 160)}; copy the file again or render "
            "the view again"
        ) from error


def _pose(content: dict[str, Any]) -> np.ndarray:
    # Replicator's matrices are for row vectors.
    view = _numbers(content, "cameraViewTransform", 16).reshape(4, 4).T
    skew = np.abs(view[:3, :3] @ view[:3, :3].T - np.eye(3)).max()
    if not skew < _ROTATION_TOLERANCE or np.abs(view[3] - [0.0, 0.0, 0.0, 1.0]).max() > _ROTATION_TOLERANCE:
        raise ValueError("a cameraViewTransform that is no rigid transform")
    return np.linalg.inv(view)


def _intrinsics(content: dict[str, Any]) -> np.ndarray:
    width, height = _numbers(content, "renderProductResolution", 2)
    if not (1 <= width <= _LARGEST_SIDE and 1 <= height <= _LARGEST_SIDE):
        raise ValueError(f"an image of {width:g} x {height:g} pixels")
    focal, aperture = _numbers(content, "cameraFocalLength", 1)[0], _numbers(content, "cameraAperture", 2)
    if not focal > 0.0 or not (aperture > 0.0).all():
        raise ValueError("a cameraFocalLength or cameraAperture that is not above 0")
    offset = _numbers(content, "cameraApertureOffset", 2)
    # Pixels are square: Kit hands the vertical aperture on as it is authored, and does not render with it.
    per_pixel = aperture[0] / width
    center = 0.5 * width - offset[0] / per_pixel, 0.5 * height + offset[1] / per_pixel
    return np.array([[focal / per_pixel, 0.0, center[0]], [0.0, focal / per_pixel, center[1]], [0.0, 0.0, 1.0]])


def _numbers(content: dict[str, Any], key: str, count: int) -> np.ndarray:
    """Return so many finite numbers, shape [count]."""
    if key not in content:
        raise ValueError(f"no {key}")
    values = content[key] if count > 1 else [content[key]]
    is_plain = isinstance(values, list) and len(values) == count and all(type(v) in (int, float) for v in values)
    if not is_plain or not all(abs(value) < 1e12 for value in values):
        raise ValueError(f"a {key} that is not {count} finite numbers")
    return np.array(values, dtype=np.float64)
