# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What the optimisation does with one hand: place its links, gather gradients, step.

Positions are in the object's axes with the origin at its centre of mass. ``forces`` and ``torques`` are gradients by
the motion of a link, the latter about that origin.
"""

import warp as wp

from omni_graspd.hands.kinematics_kernels import PRISMATIC, REVOLUTE, joint_transform
from omni_graspd.synthesis.loss_kernels import push_hand
from omni_graspd.synthesis.losses import LIMIT, RANGE
from omni_graspd.synthesis.model_structs import GraspArrays, HandArrays, ObjectArrays, Settings
from omni_graspd.synthesis.surroundings_kernels import rise_from_table

wp.set_module_options({"enable_backward": False})


@wp.func
def adam_scale(second_moment: float, bias_2: float):
    """Inverse of the root of the bias-corrected second moment."""
    return 1.0 / (wp.sqrt(second_moment / bias_2) + 1.0e-12)


@wp.func
def rotation_quaternion(rotation: wp.vec3):
    """Quaternion of a rotation vector [rad]."""
    angle = wp.length(rotation)
    result = wp.quat(0.0, 0.0, 0.0, 1.0)
    if angle > 1.0e-9:
        result = wp.quat_from_axis_angle(rotation / angle, angle)
    return result


@wp.func
def finite(v: wp.vec3):
    """Whether all three numbers are finite."""
    return wp.isfinite(v[0]) and wp.isfinite(v[1]) and wp.isfinite(v[2])


@wp.func
def place_links(grasp: int, hand: HandArrays, state: GraspArrays, center_of_mass: wp.vec3):
    """Run forward kinematics of one grasp, from the centre of mass."""
    for joint in range(hand.coupling.shape[0]):
        value = hand.coupling_offset[joint]
        for k in range(hand.coupling.shape[1]):
            value += hand.coupling[joint, k] * state.actuated[grasp, k]
        state.joint_positions[grasp, joint] = value
    palm = state.T_object_palm[grasp]
    from_center = wp.transform(wp.transform_get_translation(palm) - center_of_mass, wp.transform_get_rotation(palm))
    for link in range(hand.parent.shape[0]):
        state.forces[grasp, link] = wp.vec3(0.0, 0.0, 0.0)
        state.torques[grasp, link] = wp.vec3(0.0, 0.0, 0.0)
        if hand.parent[link] < 0:
            state.link_poses[grasp, link] = from_center
        else:
            T_root_joint = wp.transform_multiply(state.link_poses[grasp, hand.parent[link]], hand.T_parent_joint[link])
            motion = wp.transform_identity()
            if hand.joint[link] >= 0:
                motion = joint_transform(
                    hand.joint_type[link], hand.axis[link], state.joint_positions[grasp, hand.joint[link]]
                )
                state.joint_axis[grasp, link] = wp.transform_vector(T_root_joint, hand.axis[link])
                state.joint_anchor[grasp, link] = wp.transform_get_translation(T_root_joint)
            state.link_poses[grasp, link] = wp.transform_multiply(
                wp.transform_multiply(T_root_joint, motion), hand.T_joint_link[link]
            )


@wp.func
def project_on_joints(grasp: int, hand: HandArrays, state: GraspArrays, settings: Settings):
    """Turn link wrenches into gradients of palm and actuated joints; returns whether all are finite."""
    link_count = hand.parent.shape[0]
    for k in range(link_count - 1):
        link = link_count - 1 - k
        force = state.forces[grasp, link]
        torque = state.torques[grasp, link]
        if hand.joint_type[link] == REVOLUTE:
            state.joint_gradients[grasp, hand.joint[link]] = wp.dot(
                state.joint_axis[grasp, link], torque - wp.cross(state.joint_anchor[grasp, link], force)
            )
        if hand.joint_type[link] == PRISMATIC:
            state.joint_gradients[grasp, hand.joint[link]] = wp.dot(state.joint_axis[grasp, link], force)
        parent = hand.parent[link]
        state.forces[grasp, parent] = state.forces[grasp, parent] + force
        state.torques[grasp, parent] = state.torques[grasp, parent] + torque
    origin = wp.transform_get_translation(state.link_poses[grasp, 0])
    state.palm_forces[grasp] = state.forces[grasp, 0]
    state.palm_torques[grasp] = state.torques[grasp, 0] - wp.cross(origin, state.forces[grasp, 0])
    good = finite(state.palm_forces[grasp]) and finite(state.palm_torques[grasp])

    joint_count = hand.coupling.shape[0]
    square = float(0.0)
    excess = float(0.0)
    for j in range(joint_count):
        q = state.joint_positions[grasp, j]
        offset = q - 0.5 * (hand.lower[j] + hand.upper[j])
        square += offset * offset
        excess += wp.max(q - hand.upper[j], 0.0) + wp.max(hand.lower[j] - q, 0.0)
    distance = wp.sqrt(square)
    state.losses[grasp, RANGE] = distance
    state.losses[grasp, LIMIT] = excess
    for k in range(hand.coupling.shape[1]):
        gradient = float(0.0)
        for j in range(joint_count):
            if hand.coupling[j, k] != 0.0:
                q = state.joint_positions[grasp, j]
                value = state.joint_gradients[grasp, j]
                value += (
                    settings.loss.range_weight * (q - 0.5 * (hand.lower[j] + hand.upper[j])) / wp.max(distance, 1.0e-6)
                )
                if q > hand.upper[j]:
                    value += settings.loss.limit_weight
                if q < hand.lower[j]:
                    value -= settings.loss.limit_weight
                gradient += hand.coupling[j, k] * value
        state.actuated_gradients[grasp, k] = gradient
        good = good and wp.isfinite(gradient)
    return good


@wp.func
def move_palm(grasp: int, state: GraspArrays, step: wp.vec3, turn: wp.vec3):
    """Shift the palm by ``step`` [m] and turn it about its origin by the rotation vector ``turn`` [rad]."""
    pose = state.T_object_palm[grasp]
    state.T_object_palm[grasp] = wp.transform(
        wp.transform_get_translation(pose) + step,
        wp.normalize(rotation_quaternion(turn) * wp.transform_get_rotation(pose)),
    )


@wp.func
def move_joint(grasp: int, k: int, hand: HandArrays, state: GraspArrays, step: float):
    """Move one actuated joint and keep it within its limits."""
    state.actuated[grasp, k] = wp.clamp(state.actuated[grasp, k] + step, hand.actuated_lower[k], hand.actuated_upper[k])


@wp.func
def adam_step(grasp: int, iteration: int, hand: HandArrays, state: GraspArrays, settings: Settings):
    """Move the palm and the actuated joints of one grasp."""
    beta_1 = settings.beta_1
    beta_2 = settings.beta_2
    bias_1 = settings.bias_1[iteration]
    bias_2 = settings.bias_2[iteration]
    scale = settings.rate_scale[iteration] / bias_1
    force = state.palm_forces[grasp]
    torque = state.palm_torques[grasp]
    state.palm_moments[grasp, 0] = beta_1 * state.palm_moments[grasp, 0] + (1.0 - beta_1) * force
    state.palm_moments[grasp, 1] = beta_1 * state.palm_moments[grasp, 1] + (1.0 - beta_1) * torque
    state.palm_squares[grasp, 0] = beta_2 * state.palm_squares[grasp, 0] + (1.0 - beta_2) * wp.dot(force, force)
    state.palm_squares[grasp, 1] = beta_2 * state.palm_squares[grasp, 1] + (1.0 - beta_2) * wp.dot(torque, torque)
    step = state.palm_moments[grasp, 0] * (
        -settings.translation_rate * scale * adam_scale(state.palm_squares[grasp, 0], bias_2)
    )
    turn = state.palm_moments[grasp, 1] * (
        -settings.rotation_rate * scale * adam_scale(state.palm_squares[grasp, 1], bias_2)
    )
    move_palm(grasp, state, step, turn)
    for k in range(hand.coupling.shape[1]):
        gradient = state.actuated_gradients[grasp, k]
        state.joint_moments[grasp, k] = beta_1 * state.joint_moments[grasp, k] + (1.0 - beta_1) * gradient
        state.joint_squares[grasp, k] = beta_2 * state.joint_squares[grasp, k] + (1.0 - beta_2) * gradient * gradient
        step_k = (
            -settings.joint_rate
            * scale
            * state.joint_moments[grasp, k]
            * adam_scale(state.joint_squares[grasp, k], bias_2)
        )
        move_joint(grasp, k, hand, state, step_k)


@wp.func
def descent_step(grasp: int, hand: HandArrays, state: GraspArrays, settings: Settings):
    """Plain gradient descent on the loss in units of speed (paper, section IV-A)."""
    scale = -1.0 / settings.time_step
    move_palm(
        grasp,
        state,
        state.palm_forces[grasp] * (scale * settings.translation_rate),
        state.palm_torques[grasp] * (scale * settings.rotation_rate),
    )
    for k in range(hand.coupling.shape[1]):
        move_joint(grasp, k, hand, state, state.actuated_gradients[grasp, k] * (scale * settings.joint_rate))


@wp.func
def step_hand(grasp: int, iteration: int, hand: HandArrays, state: GraspArrays, settings: Settings):
    """Make one step with the optimiser that the settings name."""
    if settings.adam != 0:
        adam_step(grasp, iteration, hand, state, settings)
    else:
        descent_step(grasp, hand, state, settings)


@wp.kernel
def place_kernel(
    hand: HandArrays,
    obj: ObjectArrays,
    # outputs
    state: GraspArrays,
):
    """Place the links of one grasp. One thread per grasp."""
    grasp = wp.tid()
    place_links(grasp, hand, state, obj.center_of_mass[obj.index[grasp]])


@wp.kernel
def gradient_kernel(
    hand: HandArrays,
    obj: ObjectArrays,
    settings: Settings,
    # outputs
    state: GraspArrays,
):
    """Turn link wrenches into gradients of palm and joints; marks grasps as failed. One thread per grasp."""
    grasp = wp.tid()
    push_hand(grasp, hand, obj, state, settings)
    if not project_on_joints(grasp, hand, state, settings):
        state.failed[grasp] = 1


@wp.kernel
def step_kernel(
    hand: HandArrays,
    obj: ObjectArrays,
    settings: Settings,
    iteration: wp.array(dtype=int),  # (1)
    # outputs
    state: GraspArrays,
):
    """Move one grasp that has not failed. One thread per grasp."""
    grasp = wp.tid()
    if state.failed[grasp] == 0:
        step_hand(grasp, iteration[0], hand, state, settings)
        rise_from_table(grasp, iteration[0], obj, state, settings)
