# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Distances of the parts of posed hands from an object that is given in voxels."""

import warp as wp

wp.set_module_options({"enable_backward": False})


@wp.func
def between_voxels(values: wp.array(dtype=float, ndim=3), place: wp.vec3):
    """Value at a place between voxels, counted from the first one's middle, each coordinate from 0 to the last."""
    x = wp.min(int(place[0]), values.shape[0] - 2)
    y = wp.min(int(place[1]), values.shape[1] - 2)
    z = wp.min(int(place[2]), values.shape[2] - 2)
    u = place[0] - float(x)
    v = place[1] - float(y)
    w = place[2] - float(z)
    near_low = wp.lerp(values[x, y, z], values[x, y, z + 1], w)
    near_high = wp.lerp(values[x, y + 1, z], values[x, y + 1, z + 1], w)
    far_low = wp.lerp(values[x + 1, y, z], values[x + 1, y, z + 1], w)
    far_high = wp.lerp(values[x + 1, y + 1, z], values[x + 1, y + 1, z + 1], w)
    return wp.lerp(wp.lerp(near_low, near_high, v), wp.lerp(far_low, far_high, v), u)


@wp.kernel
def part_gap_kernel(
    values: wp.array(dtype=float, ndim=3),  # signed distances in voxels, negative inside
    origin: wp.vec3,  # of the voxels [m]
    spacing: float,  # edge of a voxel [m]
    deep: float,  # distances are told up to so many voxels
    link_poses: wp.array(dtype=wp.transform, ndim=2),  # [hand, link], in the frame of the voxels
    sphere_link: wp.array(dtype=int),  # [sphere]
    sphere_part: wp.array(dtype=int),  # [sphere]
    centers: wp.array(dtype=wp.vec3),  # [sphere], in the link's frame
    radii: wp.array(dtype=float),  # [sphere]
    # outputs
    gaps: wp.array(dtype=float, ndim=2),  # [hand, part], infinite where a part has no sphere
):
    """Find how far each part of each hand is from the object [m]. Threads: (hand).

    Outside of the voxels the object is at least as far as the nearest of them, and what is said there on top.
    """
    hand = wp.tid()
    last = wp.vec3(float(values.shape[0] - 1), float(values.shape[1] - 1), float(values.shape[2] - 1))
    for part in range(gaps.shape[1]):
        gaps[hand, part] = wp.inf
    for sphere in range(sphere_link.shape[0]):
        index = (wp.transform_point(link_poses[hand, sphere_link[sphere]], centers[sphere]) - origin) / spacing
        kept = wp.min(wp.max(index, wp.vec3(0.0, 0.0, 0.0)), last)
        distance = wp.min(between_voxels(values, kept) + wp.length(index - kept), deep)
        part = sphere_part[sphere]
        gaps[hand, part] = wp.min(gaps[hand, part], distance * spacing - radii[sphere])
