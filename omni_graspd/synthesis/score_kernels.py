# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How far an object gets that the hand holds: many projections after a large push, forward only.

One small projection makes a good gradient but says little about holding; this ranks grasps.
"""

import warp as wp

from omni_graspd.synthesis.contact_kernels import (
    constraint,
    friction_multiplier,
    inverse_effective_mass,
    slip_direction,
)
from omni_graspd.synthesis.gauss_seidel_kernels import surface_motion
from omni_graspd.synthesis.model_structs import GraspArrays, ObjectArrays, Settings

wp.set_module_options({"enable_backward": False})


@wp.kernel
def escape_kernel(
    obj: ObjectArrays,
    settings: Settings,
    sweeps: int,
    state: GraspArrays,
    # outputs
    escapes: wp.array(dtype=float, ndim=2),  # (grasp, simulation) [m]
):
    """Push the object, project the contacts ``sweeps`` times, averaged; one thread per (grasp, simulation).

    Leaves |motion| + l |rotation|, l the object's radius of gyration.
    """
    grasp, simulation = wp.tid()
    inverse_inertia = obj.inverse_inertia[obj.index[grasp]]
    motion = settings.motions[simulation]
    rotation = wp.vec3(0.0, 0.0, 0.0)
    for _ in range(sweeps):
        impulse_sum = wp.vec3(0.0, 0.0, 0.0)
        torque_sum = wp.vec3(0.0, 0.0, 0.0)
        contact_count = float(0.0)
        for point in range(state.listed_points.shape[1]):
            normal = state.listed_normals[grasp, point]
            if wp.dot(normal, normal) > 0.0:
                position = state.listed_points[grasp, point]
                moving = surface_motion(motion, rotation, position)
                depth = constraint(0.0, state.listed_distances[grasp, point], normal, moving)
                if depth > 0.0:
                    multiplier = depth / inverse_effective_mass(normal, position, inverse_inertia)
                    slip = slip_direction(normal, moving)
                    effective = inverse_effective_mass(slip, position, inverse_inertia)
                    stopping = friction_multiplier(wp.dot(slip, moving), effective, settings.friction, multiplier)
                    impulse = normal * multiplier + slip * stopping
                    impulse_sum += impulse
                    torque_sum += wp.cross(position, impulse)
                    contact_count += 1.0
        average = 1.0 / wp.max(contact_count, 1.0)
        motion -= impulse_sum * average
        rotation -= (inverse_inertia * torque_sum) * average
    escapes[grasp, simulation] = wp.length(motion) + obj.rotation_length[obj.index[grasp]] * wp.length(rotation)
