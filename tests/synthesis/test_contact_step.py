# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The contact step against closed forms, a double-precision reference, and finite differences of that reference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import warp as wp

from omni_graspd.synthesis import contact_kernels
from omni_graspd.synthesis.config import SynthesisConfig

_PROBE = 1e-4
_SMOOTHING = 1e-5
_MOTIONS = SynthesisConfig(probe=_PROBE).probe_motions()


@dataclass
class Contacts:
    """One grasp's hand points and the object they act on."""

    points: np.ndarray
    distances: np.ndarray
    normals: np.ndarray
    friction: float = 0.5
    radius: float = 0.0
    inverse_inertia: np.ndarray = None
    gyration_radius: float = 0.02

    def __post_init__(self):
        if self.inverse_inertia is None:
            self.inverse_inertia = np.eye(3) / self.gyration_radius**2


def on_sphere(count: int, *, seed: int = 0, depth: float = 2e-4, **options) -> Contacts:
    """Points near a sphere of 40 mm, between ``depth`` inside and ``depth`` outside."""
    random = np.random.default_rng(seed)
    normals = random.normal(size=(count, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    distances = random.uniform(-depth, depth, size=count)
    return Contacts(normals * (0.04 + distances[:, None]), distances, normals, **options)


def reference_losses(contacts: Contacts, motions: np.ndarray) -> np.ndarray:
    """Step each simulation in float64, written from the formulas and without the kernels' structure."""
    losses = []
    for v in motions:
        total, count = np.zeros(6), 0
        for p, phi, n in zip(contacts.points, contacts.distances, contacts.normals, strict=True):
            depth = contacts.radius - phi + n @ v
            if depth <= 0.0:
                continue
            count += 1
            mass_inverse = np.zeros((6, 6))
            mass_inverse[:3, :3], mass_inverse[3:, 3:] = np.eye(3), contacts.inverse_inertia
            jacobian = np.concatenate([n, np.cross(p, n)])
            multiplier = depth / (jacobian @ mass_inverse @ jacobian)
            total -= mass_inverse @ jacobian * multiplier
            slip = v - n * (n @ v)
            if np.linalg.norm(slip) > 1e-12:
                t = slip / np.linalg.norm(slip)
                tangent = np.concatenate([t, np.cross(p, t)])
                stop = np.linalg.norm(slip) / (tangent @ mass_inverse @ tangent)
                total -= mass_inverse @ tangent * min(stop, contacts.friction * multiplier)
        motion = np.concatenate([v, np.zeros(3)]) + total / max(count, 1)
        losses.append(
            np.sqrt(motion[:3] @ motion[:3] + _SMOOTHING**2)
            + np.sqrt(contacts.gyration_radius**2 * (motion[3:] @ motion[3:]) + _SMOOTHING**2)
        )
    return np.array(losses)


def run_kernels(contacts: Contacts, *, leak: float = 0.0, one_sided: bool = True, penetration_weight: float = 0.0):
    """Return the losses [simulation] and the point gradients [point, 3] of the kernels."""
    device = "cpu"
    count = len(contacts.points)
    points = wp.array(contacts.points[None], dtype=wp.vec3, device=device)
    distances = wp.array(contacts.distances[None], dtype=float, device=device)
    normals = wp.array(contacts.normals[None], dtype=wp.vec3, device=device)
    device_motions = wp.array(_MOTIONS, dtype=wp.vec3, device=device)
    inverse_inertia = wp.mat33(*(float(v) for v in contacts.inverse_inertia.ravel()))
    losses = wp.zeros((1, 7), dtype=float, device=device)
    linear = wp.zeros((1, 7), dtype=wp.vec3, device=device)
    angular = wp.zeros((1, 7), dtype=wp.vec3, device=device)
    averaging = wp.zeros((1, 7), dtype=float, device=device)
    gradients = wp.zeros((1, count), dtype=wp.vec3, device=device)
    step = [contacts.radius, contacts.friction, inverse_inertia]
    wp.launch(
        contact_kernels.simulate_kernel,
        dim=(1, 7),
        inputs=[points, distances, normals, device_motions, *step, contacts.gyration_radius, _SMOOTHING],
        outputs=[losses, linear, angular, averaging],
        device=device,
    )
    wp.launch(
        contact_kernels.pull_back_kernel,
        dim=(1, count),
        inputs=[
            *(points, distances, normals, device_motions, linear, angular, averaging, *step),
            *(leak, int(one_sided), penetration_weight),
        ],
        outputs=[gradients],
        device=device,
    )
    return losses.numpy()[0], gradients.numpy()[0]


def test_without_contact_the_object_keeps_its_motion():
    losses, _ = run_kernels(on_sphere(10, depth=1e-3, radius=-1.0))
    expected = np.sqrt(np.array([0.0] + [_PROBE] * 6) ** 2 + _SMOOTHING**2) + _SMOOTHING
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


def test_one_point_pushes_the_object_out_by_its_depth():
    normal = np.array([[1.0, 0.0, 0.0]])
    losses, _ = run_kernels(Contacts(0.04 * normal, np.array([-3e-4]), normal, friction=0.0))
    # Along +x and at rest the object ends 0.3 mm back; along y it keeps its motion besides.
    assert losses[0] == pytest.approx(np.hypot(3e-4, _SMOOTHING) + _SMOOTHING, rel=1e-4)
    assert losses[1] == pytest.approx(np.hypot(3e-4, _SMOOTHING) + _SMOOTHING, rel=1e-4)
    assert losses[2] == pytest.approx(np.sqrt(9e-8 + _PROBE**2 + _SMOOTHING**2) + _SMOOTHING, rel=1e-4)


def test_a_balanced_squeeze_with_friction_stops_more_than_one_without():
    normals = np.concatenate([np.eye(3), -np.eye(3)])
    squeeze = Contacts(0.04 * normals, np.full(6, -2e-4), normals, friction=1.0)
    smooth = Contacts(0.04 * normals, np.full(6, -2e-4), normals, friction=0.0)
    assert run_kernels(squeeze)[0][1:].mean() < run_kernels(smooth)[0][1:].mean()
    assert run_kernels(squeeze)[0][0] == pytest.approx(2 * _SMOOTHING, rel=1e-3)


@pytest.mark.parametrize("friction", [0.0, 0.3, 0.5, 1.0])
@pytest.mark.parametrize("count", [1, 4, 40])
def test_losses_equal_the_double_precision_reference(count, friction):
    contacts = on_sphere(count, seed=count, friction=friction, radius=5e-5)
    losses, _ = run_kernels(contacts)
    np.testing.assert_allclose(losses, reference_losses(contacts, _MOTIONS), rtol=2e-4, atol=1e-9)


@pytest.mark.parametrize("friction", [0.0, 0.3, 1.0])
def test_contact_gradient_equals_finite_differences(friction):
    contacts = on_sphere(20, seed=3, friction=friction, depth=5e-4)
    _, gradients = run_kernels(contacts)
    step = 1e-9  # too small for any point to start or stop touching
    expected = np.zeros(20)
    for point in range(20):
        shift = step * (np.arange(20) == point)
        above, below = (
            reference_losses(
                Contacts(contacts.points, contacts.distances + sign * shift, contacts.normals, friction), _MOTIONS
            ).mean()
            for sign in (1.0, -1.0)
        )
        expected[point] = (above - below) / (2.0 * step)
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
    outside = grasp.distances > 2 * _PROBE
    along = np.einsum("pi,pi->p", literal, grasp.normals)[outside]
    assert along.min() < 0.0 < along.max()
    assert np.einsum("pi,pi->p", one_sided, grasp.normals)[outside].min() >= 0.0


def test_penetration_pushes_a_point_out_in_proportion_to_its_depth():
    normal = np.array([[0.0, 0.0, 1.0]])
    contacts = Contacts(0.04 * normal, np.array([-2e-3]), normal)
    without = run_kernels(contacts)[1]
    gradient = run_kernels(contacts, penetration_weight=10.0)[1] - without
    np.testing.assert_allclose(gradient, [[0.0, 0.0, -0.02]], atol=1e-5)
