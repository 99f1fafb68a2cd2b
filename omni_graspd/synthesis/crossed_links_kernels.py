# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Whether links of a posed hand pass through one another."""

import warp as wp

wp.set_module_options({"enable_backward": False})


@wp.kernel
def crossed_kernel(
    link_poses: wp.array(dtype=wp.transform, ndim=2),  # (hand, link)
    pairs: wp.array(dtype=wp.vec2i),  # (pair), the link that has the bones, and the one whose surface may cut them
    bone_start: wp.array(dtype=int),  # (link + 1), bones are sorted by link
    starts: wp.array(dtype=wp.vec3),  # (bone), in the link's frame
    ends: wp.array(dtype=wp.vec3),  # (bone)
    bones_center: wp.array(dtype=wp.vec3),  # (link), of a sphere about the bones
    bones_radius: wp.array(dtype=float),  # (link)
    meshes: wp.array(dtype=wp.uint64),  # (link), in the link's frame; 0 where it has no faces
    mesh_center: wp.array(dtype=wp.vec3),  # (link), of a sphere about the mesh
    mesh_radius: wp.array(dtype=float),  # (link)
    # outputs
    crossed: wp.array(dtype=int, ndim=2),  # (hand, pair)
):
    """Tell whether the surface of one link cuts a bone of another. One thread per (hand, pair)."""
    hand, pair = wp.tid()
    link = pairs[pair][0]
    other = pairs[pair][1]
    T_other_link = wp.transform_multiply(wp.transform_inverse(link_poses[hand, other]), link_poses[hand, link])
    apart = wp.length(wp.transform_point(T_other_link, bones_center[link]) - mesh_center[other])
    found = int(0)
    if apart <= bones_radius[link] + mesh_radius[other]:
        for bone in range(bone_start[link], bone_start[link + 1]):
            if found == 0:
                start = wp.transform_point(T_other_link, starts[bone])
                along = wp.transform_point(T_other_link, ends[bone]) - start
                length = wp.length(along)
                hit = wp.mesh_query_ray(meshes[other], start, along / length, length)
                if hit.result:
                    found = 1
    crossed[hand, pair] = found
