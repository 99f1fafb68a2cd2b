# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Signed distance of points to one link."""

import warp as wp

wp.set_module_options({"enable_backward": False})


@wp.kernel
def link_distance_kernel(
    mesh: wp.uint64,
    points: wp.array(dtype=wp.vec3),  # (point), in the link's frame
    max_distance: float,
    # outputs
    distances: wp.array(dtype=float),  # (point), negative inside
):
    """Measure one point; ``max_distance`` where the link is farther. One thread per point.

    The sign comes from winding numbers, since links may be made of overlapping or open shells.
    """
    point = wp.tid()
    query = wp.mesh_query_point_sign_winding_number(mesh, points[point], max_distance)
    distances[point] = max_distance
    if query.result:
        closest = wp.mesh_eval_position(mesh, query.face, query.u, query.v)
        distances[point] = query.sign * wp.length(points[point] - closest)
