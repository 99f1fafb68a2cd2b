# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Contact between a static hand and the object: one position-based step, and its leaky adjoint (paper, section III-C).

All vectors are in the object's axes with the origin at its centre of mass. The object has unit mass, since mass
cancels; ``inverse_inertia`` is that of inertia / mass. Motions of the object during the step are displacements:
``motion`` [m] and ``rotation`` [rad]. One averaged (Jacobi) projection per step stands for the paper's Gauss-Seidel
sweep, whose result depends on the order of the points.
"""

import warp as wp

from omni_graspd.objects.signed_distance_kernels import signed_distance

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


@wp.kernel
def query_points_kernel(
    mesh: wp.uint64,
    corner_normals: wp.array(dtype=wp.vec3),
    sign_mode: int,
    phong_alpha: float,
    max_distance: float,
    center_of_mass: wp.vec3,
    link_index: wp.array(dtype=int),  # (point)
    positions: wp.array(dtype=wp.vec3),  # (point), in the link's frame
    T_object_link: wp.array(dtype=wp.transform, ndim=2),  # (grasp, link)
    reuse_distance: float,
    reuse_share: float,
    # outputs
    queried_points: wp.array(dtype=wp.vec3, ndim=2),  # (grasp, point), where the surface was last looked for
    queried_distances: wp.array(dtype=float, ndim=2),  # (grasp, point)
    points: wp.array(dtype=wp.vec3, ndim=2),  # (grasp, point), from the centre of mass
    distances: wp.array(dtype=float, ndim=2),  # (grasp, point)
    normals: wp.array(dtype=wp.vec3, ndim=2),  # (grasp, point); zero where the object is out of reach
):
    """Place one hand point and measure its Phong signed distance. One thread per (grasp, point).

    While a point has moved less than ``reuse_distance`` or ``reuse_share`` of its distance since the surface was last
    looked for, the distance is taken to first order: phi = phi_0 + n_0 · (p - p_0).
    """
    grasp, point = wp.tid()
    in_object = wp.transform_point(T_object_link[grasp, link_index[point]], positions[point])
    moved = in_object - queried_points[grasp, point]
    if wp.length(moved) > wp.max(reuse_distance, reuse_share * wp.abs(queried_distances[grasp, point])):
        distance, normal, _found = signed_distance(
            mesh, corner_normals, in_object, max_distance, sign_mode, phong_alpha
        )
        queried_points[grasp, point] = in_object
        queried_distances[grasp, point] = distance
        normals[grasp, point] = normal
        moved = wp.vec3(0.0, 0.0, 0.0)
    points[grasp, point] = in_object - center_of_mass
    distances[grasp, point] = queried_distances[grasp, point] + wp.dot(normals[grasp, point], moved)


@wp.kernel
def simulate_kernel(
    points: wp.array(dtype=wp.vec3, ndim=2),  # (grasp, point)
    distances: wp.array(dtype=float, ndim=2),  # (grasp, point)
    normals: wp.array(dtype=wp.vec3, ndim=2),  # (grasp, point)
    motions: wp.array(dtype=wp.vec3),  # (simulation), what the object would do without the hand
    radius: float,
    friction: float,
    inverse_inertia: wp.mat33,
    gyration_radius: float,
    smoothing: float,
    # outputs
    losses: wp.array(dtype=float, ndim=2),  # (grasp, simulation)
    adjoint_linear: wp.array(dtype=wp.vec3, ndim=2),  # (grasp, simulation)
    adjoint_angular: wp.array(dtype=wp.vec3, ndim=2),  # (grasp, simulation), times the inverse inertia
    averaging: wp.array(dtype=float, ndim=2),  # (grasp, simulation), 1 / contact count
):
    """Step one simulation and differentiate its loss by the object's motion. One thread per (grasp, simulation).

    Loss (paper, equation 2, as a displacement, rotation times the radius of gyration): |motion| + l |rotation|.
    """
    grasp, simulation = wp.tid()
    start = motions[simulation]
    impulse_sum = wp.vec3(0.0, 0.0, 0.0)
    torque_sum = wp.vec3(0.0, 0.0, 0.0)
    contact_count = float(0.0)
    for point in range(points.shape[1]):
        normal = normals[grasp, point]
        depth = constraint(radius, distances[grasp, point], normal, start)
        if depth > 0.0 and wp.dot(normal, normal) > 0.0:
            position = points[grasp, point]
            multiplier = depth / inverse_effective_mass(normal, position, inverse_inertia)
            slip = slip_direction(normal, start)
            effective = inverse_effective_mass(slip, position, inverse_inertia)
            stopping = friction_multiplier(wp.dot(slip, start), effective, friction, multiplier)
            impulse = normal * multiplier + slip * stopping
            impulse_sum -= impulse
            torque_sum -= wp.cross(position, impulse)
            contact_count += 1.0
    average = 1.0 / wp.max(contact_count, 1.0)
    motion = start + average * impulse_sum
    rotation = average * (inverse_inertia * torque_sum)

    share = 1.0 / float(motions.shape[0])
    linear = smooth_norm(motion, smoothing)
    angular = smooth_norm(gyration_radius * rotation, smoothing)
    losses[grasp, simulation] = linear + angular
    adjoint_linear[grasp, simulation] = share * motion / linear
    adjoint_angular[grasp, simulation] = (
        share * gyration_radius * gyration_radius / angular * (inverse_inertia * rotation)
    )
    averaging[grasp, simulation] = average


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
    average: float,
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
    return -average * along / effective


@wp.kernel
def pull_back_kernel(
    points: wp.array(dtype=wp.vec3, ndim=2),  # (grasp, point)
    distances: wp.array(dtype=float, ndim=2),  # (grasp, point)
    normals: wp.array(dtype=wp.vec3, ndim=2),  # (grasp, point)
    motions: wp.array(dtype=wp.vec3),  # (simulation)
    adjoint_linear: wp.array(dtype=wp.vec3, ndim=2),  # (grasp, simulation)
    adjoint_angular: wp.array(dtype=wp.vec3, ndim=2),  # (grasp, simulation)
    averaging: wp.array(dtype=float, ndim=2),  # (grasp, simulation)
    radius: float,
    friction: float,
    inverse_inertia: wp.mat33,
    leak: float,
    one_sided: int,
    penetration_weight: float,
    # outputs
    point_gradients: wp.array(dtype=wp.vec3, ndim=2),  # (grasp, point)
):
    """Differentiate the loss by the position of one hand point. One thread per (grasp, point).

    The gradient of the constraint by the point is minus the normal. With ``one_sided``, what leaks may only attract:
    the literal leak also pushes points away that do not touch.
    """
    grasp, point = wp.tid()
    normal = normals[grasp, point]
    distance = distances[grasp, point]
    position = points[grasp, point]
    active = float(0.0)
    inactive = float(0.0)
    for simulation in range(motions.shape[0]):
        depth = constraint(radius, distance, normal, motions[simulation])
        value = constraint_adjoint(
            depth,
            normal,
            position,
            motions[simulation],
            friction,
            inverse_inertia,
            adjoint_linear[grasp, simulation],
            adjoint_angular[grasp, simulation],
            averaging[grasp, simulation],
        )
        if depth > 0.0:
            active += value
        else:
            inactive += value
    if one_sided != 0:
        inactive = wp.min(inactive, 0.0)
    overlap = wp.max(-distance, 0.0)
    point_gradients[grasp, point] = -normal * (active + leak * inactive + penetration_weight * overlap)
