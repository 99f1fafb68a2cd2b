# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Distances of posed hands from a surface and from a plane."""

import warp as wp

from omni_graspd.geometry.signed_distance_kernels import signed_distance

wp.set_module_options({"enable_backward": False})

# From one point to another the signed distance of a smoothed surface changes by no more than they are apart, and so
# much [m]: twice what smoothing moves the surface by.
SMOOTHING = wp.constant(0.002)
# The surface is looked for at least so far from a point [m]: about half as far as points are apart.
NEAR = wp.constant(0.004)


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


@wp.func
def box_distance(lower: wp.vec3, upper: wp.vec3, point: wp.vec3):
    """Distance of a point from an axis-aligned box [m], 0 inside."""
    outside = wp.max(wp.max(lower - point, point - upper), wp.vec3(0.0, 0.0, 0.0))
    return wp.length(outside)


@wp.kernel
def gap_kernel(
    mesh: wp.uint64,
    corner_normals: wp.array(dtype=wp.vec3),  # [9 * face_count]
    sign_mode: int,
    phong_alpha: float,
    lower: wp.vec3,  # of the mesh's bounding box [m]
    upper: wp.vec3,
    reach: float,
    link_poses: wp.array(dtype=wp.transform, ndim=2),  # [hand, link], in the mesh's frame
    point_start: wp.array(dtype=int),  # [link + 1]
    points: wp.array(dtype=wp.vec3),  # [point], sorted by link, in its frame
    bound_center: wp.array(dtype=wp.vec3),  # [link], of a sphere about the points
    bound_radius: wp.array(dtype=float),  # [link]
    # outputs
    gaps: wp.array(dtype=float),  # [hand]
):
    """Find the least signed distance of a hand's points from the mesh, up to ``reach`` [m]. Threads: (hand).

    The surface is looked for no farther than it has to be to count, which is most of the cost. A point beside which
    there is none is outside, if it is outside the mesh's box, or if the point before it was so far outside that no
    point can be as deep inside beside it; else it is measured in full.
    """
    hand = wp.tid()
    least = float(reach)
    for link in range(bound_center.shape[0]):
        pose = link_poses[hand, link]
        middle = wp.transform_point(pose, bound_center[link])
        away = box_distance(lower, upper, middle)
        if away == 0.0 or away - bound_radius[link] < least:
            # How far outside the point before was at least, and where it was.
            outside = float(-wp.inf)
            before = middle
            for point in range(point_start[link], point_start[link + 1]):
                placed = wp.transform_point(pose, points[point])
                beside = box_distance(lower, upper, placed)
                step = wp.length(placed - before)
                bound = outside - step
                if beside > 0.0:
                    bound = wp.max(bound, beside)
                if bound < least + SMOOTHING:
                    near = wp.min(wp.max(wp.abs(least), NEAR) + SMOOTHING, reach)
                    gap, _normal, found = signed_distance(mesh, corner_normals, 0, placed, near, sign_mode, phong_alpha)
                    if not found and beside == 0.0 and outside + near <= step:
                        gap, _normal, found = signed_distance(
                            mesh, corner_normals, 0, placed, reach, sign_mode, phong_alpha
                        )
                        # Out of reach, on whichever side: nothing is known of the next point.
                        near = -wp.inf
                    if found:
                        least = wp.min(least, gap)
                        outside = gap - SMOOTHING
                    else:
                        outside = near
                else:
                    outside = bound
                before = placed
    gaps[hand] = least


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
