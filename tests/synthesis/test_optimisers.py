# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What the optimisers make of the gradients, step by step, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from omni_graspd.synthesis.config import SynthesisConfig

_COUNT = 4
_OPTIONS = {"iterations": 12, "point_count": 200, "rate_decay": 0.5, "translation_rate": 1e-3, "rotation_rate": 1e-2}


def gradients(shard) -> list[np.ndarray]:
    """Of palm position [grasp, 3], palm rotation [grasp, 3] and actuated joints [grasp, actuated]."""
    arrays = (shard.state.palm_forces, shard.state.palm_torques, shard.state.actuated_gradients)
    return [array.numpy().astype(np.float64) for array in arrays]


def state(shard) -> tuple[np.ndarray, Rotation, np.ndarray]:
    pose = shard.state.T_object_palm.numpy().astype(np.float64)
    return pose[:, :3], Rotation.from_quat(pose[:, 3:]), shard.state.actuated.numpy().astype(np.float64)


def check(shard, before, moves, hand) -> None:
    """Compare a shard with its state before the step, shifted, turned and with its joints moved and clamped."""
    position, rotation, actuated = before
    found_position, found_rotation, found_actuated = state(shard)
    np.testing.assert_allclose(found_position, position + moves[0], atol=1e-7)
    off = (Rotation.from_rotvec(moves[1]) * rotation) * found_rotation.inv()
    assert off.magnitude().max() < 2e-6
    limits = hand.joint_lower[hand.actuated], hand.joint_upper[hand.actuated]
    np.testing.assert_allclose(found_actuated, np.clip(actuated + moves[2], *limits), atol=1e-6)


@pytest.mark.parametrize("fused", [True, False])
def test_adam_has_one_second_moment_for_position_one_for_rotation_and_one_for_each_joint(
    hand, mug, started_shard, fused
):
    config = SynthesisConfig(**_OPTIONS, beta_1=0.9, beta_2=0.99)
    shard = started_shard(hand, mug, config, count=_COUNT, fused=fused)
    rates = (config.translation_rate, config.rotation_rate, config.joint_rate)
    first, second = [0.0] * 3, [0.0] * 3
    for step in range(config.iterations):
        before = state(shard)
        shard.run(step, step + 1)
        moves = []
        for k, gradient in enumerate(gradients(shard)):
            square = gradient**2 if k == 2 else (gradient**2).sum(axis=1, keepdims=True)
            first[k] = 0.9 * first[k] + 0.1 * gradient
            second[k] = 0.99 * second[k] + 0.01 * square
            mean, spread = first[k] / (1.0 - 0.9 ** (step + 1)), second[k] / (1.0 - 0.99 ** (step + 1))
            moves.append(-rates[k] * config.rate_scale(step) * mean / (np.sqrt(spread) + 1e-12))
        check(shard, before, moves, hand)


def test_plain_descent_follows_the_gradient_of_the_loss_in_units_of_speed(hand, mug, started_shard):
    config = SynthesisConfig(**_OPTIONS, optimizer="gradient_descent", time_step=1e-2)
    shard = started_shard(hand, mug, config, count=_COUNT, fused=False)
    rates = (config.translation_rate, config.rotation_rate, config.joint_rate)
    for step in range(3):
        before = state(shard)
        shard.run(step, step + 1)
        moves = [-rate / config.time_step * gradient for rate, gradient in zip(rates, gradients(shard), strict=True)]
        assert np.abs(moves[0]).max() > 1e-5
        check(shard, before, moves, hand)


def test_a_grasp_that_failed_stays_where_it_is(hand, mug, started_shard):
    for fused in (True, False):
        shard = started_shard(hand, mug, SynthesisConfig(**_OPTIONS), count=_COUNT, fused=fused)
        shard.run(0, 1)
        failed = shard.state.failed.numpy()
        failed[1] = 1
        shard.state.failed.assign(failed)
        before = shard.state.T_object_palm.numpy().copy()
        shard.run(1, 3)
        moved = (shard.state.T_object_palm.numpy() != before).any(axis=1)
        assert moved.tolist() == [True, False, True, True]
