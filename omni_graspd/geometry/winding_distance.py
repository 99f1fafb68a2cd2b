# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Signed distance of points to one link."""

from __future__ import annotations

import numpy as np
import warp as wp

from omni_graspd.geometry.winding_distance_kernels import link_distance_kernel
from omni_graspd.usd.meshes import TriangleMesh


def winding_distances(mesh: TriangleMesh, points: np.ndarray, max_distance: float) -> np.ndarray:
    """Measure points against a link's surface, on the CPU.

    Args:
        mesh: The link's surface in its own frame [m].
        points: Points in that frame [m], shape [point_count, 3].
        max_distance: Surface farther than this is not looked for [m].

    Returns:
        Signed distances [m], negative inside, ``max_distance`` where the link is farther, shape [point_count].
    """
    device = "cpu"
    surface = wp.Mesh(
        points=wp.array(mesh.vertices, dtype=wp.vec3, device=device),
        indices=wp.array(mesh.faces.ravel(), dtype=wp.int32, device=device),
        support_winding_number=True,
    )
    distances = wp.empty(len(points), dtype=float, device=device)
    wp.launch(
        link_distance_kernel,
        dim=len(points),
        inputs=[surface.id, wp.array(points, dtype=wp.vec3, device=device), max_distance],
        outputs=[distances],
        device=device,
    )
    return distances.numpy().astype(np.float64)
