# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The paper's Gauss-Seidel sweep over all contacts, one after another, and its adjoint (paper, section III-C).

Each contact sees the motion that those before it have left, so the result depends on the order of the points: that of
the links, from the palm outward. For reference and ablation; runs on the split path.
"""

import warp as wp

from omni_graspd.synthesis.contact_kernels import (
    constraint,
    friction_multiplier,
    inverse_effective_mass,
    point_gradient,
    slip_direction,
    smooth_norm,
)
from omni_graspd.synthesis.model_structs import GraspArrays, ObjectArrays, Settings

wp.set_module_options({"enable_backward": False})


@wp.func
def surface_motion(motion: wp.vec3, rotation: wp.vec3, position: wp.vec3):
    """How the object's material moves at a point [m]."""
    return motion + wp.cross(rotation, position)


@wp.kernel
def sweep_kernel(
    obj: ObjectArrays,
    settings: Settings,
    iteration: wp.array(dtype=int),  # (1)
    # outputs
    state: GraspArrays,
    motions_before: wp.array(dtype=wp.vec3, ndim=3),  # (grasp, simulation, point)
    rotations_before: wp.array(dtype=wp.vec3, ndim=3),  # (grasp, simulation, point)
    active: wp.array(dtype=float, ndim=3),  # (grasp, simulation, point), derivative by the constraint of a contact
    inactive: wp.array(dtype=float, ndim=3),  # (grasp, simulation, point), the same of a point that does not touch
):
    """Step one simulation, then go back through the sweep. One thread per (grasp, simulation)."""
    grasp, simulation = wp.tid()
    inverse_inertia = obj.inverse_inertia[obj.index[grasp]]
    length = obj.rotation_length[obj.index[grasp]]
    radius = settings.radius[iteration[0]]
    point_count = state.listed_points.shape[1]
    motion = settings.motions[simulation]
    rotation = wp.vec3(0.0, 0.0, 0.0)
    for point in range(point_count):
        motions_before[grasp, simulation, point] = motion
        rotations_before[grasp, simulation, point] = rotation
        normal = state.listed_normals[grasp, point]
        position = state.listed_points[grasp, point]
        moving = surface_motion(motion, rotation, position)
        depth = constraint(radius, state.listed_distances[grasp, point], normal, moving)
        if depth > 0.0 and wp.dot(normal, normal) > 0.0:
            multiplier = depth / inverse_effective_mass(normal, position, inverse_inertia)
            slip = slip_direction(normal, moving)
            effective = inverse_effective_mass(slip, position, inverse_inertia)
            stopping = friction_multiplier(wp.dot(slip, moving), effective, settings.friction, multiplier)
            impulse = normal * multiplier + slip * stopping
            motion -= impulse
            rotation -= inverse_inertia * wp.cross(position, impulse)

    share = settings.weights[simulation]
    linear = smooth_norm(motion, settings.smoothing)
    angular = smooth_norm(length * rotation, settings.smoothing)
    state.stable_losses[grasp, simulation] = linear + angular
    # Derivatives of the loss by motion and rotation.
    by_motion = motion * (share / linear)
    by_rotation = rotation * (share * length * length / angular)
    for k in range(point_count):
        point = point_count - 1 - k
        normal = state.listed_normals[grasp, point]
        position = state.listed_points[grasp, point]
        lever = wp.cross(position, normal)
        moving = surface_motion(
            motions_before[grasp, simulation, point], rotations_before[grasp, simulation, point], position
        )
        depth = constraint(radius, state.listed_distances[grasp, point], normal, moving)
        effective = inverse_effective_mass(normal, position, inverse_inertia)
        slip = slip_direction(normal, moving)
        arm = wp.cross(position, slip)
        effective_slip = inverse_effective_mass(slip, position, inverse_inertia)
        along = wp.dot(normal, by_motion) + wp.dot(lever, inverse_inertia * by_rotation)
        across = wp.dot(slip, by_motion) + wp.dot(arm, inverse_inertia * by_rotation)
        sliding = wp.dot(slip, moving) / effective_slip
        slips = settings.friction * wp.max(depth, 0.0) / effective < sliding
        if slips or depth <= 0.0:
            along += settings.friction * across
        value = -along / effective
        active[grasp, simulation, point] = 0.0
        inactive[grasp, simulation, point] = 0.0
        if depth > 0.0 and wp.dot(normal, normal) > 0.0:
            active[grasp, simulation, point] = value
            by_motion += normal * value
            by_rotation += lever * value
            if not slips:
                by_motion -= slip * (across / effective_slip)
                by_rotation -= arm * (across / effective_slip)
        elif wp.dot(normal, normal) > 0.0:
            inactive[grasp, simulation, point] = value


@wp.kernel
def pull_back_sweep_kernel(
    settings: Settings,
    iteration: wp.array(dtype=int),  # (1)
    active: wp.array(dtype=float, ndim=3),  # (grasp, simulation, point)
    inactive: wp.array(dtype=float, ndim=3),  # (grasp, simulation, point)
    # outputs
    state: GraspArrays,
):
    """Differentiate the loss by the position of one hand point. One thread per (grasp, point)."""
    grasp, point = wp.tid()
    active_sum = float(0.0)
    inactive_sum = float(0.0)
    for simulation in range(active.shape[1]):
        active_sum += active[grasp, simulation, point]
        inactive_sum += inactive[grasp, simulation, point]
    state.point_gradients[grasp, point] = point_gradient(
        active_sum,
        inactive_sum,
        state.listed_normals[grasp, point],
        state.listed_distances[grasp, point],
        state.listed_leaks[grasp, point],
        iteration[0],
        settings,
    )
