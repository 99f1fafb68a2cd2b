# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What a batch does not change on a table either: a grasp is the same alone, among others, and in any request."""

from __future__ import annotations

import asyncio
import dataclasses

import numpy as np
import pytest
from box_hands import box_mesh
from table_bench import find, table

from omni_graspd.objects.object_library import load_object
from omni_graspd.synthesis import synthesizer
from omni_graspd.synthesis.config import DraftConfig, SynthesisConfig
from omni_graspd.synthesis.grasp import GraspBatch
from omni_graspd.synthesis.request import GraspRequest
from omni_graspd.synthesis.surroundings import Surroundings
from omni_graspd.synthesis.synthesizer import synthesize_mixed
from omni_graspd.synthesis.table_starts import TableStartConfig

# Few steps, so that some grasps need their second try and some fail.
_FAST = {
    "iterations": 25,
    "point_count": 300,
    "tries": 2,
    "draft": DraftConfig(iterations=15, candidates=2, point_count=200),
    "table_start": TableStartConfig(candidates=2),
}


def assert_same(a: GraspBatch, b: GraspBatch, rows_a=slice(None), rows_b=slice(None)) -> None:
    for name in ("T_object_palm", "joint_positions"):
        np.testing.assert_array_equal(getattr(a, name)[rows_a], getattr(b, name)[rows_b])
    assert np.array(a.status)[rows_a].tolist() == np.array(b.status)[rows_b].tolist()
    assert a.losses.keys() == b.losses.keys()
    for name in a.losses:
        np.testing.assert_array_equal(a.losses[name][rows_a], b.losses[name][rows_b])
    for part in ("postures", "way"):
        ours, theirs = getattr(a, part), getattr(b, part)
        assert (ours is None) == (theirs is None)
        for field in dataclasses.fields(ours) if ours is not None else ():
            values = (np.array(getattr(ours, field.name))[rows_a], np.array(getattr(theirs, field.name))[rows_b])
            np.testing.assert_array_equal(*values, err_msg=field.name)


@pytest.fixture(scope="module")
def can():
    return load_object("soup_can")


@pytest.fixture(scope="module")
def around(can) -> Surroundings:
    """A table aslant to the object's axes, whose normal has no zeros in it that would make products exact."""
    return table(can, (0.0512, 0.0934, 0.0, np.sqrt(1.0 - 0.0512**2 - 0.0934**2)))


@pytest.fixture(scope="module")
def sixteen(hand, can, around) -> GraspBatch:
    return find(hand, can, range(16), around, **_FAST)


@pytest.mark.slow
def test_the_sixteen_are_of_all_kinds(sixteen):
    """Or else the tests below would not see much."""
    assert 0 < sixteen.usable.sum() < 16
    assert (sixteen.way.usable & (sixteen.way.tries == 2)).any()
    assert (sixteen.way.tries == 1).any()


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 3, 7])
def test_a_grasp_is_the_same_in_batches_of_any_size(hand, can, around, sixteen, size):
    for first in range(0, 16 - size + 1, 5):
        part = find(hand, can, range(first, first + size), around, **_FAST)
        assert_same(part, sixteen, rows_b=slice(first, first + size))


def test_a_grasp_is_the_same_in_any_order(hand, can, around, sixteen):
    order = [11, 3, 15, 0, 3]
    assert_same(find(hand, can, order, around, **_FAST), sixteen, rows_b=order)


@pytest.mark.slow
@pytest.mark.parametrize("threads", [2, 3])
def test_a_grasp_is_the_same_on_any_number_of_threads(hand, can, around, sixteen, threads):
    assert_same(find(hand, can, range(16), around, threads=threads, **_FAST), sixteen)


def test_more_grasps_leave_the_first_ones_as_they_are(hand, can, around, sixteen):
    assert_same(find(hand, can, range(20), around, **_FAST), sixteen, rows_a=slice(16))


def test_another_seed_or_rest_pose_gives_other_grasps(hand, can, around, sixteen):
    turned = table(can, (np.sqrt(0.5), 0.0, 0.0, np.sqrt(0.5)))
    for other in (find(hand, can, [2], around, seed=1, **_FAST), find(hand, can, [2], turned, **_FAST)):
        assert np.abs(other.T_object_palm[0, :3] - sixteen.T_object_palm[2, :3]).max() > 1e-3


@pytest.fixture(scope="module")
def mixed_requests(can, around):
    """Nothing, a table, a table and a wall, and a wall alone around objects."""
    mug, wall = load_object("mug"), box_mesh((0.02, 0.2, 0.2), (0.11, 0.0, 0.1))
    return [
        GraspRequest(can, [3, 1]),
        GraspRequest(can, [0, 2, 5], around),
        GraspRequest(mug, [1, 0], table(mug, obstacles=(wall,))),
        GraspRequest(can, [4], Surroundings(obstacles=(wall,))),
        GraspRequest(mug, []),
        GraspRequest(mug, [], table(mug)),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 3])
def test_mixed_requests_give_the_grasps_of_each_alone(hand, mixed_requests, threads):
    config = SynthesisConfig(**_FAST)
    mixed = asyncio.run(synthesize_mixed(hand, mixed_requests, config, seed=0, threads=threads))
    for request, batch in zip(mixed_requests, mixed, strict=True):
        assert len(batch.status) == len(request.indices)
        assert (batch.way is None) == request.surroundings.is_empty
        if request.indices:
            assert_same(batch, find(hand, request.obj, request.indices, request.surroundings, **_FAST))


def test_no_grasps_give_an_empty_batch(hand, can):
    batch = find(hand, can, [], table(can), **_FAST)
    assert batch.T_object_palm.shape == (0, 7)
    assert batch.usable.shape == (0,)
    assert batch.way.rejected == ()


@pytest.mark.slow
def test_progress_ends_at_the_total_however_many_tries_there_are(hand, mixed_requests):
    calls = []
    config = SynthesisConfig(**_FAST)
    report = {"progress": lambda done, total: calls.append((done, total))}
    asyncio.run(synthesize_mixed(hand, mixed_requests, config, seed=0, threads=2, **report))
    assert calls == sorted(calls)
    assert {total for _, total in calls} == {40}
    assert calls[-1] == (40, 40)


def test_watching_does_not_change_grasps_on_a_table(hand, can, around, sixteen):
    config = SynthesisConfig(**_FAST)
    watched = asyncio.run(
        synthesizer.synthesize(hand, can, range(16), config, seed=0, surroundings=around, capture_every=10, threads=1)
    )
    assert_same(dataclasses.replace(watched, trajectory=None), sixteen)
    assert watched.trajectory.steps.tolist() == [10, 20, 30, 40]
    # Frames are those of the try that is kept.
    np.testing.assert_array_equal(watched.trajectory.T_object_palm[-1], watched.T_object_palm)
    np.testing.assert_array_equal(watched.trajectory.joint_positions[-1], watched.joint_positions)


def test_free_and_table_grasps_can_be_watched_together(hand, mixed_requests):
    config = SynthesisConfig(**_FAST)
    batches = asyncio.run(synthesize_mixed(hand, mixed_requests[:2], config, seed=0, threads=1, capture_every=20))
    for batch in batches:
        assert batch.trajectory.steps.tolist() == [20, 40]
        np.testing.assert_array_equal(batch.trajectory.T_object_palm[-1], batch.T_object_palm)
