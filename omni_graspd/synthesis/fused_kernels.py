# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Many gradient steps of one grasp in one thread: the path for CPUs, where a launch is one thread in a loop.

The formulas are those of the split kernels in ``contact_kernels``. What is gained is memory traffic and launches:
contacts are gathered in a list once, and what the M simulations share, the effective masses and slip directions, is
computed once per contact.
"""

import warp as wp

from omni_graspd.synthesis.contact_kernels import (
    inverse_effective_mass,
    measure_point,
    point_gradient,
    smooth_norm,
)
from omni_graspd.synthesis.hand_kernels import place_links, project_on_joints, step_hand
from omni_graspd.synthesis.loss_kernels import push_hand
from omni_graspd.synthesis.model_structs import GraspArrays, HandArrays, ObjectArrays, Settings
from omni_graspd.synthesis.surroundings_kernels import rise_from_table

wp.set_module_options({"enable_backward": False})

mat73 = wp.types.matrix(shape=(7, 3), dtype=float)
vec7 = wp.types.vector(length=7, dtype=float)


@wp.func
def inverse_sine(sine: float):
    """1 / sine, and zero where an axis and the normal are parallel, so that nothing slips."""
    result = float(0.0)
    if sine > 1.0e-6:
        result = 1.0 / sine
    return result


@wp.func
def slip_along(k: int, normal: wp.vec3, sine: float):
    """Unit direction of slip when the object moves along axis ``k``; ``sine`` is that between axis and normal."""
    slip = normal * -normal[k]
    slip[k] = slip[k] + 1.0
    return slip * inverse_sine(sine)


@wp.func
def axis_lever(k: int, position: wp.vec3):
    """Cross product of a position and the unit vector along axis ``k``."""
    lever = wp.vec3(0.0, position[2], -position[1])
    if k == 1:
        lever = wp.vec3(-position[2], 0.0, position[0])
    if k == 2:
        lever = wp.vec3(position[1], -position[0], 0.0)
    return lever


@wp.func
def gather_points(
    grasp: int,
    hand: HandArrays,
    obj: ObjectArrays,
    state: GraspArrays,
    settings: Settings,
    center_of_mass: wp.vec3,
    iteration: int,
):
    """List the hand points that can touch or leak, with their distances; returns how many."""
    count = int(0)
    within = settings.within[iteration]
    leaking = settings.leak[iteration] > 0.0
    for link in range(hand.parent.shape[0]):
        pose = state.link_poses[grasp, link]
        rotation = wp.quat_to_matrix(wp.transform_get_rotation(pose))
        origin = wp.transform_get_translation(pose)
        for point in range(hand.point_start[link], hand.point_start[link + 1]):
            position = rotation * hand.point_positions[point] + origin
            leaks = leaking and point % settings.leak_stride == 0
            distance, normal = measure_point(
                grasp, point, position, leaks, within, obj, state, settings, center_of_mass
            )
            if (leaks or distance < within) and wp.dot(normal, normal) > 0.0:
                state.listed_link[grasp, count] = link
                state.listed_leaks[grasp, count] = int(leaks)
                state.listed_points[grasp, count] = position
                state.listed_normals[grasp, count] = normal
                state.listed_distances[grasp, count] = distance
                count += 1
    return count


@wp.func
def step_simulations(
    grasp: int,
    count: int,
    state: GraspArrays,
    settings: Settings,
    inverse_inertia: wp.mat33,
    rotation_length: float,
    radius: float,
):
    """Step the M simulations of one grasp; leaves their losses and adjoints, the latter divided by contact counts."""
    impulses = mat73()
    torques = mat73()
    counts = vec7()
    probe = settings.probe
    for c in range(count):
        normal = state.listed_normals[grasp, c]
        depth = radius - state.listed_distances[grasp, c]
        if depth + probe > 0.0:
            position = state.listed_points[grasp, c]
            lever = wp.cross(position, normal)
            mobility = 1.0 / (1.0 + wp.dot(lever, inverse_inertia * lever))
            state.listed_mobility[grasp, c] = mobility
            if depth > 0.0:
                impulses[0] += normal * (depth * mobility)
                torques[0] += lever * (depth * mobility)
                counts[0] += 1.0
            for k in range(3):
                sine = wp.sqrt(wp.max(1.0 - normal[k] * normal[k], 0.0))
                slip = slip_along(k, normal, sine)
                arm = (axis_lever(k, position) - lever * normal[k]) * inverse_sine(sine)
                stopping = probe * sine / (1.0 + wp.dot(arm, inverse_inertia * arm))
                state.listed_stopping[grasp, c, k] = stopping
                forward = depth + probe * normal[k]
                if forward > 0.0:
                    push = forward * mobility
                    drag = wp.min(stopping, settings.friction * push)
                    impulses[1 + k] += normal * push + slip * drag
                    torques[1 + k] += lever * push + arm * drag
                    counts[1 + k] += 1.0
                backward = depth - probe * normal[k]
                if backward > 0.0:
                    push = backward * mobility
                    drag = wp.min(stopping, settings.friction * push)
                    impulses[4 + k] += normal * push - slip * drag
                    torques[4 + k] += lever * push - arm * drag
                    counts[4 + k] += 1.0
    for m in range(7):
        average = 1.0 / wp.max(counts[m], 1.0)
        motion = settings.motions[m] - average * impulses[m]
        rotation = inverse_inertia * torques[m] * (-average)
        linear = smooth_norm(motion, settings.smoothing)
        angular = smooth_norm(rotation_length * rotation, settings.smoothing)
        state.stable_losses[grasp, m] = linear + angular
        state.adjoint_linear[grasp, m] = motion * (average * settings.weights[m] / linear)
        state.adjoint_angular[grasp, m] = (inverse_inertia * rotation) * (
            average * settings.weights[m] * rotation_length * rotation_length / angular
        )


@wp.func
def pull_back(
    grasp: int,
    count: int,
    state: GraspArrays,
    settings: Settings,
    inverse_inertia: wp.mat33,
    radius: float,
    iteration: int,
):
    """Differentiate the loss by the listed points and sum it per link."""
    linear = mat73()
    angular = mat73()
    for m in range(7):
        linear[m] = state.adjoint_linear[grasp, m]
        angular[m] = state.adjoint_angular[grasp, m]
    linear_sum = linear[0]
    angular_sum = angular[0]
    for m in range(1, 7):
        linear_sum += linear[m]
        angular_sum += angular[m]
    probe = settings.probe
    friction = settings.friction
    for c in range(count):
        normal = state.listed_normals[grasp, c]
        position = state.listed_points[grasp, c]
        distance = state.listed_distances[grasp, c]
        depth = radius - distance
        active = float(0.0)
        inactive = float(0.0)
        if depth + probe > 0.0:
            mobility = state.listed_mobility[grasp, c]
            along = wp.dot(normal, linear[0] + wp.cross(angular[0], position))
            if depth > 0.0:
                active += along
            else:
                inactive += along
            for k in range(3):
                sine = wp.sqrt(wp.max(1.0 - normal[k] * normal[k], 0.0))
                slip = slip_along(k, normal, sine)
                stopping = state.listed_stopping[grasp, c, k]
                forward = depth + probe * normal[k]
                response = linear[1 + k] + wp.cross(angular[1 + k], position)
                along = wp.dot(normal, response)
                if friction * wp.max(forward, 0.0) * mobility < stopping or forward <= 0.0:
                    along += friction * wp.dot(slip, response)
                if forward > 0.0:
                    active += along
                else:
                    inactive += along
                backward = depth - probe * normal[k]
                response = linear[4 + k] + wp.cross(angular[4 + k], position)
                along = wp.dot(normal, response)
                if friction * wp.max(backward, 0.0) * mobility < stopping or backward <= 0.0:
                    along -= friction * wp.dot(slip, response)
                if backward > 0.0:
                    active += along
                else:
                    inactive += along
            active *= -mobility
            inactive *= -mobility
        elif state.listed_leaks[grasp, c] != 0:
            inactive = wp.dot(normal, linear_sum + wp.cross(angular_sum, position))
            for k in range(3):
                sine = wp.sqrt(wp.max(1.0 - normal[k] * normal[k], 0.0))
                response = linear[1 + k] - linear[4 + k] + wp.cross(angular[1 + k] - angular[4 + k], position)
                inactive += friction * wp.dot(slip_along(k, normal, sine), response)
            inactive *= -1.0 / inverse_effective_mass(normal, position, inverse_inertia)
        gradient = point_gradient(active, inactive, normal, distance, state.listed_leaks[grasp, c], iteration, settings)
        link = state.listed_link[grasp, c]
        state.forces[grasp, link] = state.forces[grasp, link] + gradient
        state.torques[grasp, link] = state.torques[grasp, link] + wp.cross(position, gradient)


@wp.kernel
def optimize_kernel(
    hand: HandArrays,
    obj: ObjectArrays,
    settings: Settings,
    start: int,
    stop: int,
    # outputs
    state: GraspArrays,
):
    """Make the gradient steps ``start`` to ``stop - 1`` of one grasp. One thread per grasp.

    A grasp whose gradient is not finite is marked as failed and keeps its last pose.
    """
    grasp = wp.tid()
    kind = obj.index[grasp]
    center_of_mass = obj.center_of_mass[kind]
    inverse_inertia = obj.inverse_inertia[kind]
    for iteration in range(start, stop):
        if state.failed[grasp] == 0:
            radius = settings.radius[iteration]
            place_links(grasp, hand, state, center_of_mass)
            count = gather_points(grasp, hand, obj, state, settings, center_of_mass, iteration)
            step_simulations(grasp, count, state, settings, inverse_inertia, obj.rotation_length[kind], radius)
            pull_back(grasp, count, state, settings, inverse_inertia, radius, iteration)
            push_hand(grasp, hand, obj, state, settings)
            if project_on_joints(grasp, hand, state, settings):
                step_hand(grasp, iteration, hand, state, settings)
                rise_from_table(grasp, iteration, obj, state, settings)
            else:
                state.failed[grasp] = 1
