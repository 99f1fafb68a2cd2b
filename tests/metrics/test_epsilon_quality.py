# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Epsilon by a growing hull: the same as by the whole one, whose tests hold it to closed forms and linear programs."""

from pathlib import Path

import numpy as np
import pytest

from omni_graspd.metrics.epsilon_quality import epsilon_quality
from omni_graspd.metrics.force_closure import epsilon_and_volume, primitive_wrenches


def _wrenches(count: int, seed: int, *, flat: bool = False) -> np.ndarray:
    """Contacts on a ball; ``flat``: on two faces of a cube, whose cones have many wrenches in common planes."""
    random = np.random.default_rng(seed)
    positions = random.normal(size=(count, 3))
    normals = positions / np.linalg.norm(positions, axis=1, keepdims=True)
    positions = normals
    if flat:
        normals = np.zeros((count, 3))
        normals[:, 0] = np.where(np.arange(count) % 2, 1.0, -1.0)
        positions = np.column_stack([normals[:, 0], random.integers(-2, 3, size=(count, 2)) / 2.0])
    return primitive_wrenches(
        positions, normals, friction=0.5, edge_count=6, center=np.zeros(3), torque_scale=float(np.sqrt(3.0))
    )


@pytest.mark.slow
@pytest.mark.parametrize("flat", [False, True], ids=["ball", "cube"])
@pytest.mark.parametrize("count", [2, 4, 9, 28])
def test_the_growing_hull_has_the_epsilon_of_the_whole_hull(count: int, flat: bool) -> None:
    for seed in range(5):
        wrenches = _wrenches(count, seed, flat=flat)
        assert epsilon_quality(wrenches) == pytest.approx(epsilon_and_volume(wrenches)[0], abs=1e-9)


def test_there_are_closed_and_open_grasps_among_those_that_are_compared() -> None:
    found = [epsilon_quality(_wrenches(count, seed)) for count in (3, 4, 9) for seed in range(5)]
    assert sum(epsilon > 0.01 for epsilon in found) >= 5
    assert sum(epsilon == 0.0 for epsilon in found) >= 3


def test_cross_polytope_and_cube_have_their_closed_forms() -> None:
    cross = np.concatenate([np.eye(6), -np.eye(6)])
    assert epsilon_quality(cross) == pytest.approx(1.0 / np.sqrt(6.0), abs=1e-9)
    corners = np.array(np.meshgrid(*[[-1.0, 1.0]] * 6)).reshape(6, -1).T
    assert epsilon_quality(corners) == pytest.approx(1.0, abs=1e-9)


def test_wrenches_that_span_no_six_dimensions_or_repeat_have_quality_zero() -> None:
    assert epsilon_quality(np.zeros((0, 6))) == 0.0
    assert epsilon_quality(np.ones((20, 6))) == 0.0
    assert epsilon_quality(np.eye(6)) == 0.0
    half = np.abs(_wrenches(9, 0)) + 0.1
    assert epsilon_quality(half) == 0.0
    twice = _wrenches(9, 1)
    assert epsilon_quality(np.concatenate([twice, twice])) == pytest.approx(epsilon_quality(twice), abs=1e-9)


def test_wrenches_on_which_qhull_gives_up_do_not_end_the_process() -> None:
    """Contacts on flat faces; where a hull grows point by point over them, Qhull ends the process with exit code 7."""
    wrenches = np.load(Path(__file__).parent / "wrenches_that_end_qhull.npy")
    assert epsilon_quality(wrenches) == pytest.approx(epsilon_and_volume(wrenches)[0], abs=1e-9)
