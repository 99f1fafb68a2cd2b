# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Where rays first hit a mesh."""

from __future__ import annotations

import numpy as np
import warp as wp

from omni_graspd.geometry.rays_kernels import first_hit_kernel


def first_hits(
    mesh: wp.Mesh, origins: np.ndarray, directions: np.ndarray, reach: float
) -> tuple[np.ndarray, np.ndarray]:
    """Send rays at a mesh.

    Args:
        mesh: The mesh.
        origins: Where rays begin, in its frame [m], shape [..., 3].
        directions: Unit directions, shape [..., 3].
        reach: Surface farther than this is not looked for [m].

    Returns:
        How far rays go until they hit [m], -1 where they do not, shape [...]; and the normals there, zero where they
        do not, shape [..., 3].
    """
    device, shape = str(mesh.device), origins.shape[:-1]
    rays = [
        wp.array(values.reshape(-1, 3).astype(np.float32), dtype=wp.vec3, device=device)
        for values in (origins, directions)
    ]
    distances, normals = wp.empty(len(rays[0]), dtype=float, device=device), wp.empty_like(rays[0])
    inputs = [mesh.id, *rays, reach]
    wp.launch(first_hit_kernel, dim=len(rays[0]), inputs=inputs, outputs=[distances, normals], device=device)
    return distances.numpy().astype(np.float64).reshape(shape), normals.numpy().reshape(*shape, 3).astype(float)
