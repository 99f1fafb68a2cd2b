# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The grasp wrench space against closed forms and sampled support functions."""

from __future__ import annotations

import math

import numpy as np
import pytest

from omni_graspd.metrics.force_closure import epsilon_and_volume, is_force_closure, primitive_wrenches


def wrenches_on_sphere(normals: np.ndarray, friction: float = 0.5) -> np.ndarray:
    normals = np.asarray(normals, dtype=float)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return primitive_wrenches(
        0.05 * normals, normals, friction=friction, edge_count=8, center=np.zeros(3), torque_scale=0.05
    )


def test_two_opposite_point_contacts_are_not_closed():
    wrenches = wrenches_on_sphere([[1, 0, 0], [-1, 0, 0]])
    assert not is_force_closure(wrenches)
    assert epsilon_and_volume(wrenches) == (0.0, 0.0)


def test_three_contacts_around_a_sphere_close_only_with_enough_friction():
    triangle = [[math.cos(a), math.sin(a), 0.0] for a in (0.0, 2 * math.pi / 3, 4 * math.pi / 3)]
    assert is_force_closure(wrenches_on_sphere(triangle, friction=0.5))
    assert not is_force_closure(wrenches_on_sphere(triangle, friction=0.0))
    assert epsilon_and_volume(wrenches_on_sphere(triangle, friction=0.5))[0] > 0.0


def test_contacts_on_one_half_are_not_closed():
    random = np.random.default_rng(0).normal(size=(20, 3))
    random[:, 2] = np.abs(random[:, 2]) + 1.0
    assert not is_force_closure(wrenches_on_sphere(random))
    assert epsilon_and_volume(wrenches_on_sphere(random))[0] == 0.0


def test_the_cross_polytope_has_its_known_radius_and_volume():
    epsilon, volume = epsilon_and_volume(np.concatenate([np.eye(6), -np.eye(6)]))
    assert epsilon == pytest.approx(1.0 / math.sqrt(6.0))
    assert volume == pytest.approx(2.0**6 / math.factorial(6))


def test_every_primitive_wrench_lies_on_its_friction_cone():
    wrenches = wrenches_on_sphere([[0, 0, 1]], friction=0.3)
    np.testing.assert_allclose(wrenches[:, 2], -1.0)
    np.testing.assert_allclose(np.linalg.norm(wrenches[:, :2], axis=1), 0.3)
    np.testing.assert_allclose(wrenches[:, 3:], np.cross([0, 0, 1.0], wrenches[:, :3]), atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_epsilon_bounds_the_support_function_and_agrees_with_the_linear_program(seed):
    random = np.random.default_rng(seed)
    wrenches = wrenches_on_sphere(random.normal(size=(4, 3)), friction=0.7)
    epsilon, _ = epsilon_and_volume(wrenches)
    assert (epsilon > 1e-6) == is_force_closure(wrenches)
    directions = random.normal(size=(20000, 6))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    if epsilon > 0.0:
        assert (directions @ wrenches.T).max(axis=1).min() >= epsilon
