# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Adam on palm poses and actuated joints."""

import warp as wp

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


@wp.kernel
def mark_failed_kernel(
    palm_forces: wp.array(dtype=wp.vec3),  # (grasp)
    palm_torques: wp.array(dtype=wp.vec3),  # (grasp)
    joint_gradients: wp.array(dtype=float, ndim=2),  # (grasp, actuated)
    # outputs
    failed: wp.array(dtype=int),  # (grasp), set to 1 when a gradient is not finite
):
    """Find grasps that must not move any more. One thread per grasp."""
    grasp = wp.tid()
    good = finite(palm_forces[grasp]) and finite(palm_torques[grasp])
    for k in range(joint_gradients.shape[1]):
        good = good and wp.isfinite(joint_gradients[grasp, k])
    if not good:
        failed[grasp] = 1


@wp.kernel
def adam_palm_kernel(
    palm_forces: wp.array(dtype=wp.vec3),  # (grasp)
    palm_torques: wp.array(dtype=wp.vec3),  # (grasp)
    beta_1: float,
    beta_2: float,
    bias_1: float,
    bias_2: float,
    translation_rate: float,
    rotation_rate: float,
    failed: wp.array(dtype=int),  # (grasp), such a grasp is left alone
    # outputs
    moments: wp.array(dtype=wp.vec3, ndim=2),  # (grasp, 2): first moments of translation and rotation
    squares: wp.array(dtype=float, ndim=2),  # (grasp, 2): second moments, one for translation, one for rotation
    T_object_palm: wp.array(dtype=wp.transform),  # (grasp)
):
    """Move one palm. One thread per grasp. A shared second moment keeps the step along the gradient in any frame."""
    grasp = wp.tid()
    force = palm_forces[grasp]
    torque = palm_torques[grasp]
    if failed[grasp] != 0:
        return
    moments[grasp, 0] = beta_1 * moments[grasp, 0] + (1.0 - beta_1) * force
    moments[grasp, 1] = beta_1 * moments[grasp, 1] + (1.0 - beta_1) * torque
    squares[grasp, 0] = beta_2 * squares[grasp, 0] + (1.0 - beta_2) * wp.dot(force, force)
    squares[grasp, 1] = beta_2 * squares[grasp, 1] + (1.0 - beta_2) * wp.dot(torque, torque)
    step = moments[grasp, 0] * (-translation_rate / bias_1 * adam_scale(squares[grasp, 0], bias_2))
    turn = moments[grasp, 1] * (-rotation_rate / bias_1 * adam_scale(squares[grasp, 1], bias_2))
    pose = T_object_palm[grasp]
    T_object_palm[grasp] = wp.transform(
        wp.transform_get_translation(pose) + step,
        wp.normalize(rotation_quaternion(turn) * wp.transform_get_rotation(pose)),
    )


@wp.kernel
def adam_joints_kernel(
    gradients: wp.array(dtype=float, ndim=2),  # (grasp, actuated)
    lower: wp.array(dtype=float),  # (actuated)
    upper: wp.array(dtype=float),  # (actuated)
    beta_1: float,
    beta_2: float,
    bias_1: float,
    bias_2: float,
    rate: float,
    failed: wp.array(dtype=int),  # (grasp), such a grasp is left alone
    # outputs
    moments: wp.array(dtype=float, ndim=2),  # (grasp, actuated)
    squares: wp.array(dtype=float, ndim=2),  # (grasp, actuated)
    positions: wp.array(dtype=float, ndim=2),  # (grasp, actuated)
):
    """Move one actuated joint and keep it within its limits. One thread per (grasp, actuated joint)."""
    grasp, k = wp.tid()
    gradient = gradients[grasp, k]
    if failed[grasp] != 0:
        return
    moments[grasp, k] = beta_1 * moments[grasp, k] + (1.0 - beta_1) * gradient
    squares[grasp, k] = beta_2 * squares[grasp, k] + (1.0 - beta_2) * gradient * gradient
    step = -rate / bias_1 * moments[grasp, k] * adam_scale(squares[grasp, k], bias_2)
    positions[grasp, k] = wp.clamp(positions[grasp, k] + step, lower[k], upper[k])
