# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Graspness: the share of the grasps that touch an object near a point of its surface."""

from __future__ import annotations

import numpy as np
import warp as wp

from omni_graspd.dataset.labels.graspness_kernels import graspness_kernel
from omni_graspd.dataset.labels.touched_points import TouchedPoints


def graspness(
    points: np.ndarray, touched: TouchedPoints, grasp_count: int, radius: float, device: str = "cpu"
) -> tuple[np.ndarray, np.ndarray]:
    """Label points of an object by the grasps that touch it.

    Args:
        points: Points on the object, in its frame [m], shape [point_count, 3].
        touched: Where the grasps touch it.
        grasp_count: How many grasps there are.
        radius: A grasp counts for the points that are no farther than this from one of its contacts [m].
        device: Warp device.

    Returns:
        The share of the grasps that count for each point, from 0 to 1, float32, and the row of the grasp with the
        nearest contact, -1 if nothing touches the object, int32; each of shape [point_count].
    """
    count = wp.zeros(len(points), dtype=int, device=device)
    nearest = wp.zeros(len(points), dtype=int, device=device)
    inputs = [
        wp.array(np.asarray(points, dtype=np.float32), dtype=wp.vec3, device=device),
        wp.array(touched.positions.astype(np.float32), dtype=wp.vec3, device=device),
        wp.array(touched.grasp.astype(np.int32), dtype=int, device=device),
        radius,
    ]
    wp.launch(graspness_kernel, dim=len(points), inputs=inputs, outputs=[count, nearest], device=device)
    return (count.numpy() / np.float32(max(grasp_count, 1))).astype(np.float32), nearest.numpy()
