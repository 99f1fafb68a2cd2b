# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""From gradients at hand points to gradients of the palm pose and the joints, and the losses on the hand alone."""

import warp as wp

wp.set_module_options({"enable_backward": False})


@wp.kernel
def joint_positions_kernel(
    coupling: wp.array(dtype=float, ndim=2),  # (joint, actuated)
    coupling_offset: wp.array(dtype=float),  # (joint)
    actuated_positions: wp.array(dtype=float, ndim=2),  # (grasp, actuated)
    # outputs
    joint_positions: wp.array(dtype=float, ndim=2),  # (grasp, joint)
):
    """Expand actuated positions to all joints: A q + b. One thread per (grasp, joint)."""
    grasp, joint = wp.tid()
    value = coupling_offset[joint]
    for k in range(coupling.shape[1]):
        value += coupling[joint, k] * actuated_positions[grasp, k]
    joint_positions[grasp, joint] = value


@wp.func
def sphere_overlap(center_a: wp.vec3, center_b: wp.vec3, radius_sum: float):
    """Depth to which two spheres overlap; zero when they are apart [m]."""
    return wp.max(radius_sum - wp.length(center_a - center_b), 0.0)


@wp.kernel
def link_wrenches_kernel(
    point_start: wp.array(dtype=int),  # (link + 1), points are sorted by link
    points: wp.array(dtype=wp.vec3, ndim=2),  # (grasp, point)
    point_gradients: wp.array(dtype=wp.vec3, ndim=2),  # (grasp, point)
    # outputs
    forces: wp.array(dtype=wp.vec3, ndim=2),  # (grasp, link)
    torques: wp.array(dtype=wp.vec3, ndim=2),  # (grasp, link), about the origin of the points
):
    """Sum the point gradients of one link. One thread per (grasp, link)."""
    grasp, link = wp.tid()
    force = wp.vec3(0.0, 0.0, 0.0)
    torque = wp.vec3(0.0, 0.0, 0.0)
    for point in range(point_start[link], point_start[link + 1]):
        gradient = point_gradients[grasp, point]
        force += gradient
        torque += wp.cross(points[grasp, point], gradient)
    forces[grasp, link] = force
    torques[grasp, link] = torque


@wp.kernel
def self_collision_kernel(
    sphere_link: wp.array(dtype=int),  # (sphere)
    sphere_center: wp.array(dtype=wp.vec3),  # (sphere), in the link's frame
    sphere_radius: wp.array(dtype=float),  # (sphere)
    pairs: wp.array(dtype=wp.vec2i),  # (pair), spheres that must not overlap
    T_object_link: wp.array(dtype=wp.transform, ndim=2),  # (grasp, link)
    center_of_mass: wp.vec3,
    weight: float,
    # outputs
    forces: wp.array(dtype=wp.vec3, ndim=2),  # (grasp, link), added to
    torques: wp.array(dtype=wp.vec3, ndim=2),  # (grasp, link), added to
    losses: wp.array(dtype=float),  # (grasp), half the sum of squared overlaps [m2]
):
    """Push overlapping links of one hand apart. One thread per grasp."""
    grasp = wp.tid()
    loss = float(0.0)
    for k in range(pairs.shape[0]):
        a = pairs[k][0]
        b = pairs[k][1]
        center_a = wp.transform_point(T_object_link[grasp, sphere_link[a]], sphere_center[a]) - center_of_mass
        center_b = wp.transform_point(T_object_link[grasp, sphere_link[b]], sphere_center[b]) - center_of_mass
        overlap = sphere_overlap(center_a, center_b, sphere_radius[a] + sphere_radius[b])
        if overlap > 0.0:
            loss += 0.5 * overlap * overlap
            gradient = wp.normalize(center_a - center_b) * (-weight * overlap)
            forces[grasp, sphere_link[a]] = forces[grasp, sphere_link[a]] + gradient
            torques[grasp, sphere_link[a]] = torques[grasp, sphere_link[a]] + wp.cross(center_a, gradient)
            forces[grasp, sphere_link[b]] = forces[grasp, sphere_link[b]] - gradient
            torques[grasp, sphere_link[b]] = torques[grasp, sphere_link[b]] - wp.cross(center_b, gradient)
    losses[grasp] = loss


@wp.kernel
def joint_gradients_kernel(
    parent: wp.array(dtype=int),  # (link)
    joint: wp.array(dtype=int),  # (link)
    joint_type: wp.array(dtype=int),  # (link): 0 fixed, 1 revolute, 2 prismatic
    joint_axis: wp.array(dtype=wp.vec3, ndim=2),  # (grasp, link)
    joint_anchor: wp.array(dtype=wp.vec3, ndim=2),  # (grasp, link), in the object's frame
    T_object_palm: wp.array(dtype=wp.transform),  # (grasp)
    center_of_mass: wp.vec3,
    # outputs
    forces: wp.array(dtype=wp.vec3, ndim=2),  # (grasp, link), summed over descendants in place
    torques: wp.array(dtype=wp.vec3, ndim=2),  # (grasp, link), summed over descendants in place
    joint_gradients: wp.array(dtype=float, ndim=2),  # (grasp, joint)
    palm_forces: wp.array(dtype=wp.vec3),  # (grasp), gradient by the palm's position
    palm_torques: wp.array(dtype=wp.vec3),  # (grasp), gradient by a rotation about the palm's origin
):
    """Project link wrenches on joints, from the fingertips to the palm. One thread per grasp."""
    grasp = wp.tid()
    link_count = parent.shape[0]
    for k in range(link_count - 1):
        link = link_count - 1 - k
        force = forces[grasp, link]
        torque = torques[grasp, link]
        anchor = joint_anchor[grasp, link] - center_of_mass
        if joint_type[link] == 1:
            joint_gradients[grasp, joint[link]] = wp.dot(joint_axis[grasp, link], torque - wp.cross(anchor, force))
        if joint_type[link] == 2:
            joint_gradients[grasp, joint[link]] = wp.dot(joint_axis[grasp, link], force)
        forces[grasp, parent[link]] = forces[grasp, parent[link]] + force
        torques[grasp, parent[link]] = torques[grasp, parent[link]] + torque
    origin = wp.transform_get_translation(T_object_palm[grasp]) - center_of_mass
    palm_forces[grasp] = forces[grasp, 0]
    palm_torques[grasp] = torques[grasp, 0] - wp.cross(origin, forces[grasp, 0])


@wp.kernel
def actuated_gradients_kernel(
    coupling: wp.array(dtype=float, ndim=2),  # (joint, actuated)
    joint_gradients: wp.array(dtype=float, ndim=2),  # (grasp, joint)
    joint_positions: wp.array(dtype=float, ndim=2),  # (grasp, joint)
    joint_lower: wp.array(dtype=float),  # (joint)
    joint_upper: wp.array(dtype=float),  # (joint)
    range_weight: float,
    limit_weight: float,
    # outputs
    actuated_gradients: wp.array(dtype=float, ndim=2),  # (grasp, actuated)
    range_losses: wp.array(dtype=float),  # (grasp)
    limit_losses: wp.array(dtype=float),  # (grasp)
):
    """Add the range and limit losses (paper, equations 3 and 4) and apply couplings. One thread per grasp."""
    grasp = wp.tid()
    joint_count = coupling.shape[0]
    square = float(0.0)
    excess = float(0.0)
    for j in range(joint_count):
        q = joint_positions[grasp, j]
        offset = q - 0.5 * (joint_lower[j] + joint_upper[j])
        square += offset * offset
        excess += wp.max(q - joint_upper[j], 0.0) + wp.max(joint_lower[j] - q, 0.0)
    distance = wp.sqrt(square)
    range_losses[grasp] = distance
    limit_losses[grasp] = excess
    for k in range(coupling.shape[1]):
        gradient = float(0.0)
        for j in range(joint_count):
            q = joint_positions[grasp, j]
            value = joint_gradients[grasp, j]
            value += range_weight * (q - 0.5 * (joint_lower[j] + joint_upper[j])) / wp.max(distance, 1.0e-6)
            if q > joint_upper[j]:
                value += limit_weight
            if q < joint_lower[j]:
                value -= limit_weight
            gradient += coupling[j, k] * value
        actuated_gradients[grasp, k] = gradient
