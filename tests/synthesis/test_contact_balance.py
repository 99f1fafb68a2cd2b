# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Contact forces in balance: closed forms on a ball, and non-negative least squares by SciPy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from omni_graspd.synthesis.contact_balance import BalanceTask, balance_forces, cone_edges, pressing_contacts

_RADIUS = 0.04
# A weak spread: the least-squares solution is then that of balance.
_TASK = BalanceTask(force=20.0, weight=np.zeros(3), friction=0.4, length=0.03, spread=1e-3)
_UP = np.array([0.0, 0.0, 1.0])


def on_ball(*directions: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Contacts on a ball: arms from its middle and normals out of it."""
    normals = np.array(directions, dtype=np.float64)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return _RADIUS * normals, normals


def test_two_opposite_contacts_balance():
    arms, normals = on_ball((1, 0, 0), (-1, 0, 0))
    forces, left = balance_forces(arms, normals, _TASK)
    assert left < 1e-6
    np.testing.assert_allclose(forces, [[-10.0, 0.0, 0.0], [10.0, 0.0, 0.0]], atol=1e-4)


def test_a_push_from_one_side_is_out_of_balance_by_all_of_it():
    arms, normals = on_ball((0, 1, 0))
    forces, left = balance_forces(arms, normals, _TASK)
    assert left == pytest.approx(1.0, abs=1e-6)
    # The sum of the forces pulls one way and what is left over the other: they meet half way.
    np.testing.assert_allclose(forces, [[0.0, -10.0, 0.0]], atol=1e-4)


def test_three_contacts_around_share_evenly():
    angles = 2.0 * np.pi * np.arange(3) / 3.0
    arms, normals = on_ball(*[(np.cos(a), np.sin(a), 0.0) for a in angles])
    forces, left = balance_forces(arms, normals, _TASK)
    assert left < 1e-6
    np.testing.assert_allclose((forces * -normals).sum(axis=1), 20.0 / 3.0, atol=1e-4)
    np.testing.assert_allclose(forces.sum(axis=0), 0.0, atol=1e-4)


def test_friction_carries_the_weight():
    arms, normals = on_ball((1, 0, 0), (-1, 0, 0))
    forces, left = balance_forces(arms, normals, replace(_TASK, weight=3.0 * _UP))
    assert left < 1e-4
    np.testing.assert_allclose(forces.sum(axis=0), [0.0, 0.0, 3.0], atol=1e-3)
    np.testing.assert_allclose(forces[:, 2], 1.5, atol=1e-3)


def test_without_friction_a_weight_between_two_jaws_is_dropped():
    arms, normals = on_ball((1, 0, 0), (-1, 0, 0))
    forces, left = balance_forces(arms, normals, replace(_TASK, weight=3.0 * _UP, friction=0.0))
    np.testing.assert_allclose(forces[:, 2], 0.0, atol=1e-9)
    assert left == pytest.approx(3.0 / 20.0, rel=1e-3)


def test_contacts_off_the_line_turn_the_object():
    """Forces that cancel, 2 cm apart, leave a torque, which counts over the length; friction turns them into line."""
    arms, normals = on_ball((1, 0, 0), (-1, 0, 0))
    arms += np.array([[0.0, 0.01, 0.0], [0.0, -0.01, 0.0]])
    _, left = balance_forces(arms, normals, replace(_TASK, friction=0.0, length=0.05))
    # With 10 N each way, 0.2 N m over 5 cm are 4 N of 20 N.
    assert left == pytest.approx(0.2, rel=1e-3)
    _, left = balance_forces(arms, normals, replace(_TASK, friction=0.4, length=0.05))
    assert left < 1e-4


def test_no_contact_is_no_balance():
    forces, left = balance_forces(np.zeros((0, 3)), np.zeros((0, 3)), _TASK)
    assert forces.shape == (0, 3)
    assert left == 1.0
    # Nor are no hands.
    forces, left = balance_forces(np.zeros((0, 5, 3)), np.zeros((0, 5, 3)), _TASK)
    assert forces.shape == (0, 5, 3)
    assert left.shape == (0,)


def random_contacts(random: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Contacts on a lumpy object."""
    normals = random.normal(size=(count, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return 0.04 * normals + random.normal(scale=0.01, size=(count, 3)), normals


def test_edges_are_spread_evenly_around_the_cone():
    _, normals = random_contacts(np.random.default_rng(0), 20)
    edges = cone_edges(normals, 0.4)
    np.testing.assert_allclose(np.einsum("cei,ci->ce", edges, -normals), 1.0, atol=1e-12)
    slips = edges + normals[:, None]
    np.testing.assert_allclose(np.linalg.norm(slips, axis=-1), 0.4, atol=1e-12)
    np.testing.assert_allclose(slips.sum(axis=1), 0.0, atol=1e-12)


def test_forces_stay_in_the_friction_cones():
    random = np.random.default_rng(1)
    slid = 0
    for _ in range(50):
        arms, normals = random_contacts(random, int(random.integers(1, 12)))
        forces, _ = balance_forces(arms, normals, replace(_TASK, weight=2.0 * _UP, spread=0.05))
        along = -(forces * normals).sum(axis=1)
        sideways = np.linalg.norm(forces + along[:, None] * normals, axis=1)
        assert (along >= 0.0).all()
        assert (sideways <= 0.4 * along + 1e-9).all()
        slid += int((sideways > 0.3 * along + 1e-9).any())
    assert slid > 10


def test_in_balance_normal_parts_sum_to_the_force():
    random, balanced = np.random.default_rng(2), 0
    for _ in range(50):
        arms, normals = random_contacts(random, 10)
        forces, left = balance_forces(arms, normals, replace(_TASK, weight=2.0 * _UP))
        if left < 1e-4:
            balanced += 1
            assert -(forces * normals).sum() == pytest.approx(20.0, rel=1e-4)
            np.testing.assert_allclose(forces.sum(axis=0), 2.0 * _UP, atol=2e-3)
            np.testing.assert_allclose(np.cross(arms, forces).sum(axis=0), 0.0, atol=2e-3 * _TASK.length)
    assert balanced > 10


def test_forces_equal_non_negative_least_squares():
    from scipy.optimize import nnls

    random = np.random.default_rng(3)
    for _ in range(200):
        arms, normals = random_contacts(random, int(random.integers(1, 15)))
        up = random.normal(size=3)
        task = BalanceTask(
            force=float(random.uniform(5.0, 50.0)),
            weight=random.uniform(0.0, 5.0) * up / np.linalg.norm(up),
            friction=float(random.uniform(0.1, 1.0)),
            length=float(random.uniform(0.01, 0.1)),
            spread=float(random.uniform(0.02, 0.2)),
        )
        edges = cone_edges(normals, task.friction)
        wrenches = np.concatenate([edges, np.cross(arms[:, None], edges) / task.length], axis=-1).reshape(-1, 6).T
        count = wrenches.shape[1]
        rows = np.concatenate([wrenches, np.ones((1, count)), task.spread * np.eye(count)])
        values = np.concatenate([task.weight, np.zeros(3), [task.force], np.zeros(count)])
        shares, _ = nnls(rows, values)
        expected = (shares.reshape(len(arms), -1, 1) * edges).sum(axis=1)
        wrench = np.concatenate([expected.sum(axis=0), np.cross(arms, expected).sum(axis=0) / task.length])
        forces, left = balance_forces(arms, normals, task)
        np.testing.assert_allclose(forces, expected, atol=1e-6)
        assert left == pytest.approx(np.linalg.norm(wrench - values[:6]) / shares.sum(), abs=1e-6)


def test_the_nearest_few_points_of_each_link_press():
    distances = np.array([0.003, 0.001, -0.002, 0.002, 0.0005, 0.0001, 0.009, 0.0039])
    link_index = np.array([0, 0, 0, 0, 0, 2, 2, 5])

    def pressing(values: np.ndarray) -> list[int]:
        chosen, presses = pressing_contacts(values, link_index, 0.004)
        return sorted(chosen[presses].tolist())

    assert pressing(distances) == [1, 2, 4, 5, 7]
    assert pressing(distances + 1.0) == []
    assert pressing(np.full(8, np.nan)) == []
    # Of many hands at once, each as if it were alone.
    together, presses = pressing_contacts(np.stack([distances, distances + 1.0]), link_index, 0.004)
    alone, _ = pressing_contacts(distances, link_index, 0.004)
    np.testing.assert_array_equal(together[0], alone)
    assert not presses[1].any()


def test_many_at_once_are_as_each_alone():
    """Bit for bit, whatever else is in the batch; contacts that do not press might as well not be there."""
    random = np.random.default_rng(4)
    arms, normals = (np.stack(part) for part in zip(*[random_contacts(random, 12) for _ in range(20)], strict=True))
    presses = random.random((20, 12)) < 0.6
    presses[3] = False
    arms[5, ~presses[5]] = np.nan
    task = replace(_TASK, weight=2.0 * _UP, spread=0.05)
    forces, left = balance_forces(arms, normals, task, presses)
    assert left[3] == 1.0
    assert not forces[~presses].any()
    for row in range(20):
        alone = balance_forces(arms[row], normals[row], task, presses[row])
        np.testing.assert_array_equal(forces[row], alone[0])
        assert left[row] == alone[1]
        chosen = presses[row]
        fewer = balance_forces(arms[row, chosen], normals[row, chosen], task)
        np.testing.assert_allclose(forces[row, chosen], fewer[0], atol=1e-7)
        assert left[row] == pytest.approx(fewer[1], abs=1e-8)
