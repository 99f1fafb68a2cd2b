# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Contact between a static hand and the object: one position-based step, and its leaky adjoint (paper, section III-C).

All vectors are in the object's axes with the origin at its centre of mass. The object has unit mass, since mass
cancels; ``inverse_inertia`` is that of inertia / mass. Motions of the object during the step are displacements:
``motion`` [m] and ``rotation`` [rad]. One averaged (Jacobi) projection per step stands for the paper's Gauss-Seidel
sweep (``gauss_seidel_kernels``), whose result depends on the order of the points.

The kernels here are the split path, one thread per point or simulation, for GPUs; every hand point is listed at its own
place. ``fused_kernels`` is the path for CPUs.
"""

import warp as wp

from omni_graspd.geometry.signed_distance_kernels import signed_distance
from omni_graspd.synthesis.model_structs import GraspArrays, HandArrays, ObjectArrays, Settings

wp.set_module_options({"enable_backward": False})


@wp.func
def constraint(radius: float, distance: float, normal: wp.vec3, motion: wp.vec3):
    """Penetration of a hand point into the dilated object after the object moved; positive when in contact [m]."""
    return radius - distance + wp.dot(normal, motion)


@wp.func
def inverse_effective_mass(direction: wp.vec3, point: wp.vec3, inverse_inertia: wp.mat33):
    """J M^-1 J^T of a unit push along ``direction`` at ``point``."""
    lever = wp.cross(point, direction)
    return 1.0 + wp.dot(lever, inverse_inertia * lever)


@wp.func
def slip_direction(normal: wp.vec3, motion: wp.vec3):
    """Unit direction in which the object's surface slides past the point; zero where it does not slide."""
    tangential = motion - normal * wp.dot(normal, motion)
    # Rounding leaves some motion along the normal, which is all there is where the motion is along the normal.
    tangential -= normal * wp.dot(normal, tangential)
    speed = wp.length(tangential)
    direction = wp.vec3(0.0, 0.0, 0.0)
    if speed > 1.0e-12:
        direction = tangential / speed
    return direction


@wp.func
def friction_multiplier(sliding: float, effective: float, friction: float, normal_multiplier: float):
    """Coulomb: enough to stop the sliding [m], at most friction times the normal multiplier."""
    return wp.min(sliding / effective, friction * normal_multiplier)


@wp.func
def smooth_norm(v: wp.vec3, epsilon: float):
    """Length of a vector, smooth at zero."""
    return wp.sqrt(wp.dot(v, v) + epsilon * epsilon)


@wp.func
def measure_point(
    grasp: int,
    point: int,
    position: wp.vec3,
    leaks: bool,
    within: float,
    obj: ObjectArrays,
    state: GraspArrays,
    settings: Settings,
    center_of_mass: wp.vec3,
):
    """Return the Phong signed distance of a hand point and its gradient.

    ``within`` is the distance up to which points matter. While a point has moved less than a tolerance since the
    surface was last looked for, the distance is taken to first order: phi = phi_0 + n_0 · (p - p_0). The tolerance
    grows where that proved right and falls back where not. A point that does not leak is left alone while it cannot
    have come ``within``, for a distance changes by at most as much as the point has moved: its gradient is then zero,
    as where the object is out of reach, and its distance a lower bound.
    """
    measured = state.measured_distances[grasp, point]
    moved = position - state.measured_points[grasp, point]
    moved_square = wp.dot(moved, moved)
    slack = measured - within
    if not leaks and slack > 0.0 and moved_square <= slack * slack:
        return measured - wp.sqrt(moved_square), wp.vec3(0.0, 0.0, 0.0)
    tolerance = wp.max(settings.reuse_distance, settings.reuse_share * wp.abs(measured)) * (
        1.0 + state.trust[grasp, point]
    )
    if moved_square > tolerance * tolerance:
        kind = obj.index[grasp]
        # The surface is no farther than it was, plus the way: a tight bound makes the search cheaper.
        bound = wp.min(wp.abs(measured) + wp.sqrt(moved_square) + settings.search_margin, settings.reach)
        distance, normal, found = signed_distance(
            obj.mesh[kind],
            obj.corner_normals,
            obj.first_normal[kind],
            position + center_of_mass,
            bound,
            obj.sign_mode[kind],
            settings.phong_alpha,
        )
        if not found and bound < settings.reach:
            distance, normal, found = signed_distance(
                obj.mesh[kind],
                obj.corner_normals,
                obj.first_normal[kind],
                position + center_of_mass,
                settings.reach,
                obj.sign_mode[kind],
                settings.phong_alpha,
            )
        predicted = measured + wp.dot(state.measured_normals[grasp, point], moved)
        error = wp.abs(predicted - distance)
        trust = float(0.0)
        if found and error < settings.reuse_error + settings.reuse_error_share * wp.abs(distance):
            trust = wp.min(2.0 * state.trust[grasp, point] + 1.0, settings.reuse_trust)
        state.trust[grasp, point] = trust
        state.measured_points[grasp, point] = position
        state.measured_distances[grasp, point] = distance
        state.measured_normals[grasp, point] = normal
        state.query_count[grasp] = state.query_count[grasp] + 1
        return distance, normal
    normal = state.measured_normals[grasp, point]
    return measured + wp.dot(normal, moved), normal


@wp.kernel
def measure_kernel(
    hand: HandArrays,
    obj: ObjectArrays,
    settings: Settings,
    iteration: wp.array(dtype=int),  # (1)
    # outputs
    state: GraspArrays,
):
    """Place one hand point and measure its distance. One thread per (grasp, point)."""
    grasp, point = wp.tid()
    leaks = settings.leak[iteration[0]] > 0.0 and point % settings.leak_stride == 0
    position = wp.transform_point(state.link_poses[grasp, hand.point_link[point]], hand.point_positions[point])
    distance, normal = measure_point(
        grasp,
        point,
        position,
        leaks,
        settings.within[iteration[0]],
        obj,
        state,
        settings,
        obj.center_of_mass[obj.index[grasp]],
    )
    state.listed_leaks[grasp, point] = int(leaks)
    state.listed_points[grasp, point] = position
    state.listed_normals[grasp, point] = normal
    state.listed_distances[grasp, point] = distance


@wp.kernel
def simulate_kernel(
    obj: ObjectArrays,
    settings: Settings,
    iteration: wp.array(dtype=int),  # (1)
    # outputs
    state: GraspArrays,
):
    """Step one simulation and differentiate its loss by the object's motion. One thread per (grasp, simulation).

    Loss (paper, equation 2, as a displacement, rotation times a length l): |motion| + l |rotation|.
    """
    grasp, simulation = wp.tid()
    inverse_inertia = obj.inverse_inertia[obj.index[grasp]]
    length = obj.rotation_length[obj.index[grasp]]
    radius = settings.radius[iteration[0]]
    start = settings.motions[simulation]
    impulse_sum = wp.vec3(0.0, 0.0, 0.0)
    torque_sum = wp.vec3(0.0, 0.0, 0.0)
    contact_count = float(0.0)
    for point in range(state.listed_points.shape[1]):
        normal = state.listed_normals[grasp, point]
        depth = constraint(radius, state.listed_distances[grasp, point], normal, start)
        if depth > 0.0 and wp.dot(normal, normal) > 0.0:
            position = state.listed_points[grasp, point]
            multiplier = depth / inverse_effective_mass(normal, position, inverse_inertia)
            slip = slip_direction(normal, start)
            effective = inverse_effective_mass(slip, position, inverse_inertia)
            stopping = friction_multiplier(wp.dot(slip, start), effective, settings.friction, multiplier)
            impulse = normal * multiplier + slip * stopping
            impulse_sum -= impulse
            torque_sum -= wp.cross(position, impulse)
            contact_count += 1.0
    average = 1.0 / wp.max(contact_count, 1.0)
    motion = start + average * impulse_sum
    rotation = average * (inverse_inertia * torque_sum)

    share = average * settings.weights[simulation]
    linear = smooth_norm(motion, settings.smoothing)
    angular = smooth_norm(length * rotation, settings.smoothing)
    state.stable_losses[grasp, simulation] = linear + angular
    state.adjoint_linear[grasp, simulation] = motion * (share / linear)
    state.adjoint_angular[grasp, simulation] = (inverse_inertia * rotation) * (share * length * length / angular)


@wp.func
def constraint_adjoint(
    depth: float,
    normal: wp.vec3,
    position: wp.vec3,
    motion: wp.vec3,
    friction: float,
    inverse_inertia: wp.mat33,
    adjoint_linear: wp.vec3,
    adjoint_angular: wp.vec3,
):
    """Derivative of one simulation's loss by the constraint of one point.

    A point out of contact is treated as one that touches and slides: that value leaks (paper, section III-C).
    """
    effective = inverse_effective_mass(normal, position, inverse_inertia)
    along = wp.dot(normal, adjoint_linear) + wp.dot(wp.cross(position, normal), adjoint_angular)
    slip = slip_direction(normal, motion)
    sliding = wp.dot(slip, motion)
    slips = friction * wp.max(depth, 0.0) / effective < sliding / inverse_effective_mass(
        slip, position, inverse_inertia
    )
    if slips or depth <= 0.0:
        along += friction * (wp.dot(slip, adjoint_linear) + wp.dot(wp.cross(position, slip), adjoint_angular))
    return -along / effective


@wp.func
def point_gradient(
    active: float, inactive: float, normal: wp.vec3, distance: float, leaks: int, iteration: int, settings: Settings
):
    """Gradient of the loss by a hand point, from the derivatives by its constraint where it touches and where not."""
    leaking = inactive
    if settings.one_sided != 0:
        leaking = wp.min(inactive, 0.0)
    if leaks == 0:
        leaking = 0.0
    overlap = wp.max(-distance, 0.0)
    pull = float(0.0)
    if distance > 0.0 and distance < settings.loss.closing_distance:
        pull = settings.closing[iteration]
    return normal * (pull - active - settings.leak[iteration] * leaking - settings.loss.penetration_weight * overlap)


@wp.kernel
def pull_back_kernel(
    hand: HandArrays,
    obj: ObjectArrays,
    settings: Settings,
    iteration: wp.array(dtype=int),  # (1)
    # outputs
    state: GraspArrays,
):
    """Differentiate the loss by the position of one hand point. One thread per (grasp, point).

    The gradient of the constraint by the point is minus the normal. With ``one_sided``, what leaks may only attract:
    the literal leak also pushes points away that do not touch.
    """
    grasp, point = wp.tid()
    inverse_inertia = obj.inverse_inertia[obj.index[grasp]]
    normal = state.listed_normals[grasp, point]
    distance = state.listed_distances[grasp, point]
    position = state.listed_points[grasp, point]
    active = float(0.0)
    inactive = float(0.0)
    for simulation in range(settings.motions.shape[0]):
        motion = settings.motions[simulation]
        depth = constraint(settings.radius[iteration[0]], distance, normal, motion)
        value = constraint_adjoint(
            depth,
            normal,
            position,
            motion,
            settings.friction,
            inverse_inertia,
            state.adjoint_linear[grasp, simulation],
            state.adjoint_angular[grasp, simulation],
        )
        if depth > 0.0:
            active += value
        else:
            inactive += value
    state.point_gradients[grasp, point] = point_gradient(
        active, inactive, normal, distance, state.listed_leaks[grasp, point], iteration[0], settings
    )


@wp.kernel
def link_wrenches_kernel(
    hand: HandArrays,
    # outputs
    state: GraspArrays,
):
    """Sum the point gradients of one link, in a fixed order. One thread per (grasp, link)."""
    grasp, link = wp.tid()
    force = wp.vec3(0.0, 0.0, 0.0)
    torque = wp.vec3(0.0, 0.0, 0.0)
    for point in range(hand.point_start[link], hand.point_start[link + 1]):
        gradient = state.point_gradients[grasp, point]
        force += gradient
        torque += wp.cross(state.listed_points[grasp, point], gradient)
    state.forces[grasp, link] = force
    state.torques[grasp, link] = torque
