# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The terms of the loss that act on whole links: all are added in one place, for the fused and the split path alike.

``forces`` and ``torques`` are gradients by the motion of a link, the latter about the object's centre of mass.
"""

import warp as wp

from omni_graspd.synthesis.losses import SELF_COLLISION
from omni_graspd.synthesis.model_structs import GraspArrays, HandArrays, ObjectArrays, Settings
from omni_graspd.synthesis.surroundings_kernels import push_from_surroundings
from omni_graspd.synthesis.wall_kernels import push_out_of_object

wp.set_module_options({"enable_backward": False})


@wp.func
def sphere_overlap(center_a: wp.vec3, center_b: wp.vec3, radius_sum: float):
    """Depth to which two spheres overlap; zero when they are apart [m]."""
    return wp.max(radius_sum - wp.length(center_a - center_b), 0.0)


@wp.func
def push_links_apart(grasp: int, hand: HandArrays, state: GraspArrays, settings: Settings):
    """Add the self-collision gradient; returns half the sum of squared overlaps [m2]."""
    loss = float(0.0)
    for link in range(hand.parent.shape[0]):
        pose = state.link_poses[grasp, link]
        state.bound_centers[grasp, link] = wp.transform_point(pose, hand.bound_center[link])
        for sphere in range(hand.sphere_start[link], hand.sphere_start[link + 1]):
            state.sphere_centers[grasp, sphere] = wp.transform_point(pose, hand.sphere_center[sphere])
    for pair in range(hand.link_pairs.shape[0]):
        a = hand.link_pairs[pair][0]
        b = hand.link_pairs[pair][1]
        apart = state.bound_centers[grasp, a] - state.bound_centers[grasp, b]
        touching = hand.bound_radius[a] + hand.bound_radius[b] + settings.loss.self_collision_margin
        if wp.dot(apart, apart) < touching * touching:
            force_a = wp.vec3(0.0, 0.0, 0.0)
            torque_a = wp.vec3(0.0, 0.0, 0.0)
            torque_b = wp.vec3(0.0, 0.0, 0.0)
            for i in range(hand.sphere_start[a], hand.sphere_start[a + 1]):
                center_a = state.sphere_centers[grasp, i]
                for j in range(hand.sphere_start[b], hand.sphere_start[b + 1]):
                    center_b = state.sphere_centers[grasp, j]
                    between = center_a - center_b
                    radii = hand.sphere_radius[i] + hand.sphere_radius[j] + settings.loss.self_collision_margin
                    if wp.dot(between, between) < radii * radii:
                        overlap = sphere_overlap(center_a, center_b, radii)
                        loss += 0.5 * overlap * overlap
                        gradient = wp.normalize(between) * (-settings.loss.self_collision_weight * overlap)
                        force_a += gradient
                        torque_a += wp.cross(center_a, gradient)
                        torque_b += wp.cross(center_b, gradient)
            state.forces[grasp, a] = state.forces[grasp, a] + force_a
            state.torques[grasp, a] = state.torques[grasp, a] + torque_a
            state.forces[grasp, b] = state.forces[grasp, b] - force_a
            state.torques[grasp, b] = state.torques[grasp, b] - torque_b
    return loss


@wp.func
def push_hand(grasp: int, hand: HandArrays, obj: ObjectArrays, state: GraspArrays, settings: Settings):
    """Add the gradients of all terms that act on links; the order is part of the result."""
    state.losses[grasp, SELF_COLLISION] = push_links_apart(grasp, hand, state, settings)
    push_out_of_object(grasp, hand, obj, state, settings)
    push_from_surroundings(grasp, hand, obj, state, settings)
