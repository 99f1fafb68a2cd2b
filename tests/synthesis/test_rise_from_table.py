# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How low a hand is, and that one in the table is lifted out of it step by step."""

from __future__ import annotations

import numpy as np
import pytest
from box_hands import JAW_HALF, PALM_HALF, corner_points, gripper, sliding_jaw_middle
from contact_bench import NO_WEIGHTS
from surroundings_bench import NORMAL, POSE, shard_of, table_at

from omni_graspd.hands.lowest_point import lowest_heights
from omni_graspd.objects.object_library import load_object
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.surroundings import Surroundings
from omni_graspd.usd.transforms import pose_to_matrix

_STILL = {**NO_WEIGHTS, "translation_rate": 0.0, "rotation_rate": 0.0, "joint_rate": 0.0, "rate_decay": 0.0}
_OPENINGS = np.array([0.02, 0.03])


def lowest_corner(plane: np.ndarray, pose: np.ndarray, openings: np.ndarray) -> float:
    """Height of the gripper's lowest corner: a box reaches sum |n . e_i| half_i below its middle."""
    matrix = pose_to_matrix(pose)
    boxes = [(np.zeros(3), PALM_HALF), *[(sliding_jaw_middle(k, s), JAW_HALF) for k, s in enumerate(openings)]]
    below = np.abs(plane[:3] @ matrix[:3, :3])
    heights = [plane[:3] @ (matrix[:3, :3] @ middle + matrix[:3, 3]) - plane[3] for middle, _ in boxes]
    return min(height - below @ half for height, (_, half) in zip(heights, boxes, strict=True))


def test_the_clearance_is_the_height_of_the_lowest_corner(mug):
    hand, random, count, plane = gripper(), np.random.default_rng(0), 40, table_at(-0.004)
    quats = random.normal(size=(count, 4))
    poses = np.concatenate([random.uniform(-0.1, 0.1, size=(count, 3)) + POSE[:3], quats], axis=1)
    poses[:, 3:] /= np.linalg.norm(quats, axis=1, keepdims=True)
    openings = random.uniform(0.0, 0.06, size=(count, 2))
    expected = np.array([lowest_corner(plane, *hand_at) for hand_at in zip(poses, openings, strict=True)])
    shard = shard_of(hand, corner_points(hand), mug, Surroundings(plane), (poses, openings), surroundings_margin=0.004)
    shard.evaluate()
    near = expected < 0.004
    assert near.sum() > 10 and (~near).sum() > 5
    np.testing.assert_allclose(shard.clearances()[near], expected[near], atol=1e-6)
    # Links that are all clear of the margin are not measured.
    assert (shard.clearances()[~near] >= 0.004).all()


@pytest.mark.parametrize("fused", [True, False])
def test_a_hand_in_the_table_rises_evenly_to_half_the_margin(mug, fused):
    hand, rate, margin, depth, steps = gripper(), 1e-3, 4e-3, 0.0305, 40
    options = {**_STILL, "iterations": steps, "rise_rate": rate, "surroundings_margin": margin}
    table = table_at(depth + lowest_corner(table_at(0.0), POSE, _OPENINGS))
    starts = POSE[None], _OPENINGS[None]
    shard = shard_of(hand, corner_points(hand), mug, Surroundings(table), starts, fused=fused, **options)
    for step in range(steps):
        shard.run(step, step + 1)
        pose = shard.state.T_object_palm.numpy()[0].astype(np.float64)
        risen = min(rate * (step + 1), depth + 0.5 * margin)
        np.testing.assert_allclose(pose[:3], POSE[:3] + risen * NORMAL, atol=3e-6)
        np.testing.assert_allclose(pose[3:], POSE[3:], atol=1e-6)
    assert lowest_corner(table, pose, _OPENINGS) == pytest.approx(0.5 * margin, abs=1e-5)


def test_the_rise_slows_down_with_the_step_lengths(mug):
    hand, steps = gripper(), 10
    options = {**_STILL, "iterations": steps, "rise_rate": 1e-3, "rate_decay": 1.0}
    starts = POSE[None], _OPENINGS[None]
    shard = shard_of(hand, corner_points(hand), mug, Surroundings(table_at(0.2)), starts, **options)
    shard.run(0, steps)
    risen = (shard.state.T_object_palm.numpy()[0, :3] - POSE[:3]) @ NORMAL
    assert risen == pytest.approx(1e-3 * np.linspace(1.0, 0.1, steps).sum(), abs=5e-6)


@pytest.mark.parametrize("fused", [True, False])
def test_hands_that_start_in_the_table_end_over_it(hand, started_shard, fused):
    can, config = load_object("soup_can"), SynthesisConfig(iterations=120, point_count=400, dilation=0.01)
    table = np.array([0.0, 0.0, 1.0, 0.0])
    free = started_shard(hand, can, config, count=6).state
    poses, actuated = free.T_object_palm.numpy().copy(), free.actuated.numpy().copy()
    poses[:, 2] -= lowest_heights(hand, table, poses, hand.joint_positions(actuated)) + 0.03
    around = Surroundings(table)
    shard = started_shard(hand, can, config, starts=(poses, actuated), fused=fused, surroundings=around)
    shard.evaluate()
    in_can = shard.depths() > 0.01  # held by the can from above, those that were lowered into it may stay in the table
    assert not in_can.all()
    # The lowest of the points is near the lowest vertex.
    assert (shard.clearances() < -0.02).all()
    shard.run(0, config.iterations)
    shard.evaluate()
    assert (shard.clearances()[~in_can] > 0.0).all()
