# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Gradients of palm pose and joints against central differences of double-precision forward kinematics."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import warp as wp

from omni_graspd.hands.hand import Hand, Link
from omni_graspd.hands.kinematics import KinematicTree, forward_kinematics, link_poses
from omni_graspd.synthesis import gradient_kernels
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import IDENTITY, compose, pose_to_matrix, transform_points

_CENTER_OF_MASS = np.array([0.01, -0.02, 0.03])
_NO_MESH = TriangleMesh(np.zeros((0, 3)), np.zeros((0, 3), dtype=np.int32))


def make_link(name, parent, joint, joint_type, axis, position) -> Link:
    T_parent_joint = np.concatenate([position, [0.1, 0.2, -0.3, 0.9]])
    T_parent_joint[3:] /= np.linalg.norm(T_parent_joint[3:])
    T_link_joint = np.concatenate([[0.002, -0.001, 0.003], T_parent_joint[[4, 3, 5, 6]]])
    return Link(
        name,
        f"/{name}",
        parent,
        joint,
        joint_type,
        np.array(axis, float),
        T_parent_joint,
        T_link_joint,
        _NO_MESH,
        0.1,
    )


@pytest.fixture(scope="module")
def branched_hand() -> Hand:
    """A palm with a finger of two coupled revolute joints, and one with a prismatic joint."""
    links = (
        Link("palm", "/palm", -1, -1, "root", np.array([1.0, 0, 0]), IDENTITY, IDENTITY, _NO_MESH, 0.1),
        make_link("proximal", 0, 0, "revolute", [0, 0, 1], [0.03, 0, 0.01]),
        make_link("slider", 0, 1, "prismatic", [1, 0, 0], [-0.03, 0.02, 0]),
        make_link("distal", 1, 2, "revolute", [0, 1, 0], [0.04, 0, 0]),
        make_link("tip", 3, -1, "fixed", [1, 0, 0], [0.02, 0, 0.005]),
    )
    return Hand(
        name="branched",
        source=Path("branched.usda"),
        links=links,
        joint_names=("proximal", "slider", "distal"),
        joint_lower=np.array([-1.0, 0.0, -1.0]),
        joint_upper=np.array([1.0, 0.05, 1.0]),
        actuated=np.array([0, 1]),
        coupling=np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.0]]),
        coupling_offset=np.array([0.0, 0.0, 0.1]),
        approach_direction=np.array([0.0, 0.0, 1.0]),
        approach_point=np.zeros(3),
        open_positions=np.array([0.1, 0.02]),
    )


@pytest.fixture(scope="module")
def state():
    random = np.random.default_rng(4)
    quat = random.normal(size=4)
    return np.concatenate([[0.1, -0.05, 0.2], quat / np.linalg.norm(quat)]), np.array([0.4, 0.03])


class Kernels:
    """Runs the gradient kernels on one grasp."""

    def __init__(self, hand: Hand, pose: np.ndarray, actuated: np.ndarray) -> None:
        self.hand, self.tree = hand, KinematicTree.from_hand(hand, "cpu")
        self.pose = wp.array(pose[None], dtype=wp.transform, device="cpu")
        self.positions = wp.array(hand.joint_positions(actuated)[None], dtype=float, device="cpu")
        self.T_object_link, self.axis, self.anchor = forward_kinematics(self.tree, self.pose, self.positions)
        self.forces = wp.zeros((1, len(hand.links)), dtype=wp.vec3, device="cpu")
        self.torques = wp.zeros((1, len(hand.links)), dtype=wp.vec3, device="cpu")

    def gradients(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Gradients by palm position, palm rotation and actuated joints, from the present link wrenches."""
        hand = self.hand
        joints = wp.zeros((1, hand.joint_count), dtype=float, device="cpu")
        force, torque = (wp.zeros(1, dtype=wp.vec3, device="cpu") for _ in range(2))
        wp.launch(
            gradient_kernels.joint_gradients_kernel,
            dim=1,
            inputs=[
                *(self.tree.parent, self.tree.joint, self.tree.joint_type, self.axis, self.anchor, self.pose),
                wp.vec3(*_CENTER_OF_MASS),
            ],
            outputs=[self.forces, self.torques, joints, force, torque],
            device="cpu",
        )
        actuated = wp.zeros((1, hand.actuated_count), dtype=float, device="cpu")
        wp.launch(
            gradient_kernels.actuated_gradients_kernel,
            dim=1,
            inputs=[
                *(wp.array(hand.coupling, dtype=float, device="cpu"), joints, self.positions),
                *(wp.array(limit, dtype=float, device="cpu") for limit in (hand.joint_lower, hand.joint_upper)),
                *(0.0, 0.0),
            ],
            outputs=[actuated, *(wp.zeros(1, dtype=float, device="cpu") for _ in range(2))],
            device="cpu",
        )
        return force.numpy()[0], torque.numpy()[0], actuated.numpy()[0]


def finite_differences(loss, pose: np.ndarray, actuated: np.ndarray, step: float = 1e-6):
    """Central differences of ``loss(pose, actuated)`` by palm position, palm rotation and actuated joints."""

    def moved(axis: int, size: float) -> np.ndarray:
        return np.concatenate([pose[:3] + size * np.eye(3)[axis], pose[3:]])

    def turned(axis: int, size: float) -> np.ndarray:
        turn = np.concatenate([np.zeros(3), np.sin(size / 2) * np.eye(3)[axis], [np.cos(size / 2)]])
        rotated = compose(turn, np.concatenate([np.zeros(3), pose[3:]]))
        return np.concatenate([pose[:3], rotated[3:]])

    def slope(above: float, below: float) -> float:
        return (above - below) / (2.0 * step)

    return (
        np.array([slope(loss(moved(k, step), actuated), loss(moved(k, -step), actuated)) for k in range(3)]),
        np.array([slope(loss(turned(k, step), actuated), loss(turned(k, -step), actuated)) for k in range(3)]),
        np.array(
            [
                slope(loss(pose, actuated + step * unit), loss(pose, actuated - step * unit))
                for unit in np.eye(len(actuated))
            ]
        ),
    )


def test_point_forces_pull_back_to_palm_and_coupled_joints(branched_hand, state):
    pose, actuated = state
    random = np.random.default_rng(1)
    link_index = np.sort(random.integers(0, 5, size=30))
    local, pull = random.normal(scale=0.02, size=(30, 3)), random.normal(size=(30, 3))

    def place(pose, actuated):
        matrices = pose_to_matrix(link_poses(branched_hand, pose, branched_hand.joint_positions(actuated)))
        return np.einsum("pij,pj->pi", matrices[link_index, :3, :3], local) + matrices[link_index, :3, 3]

    kernels = Kernels(branched_hand, pose, actuated)
    starts = np.searchsorted(link_index, np.arange(6)).astype(np.int32)
    wp.launch(
        gradient_kernels.link_wrenches_kernel,
        dim=(1, 5),
        inputs=[
            wp.array(starts, dtype=int, device="cpu"),
            wp.array((place(pose, actuated) - _CENTER_OF_MASS)[None], dtype=wp.vec3, device="cpu"),
            wp.array(pull[None], dtype=wp.vec3, device="cpu"),
        ],
        outputs=[kernels.forces, kernels.torques],
        device="cpu",
    )
    expected = finite_differences(lambda p, q: float(np.sum(pull * place(p, q))), pose, actuated)
    for value, reference in zip(kernels.gradients(), expected, strict=True):
        np.testing.assert_allclose(value, reference, rtol=1e-4, atol=1e-5)


def test_self_collision_gradient_equals_finite_differences(branched_hand, state):
    pose, actuated = state
    link_index, weight = np.array([0, 1, 2, 3, 4]), 30.0
    centers = np.random.default_rng(2).normal(scale=0.005, size=(5, 3))
    radii = np.array([0.03, 0.025, 0.02, 0.03, 0.02])
    pairs = np.array([[0, 3], [1, 2], [2, 4], [0, 4]], dtype=np.int32)

    def loss(pose, actuated):
        poses = link_poses(branched_hand, pose, branched_hand.joint_positions(actuated))
        placed = np.array(
            [transform_points(poses[link], center[None])[0] for link, center in zip(link_index, centers, strict=True)]
        )
        overlap = [max(0.0, radii[a] + radii[b] - np.linalg.norm(placed[a] - placed[b])) for a, b in pairs]
        return 0.5 * weight * float(np.sum(np.square(overlap)))

    kernels = Kernels(branched_hand, pose, actuated)
    losses = wp.zeros(1, dtype=float, device="cpu")
    wp.launch(
        gradient_kernels.self_collision_kernel,
        dim=1,
        inputs=[
            wp.array(link_index.astype(np.int32), dtype=int, device="cpu"),
            wp.array(centers, dtype=wp.vec3, device="cpu"),
            wp.array(radii, dtype=float, device="cpu"),
            wp.array(pairs, dtype=wp.vec2i, device="cpu"),
            *(kernels.T_object_link, wp.vec3(*_CENTER_OF_MASS), weight),
        ],
        outputs=[kernels.forces, kernels.torques, losses],
        device="cpu",
    )
    assert loss(pose, actuated) > 0.0
    assert weight * losses.numpy()[0] == pytest.approx(loss(pose, actuated), rel=1e-4)
    expected = finite_differences(loss, pose, actuated)
    for value, reference in zip(kernels.gradients(), expected, strict=True):
        np.testing.assert_allclose(value, reference, rtol=2e-3, atol=1e-5 * weight)
