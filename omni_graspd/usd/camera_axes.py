# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The two conventions for the axes of a camera, and the way from one to the other."""

from __future__ import annotations

import numpy as np

_FLIP = np.diag([1.0, -1.0, -1.0, 1.0])


def to_opencv(T_world_camera: np.ndarray) -> np.ndarray:
    """Turn the axes of a camera from USD's, -Z ahead and +Y up, to OpenCV's, +Z ahead and +Y down; or back.

    Files have USD's: scenes, ``images.json``, ``camera_params``. Samples of ``gd.open`` have OpenCV's.

    Args:
        T_world_camera: Poses that map camera to world coordinates, shape [..., 4, 4].

    Returns:
        Poses of the same cameras, shape [..., 4, 4].
    """
    return np.asarray(T_world_camera) @ _FLIP
