# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Whether triangles of a posed hand cross those of another mesh."""

import warp as wp

wp.set_module_options({"enable_backward": False})


@wp.func
def triangles_cross(a: wp.vec3, b: wp.vec3, c: wp.vec3, p: wp.vec3, q: wp.vec3, r: wp.vec3):
    """Whether two triangles cross."""
    # Warp takes triangles for coplanar where normal times distance is below 1e-6: in metres that holds for all small
    # ones. In millimetres, and seen from a corner, it is what rounding leaves.
    scale = 1000.0
    return (
        wp.intersect_tri_tri(
            wp.vec3(0.0, 0.0, 0.0), scale * (b - a), scale * (c - a), scale * (p - a), scale * (q - a), scale * (r - a)
        )
        > 0
    )


@wp.kernel
def crossing_kernel(
    mesh: wp.uint64,
    link_poses: wp.array(dtype=wp.transform, ndim=2),  # (hand, link)
    face_start: wp.array(dtype=int),  # (link + 1), faces are sorted by link
    corners: wp.array(dtype=wp.vec3),  # (3 * face), in the link's frame
    bound_center: wp.array(dtype=wp.vec3),  # (link), of a sphere about the link
    bound_radius: wp.array(dtype=float),  # (link)
    # outputs
    crosses: wp.array(dtype=int, ndim=2),  # (hand, link)
):
    """Test one posed link against the mesh. One thread per (hand, link)."""
    hand, link = wp.tid()
    pose = link_poses[hand, link]
    found = int(0)
    near = wp.mesh_query_point_no_sign(mesh, wp.transform_point(pose, bound_center[link]), bound_radius[link])
    if near.result:
        target = wp.mesh_get(mesh)
        for face in range(face_start[link], face_start[link + 1]):
            if found == 0:
                a = wp.transform_point(pose, corners[3 * face])
                b = wp.transform_point(pose, corners[3 * face + 1])
                c = wp.transform_point(pose, corners[3 * face + 2])
                query = wp.mesh_query_aabb(mesh, wp.min(wp.min(a, b), c), wp.max(wp.max(a, b), c))
                for other in query:
                    i = target.indices[3 * other]
                    j = target.indices[3 * other + 1]
                    k = target.indices[3 * other + 2]
                    if triangles_cross(a, b, c, target.points[i], target.points[j], target.points[k]):
                        found = 1
    crosses[hand, link] = found
