# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the contact kernels of the split path on points whose distances and normals are given."""

from __future__ import annotations

from dataclasses import fields
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import warp as wp
from contact_reference import PROBE, Contacts

from omni_graspd.synthesis import contact_kernels, gauss_seidel_kernels, optimization
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.model_structs import HandArrays, ObjectArrays
from omni_graspd.synthesis.models import settings_of

NO_WEIGHTS = {
    field.name: float(field.name == "rest_weight")
    for field in fields(SynthesisConfig)
    if field.name.endswith("_weight")
}
"""Settings that leave only the stability loss, in which all simulations count the same."""


class Evaluation(NamedTuple):
    """What the kernels make of one grasp."""

    losses: np.ndarray  # [simulation]
    gradients: np.ndarray  # [point, 3]


def run_kernels(
    contacts: Contacts,
    *,
    probe: float = PROBE,
    leak: float = 0.0,
    one_sided: bool = True,
    penetration_weight: float = 0.0,
    closing_weight: float = 0.0,
    sweep: bool = False,
    **options: float,
) -> Evaluation:
    """Evaluate one grasp; with ``sweep`` by Gauss-Seidel. Weights of penetration and closing are those of a point."""
    count = len(contacts.points)
    per_point = {"penetration_weight": penetration_weight * count, "closing_weight": closing_weight * count}
    config = SynthesisConfig(
        iterations=1,
        dilation=0.0,
        probe=probe,
        friction=contacts.friction,
        leak=leak,
        leak_stride=1,
        leak_mode="one_sided" if one_sided else "literal",
        **{**NO_WEIGHTS, **per_point, **options},
    )
    settings = settings_of.__wrapped__(config, count, 1, "cpu")  # one of its own, to be changed
    settings.radius = wp.array([contacts.radius], dtype=float, device="cpu")
    state = _state(contacts)
    obj = ObjectArrays()
    obj.index = wp.zeros(1, dtype=int, device="cpu")
    obj.inverse_inertia = wp.array(contacts.inverse_inertia[None], dtype=wp.mat33, device="cpu")
    obj.rotation_length = wp.array([contacts.rotation_length], dtype=float, device="cpu")
    (_run_sweep if sweep else _run_jacobi)(count, obj, settings, state)
    return Evaluation(state.stable_losses.numpy()[0], state.point_gradients.numpy()[0])


def _state(contacts: Contacts):
    sizes = SimpleNamespace(
        link_count=1, joint_count=1, actuated_count=1, point_count=len(contacts.points), sphere_count=0, filling_count=0
    )
    state = optimization._allocate(sizes, 1, 7, "cpu")
    state.listed_points = wp.array(contacts.points[None], dtype=wp.vec3, device="cpu")
    state.listed_distances = wp.array(contacts.distances[None], dtype=float, device="cpu")
    state.listed_normals = wp.array(contacts.normals[None], dtype=wp.vec3, device="cpu")
    state.listed_leaks.fill_(1)
    return state


def _run_jacobi(count: int, obj, settings, state) -> None:
    first = wp.zeros(1, dtype=int, device="cpu")
    simulate, pull_back = contact_kernels.simulate_kernel, contact_kernels.pull_back_kernel
    wp.launch(simulate, dim=(1, 7), inputs=[obj, settings, first], outputs=[state], device="cpu")
    wp.launch(pull_back, dim=(1, count), inputs=[HandArrays(), obj, settings, first], outputs=[state], device="cpu")


def _run_sweep(count: int, obj, settings, state) -> None:
    first = wp.zeros(1, dtype=int, device="cpu")
    scratch = [wp.zeros((1, 7, count), dtype=dtype, device="cpu") for dtype in (wp.vec3, wp.vec3, float, float)]
    kernels = gauss_seidel_kernels
    wp.launch(kernels.sweep_kernel, dim=(1, 7), inputs=[obj, settings, first], outputs=[state, *scratch], device="cpu")
    inputs = [settings, first, *scratch[2:]]
    wp.launch(kernels.pull_back_sweep_kernel, dim=(1, count), inputs=inputs, outputs=[state], device="cpu")
