# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Forward kinematics on the device, one thread per grasp."""

import warp as wp

wp.set_module_options({"enable_backward": False})

REVOLUTE = wp.constant(1)
PRISMATIC = wp.constant(2)


@wp.func
def joint_transform(joint_type: int, axis: wp.vec3, position: float) -> wp.transform:
    """Motion of a joint: rotation about its axis by ``position`` [rad], or shift along it by ``position`` [m]."""
    motion = wp.transform_identity()
    if joint_type == REVOLUTE:
        motion = wp.transform(wp.vec3(0.0, 0.0, 0.0), wp.quat_from_axis_angle(axis, position))
    elif joint_type == PRISMATIC:
        motion = wp.transform(axis * position, wp.quat_identity())
    return motion


@wp.kernel
def forward_kinematics_kernel(
    parent: wp.array(dtype=int),  # [link]
    joint: wp.array(dtype=int),  # [link]
    joint_type: wp.array(dtype=int),  # [link]
    axis: wp.array(dtype=wp.vec3),  # [link]
    T_parent_joint: wp.array(dtype=wp.transform),  # [link]
    T_joint_link: wp.array(dtype=wp.transform),  # [link]
    T_root_palm: wp.array(dtype=wp.transform),  # [grasp]
    joint_positions: wp.array(dtype=float, ndim=2),  # [grasp, joint]
    # outputs
    T_root_link: wp.array(dtype=wp.transform, ndim=2),  # [grasp, link]
    joint_axis_root: wp.array(dtype=wp.vec3, ndim=2),  # [grasp, link]
    joint_anchor_root: wp.array(dtype=wp.vec3, ndim=2),  # [grasp, link]
):
    """Place all links of one grasp: T_root_link = T_root_parent · T_parent_joint · motion(q) · T_joint_link.

    Threads: (grasp). Parents come before their children. The joint axis and a point on it are written in the root
    frame, so that the gradient of a force f at a point p of a link or its descendants by the joint position is
    axis · ((p - anchor) × f) for revolute and axis · f for prismatic joints. Both are zero for fixed links.
    """
    grasp = wp.tid()
    for link in range(parent.shape[0]):
        if parent[link] < 0:
            T_root_link[grasp, link] = T_root_palm[grasp]
            joint_axis_root[grasp, link] = wp.vec3(0.0, 0.0, 0.0)
            joint_anchor_root[grasp, link] = wp.vec3(0.0, 0.0, 0.0)
            continue
        T_root_joint = wp.transform_multiply(T_root_link[grasp, parent[link]], T_parent_joint[link])
        motion = wp.transform_identity()
        joint_axis = wp.vec3(0.0, 0.0, 0.0)
        joint_anchor = wp.vec3(0.0, 0.0, 0.0)
        if joint[link] >= 0:
            motion = joint_transform(joint_type[link], axis[link], joint_positions[grasp, joint[link]])
            joint_axis = wp.transform_vector(T_root_joint, axis[link])
            joint_anchor = wp.transform_get_translation(T_root_joint)
        T_root_moved = wp.transform_multiply(T_root_joint, motion)
        T_root_link[grasp, link] = wp.transform_multiply(T_root_moved, T_joint_link[link])
        joint_axis_root[grasp, link] = joint_axis
        joint_anchor_root[grasp, link] = joint_anchor
