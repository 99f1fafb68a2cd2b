# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The hand-written adjoint against Warp's automatic differentiation of the same formulas."""

from __future__ import annotations

import numpy as np
import pytest
import warp as wp
from contact_bench import run_kernels
from contact_reference import MOTIONS, SMOOTHING, Contacts, on_sphere

from omni_graspd.synthesis.contact_kernels import (
    constraint,
    friction_multiplier,
    inverse_effective_mass,
    slip_direction,
    smooth_norm,
)


# One thread per contact: Warp does not differentiate sums over a loop that a condition guards.
@wp.kernel(enable_backward=True)
def push_kernel(
    points: wp.array(dtype=wp.vec3),  # (point)
    measured_points: wp.array(dtype=wp.vec3),  # (point)
    measured_distances: wp.array(dtype=float),  # (point)
    normals: wp.array(dtype=wp.vec3),  # (point)
    motions: wp.array(dtype=wp.vec3),  # (simulation)
    radius: float,
    friction: float,
    inverse_inertia: wp.mat33,
    # outputs
    impulses: wp.array(dtype=wp.vec3),  # (simulation)
    torques: wp.array(dtype=wp.vec3),  # (simulation)
    counts: wp.array(dtype=float),  # (simulation)
):
    """Sum what the contacts push; thread layout (simulation, point)."""
    simulation, point = wp.tid()
    start = motions[simulation]
    position = points[point]
    normal = normals[point]
    distance = measured_distances[point] + wp.dot(normal, position - measured_points[point])
    depth = constraint(radius, distance, normal, start)
    if depth > 0.0:
        multiplier = depth / inverse_effective_mass(normal, position, inverse_inertia)
        slip = slip_direction(normal, start)
        effective = inverse_effective_mass(slip, position, inverse_inertia)
        stopping = friction_multiplier(wp.dot(slip, start), effective, friction, multiplier)
        impulse = normal * multiplier + slip * stopping
        wp.atomic_add(impulses, simulation, impulse)
        wp.atomic_add(torques, simulation, wp.cross(position, impulse))
        wp.atomic_add(counts, simulation, 1.0)


@wp.kernel(enable_backward=True)
def loss_kernel(
    motions: wp.array(dtype=wp.vec3),  # (simulation)
    inverse_inertia: wp.mat33,
    rotation_length: float,
    smoothing: float,
    impulses: wp.array(dtype=wp.vec3),  # (simulation)
    torques: wp.array(dtype=wp.vec3),  # (simulation)
    counts: wp.array(dtype=float),  # (simulation)
    # outputs
    losses: wp.array(dtype=float),  # (simulation)
):
    """Average the pushes and measure the motion that is left. One thread per simulation."""
    simulation = wp.tid()
    average = 1.0 / wp.max(counts[simulation], 1.0)
    motion = motions[simulation] - average * impulses[simulation]
    rotation = average * (inverse_inertia * torques[simulation])
    losses[simulation] = smooth_norm(motion, smoothing) + smooth_norm(rotation_length * rotation, smoothing)


def taped(contacts: Contacts) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Losses, and derivatives of their mean by the distances and by the points."""
    options, simulations = {"device": "cpu"}, len(MOTIONS)
    points, measured = (
        wp.array(contacts.points, dtype=wp.vec3, requires_grad=need, **options) for need in (True, False)
    )
    distances = wp.array(contacts.distances, dtype=float, requires_grad=True, **options)
    normals, motions = (wp.array(column, dtype=wp.vec3, **options) for column in (contacts.normals, MOTIONS))
    inverse_inertia = wp.mat33(*(float(v) for v in contacts.inverse_inertia.ravel()))
    impulses, torques, counts, losses = (
        wp.zeros(simulations, dtype=dtype, requires_grad=True, **options) for dtype in (wp.vec3, wp.vec3, float, float)
    )
    contact = [points, measured, distances, normals, motions, contacts.radius, contacts.friction, inverse_inertia]
    loss = [motions, inverse_inertia, contacts.rotation_length, SMOOTHING, impulses, torques, counts]
    tape = wp.Tape()
    with tape:
        dim = (simulations, len(contacts.points))
        wp.launch(push_kernel, dim=dim, inputs=contact, outputs=[impulses, torques, counts], **options)
        wp.launch(loss_kernel, dim=simulations, inputs=loss, outputs=[losses], **options)
    tape.backward(grads={losses: wp.full(simulations, 1.0 / simulations, dtype=float, **options)})
    return losses.numpy(), distances.grad.numpy(), points.grad.numpy()


@pytest.mark.parametrize("friction", [0.0, 0.5])
@pytest.mark.parametrize("seed", range(5))
def test_the_tape_has_the_same_loss_and_gradient(friction, seed):
    contacts = on_sphere(30, seed=seed, friction=friction, depth=5e-4)
    losses, by_distance, by_point = taped(contacts)
    own = run_kernels(contacts)
    np.testing.assert_allclose(own.losses, losses, rtol=1e-6)
    along_normal = np.einsum("pi,pi->p", own.gradients, contacts.normals)
    np.testing.assert_allclose(along_normal, by_distance, atol=1e-5 * np.abs(by_distance).max())
    # The tape also lets the levers of the contacts move with the points.
    cosine = np.sum(own.gradients * by_point) / (np.linalg.norm(own.gradients) * np.linalg.norm(by_point))
    assert cosine > 0.999
