# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Where rays meet the object."""

import warp as wp

wp.set_module_options({"enable_backward": False})


@wp.kernel
def first_hit_kernel(
    mesh: wp.uint64,
    origins: wp.array(dtype=wp.vec3),  # (ray)
    directions: wp.array(dtype=wp.vec3),  # (ray), unit
    reach: float,
    # outputs
    distances: wp.array(dtype=float),  # (ray), -1 where nothing is hit
    normals: wp.array(dtype=wp.vec3),  # (ray), of the face that is hit
):
    """Send one ray. One thread per ray."""
    ray = wp.tid()
    query = wp.mesh_query_ray(mesh, origins[ray], directions[ray], reach)
    distances[ray] = -1.0
    normals[ray] = wp.vec3(0.0, 0.0, 0.0)
    if query.result:
        distances[ray] = query.t
        normals[ray] = query.normal
