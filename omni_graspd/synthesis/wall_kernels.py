# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What keeps links from passing through thin walls of the object.

Points on a hand measure the distance to the nearest face, which a wall gets through between them, and of which half
the wall is the most. The spheres inside the links know better: a wall is in the link as soon as it is nearer to the
centre of a sphere than the sphere's radius, on whichever side it is.
"""

import warp as wp

from omni_graspd.geometry.signed_distance_kernels import query_closest_point, signed_distance
from omni_graspd.synthesis.model_structs import GraspArrays, HandArrays, ObjectArrays, Settings

wp.set_module_options({"enable_backward": False})

# The surface is looked for so far beyond a sphere [m]; the sphere is then left alone until it has moved as far.
LOOK_AHEAD = wp.constant(0.015)

# Of small spheres at most this share is given away to the margin.
WALL_SHARE = wp.constant(0.3)


@wp.func
def measure_sphere(
    grasp: int,
    sphere: int,
    center: wp.vec3,
    radius: float,
    obj: ObjectArrays,
    state: GraspArrays,
    settings: Settings,
    center_of_mass: wp.vec3,
):
    """Return the signed distance of a sphere's centre and its gradient, zero where the object is beyond the radius.

    Distances are reused as those of points are, see ``contact_kernels.measure_point``.
    """
    measured = state.filling_distances[grasp, sphere]
    moved = center - state.filling_measured[grasp, sphere]
    moved_square = wp.dot(moved, moved)
    slack = measured - radius
    if slack > 0.0 and moved_square <= slack * slack:
        return measured - wp.sqrt(moved_square), wp.vec3(0.0, 0.0, 0.0)
    tolerance = wp.max(settings.reuse_distance, settings.reuse_share * wp.abs(measured))
    if moved_square > tolerance * tolerance:
        kind = obj.index[grasp]
        distance, normal, _found = signed_distance(
            obj.mesh[kind],
            obj.corner_normals,
            obj.first_normal[kind],
            center + center_of_mass,
            radius + LOOK_AHEAD,
            obj.sign_mode[kind],
            settings.phong_alpha,
        )
        state.filling_measured[grasp, sphere] = center
        state.filling_distances[grasp, sphere] = distance
        state.filling_normals[grasp, sphere] = normal
        return distance, normal
    normal = state.filling_normals[grasp, sphere]
    return measured + wp.dot(normal, moved), normal


@wp.func
def push_out_of_object(grasp: int, hand: HandArrays, obj: ObjectArrays, state: GraspArrays, settings: Settings):
    """Add the gradient that pushes spheres inside the links out of an object with thin walls.

    Loss: ``wall_weight`` times half the sum of squared overlaps, where spheres count as ``wall_margin`` smaller.
    Leaves the deepest overlap of whole spheres in ``filling_depth``.
    """
    kind = obj.index[grasp]
    if obj.thin_walled[kind] == 0:
        return
    center_of_mass = obj.center_of_mass[kind]
    deepest = float(0.0)
    for link in range(hand.parent.shape[0]):
        force = wp.vec3(0.0, 0.0, 0.0)
        torque = wp.vec3(0.0, 0.0, 0.0)
        pose = state.link_poses[grasp, link]
        for sphere in range(hand.filling_start[link], hand.filling_start[link + 1]):
            center = wp.transform_point(pose, hand.filling_center[sphere])
            radius = hand.filling_radius[sphere]
            distance, normal = measure_sphere(grasp, sphere, center, radius, obj, state, settings, center_of_mass)
            deepest = wp.max(deepest, radius - distance)
            overlap = radius - wp.min(settings.loss.wall_margin, WALL_SHARE * radius) - distance
            if overlap > 0.0:
                gradient = normal * (-settings.loss.wall_weight * overlap)
                force += gradient
                torque += wp.cross(center, gradient)
        state.forces[grasp, link] = state.forces[grasp, link] + force
        state.torques[grasp, link] = state.torques[grasp, link] + torque
    state.filling_depth[grasp] = deepest


@wp.kernel
def pierced_kernel(
    mesh: wp.uint64,
    normals: wp.array(dtype=wp.vec3),  # [9 * face_count]
    sign_mode: int,
    link_poses: wp.array(dtype=wp.transform, ndim=2),  # (hand, link), in the mesh's frame
    line_start: wp.array(dtype=int),  # (link + 1), lines are sorted by link
    starts: wp.array(dtype=wp.vec3),  # (line), in the link's frame
    ends: wp.array(dtype=wp.vec3),  # (line)
    bones: wp.array(dtype=int),  # (line)
    bound_center: wp.array(dtype=wp.vec3),  # (link), of a sphere about the lines
    bound_radius: wp.array(dtype=float),  # (link)
    # outputs
    pierced: wp.array(dtype=int, ndim=2),  # (hand, link)
):
    """Tell whether a mesh passes through a link. One thread per (hand, link).

    It does where its surface cuts a bone, or a spoke whose end is outside again.
    """
    hand, link = wp.tid()
    pose = link_poses[hand, link]
    found = int(0)
    near = wp.mesh_query_point_no_sign(mesh, wp.transform_point(pose, bound_center[link]), bound_radius[link])
    if near.result:
        for line in range(line_start[link], line_start[link + 1]):
            if found == 0:
                start = wp.transform_point(pose, starts[line])
                end = wp.transform_point(pose, ends[line])
                length = wp.length(end - start)
                hit = wp.mesh_query_ray(mesh, start, (end - start) / length, length)
                if hit.result:
                    if bones[line] != 0:
                        found = 1
                    else:
                        query = query_closest_point(mesh, normals, 0, end, length, sign_mode)
                        if query.sign > 0.0:
                            found = 1
    pierced[hand, link] = found


@wp.kernel
def sphere_depth_kernel(
    mesh: wp.uint64,
    normals: wp.array(dtype=wp.vec3),  # [9 * face_count]
    sign_mode: int,
    link_poses: wp.array(dtype=wp.transform, ndim=2),  # (hand, link), in the mesh's frame
    sphere_link: wp.array(dtype=int),  # (sphere)
    centers: wp.array(dtype=wp.vec3),  # (sphere), in the link's frame
    radii: wp.array(dtype=float),  # (sphere)
    # outputs
    depths: wp.array(dtype=float, ndim=2),  # (hand, sphere)
):
    """Measure how deep a mesh is in one sphere, 0 where it is outside [m]. One thread per (hand, sphere)."""
    hand, sphere = wp.tid()
    center = wp.transform_point(link_poses[hand, sphere_link[sphere]], centers[sphere])
    query = query_closest_point(mesh, normals, 0, center, 2.0 * radii[sphere], sign_mode)
    depth = float(0.0)
    if query.result:
        distance = query.sign * wp.length(center - wp.mesh_eval_position(mesh, query.face, query.u, query.v))
        depth = wp.max(radii[sphere] - distance, 0.0)
    depths[hand, sphere] = depth
