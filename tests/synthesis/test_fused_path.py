# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The fused path against the split one, and both against double precision."""

from __future__ import annotations

import numpy as np
import pytest
from contact_bench import NO_WEIGHTS
from contact_reference import PROBE, Contacts, jacobi_step

from omni_graspd.synthesis.config import SynthesisConfig

_COUNT = 8
_STEPS = (0, 50, 80)
_GRADIENTS = ("forces", "palm_forces", "palm_torques", "actuated_gradients")
_SETTINGS = {"iterations": 100, "point_count": 400, "probe": PROBE, "dilation": 0.03, "leak": 0.05}


@pytest.fixture(scope="module")
def states(hand, mug, started_shard):
    """Hands to look at with the padding of some steps: those of 20 steps later, so that many points touch."""
    shard = started_shard(hand, mug, SynthesisConfig(**_SETTINGS), count=_COUNT)
    found, done = {}, 0
    for at in _STEPS:
        shard.run(done, at + 20)
        done = at + 20
        # Copies: the arrays change with the shard.
        found[at] = (shard.state.T_object_palm.numpy().copy(), shard.state.actuated.numpy().copy())
    return found


def relative(a, b) -> np.ndarray:
    """Largest difference, relative to the largest value of the grasp, shape [grasp_count]."""
    a, b = (x.numpy().reshape(_COUNT, -1).astype(np.float64) for x in (a, b))
    return np.abs(a - b).max(axis=1) / np.maximum(np.abs(b).max(axis=1), 1e-12)


@pytest.mark.parametrize("at", _STEPS)
@pytest.mark.parametrize("fused", [True, False])
def test_both_paths_equal_double_precision_on_the_distances_that_they_measured(
    hand, mug, started_shard, states, fused, at
):
    config = SynthesisConfig(**{**_SETTINGS, **NO_WEIGHTS, "leak": 0.0})
    shard = started_shard(hand, mug, config, starts=states[at], fused=fused)
    shard.run(at, at + 1)
    state, touched = shard.state, 0
    listed = (state.listed_points, state.listed_distances, state.listed_normals)
    for grasp, (points, distances, normals) in enumerate(
        zip(*(a.numpy().astype(np.float64) for a in listed), strict=True)
    ):
        contacts = Contacts(
            points,
            distances,
            normals,
            config.friction,
            config.dilation_radius(at),
            shard.objects.inverse_inertia.numpy()[0].astype(np.float64),
            float(shard.objects.rotation_length.numpy()[0]),
        )
        losses, frozen = jacobi_step(contacts)
        np.testing.assert_allclose(state.stable_losses.numpy()[grasp], losses, rtol=1e-5)
        near = np.flatnonzero(frozen.touching.any(axis=0))
        slopes = _slopes(contacts, near, frozen)
        force = (normals[near] * slopes[:, None]).sum(axis=0)
        np.testing.assert_allclose(
            state.palm_forces.numpy()[grasp], force, atol=1e-4 * max(np.abs(slopes).max(initial=0.0), 1e-3)
        )
        touched += len(near)
    assert touched > _COUNT


def _slopes(contacts: Contacts, near: np.ndarray, frozen) -> np.ndarray:
    """Derivatives of the mean loss by the distance of some points."""
    step = 1e-9
    shifts = step * np.eye(len(contacts.points))[near]
    above, below = (
        jacobi_step(contacts.with_distances(contacts.distances + s), frozen=frozen)[0] for s in (shifts, -shifts)
    )
    return (above - below).mean(axis=-1) / (2.0 * step)


def both_paths(started_shard, hand, mug, states, at: int):
    """A split and a fused shard at the same states and with the same distances, measured once.

    Where a hand point is nearest to an edge, rounding in its position decides which of two faces, with different
    smoothed normals, is found; that would hide what the paths themselves do.
    """
    config = SynthesisConfig(**_SETTINGS, reuse_distance=1.0)
    first, split, fused = (
        started_shard(hand, mug, config, starts=states[at], fused=path) for path in (False, False, True)
    )
    first.run(at, at + 1)
    for shard in (split, fused):
        for name in ("measured_points", "measured_distances", "measured_normals"):
            setattr(shard.state, name, getattr(first.state, name))
    return split, fused


@pytest.mark.parametrize("at", _STEPS)
def test_on_the_same_distances_both_paths_give_the_same_gradients(hand, mug, started_shard, states, at):
    split, fused = both_paths(started_shard, hand, mug, states, at)
    for shard in (split, fused):
        shard.run(at, at + 1)
    assert fused.state.query_count.numpy().max() == 0
    assert relative(fused.state.stable_losses, split.state.stable_losses).max() < 5e-5
    for name in _GRADIENTS:
        apart = relative(getattr(fused.state, name), getattr(split.state, name))
        assert np.quantile(apart, 0.75) < 1e-4, name
        # A point at distance zero is drawn or not, as rounding has it.
        assert apart.max() < 0.02, name


def test_on_the_same_distances_both_paths_are_together_after_ten_steps(hand, mug, started_shard, states):
    split, fused = both_paths(started_shard, hand, mug, states, 50)
    for shard in (split, fused):
        shard.run(50, 60)
    poses, joints = ([getattr(s.state, n).numpy() for s in (split, fused)] for n in ("T_object_palm", "actuated"))
    assert np.linalg.norm(poses[0][:, :3] - states[50][0][:, :3], axis=1).max() > 1e-3
    np.testing.assert_allclose(poses[1][:, :3], poses[0][:, :3], atol=2e-5)
    np.testing.assert_allclose(poses[1][:, 3:], poses[0][:, 3:], atol=2e-4)
    np.testing.assert_allclose(joints[1], joints[0], atol=3e-4)


def test_with_their_own_distances_both_paths_stay_near_each_other(hand, mug, started_shard, states):
    config = SynthesisConfig(**_SETTINGS)
    poses = []
    for path in (False, True):
        shard = started_shard(hand, mug, config, starts=states[50], fused=path)
        shard.run(50, 70)
        poses.append(shard.state.T_object_palm.numpy()[:, :3])
    moved = np.linalg.norm(poses[0] - states[50][0][:, :3], axis=1)
    apart = np.linalg.norm(poses[0] - poses[1], axis=1)
    assert np.median(apart / moved) < 0.5
