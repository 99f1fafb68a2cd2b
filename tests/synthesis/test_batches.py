# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What a batch does not change: a grasp is the same alone, among others, among other objects, and watched."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from omni_graspd.objects.object_library import load_object
from omni_graspd.synthesis import synthesizer
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.grasp import GraspBatch
from omni_graspd.synthesis.starts import sample_starts
from omni_graspd.synthesis.synthesizer import synthesize, synthesize_mixed

_FEW = {"iterations": 30, "point_count": 300}


@pytest.fixture(scope="module")
def box():
    return load_object("card_box")


def run(hand, obj, indices, *, seed=0, capture_every=0, **options) -> GraspBatch:
    config = SynthesisConfig(**{**_FEW, **options})
    return asyncio.run(synthesize(hand, obj, indices, config, seed=seed, capture_every=capture_every))


def assert_same(a: GraspBatch, b: GraspBatch, rows_a=slice(None), rows_b=slice(None)) -> None:
    np.testing.assert_array_equal(a.T_object_palm[rows_a], b.T_object_palm[rows_b])
    np.testing.assert_array_equal(a.joint_positions[rows_a], b.joint_positions[rows_b])
    assert a.losses.keys() == b.losses.keys()
    for name in a.losses:
        np.testing.assert_array_equal(a.losses[name][rows_a], b.losses[name][rows_b])


@pytest.fixture(scope="module")
def sixty_four(hand, mug) -> GraspBatch:
    return run(hand, mug, range(64))


@pytest.mark.parametrize("size", [1, 8])
def test_a_grasp_is_the_same_in_batches_of_any_size(hand, mug, sixty_four, size):
    for first in (0, 32, 64 - size):
        assert_same(run(hand, mug, range(first, first + size)), sixty_four, rows_b=slice(first, first + size))


def test_a_grasp_is_the_same_on_any_number_of_threads(hand, mug, sixty_four, monkeypatch):
    for threads in (1, 2, 3):
        monkeypatch.setattr(synthesizer.os, "cpu_count", lambda threads=threads: threads)
        assert_same(run(hand, mug, range(10)), sixty_four, rows_b=slice(10))


def test_a_grasp_is_the_same_in_any_order(hand, mug, sixty_four):
    order = [17, 3, 60, 0, 3]
    assert_same(run(hand, mug, order), sixty_four, rows_b=order)


def test_another_seed_gives_other_grasps(hand, mug, sixty_four):
    other = run(hand, mug, [2], seed=1)
    assert not np.array_equal(other.T_object_palm[0], sixty_four.T_object_palm[2])


@pytest.mark.parametrize("projection", ["jacobi", "gauss_seidel"])
def test_mixed_objects_give_the_grasps_of_each_alone(hand, mug, box, projection):
    options = _FEW if projection == "jacobi" else {"iterations": 5, "point_count": 100}
    config = SynthesisConfig(**options, projection=projection)
    requests = [(box, [3, 1]), (mug, [0, 4, 2]), (box, [0])]
    mixed = asyncio.run(synthesize_mixed(hand, requests, config, seed=5, capture_every=5))
    for (obj, indices), batch in zip(requests, mixed, strict=True):
        alone = run(hand, obj, indices, seed=5, capture_every=5, **options, projection=projection)
        assert_same(batch, alone)
        np.testing.assert_array_equal(batch.trajectory.T_object_palm, alone.trajectory.T_object_palm)
        np.testing.assert_array_equal(batch.trajectory.losses["stable"], alone.trajectory.losses["stable"])


def test_a_grasp_whose_gradient_is_not_finite_costs_that_grasp_alone(hand, mug, monkeypatch):
    healthy = run(hand, mug, [0, 1], iterations=10)

    def broken_starts(*arguments, **options):
        poses, actuated = sample_starts(*arguments, **options)
        poses[0, 0] = np.nan
        return poses, actuated

    monkeypatch.setattr(synthesizer, "sample_starts", broken_starts)
    batch = run(hand, mug, [0, 1], iterations=10)
    assert batch.status[0].startswith("diverged")
    assert batch.status[1] == "ok"
    np.testing.assert_array_equal(batch.T_object_palm[1], healthy.T_object_palm[1])


def test_no_grasps_give_an_empty_batch(hand, mug):
    batch = run(hand, mug, [], iterations=2)
    assert batch.T_object_palm.shape == (0, 7)
    assert batch.joint_positions.shape == (0, 16)


def test_watching_does_not_change_the_grasps(hand, mug):
    watched, unwatched = (run(hand, mug, range(5), iterations=45, capture_every=every) for every in (7, 0))
    assert_same(watched, unwatched)
    assert unwatched.trajectory is None
    assert watched.trajectory.steps.tolist() == [7, 14, 21, 28, 35, 42]
    assert watched.trajectory.T_object_palm.shape == (6, 5, 7)
    assert watched.trajectory.joint_positions.shape == (6, 5, hand.joint_count)
    assert {values.shape for values in watched.trajectory.losses.values()} == {(6, 5)}


def test_a_frame_is_what_a_run_that_stops_there_would_give(hand, mug):
    # Schedules stretch with the run; without them, ten steps are the first ten of thirty.
    constant = {"dilation": 0.0, "leak": 0.0, "rate_decay": 0.0}
    whole = run(hand, mug, range(3), capture_every=10, **constant)
    for frame, steps in enumerate((10, 20, 30)):
        part = run(hand, mug, range(3), **{**constant, "iterations": steps})
        np.testing.assert_array_equal(whole.trajectory.T_object_palm[frame], part.T_object_palm)
        np.testing.assert_array_equal(whole.trajectory.joint_positions[frame], part.joint_positions)


@pytest.mark.parametrize("every", [1, 10, 30])
def test_the_last_frame_is_the_result(hand, mug, every):
    batch = run(hand, mug, range(2), capture_every=every)
    assert batch.trajectory.steps[-1] == _FEW["iterations"]
    if every == 1:
        assert len(batch.trajectory.steps) == _FEW["iterations"]
    np.testing.assert_array_equal(batch.trajectory.T_object_palm[-1], batch.T_object_palm)
    np.testing.assert_array_equal(batch.trajectory.joint_positions[-1], batch.joint_positions)


def test_the_event_loop_gets_turns_and_progress_ends_at_the_total(hand, mug):
    calls = []
    asyncio.run(
        synthesize(
            hand,
            mug,
            [0],
            SynthesisConfig(iterations=45, point_count=200),
            seed=0,
            progress=lambda done, total: calls.append((done, total)),
        )
    )
    assert calls == [(0, 45), (1, 45), (21, 45), (41, 45), (45, 45)]
