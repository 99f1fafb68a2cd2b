# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Forward kinematics: palm pose and joint positions to link poses, in NumPy and in Warp."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import warp as wp

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.kinematics_kernels import forward_kinematics_kernel
from omni_graspd.usd.transforms import invert, matrix_to_pose, pose_to_matrix

JOINT_TYPES = {"root": 0, "fixed": 0, "revolute": 1, "prismatic": 2}
"""Joint types as the kernels number them."""


def link_poses(hand: Hand, T_world_palm: np.ndarray, joint_positions: np.ndarray) -> np.ndarray:
    """Compute the poses of all links in double precision.

    Args:
        hand: The hand.
        T_world_palm: Palm poses, shape [..., 7].
        joint_positions: All joints, in the order of ``hand.joint_names`` [rad or m], shape [..., joint_count].

    Returns:
        T_world_link, shape [..., link_count, 7].
    """
    return matrix_to_pose(link_matrices(hand, T_world_palm, joint_positions))


def link_matrices(hand: Hand, T_world_palm: np.ndarray, joint_positions: np.ndarray) -> np.ndarray:
    """Compute the poses of all links as homogeneous matrices, shape [..., link_count, 4, 4]; see :func:`link_poses`."""
    joint_positions = np.asarray(joint_positions, dtype=np.float64)
    T_world_palm = np.asarray(T_world_palm, dtype=np.float64)
    shape = np.broadcast_shapes(T_world_palm.shape[:-1], joint_positions.shape[:-1])
    joint_positions = np.broadcast_to(joint_positions, (*shape, hand.joint_count))
    motions = _joint_motions(hand, joint_positions)
    matrices: list[np.ndarray] = []
    for link, (T_parent_joint, T_joint_link) in zip(hand.links, _joint_frames(hand), strict=True):
        if link.parent < 0:
            matrices.append(pose_to_matrix(np.broadcast_to(T_world_palm, (*shape, 7))))
            continue
        matrix = matrices[link.parent] @ T_parent_joint
        if link.joint >= 0:
            matrix = matrix @ motions[..., link.joint, :, :]
        matrices.append(matrix @ T_joint_link)
    return np.stack(matrices, axis=-3)


def _joint_motions(hand: Hand, joint_positions: np.ndarray) -> np.ndarray:
    """Return the motion of each joint in its frame as homogeneous matrices, shape [..., joint_count, 4, 4].

    All at once, since one call of SciPy costs as much as many.
    """
    from scipy.spatial.transform import Rotation

    motions = np.broadcast_to(np.eye(4), (*joint_positions.shape, 4, 4)).copy()
    axes, revolute = _joint_axes(hand)
    turns = joint_positions[..., revolute, None] * axes[revolute]
    if turns.size:
        motions[..., revolute, :3, :3] = Rotation.from_rotvec(turns.reshape(-1, 3)).as_matrix().reshape(*turns.shape, 3)
    slides = ~revolute
    motions[..., :3, 3][..., slides, :] = joint_positions[..., slides, None] * axes[slides]
    return motions


@functools.lru_cache(maxsize=16)
def _joint_axes(hand: Hand) -> tuple[np.ndarray, np.ndarray]:
    """Return the axis of each joint in its frame, shape [joint_count, 3], and which joints are revolute."""
    axes, revolute = np.zeros((hand.joint_count, 3)), np.zeros(hand.joint_count, dtype=bool)
    for link in hand.links:
        if link.joint >= 0:
            axes[link.joint], revolute[link.joint] = link.axis, link.joint_type == "revolute"
    return axes, revolute


@functools.lru_cache(maxsize=16)
def _joint_frames(hand: Hand) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return T_parent_joint and T_joint_link of each link as matrices."""
    return [
        (pose_to_matrix(link.T_parent_joint), np.linalg.inv(pose_to_matrix(link.T_link_joint))) for link in hand.links
    ]


@dataclass(frozen=True)
class KinematicTree:
    """A hand's links and joints as arrays on a device; the inputs of ``forward_kinematics_kernel``."""

    device: str
    """Device of the arrays."""
    link_count: int
    """Number of links."""
    joint_count: int
    """Number of movable joints."""
    parent: wp.array
    """Parent link, -1 for the palm, int, shape [link_count]."""
    joint: wp.array
    """Joint that moves the link, -1 for none, int, shape [link_count]."""
    joint_type: wp.array
    """0 root or fixed, 1 revolute, 2 prismatic, int, shape [link_count]."""
    axis: wp.array
    """Unit joint axis in the joint frame, vec3, shape [link_count]."""
    T_parent_joint: wp.array
    """Joint frame in the parent's frame, transform, shape [link_count]."""
    T_joint_link: wp.array
    """Link frame in the joint frame at joint position 0, transform, shape [link_count]."""

    @classmethod
    def from_hand(cls, hand: Hand, device: str) -> KinematicTree:
        """Copy the tree of ``hand`` to ``device``."""

        def integers(values: list[int]) -> wp.array:
            return wp.array(np.array(values, dtype=np.int32), dtype=int, device=device)

        def transforms(poses: np.ndarray) -> wp.array:
            return wp.array(poses.astype(np.float32), dtype=wp.transform, device=device)

        axes = np.array([link.axis for link in hand.links], dtype=np.float32)
        return cls(
            device=device,
            link_count=len(hand.links),
            joint_count=hand.joint_count,
            parent=integers([link.parent for link in hand.links]),
            joint=integers([link.joint for link in hand.links]),
            joint_type=integers([JOINT_TYPES[link.joint_type] for link in hand.links]),
            axis=wp.array(axes, dtype=wp.vec3, device=device),
            T_parent_joint=transforms(np.array([link.T_parent_joint for link in hand.links])),
            T_joint_link=transforms(invert(np.array([link.T_link_joint for link in hand.links]))),
        )


def place_links(hand: Hand, T_root_palm: np.ndarray, joint_positions: np.ndarray, device: str) -> wp.array:
    """Place all links of many hands on a device, in single precision, for kernels that measure posed hands.

    Args:
        hand: The hand.
        T_root_palm: Palm poses, shape [hand_count, 7].
        joint_positions: All joints [rad or m], shape [hand_count, joint_count].
        device: Warp device.

    Returns:
        T_root_link, transform, shape [hand_count, link_count].
    """
    palms = np.array(T_root_palm, dtype=np.float64)
    palms[:, 3:] /= np.linalg.norm(palms[:, 3:], axis=1, keepdims=True)
    joints = np.asarray(joint_positions, dtype=np.float32)
    return forward_kinematics(
        _device_tree(hand, device),
        wp.array(palms.astype(np.float32), dtype=wp.transform, device=device),
        wp.array(joints, dtype=float, ndim=2, device=device),
    )[0]


@functools.lru_cache(maxsize=16)
def _device_tree(hand: Hand, device: str) -> KinematicTree:
    return KinematicTree.from_hand(hand, device)


def forward_kinematics(
    tree: KinematicTree, T_root_palm: wp.array, joint_positions: wp.array
) -> tuple[wp.array, wp.array, wp.array]:
    """Place all links of many grasps on the device.

    Args:
        tree: The hand's tree.
        T_root_palm: Palm poses, transform, shape [grasp_count].
        joint_positions: All joints [rad or m], float, shape [grasp_count, joint_count].

    Returns:
        T_root_link (transform), joint axes (vec3) and points on them [m] (vec3) in the root frame, each of shape
        [grasp_count, link_count].
    """
    shape = (T_root_palm.shape[0], tree.link_count)
    T_root_link = _empty(shape, wp.transform, tree.device)
    joint_axis = _empty(shape, wp.vec3, tree.device)
    joint_anchor = _empty(shape, wp.vec3, tree.device)
    wp.launch(
        forward_kinematics_kernel,
        dim=shape[0],
        inputs=[
            tree.parent,
            tree.joint,
            tree.joint_type,
            tree.axis,
            tree.T_parent_joint,
            tree.T_joint_link,
            T_root_palm,
            joint_positions,
        ],
        outputs=[T_root_link, joint_axis, joint_anchor],
        device=tree.device,
    )
    return T_root_link, joint_axis, joint_anchor


def _empty(shape: tuple[int, int], dtype: Any, device: str) -> wp.array:
    return wp.empty(shape, dtype=dtype, device=device)
