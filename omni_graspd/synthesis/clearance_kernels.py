# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Distances of posed hands from a surface and from a plane."""

import warp as wp

from omni_graspd.geometry.signed_distance_kernels import signed_distance

wp.set_module_options({"enable_backward": False})

# From one point to another the signed distance of a smoothed surface changes by no more than they are apart, and so
# much [m]: twice what smoothing moves the surface by.
SMOOTHING = wp.constant(0.002)


@wp.func
def height_of(normal: wp.vec3, offset: float, pose: wp.transform, point: wp.vec3):
    """Height over the plane normal · p = offset of a point in the frame that ``pose`` places [m]."""
    return wp.dot(normal, wp.transform_point(pose, point)) - offset


@wp.func
def lowest_of_link(
    normal: wp.vec3,
    offset: float,
    pose: wp.transform,
    link: int,
    vertex_start: wp.array(dtype=int),
    vertices: wp.array(dtype=wp.vec3),
):
    """Height of a link's lowest vertex over a plane [m], infinite for one without."""
    lowest = float(wp.inf)
    for vertex in range(vertex_start[link], vertex_start[link + 1]):
        lowest = wp.min(lowest, height_of(normal, offset, pose, vertices[vertex]))
    return lowest


@wp.kernel
def gap_kernel(
    mesh: wp.uint64,
    corner_normals: wp.array(dtype=wp.vec3),  # [9 * face_count]
    sign_mode: int,
    phong_alpha: float,
    reach: float,
    link_poses: wp.array(dtype=wp.transform, ndim=2),  # [hand, link], in the mesh's frame
    point_start: wp.array(dtype=int),  # [link + 1]
    points: wp.array(dtype=wp.vec3),  # [point], sorted by link, in its frame
    bound_center: wp.array(dtype=wp.vec3),  # [link], of a sphere about the points
    bound_radius: wp.array(dtype=float),  # [link]
    # outputs
    gaps: wp.array(dtype=float, ndim=2),  # [hand, link]
):
    """Find the least signed distance of a link's points from the mesh, up to ``reach`` [m]. Threads: (hand, link).

    Points that cannot be nearer than the nearest so far are passed over.
    """
    hand, link = wp.tid()
    pose = link_poses[hand, link]
    least = float(reach)
    near = wp.mesh_query_point_no_sign(mesh, wp.transform_point(pose, bound_center[link]), bound_radius[link] + reach)
    if near.result:
        measured = wp.vec3(0.0, 0.0, 0.0)
        gap = float(-wp.inf)
        for point in range(point_start[link], point_start[link + 1]):
            placed = wp.transform_point(pose, points[point])
            if gap - wp.length(placed - measured) < least + SMOOTHING:
                gap, _normal, found = signed_distance(mesh, corner_normals, 0, placed, reach, sign_mode, phong_alpha)
                measured = placed
                least = wp.min(least, gap)
                # Out of reach, on whichever side: nothing is known of the next point.
                if not found:
                    gap = -wp.inf
    gaps[hand, link] = least


@wp.kernel
def height_kernel(
    normal: wp.vec3,
    offset: float,
    link_poses: wp.array(dtype=wp.transform, ndim=2),  # [hand, link], in the plane's frame
    vertex_start: wp.array(dtype=int),  # [link + 1]
    vertices: wp.array(dtype=wp.vec3),  # [vertex], sorted by link, in its frame
    # outputs
    heights: wp.array(dtype=float, ndim=2),  # [hand, link]
):
    """Find how high a link's lowest vertex is over a plane [m], infinite for one without. Threads: (hand, link)."""
    hand, link = wp.tid()
    heights[hand, link] = lowest_of_link(normal, offset, link_poses[hand, link], link, vertex_start, vertices)


@wp.kernel
def lowest_kernel(
    normal: wp.vec3,
    offset: float,
    link_poses: wp.array(dtype=wp.transform, ndim=2),  # [hand, link], in the plane's frame
    vertex_start: wp.array(dtype=int),  # [link + 1]
    vertices: wp.array(dtype=wp.vec3),  # [vertex], sorted by link, in its frame
    bound_center: wp.array(dtype=wp.vec3),  # [link], of a sphere about the vertices
    bound_radius: wp.array(dtype=float),  # [link]
    # outputs
    lowest: wp.array(dtype=float),  # [hand]
):
    """Find how high a hand's lowest vertex is over a plane [m]. Threads: (hand).

    The link whose sphere is lowest comes first; those whose spheres are higher than its vertices are passed over.
    """
    hand = wp.tid()
    first = int(0)
    bottom = float(wp.inf)
    for link in range(bound_center.shape[0]):
        height = height_of(normal, offset, link_poses[hand, link], bound_center[link]) - bound_radius[link]
        if vertex_start[link + 1] > vertex_start[link] and height < bottom:
            first = link
            bottom = height
    least = lowest_of_link(normal, offset, link_poses[hand, first], first, vertex_start, vertices)
    for link in range(bound_center.shape[0]):
        pose = link_poses[hand, link]
        if link != first and height_of(normal, offset, pose, bound_center[link]) - bound_radius[link] < least:
            least = wp.min(least, lowest_of_link(normal, offset, pose, link, vertex_start, vertices))
    lowest[hand] = least
