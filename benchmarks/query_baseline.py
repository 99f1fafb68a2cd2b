# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What synthesis is compared with: raw distance queries, and the plain loop with seven queries per point and a tape."""

from __future__ import annotations

import time

import numpy as np
import warp as wp

from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.contact_kernels import constraint, inverse_effective_mass

_POINTS = 20_000
_SPREAD = 0.017


@wp.kernel(enable_backward=False)
def raw_query_kernel(
    mesh: wp.uint64,
    points: wp.array(dtype=wp.vec3),  # (point)
    reach: float,
    # outputs
    distances: wp.array(dtype=float),  # (point)
):
    """Find the signed distance of one point as Warp does it."""
    i = wp.tid()
    query = wp.mesh_query_point_sign_normal(mesh, points[i], reach)
    if query.result:
        distances[i] = query.sign * wp.length(points[i] - wp.mesh_eval_position(mesh, query.face, query.u, query.v))


@wp.kernel(enable_backward=True)
def plain_step_kernel(
    mesh: wp.uint64,
    points: wp.array(dtype=wp.vec3),  # (point)
    motions: wp.array(dtype=wp.vec3),  # (simulation)
    radius: float,
    reach: float,
    inverse_inertia: wp.mat33,
    # outputs
    impulses: wp.array(dtype=wp.vec3),  # (simulation)
    torques: wp.array(dtype=wp.vec3),  # (simulation)
):
    """Push the object with one point in one simulation. One thread per (simulation, point)."""
    simulation, i = wp.tid()
    position = points[i] - motions[simulation]
    query = wp.mesh_query_point_sign_normal(mesh, position, reach)
    if query.result:
        away = position - wp.mesh_eval_position(mesh, query.face, query.u, query.v)
        distance = query.sign * wp.length(away)
        normal = wp.normalize(away) * query.sign
        depth = constraint(radius, distance, normal, wp.vec3(0.0, 0.0, 0.0))
        if depth > 0.0:
            impulse = normal * (depth / inverse_effective_mass(normal, position, inverse_inertia))
            wp.atomic_add(impulses, simulation, impulse)
            wp.atomic_add(torques, simulation, wp.cross(position, impulse))


@wp.kernel(enable_backward=True)
def plain_loss_kernel(
    motions: wp.array(dtype=wp.vec3),  # (simulation)
    impulses: wp.array(dtype=wp.vec3),  # (simulation)
    torques: wp.array(dtype=wp.vec3),  # (simulation)
    # outputs
    loss: wp.array(dtype=float),  # (1)
):
    """Add up the motion that is left. One thread per simulation."""
    m = wp.tid()
    wp.atomic_add(loss, 0, wp.length(motions[m] - impulses[m]) + wp.length(torques[m]) / 7.0)


def point_steps(config: SynthesisConfig) -> int:
    """Return how many hand points a grasp places in all its steps, candidates included."""
    draft = config.draft
    return config.iterations * config.point_count + draft.candidates * draft.iterations * draft.point_count


def raw_query_seconds(obj: RigidObject) -> float:
    """Return the CPU time of one distance query, on points within 3 cm of the surface [s]."""
    mesh, points = _device_mesh(obj), _points_near(obj)
    distances = wp.zeros(len(points), dtype=float, device="cpu")
    arguments = {"dim": len(points), "inputs": [mesh.id, points, 0.1], "outputs": [distances], "device": "cpu"}
    wp.launch(raw_query_kernel, **arguments)
    start = time.process_time()
    wp.launch(raw_query_kernel, **arguments)
    return (time.process_time() - start) / len(points)


def plain_loop_seconds(obj: RigidObject, config: SynthesisConfig) -> float:
    """Return the CPU time of a grasp by the plain loop: a query per point and simulation, gradients by a tape [s].

    Hand kinematics and optimiser are left out, so it is a lower bound; one step is timed and multiplied.
    """
    mesh = _device_mesh(obj)
    points = wp.array(_points_near(obj).numpy()[: config.point_count], dtype=wp.vec3, device="cpu", requires_grad=True)
    motions = wp.array(config.probe_motions(), dtype=wp.vec3, device="cpu")
    inverse_inertia = wp.mat33(*(float(v) for v in np.linalg.inv(obj.inertia / obj.mass).ravel()))
    seconds = []
    for _ in range(4):
        impulses, torques = (wp.zeros(7, dtype=wp.vec3, device="cpu", requires_grad=True) for _ in range(2))
        loss = wp.zeros(1, dtype=float, device="cpu", requires_grad=True)
        start = time.process_time()
        with wp.Tape() as tape:
            inputs = [mesh.id, points, motions, 5e-3, 0.1, inverse_inertia]
            wp.launch(plain_step_kernel, dim=(7, len(points)), inputs=inputs, outputs=[impulses, torques], device="cpu")
            wp.launch(plain_loss_kernel, dim=7, inputs=[motions, impulses, torques], outputs=[loss], device="cpu")
        tape.backward(loss)
        seconds.append(time.process_time() - start)
    return min(seconds) * (point_steps(config) / len(points))


def _device_mesh(obj: RigidObject) -> wp.Mesh:
    return wp.Mesh(
        points=wp.array(obj.mesh.vertices.astype(np.float32), dtype=wp.vec3, device="cpu"),
        indices=wp.array(obj.mesh.faces.astype(np.int32).ravel(), dtype=wp.int32, device="cpu"),
    )


def _points_near(obj: RigidObject) -> wp.array:
    random = np.random.default_rng(0)
    vertices = obj.mesh.vertices[random.integers(len(obj.mesh.vertices), size=_POINTS)]
    return wp.array(vertices + random.uniform(-_SPREAD, _SPREAD, size=vertices.shape), dtype=wp.vec3, device="cpu")
