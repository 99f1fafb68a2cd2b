# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What a batch does not change: a grasp is the same alone, among others, among other objects, and watched."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from omni_graspd.objects.object_library import load_object
from omni_graspd.synthesis import search, synthesizer
from omni_graspd.synthesis.config import DraftConfig, SynthesisConfig
from omni_graspd.synthesis.grasp import GraspBatch
from omni_graspd.synthesis.request import GraspRequest
from omni_graspd.synthesis.starts import sample_starts
from omni_graspd.synthesis.synthesizer import synthesize, synthesize_mixed

_ONE_PASS = {"iterations": 30, "point_count": 300, "draft": DraftConfig(iterations=0, candidates=1)}
_TWO_PASSES = {**_ONE_PASS, "iterations": 20, "draft": DraftConfig(iterations=10, candidates=3, point_count=200)}


@pytest.fixture(scope="module")
def box():
    return load_object("card_box")


def run(hand, obj, indices, *, seed=0, capture_every=0, **options) -> GraspBatch:
    config = SynthesisConfig(**{**_TWO_PASSES, **options})
    return asyncio.run(synthesize(hand, obj, indices, config, seed=seed, capture_every=capture_every))


def assert_same(a: GraspBatch, b: GraspBatch, rows_a=slice(None), rows_b=slice(None)) -> None:
    np.testing.assert_array_equal(a.T_object_palm[rows_a], b.T_object_palm[rows_b])
    np.testing.assert_array_equal(a.joint_positions[rows_a], b.joint_positions[rows_b])
    assert a.losses.keys() == b.losses.keys()
    for name in a.losses:
        np.testing.assert_array_equal(a.losses[name][rows_a], b.losses[name][rows_b])
    for field in dataclasses.fields(a.postures):
        ours, theirs = (getattr(batch.postures, field.name) for batch in (a, b))
        np.testing.assert_array_equal(ours[rows_a], theirs[rows_b])


@pytest.fixture(scope="module")
def sixty_four(hand, mug) -> GraspBatch:
    return run(hand, mug, range(64))


@pytest.mark.parametrize("size", [1, 8])
def test_a_grasp_is_the_same_in_batches_of_any_size(hand, mug, sixty_four, size):
    for first in (0, 32, 64 - size):
        assert_same(run(hand, mug, range(first, first + size)), sixty_four, rows_b=slice(first, first + size))


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize("projection", ["jacobi", "gauss_seidel"])
def test_mixed_objects_give_the_grasps_of_each_alone(hand, mug, box, projection):
    options = _TWO_PASSES if projection == "jacobi" else {**_ONE_PASS, "iterations": 5, "point_count": 100}
    config = SynthesisConfig(**options, projection=projection)
    requests = [GraspRequest(box, [3, 1]), GraspRequest(mug, [0, 4, 2]), GraspRequest(box, [0])]
    mixed = asyncio.run(synthesize_mixed(hand, requests, config, seed=5, capture_every=5))
    for request, batch in zip(requests, mixed, strict=True):
        alone = run(hand, request.obj, request.indices, seed=5, capture_every=5, **options, projection=projection)
        assert_same(batch, alone)
        np.testing.assert_array_equal(batch.trajectory.T_object_palm, alone.trajectory.T_object_palm)
        np.testing.assert_array_equal(batch.trajectory.losses["stable"], alone.trajectory.losses["stable"])


def spoil_starts(monkeypatch, spoils: Callable[[int, int], bool]) -> None:
    """Put the palm at no place at all for some grasp indices and candidates."""

    def spoiled(hand, obj, indices, *arguments, candidates=1, **options):
        poses, actuated = sample_starts(hand, obj, indices, *arguments, candidates=candidates, **options)
        for row in range(len(poses)):
            if spoils(indices[row // candidates], row % candidates):
                poses[row, 0] = np.nan
        return poses, actuated

    monkeypatch.setattr(search, "sample_starts", spoiled)


@pytest.mark.slow
@pytest.mark.parametrize("passes", [_ONE_PASS, _TWO_PASSES], ids=["one pass", "two passes"])
def test_a_grasp_whose_gradient_is_not_finite_costs_that_grasp_alone(hand, mug, monkeypatch, passes):
    healthy = run(hand, mug, [0, 1], **passes)
    spoil_starts(monkeypatch, lambda index, candidate: index == 0)
    batch = run(hand, mug, [0, 1], **passes)
    assert batch.status[0].startswith("diverged")
    assert batch.status[1] == healthy.status[1]
    assert_same(batch, healthy, rows_a=slice(1, 2), rows_b=slice(1, 2))


def test_of_several_starts_one_that_is_not_finite_is_not_chosen(hand, mug, monkeypatch):
    spoil_starts(monkeypatch, lambda index, candidate: candidate == 0)
    batch = run(hand, mug, range(4))
    assert np.isfinite(batch.T_object_palm).all()
    assert not any(status.startswith("diverged") for status in batch.status)


def test_no_grasps_give_an_empty_batch(hand, mug):
    batch = run(hand, mug, [])
    assert batch.T_object_palm.shape == (0, 7)
    assert batch.joint_positions.shape == (0, 16)


def test_watching_does_not_change_the_grasps(hand, mug):
    passes = {"draft": DraftConfig(iterations=20, candidates=2, point_count=200), "iterations": 25}
    watched, unwatched = (run(hand, mug, range(5), **passes, capture_every=every) for every in (7, 0))
    assert_same(watched, unwatched)
    assert unwatched.trajectory is None
    assert watched.trajectory.steps.tolist() == [7, 14, 21, 28, 35, 42]
    assert watched.trajectory.T_object_palm.shape == (6, 5, 7)
    assert watched.trajectory.joint_positions.shape == (6, 5, hand.joint_count)
    assert {values.shape for values in watched.trajectory.losses.values()} == {(6, 5)}


def test_frames_of_the_first_pass_are_those_of_the_start_that_was_chosen(hand, mug):
    batch = run(hand, mug, range(4), capture_every=1)
    steps = np.linalg.norm(np.diff(batch.trajectory.T_object_palm[:, :, :3], axis=0), axis=-1)
    assert batch.trajectory.steps.tolist() == list(range(1, 31))
    # Another start would be centimetres away.
    assert steps.max() < 0.005


def test_a_frame_is_what_a_run_that_stops_there_would_give(hand, mug):
    # Schedules stretch with the run; without them, ten steps are the first ten of thirty.
    constant = {**_ONE_PASS, "dilation": 0.0, "leak": 0.0, "rate_decay": 0.0}
    whole = run(hand, mug, range(3), capture_every=10, **constant)
    for frame, steps in enumerate((10, 20, 30)):
        part = run(hand, mug, range(3), **{**constant, "iterations": steps})
        np.testing.assert_array_equal(whole.trajectory.T_object_palm[frame], part.T_object_palm)
        np.testing.assert_array_equal(whole.trajectory.joint_positions[frame], part.joint_positions)


@pytest.mark.slow
@pytest.mark.parametrize("every", [1, 10, 30])
@pytest.mark.parametrize("passes", [_ONE_PASS, _TWO_PASSES], ids=["one pass", "two passes"])
def test_the_last_frame_is_the_result(hand, mug, passes, every):
    batch = run(hand, mug, range(2), capture_every=every, **passes)
    assert batch.trajectory.steps.tolist() == list(range(every, 31, every))
    np.testing.assert_array_equal(batch.trajectory.T_object_palm[-1], batch.T_object_palm)
    np.testing.assert_array_equal(batch.trajectory.joint_positions[-1], batch.joint_positions)


def test_the_event_loop_gets_turns_and_progress_ends_at_the_total(hand, mug):
    calls = []
    config = SynthesisConfig(**{**_ONE_PASS, "iterations": 45})
    report = {"progress": lambda done, total: calls.append((done, total))}
    asyncio.run(synthesize(hand, mug, [0], config, seed=0, **report))
    assert calls == [(0, 45), (20, 45), (40, 45), (45, 45)]


def test_progress_counts_both_passes(hand, mug):
    calls = []
    config, report = SynthesisConfig(**_TWO_PASSES), {"progress": lambda done, total: calls.append((done, total))}
    asyncio.run(synthesize(hand, mug, [0], config, seed=0, **report))
    assert calls == [(0, 30), (10, 30), (30, 30)]


def test_progress_of_several_threads_never_falls_and_ends_at_the_total(hand, mug):
    calls = []
    config, report = SynthesisConfig(**_TWO_PASSES), {"progress": lambda done, total: calls.append((done, total))}
    asyncio.run(synthesize(hand, mug, range(3), config, seed=0, threads=3, **report))
    assert calls == sorted(calls)
    assert calls[-1] == (30, 30)


def test_a_cancelled_search_ends_soon(hand, mug):
    config, calls = SynthesisConfig(**{**_ONE_PASS, "iterations": 100_000}), []

    async def cancel_after_the_first_report():
        task = asyncio.ensure_future(
            synthesize(hand, mug, range(2), config, seed=0, threads=2, progress=lambda *call: calls.append(call))
        )
        while len(calls) < 2:
            await asyncio.sleep(0.01)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancel_after_the_first_report())
    assert calls[-1][0] < 50_000


def test_an_error_in_one_thread_ends_all_and_is_passed_on(hand, mug, monkeypatch):
    def failing(hand, obj, indices, *arguments, **options):
        if 0 in indices:
            raise MemoryError("no more")
        return sample_starts(hand, obj, indices, *arguments, **options)

    monkeypatch.setattr(search, "sample_starts", failing)
    config = SynthesisConfig(**{**_ONE_PASS, "iterations": 100_000})
    with pytest.raises(MemoryError, match="no more"):
        asyncio.run(synthesize(hand, mug, range(2), config, seed=0, threads=2))


def test_a_request_without_grasps_has_an_empty_batch_among_others(hand, mug, box):
    config = SynthesisConfig(**_TWO_PASSES)
    none, two = GraspRequest(box, []), GraspRequest(mug, [0, 1])
    for requests in ([none, two], [two, none]):
        counts = [len(request.indices) for request in requests]
        batches = asyncio.run(synthesize_mixed(hand, requests, config, seed=0, threads=2))
        assert [len(batch.status) for batch in batches] == counts
        assert [batch.T_object_palm.shape for batch in batches] == [(count, 7) for count in counts]
