# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How much of the outside is seen from points of a surface."""

from __future__ import annotations

import numpy as np
import warp as wp

from omni_graspd.geometry.sphere_directions import sphere_directions
from omni_graspd.geometry.surface_rays_kernels import sky_share_kernel
from omni_graspd.usd.meshes import TriangleMesh

_RAYS = 96
_STEP = 1e-5
"""Rays begin this far from the surface [m]."""


def sky_shares(mesh: TriangleMesh, points: np.ndarray, normals: np.ndarray, *, ray_count: int = _RAYS) -> np.ndarray:
    """Measure which share of the half space above points of a surface is free of the surface itself, on the CPU.

    Args:
        mesh: The surface [m], open or closed; either side of a face blocks rays.
        points: Points on it [m], shape [point_count, 3].
        normals: Unit normals, towards the side that is looked to, shape [point_count, 3].
        ray_count: Rays over the whole sphere; half of them are on the side of the normal.

    Returns:
        Cosine-weighted shares, 0 to 1, shape [point_count].
    """
    device = "cpu"
    surface = wp.Mesh(
        points=wp.array(mesh.vertices, dtype=wp.vec3, device=device),
        indices=wp.array(mesh.faces.ravel(), dtype=wp.int32, device=device),
    )
    shares = wp.empty(len(points), dtype=float, device=device)
    wp.launch(
        sky_share_kernel,
        dim=len(points),
        inputs=[
            surface.id,
            wp.array(points, dtype=wp.vec3, device=device),
            wp.array(normals, dtype=wp.vec3, device=device),
            wp.array(sphere_directions(ray_count), dtype=wp.vec3, device=device),
            _STEP,
            2.0 * float(np.linalg.norm(np.ptp(mesh.vertices, axis=0))),
        ],
        outputs=[shares],
        device=device,
    )
    return shares.numpy().astype(np.float64)
