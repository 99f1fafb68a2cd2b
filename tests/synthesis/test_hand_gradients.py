# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Gradients of palm pose and joints against central differences of double-precision forward kinematics."""

from __future__ import annotations

import numpy as np
import pytest
import warp as wp
from contact_bench import NO_WEIGHTS
from pose_differences import finite_differences

from omni_graspd.hands.collision_spheres import CollisionSpheres
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.hands.surface_points import HandPoints
from omni_graspd.synthesis import contact_kernels, hand_kernels
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.models import HandModel, ObjectModel
from omni_graspd.synthesis.optimization import Shard
from omni_graspd.usd.transforms import pose_to_matrix, transform_points

_CENTER_OF_MASS = np.array([0.01, -0.02, 0.03])
_LINK_COUNT = 5


@pytest.fixture(scope="module")
def state():
    random = np.random.default_rng(4)
    quat = random.normal(size=4)
    return np.concatenate([[0.1, -0.05, 0.2], quat / np.linalg.norm(quat)]), np.array([0.4, 0.03])


def one_point() -> HandPoints:
    return HandPoints(np.zeros(1, dtype=int), np.zeros((1, 3)), np.zeros((1, 3)), np.zeros(1))


def no_spheres() -> CollisionSpheres:
    return CollisionSpheres(
        np.zeros(0, dtype=int), np.zeros((0, 3)), np.zeros(0), np.ones((_LINK_COUNT,) * 2, dtype=bool)
    )


@pytest.fixture
def placed(branched_hand, mug, state):
    """Makes a shard of one grasp with its links placed."""

    def make(points: HandPoints | None = None, spheres: CollisionSpheres | None = None, **options) -> Shard:
        model = HandModel(branched_hand, points or one_point(), spheres or no_spheres(), "cpu")
        pose, actuated = state
        config = SynthesisConfig(iterations=1, **{**NO_WEIGHTS, **options})
        target = ObjectModel(mug, config.distance, "cpu")
        target.center_of_mass = _CENTER_OF_MASS
        shard = Shard(model, [target], np.zeros(1, int), pose[None], actuated[None], config, "cpu", fused=False)
        inputs = [model.arrays, shard.objects]
        wp.launch(hand_kernels.place_kernel, dim=1, inputs=inputs, outputs=[shard.state], device="cpu")
        return shard

    return make


def gradients(shard: Shard) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients by palm position, palm rotation and actuated joints, from the present link wrenches."""
    inputs = [shard.hand.arrays, shard.objects, shard.settings]
    wp.launch(hand_kernels.gradient_kernel, dim=1, inputs=inputs, outputs=[shard.state], device="cpu")
    state = shard.state
    return tuple(a.numpy()[0] for a in (state.palm_forces, state.palm_torques, state.actuated_gradients))


def test_point_forces_pull_back_to_palm_and_coupled_joints(branched_hand, placed, state):
    pose, actuated = state
    random = np.random.default_rng(1)
    link_index = np.sort(random.integers(0, _LINK_COUNT, size=30))
    local, pull = random.normal(scale=0.02, size=(30, 3)), random.normal(size=(30, 3))

    def place(pose, actuated):
        matrices = pose_to_matrix(link_poses(branched_hand, pose, branched_hand.joint_positions(actuated)))
        return np.einsum("pij,pj->pi", matrices[link_index, :3, :3], local) + matrices[link_index, :3, 3]

    shard = placed(HandPoints(link_index, local, np.zeros((30, 3)), np.zeros(30)))
    shard.state.listed_points = wp.array((place(pose, actuated) - _CENTER_OF_MASS)[None], dtype=wp.vec3, device="cpu")
    shard.state.point_gradients = wp.array(pull[None], dtype=wp.vec3, device="cpu")
    wp.launch(
        contact_kernels.link_wrenches_kernel,
        dim=(1, _LINK_COUNT),
        inputs=[shard.hand.arrays],
        outputs=[shard.state],
        device="cpu",
    )
    expected = finite_differences(lambda p, q: float(np.sum(pull * place(p, q))), pose, actuated)
    for value, reference in zip(gradients(shard), expected, strict=True):
        np.testing.assert_allclose(value, reference, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("margin", [0.0, 0.004])
def test_self_collision_gradient_equals_finite_differences(branched_hand, placed, state, margin):
    pose, actuated = state
    link_index, weight = np.array([0, 1, 2, 3, 4]), 30.0
    centers = np.random.default_rng(2).normal(scale=0.005, size=(5, 3))
    radii = np.array([0.03, 0.025, 0.02, 0.03, 0.02])
    pairs = np.array([[0, 3], [1, 2], [2, 4], [0, 4]])
    ignored = np.ones((_LINK_COUNT, _LINK_COUNT), dtype=bool)
    ignored[pairs[:, 0], pairs[:, 1]] = ignored[pairs[:, 1], pairs[:, 0]] = False

    def loss(pose, actuated):
        poses = link_poses(branched_hand, pose, branched_hand.joint_positions(actuated))
        placed = np.array(
            [transform_points(poses[link], center[None])[0] for link, center in zip(link_index, centers, strict=True)]
        )
        overlap = [max(0.0, margin + radii[a] + radii[b] - np.linalg.norm(placed[a] - placed[b])) for a, b in pairs]
        return 0.5 * weight * float(np.sum(np.square(overlap)))

    spheres = CollisionSpheres(link_index, centers, radii, ignored)
    shard = placed(spheres=spheres, self_collision_weight=weight, self_collision_margin=margin)
    values = gradients(shard)
    assert loss(pose, actuated) > 0.0
    assert weight * shard.losses()["self_collision"][0] == pytest.approx(loss(pose, actuated), rel=1e-4)
    expected = finite_differences(loss, pose, actuated)
    for value, reference in zip(values, expected, strict=True):
        np.testing.assert_allclose(value, reference, rtol=2e-3, atol=1e-5 * weight)


@pytest.mark.parametrize("actuated", [[0.4, 0.03], [1.3, 0.03], [-0.2, -0.01]])
def test_range_and_limit_gradients_equal_finite_differences(branched_hand, placed, state, actuated):
    hand, (pose, _) = branched_hand, state
    middle = 0.5 * (hand.joint_lower + hand.joint_upper)

    def loss(_pose, actuated):
        q = hand.joint_positions(actuated)
        beyond = np.maximum(q - hand.joint_upper, 0.0) + np.maximum(hand.joint_lower - q, 0.0)
        return 0.3 * np.linalg.norm(q - middle) + 0.7 * beyond.sum()

    shard = placed(range_weight=0.3, limit_weight=0.7)
    shard.state.actuated = wp.array([actuated], dtype=float, device="cpu")
    inputs = [shard.hand.arrays, shard.objects]
    wp.launch(hand_kernels.place_kernel, dim=1, inputs=inputs, outputs=[shard.state], device="cpu")
    _, _, value = gradients(shard)
    np.testing.assert_allclose(value, finite_differences(loss, pose, np.array(actuated)).joints, rtol=1e-4, atol=1e-6)
    losses = shard.losses()
    total = 0.3 * losses["range"][0] + 0.7 * losses["limit"][0]
    assert total == pytest.approx(loss(pose, np.array(actuated)), rel=1e-5)
