# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The contact step against closed forms, a double-precision reference, and finite differences of that reference."""

from __future__ import annotations

import numpy as np
import pytest
from contact_bench import run_kernels
from contact_reference import PROBE, SMOOTHING, Contacts, jacobi_step, on_sphere, sweep_step


def test_without_contact_the_object_keeps_its_motion():
    losses, _ = run_kernels(on_sphere(10, depth=1e-3, radius=-1.0))
    expected = np.sqrt(np.array([0.0] + [PROBE] * 6) ** 2 + SMOOTHING**2) + SMOOTHING
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


def test_one_point_pushes_the_object_out_by_its_depth():
    normal = np.array([[1.0, 0.0, 0.0]])
    losses, _ = run_kernels(Contacts(0.04 * normal, np.array([-3e-4]), normal, friction=0.0))
    # Along +x and at rest the object ends 0.3 mm back; along y it keeps its motion besides.
    assert losses[0] == pytest.approx(np.hypot(3e-4, SMOOTHING) + SMOOTHING, rel=1e-4)
    assert losses[1] == pytest.approx(np.hypot(3e-4, SMOOTHING) + SMOOTHING, rel=1e-4)
    assert losses[2] == pytest.approx(np.sqrt(9e-8 + PROBE**2 + SMOOTHING**2) + SMOOTHING, rel=1e-4)


def test_a_balanced_squeeze_with_friction_stops_more_than_one_without():
    normals = np.concatenate([np.eye(3), -np.eye(3)])
    squeeze = Contacts(0.04 * normals, np.full(6, -2e-4), normals, friction=1.0)
    smooth = Contacts(0.04 * normals, np.full(6, -2e-4), normals, friction=0.0)
    assert run_kernels(squeeze)[0][1:].mean() < run_kernels(smooth)[0][1:].mean()
    assert run_kernels(squeeze)[0][0] == pytest.approx(2 * SMOOTHING, rel=1e-3)


@pytest.mark.parametrize("friction", [0.0, 0.3, 0.5, 1.0])
@pytest.mark.parametrize("count", [1, 4, 40])
def test_losses_equal_the_double_precision_reference(count, friction):
    contacts = on_sphere(count, seed=count, friction=friction, radius=5e-5)
    losses, _ = run_kernels(contacts)
    np.testing.assert_allclose(losses, jacobi_step(contacts)[0], rtol=2e-4, atol=1e-9)


@pytest.mark.parametrize("friction", [0.0, 0.3, 1.0])
def test_contact_gradient_equals_finite_differences(friction):
    contacts = on_sphere(20, seed=3, friction=friction, depth=5e-4)
    _, gradients = run_kernels(contacts)
    step = 1e-9  # too small for any point to start or stop touching
    above, below = (
        jacobi_step(
            contacts.with_distances(contacts.distances + shift * np.eye(20)),
        )[0].mean(axis=-1)
        for shift in (step, -step)
    )
    expected = (above - below) / (2.0 * step)
    along_normal = np.einsum("pi,pi->p", gradients, contacts.normals)
    np.testing.assert_allclose(along_normal, expected, atol=2e-4 * np.abs(expected).max())
    np.testing.assert_allclose(gradients, along_normal[:, None] * contacts.normals, atol=1e-6)


def test_the_one_sided_leak_draws_every_distant_point_to_the_object():
    contacts = on_sphere(50, depth=1e-3, radius=-1.0)
    _, gradients = run_kernels(contacts, leak=0.1)
    along_normal = np.einsum("pi,pi->p", gradients, contacts.normals)
    assert (along_normal > 0.0).mean() > 0.9
    assert along_normal.min() >= 0.0


def test_without_friction_and_contact_nothing_leaks():
    _, gradients = run_kernels(on_sphere(50, depth=1e-3, radius=-1.0, friction=0.0), leak=0.1)
    assert np.abs(gradients).max() < 1e-7


def test_the_literal_leak_also_repels():
    grasp = on_sphere(60, seed=1, depth=3e-3)
    one_sided = run_kernels(grasp, leak=0.1)[1]
    literal = run_kernels(grasp, leak=0.1, one_sided=False)[1]
    outside = grasp.distances > 2 * PROBE
    along = np.einsum("pi,pi->p", literal, grasp.normals)[outside]
    assert along.min() < 0.0 < along.max()
    assert np.einsum("pi,pi->p", one_sided, grasp.normals)[outside].min() >= 0.0


def test_penetration_pushes_a_point_out_in_proportion_to_its_depth():
    normal = np.array([[0.0, 0.0, 1.0]])
    contacts = Contacts(0.04 * normal, np.array([-2e-3]), normal)
    without = run_kernels(contacts)[1]
    gradient = run_kernels(contacts, penetration_weight=10.0)[1] - without
    np.testing.assert_allclose(gradient, [[0.0, 0.0, -0.02]], atol=1e-5)


def test_closing_draws_points_that_are_near_and_outside():
    normal = np.array([[0.0, 0.0, 1.0]])
    for distance, pull in ((-1e-3, 0.0), (1e-3, 0.3), (2.9e-3, 0.3), (3.1e-3, 0.0)):
        contacts = Contacts(0.04 * normal, np.array([distance]), normal)
        gradient = run_kernels(contacts, closing_weight=0.3, closing_distance=3e-3)[1] - run_kernels(contacts)[1]
        np.testing.assert_allclose(gradient, [[0.0, 0.0, pull]], atol=1e-6)


@pytest.mark.parametrize("sweep", [False, True])
def test_the_simulation_without_a_push_can_count_more(sweep):
    contacts = on_sphere(15, seed=8, friction=0.0, depth=5e-4)
    along = [
        np.einsum("pi,pi->p", run_kernels(contacts, sweep=sweep, rest_weight=weight).gradients, contacts.normals)
        for weight in (0.0, 1.0, 3.0)
    ]
    pushed, equal, at_rest = 6.0 * along[0], 7.0 * along[1], 9.0 * along[2]
    np.testing.assert_allclose(at_rest - pushed, 3.0 * (equal - pushed), atol=1e-4 * np.abs(equal).max())
    point, step = int(np.argmax(np.abs(equal - pushed))), 1e-9
    take = sweep_step if sweep else jacobi_step
    above, below = (
        take(contacts.with_distances(contacts.distances + sign * step * np.eye(15)[point]))[0] for sign in (1.0, -1.0)
    )
    slope = (above[0] - below[0]) / (2.0 * step)
    assert abs(slope) > 1e-2
    assert (equal - pushed)[point] == pytest.approx(slope, rel=1e-2)
