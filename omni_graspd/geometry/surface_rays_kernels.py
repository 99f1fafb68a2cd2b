# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Rays that leave a surface."""

import warp as wp

wp.set_module_options({"enable_backward": False})


@wp.kernel
def sky_share_kernel(
    mesh: wp.uint64,
    points: wp.array(dtype=wp.vec3),  # (point)
    normals: wp.array(dtype=wp.vec3),  # (point)
    directions: wp.array(dtype=wp.vec3),  # (direction), over the whole sphere
    step: float,
    reach: float,
    # outputs
    shares: wp.array(dtype=float),  # (point)
):
    """Send rays from one point to its normal's side, weighing those that leave by the cosine. One thread per point."""
    point = wp.tid()
    origin = points[point] + step * normals[point]
    total = float(0.0)
    free = float(0.0)
    for index in range(directions.shape[0]):
        cosine = wp.dot(directions[index], normals[point])
        if cosine > 0.0:
            total += cosine
            query = wp.mesh_query_ray(mesh, origin, directions[index], reach)
            if not query.result:
                free += cosine
    shares[point] = free / wp.max(total, 1.0e-6)
