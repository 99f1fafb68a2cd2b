# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The Gauss-Seidel sweep against double precision, and its gradient against finite differences of that."""

from __future__ import annotations

import numpy as np
import pytest
from contact_bench import run_kernels
from contact_reference import MOTIONS, SMOOTHING, Contacts, jacobi_step, on_sphere, sweep_step

_STEP = 1e-10


def slopes(contacts: Contacts, frozen=None) -> np.ndarray:
    """Derivatives of the mean loss by the distance of each point."""
    result = []
    for shift in _STEP * np.eye(len(contacts.points)):
        above, below = (
            sweep_step(contacts.with_distances(contacts.distances + sign * shift), frozen=frozen)[0].mean()
            for sign in (1.0, -1.0)
        )
        result.append((above - below) / (2.0 * _STEP))
    return np.array(result)


def along_normals(contacts: Contacts, **options) -> np.ndarray:
    gradients = run_kernels(contacts, sweep=True, **options).gradients
    along = np.einsum("pi,pi->p", gradients, contacts.normals)
    np.testing.assert_allclose(gradients, along[:, None] * contacts.normals, atol=1e-6)
    return along


@pytest.mark.parametrize("friction", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("count", [1, 4, 40])
def test_losses_equal_the_double_precision_reference(count, friction):
    contacts = on_sphere(count, seed=count, friction=friction, radius=5e-5)
    losses = run_kernels(contacts, sweep=True).losses
    np.testing.assert_allclose(losses, sweep_step(contacts)[0], rtol=2e-4, atol=1e-9)


def test_one_contact_alone_is_the_same_swept_and_averaged():
    contacts = on_sphere(1, seed=2, radius=3e-4)
    np.testing.assert_allclose(run_kernels(contacts, sweep=True).losses, run_kernels(contacts).losses, rtol=1e-6)
    np.testing.assert_allclose(sweep_step(contacts)[0], jacobi_step(contacts)[0], rtol=1e-12)


def test_each_contact_sees_what_those_before_it_left():
    # Two points at the same place, the second as deep: the first has pushed the object out already.
    normal = np.array([[0.0, 0.0, 1.0]])
    one = Contacts(0.04 * normal, np.array([-2e-4]), normal, friction=0.0)
    two = Contacts(0.04 * normal.repeat(2, 0), np.array([-2e-4, -2e-4]), normal.repeat(2, 0), friction=0.0)
    np.testing.assert_allclose(run_kernels(two, sweep=True).losses, run_kernels(one, sweep=True).losses, rtol=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_a_push_along_the_normal_is_no_slip(seed):
    # After the first point the object moves along the normals of the others, but for rounding, and they hardly push.
    normal = on_sphere(1, seed=seed).normals.astype(np.float32).astype(np.float64).repeat(4, axis=0)
    depth = 1e-3
    contacts = Contacts(0.04 * normal, -depth - 1e-8 * np.arange(4), normal, friction=0.5)
    at_rest = run_kernels(contacts, sweep=True).losses[0]
    assert at_rest == pytest.approx(np.hypot(depth, SMOOTHING) + SMOOTHING, rel=1e-4)


def test_the_order_of_the_points_matters():
    contacts = on_sphere(20, seed=5, depth=1e-3)
    order = np.arange(20)[::-1]
    turned = Contacts(contacts.points[order], contacts.distances[order], contacts.normals[order])
    forward, backward = (run_kernels(c, sweep=True).losses for c in (contacts, turned))
    assert np.abs(forward / backward - 1.0).max() > 0.05


def test_without_friction_the_gradient_equals_finite_differences():
    contacts = on_sphere(20, seed=3, friction=0.0, depth=5e-4)
    expected = slopes(contacts)
    np.testing.assert_allclose(along_normals(contacts), expected, atol=2e-4 * np.abs(expected).max())


@pytest.mark.slow
@pytest.mark.parametrize("friction", [0.3, 1.0])
@pytest.mark.parametrize("seed", [3, 4])
def test_with_friction_the_gradient_holds_the_direction_of_slip(friction, seed):
    contacts = on_sphere(20, seed=seed, friction=friction, depth=5e-4)
    expected = slopes(contacts, sweep_step(contacts)[1])
    along = along_normals(contacts)
    np.testing.assert_allclose(along, expected, atol=2e-4 * np.abs(expected).max())
    # What that leaves out, how earlier contacts turn the slip of later ones.
    full = slopes(contacts)
    cosine = along @ full / (np.linalg.norm(along) * np.linalg.norm(full))
    assert cosine > 0.6
    assert np.abs(full - expected).max() > 1e-3 * np.abs(expected).max()


def test_a_point_that_does_not_touch_leaks_what_touching_there_would_change():
    friction, leak = 0.5, 0.1
    contacts = on_sphere(12, seed=6, friction=friction, depth=2e-4)
    depths = contacts.radius - contacts.distances + contacts.normals @ MOTIONS.T[:, :1].ravel()
    assert (depths > 0.0).any() and (depths < 0.0).any()
    far = Contacts(contacts.points, contacts.distances.copy(), contacts.normals, friction)
    far.distances[7] = 5e-3
    literal = along_normals(far, leak=leak, one_sided=False)[7]
    # A push of size s / w along the normal, and friction times that along the slip, at the seventh turn of the sweep.
    size = 1e-9
    pushed = pushed_losses(far, 7, size).mean()
    assert literal == pytest.approx(-leak * (pushed - sweep_step(far)[0].mean()) / size, rel=1e-3)
    assert along_normals(far, leak=leak)[7] == pytest.approx(max(literal, 0.0), abs=1e-6)


def pushed_losses(contacts: Contacts, point: int, size: float) -> np.ndarray:
    """Losses of the sweep with a push by a point that does not touch, as if it were ``size`` deep and sliding."""
    _, frozen = sweep_step(contacts)
    losses = []
    for m, v in enumerate(MOTIONS):
        touching = frozen.touching[m].copy()
        assert not touching[point]
        touching[point] = True
        # Its constraint is made to be ``size`` by a distance that follows what the sweep leaves before it.
        before = motion_before(contacts, point, v)
        surface = before[:3] + np.cross(before[3:], contacts.points[point])
        distances = contacts.distances.copy()
        distances[point] = contacts.normals[point] @ surface - size + contacts.radius
        one = frozen._replace(slips=frozen.slips[m : m + 1], touching=touching[None])
        losses.append(sweep_step(contacts.with_distances(distances), MOTIONS[m : m + 1], frozen=one)[0][0])
    return np.array(losses)


def motion_before(contacts: Contacts, point: int, v: np.ndarray) -> np.ndarray:
    """Motion of the object that a point finds, [6], by the losses' own structure: the sweep over the points before."""
    motion = np.concatenate([v, np.zeros(3)])
    for p, phi, n in zip(contacts.points[:point], contacts.distances[:point], contacts.normals[:point], strict=True):
        surface = motion[:3] + np.cross(motion[3:], p)
        depth = contacts.radius - phi + n @ surface
        if depth <= 0.0:
            continue
        slip = surface - n * (n @ surface)
        speed = np.linalg.norm(slip)
        t = slip / max(speed, 1e-12)

        def push(direction, p=p):
            return np.concatenate([direction, contacts.inverse_inertia @ np.cross(p, direction)])

        def mobility(direction, p=p):
            return 1.0 + np.cross(p, direction) @ contacts.inverse_inertia @ np.cross(p, direction)

        multiplier = depth / mobility(n)
        motion -= push(n) * multiplier + push(t) * min(speed / mobility(t), contacts.friction * multiplier)
    return motion
