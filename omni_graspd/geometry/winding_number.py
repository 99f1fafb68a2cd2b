# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Winding numbers: 1 inside a closed surface that points out, 0 outside, -1 inside one that points in."""

from __future__ import annotations

import numpy as np
import warp as wp

from omni_graspd.geometry.winding_number_kernels import winding_number_kernel
from omni_graspd.usd.meshes import TriangleMesh


def winding_numbers(mesh: TriangleMesh, points: np.ndarray) -> np.ndarray:
    """Compute how often a surface goes around each point, on the CPU, exactly (sum over all faces).

    Args:
        mesh: The surface; open ones give fractions.
        points: Points in its frame, shape [point_count, 3].

    Returns:
        Winding numbers, shape [point_count].
    """
    device = "cpu"
    # The numbers do not depend on scale; near 1 single precision serves best.
    scale = 1.0 / max(float(np.ptp(mesh.vertices, axis=0).max(initial=0.0)), 1e-12)
    numbers = wp.empty(len(points), dtype=float, device=device)
    wp.launch(
        winding_number_kernel,
        dim=len(points),
        inputs=[
            wp.array(mesh.vertices * scale, dtype=wp.vec3, device=device),
            wp.array(mesh.faces, dtype=int, ndim=2, device=device),
            wp.array(np.asarray(points) * scale, dtype=wp.vec3, device=device),
        ],
        outputs=[numbers],
        device=device,
    )
    return numbers.numpy().astype(np.float64)
