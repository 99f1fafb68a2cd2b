# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""One shard of grasps and the launches of its gradient steps; all arrays are allocated once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import warp as wp

from omni_graspd.geometry import rays_kernels as ray_kernels
from omni_graspd.geometry import signed_distance_kernels
from omni_graspd.hands import kinematics_kernels
from omni_graspd.synthesis import (
    clearance_kernels,
    contact_kernels,
    crossed_links_kernels,
    crossing_kernels,
    fused_kernels,
    gauss_seidel_kernels,
    hand_kernels,
    score_kernels,
    wall_kernels,
)
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.losses import KEPT_TERMS
from omni_graspd.synthesis.model_structs import GraspArrays
from omni_graspd.synthesis.models import HandModel, ObjectModel, SurroundingsModel, object_arrays, settings_of

_SCORE_SWEEPS = 16
_SCORE_PROBE = 3e-3


def load_kernels(config: SynthesisConfig, device: str) -> None:
    """Compile the kernels that a search with these settings launches, where that was not done before."""
    modules = [hand_kernels, contact_kernels, score_kernels, signed_distance_kernels, ray_kernels, crossing_kernels]
    modules += [wall_kernels, crossed_links_kernels, clearance_kernels, kinematics_kernels]
    modules += [fused_kernels] if _is_fused(config, device) else []
    modules += [gauss_seidel_kernels] if config.projection == "gauss_seidel" else []
    # Not wp.load_module: that of Warp 1.8 loads the CPU's modules in a form that no launch uses.
    threads_per_block = 1 if wp.get_device(device).is_cpu else 256
    for module in modules:
        wp.get_module(module.__name__).load(wp.get_device(device), threads_per_block)


def _is_fused(config: SynthesisConfig, device: str) -> bool:
    """Tell whether all steps of a grasp run in one thread: on the CPU, where the settings allow it."""
    return device == "cpu" and config.projection == "jacobi"


class Shard:
    """Some grasps of one hand on one or several objects, and their state during the optimisation."""

    def __init__(
        self,
        hand: HandModel,
        objects: Sequence[ObjectModel],
        object_index: np.ndarray,
        T_object_palm: np.ndarray,
        actuated_positions: np.ndarray,
        config: SynthesisConfig,
        device: str,
        *,
        surroundings: Sequence[SurroundingsModel] | None = None,
        fused: bool | None = None,
    ) -> None:
        """Allocate a shard.

        Args:
            hand: The hand, on ``device``.
            objects: The objects, on ``device``.
            object_index: Object of each grasp, shape [grasp_count].
            T_object_palm: Where palms start, shape [grasp_count, 7].
            actuated_positions: Where actuated joints start [rad or m], shape [grasp_count, actuated_count].
            config: Settings.
            device: Warp device.
            surroundings: What stands around each object; by default nothing.
            fused: Whether all steps of a grasp run in one thread; by default on the CPU, where the settings allow it.
        """
        self.hand, self.config, self.device = hand, config, device
        # The kernels know meshes by number only: they must not be freed.
        self._models = (*objects, *(surroundings or ()))
        self.grasp_count = len(T_object_palm)
        self.fused = _is_fused(config, device) if fused is None else fused
        self.objects = object_arrays(
            objects, object_index, device, rotation_length=config.rotation_length, surroundings=surroundings
        )
        self.settings = settings_of(config, hand.point_count, hand.filling_count, device)
        self.iteration = wp.zeros(1, dtype=int, device=device)
        self.state = _allocate(hand, self.grasp_count, len(config.probe_motions()), device)
        self.state.T_object_palm = wp.array(T_object_palm, dtype=wp.transform, device=device)
        self.state.actuated = wp.array(actuated_positions, dtype=float, device=device)
        self._sweep = self._allocate_sweep() if config.projection == "gauss_seidel" else ()
        self._graph = None

    def _allocate_sweep(self) -> tuple[wp.array, ...]:
        shape = (self.grasp_count, len(self.config.probe_motions()), self.hand.point_count)
        return tuple(wp.zeros(shape, dtype=dtype, device=self.device) for dtype in (wp.vec3, wp.vec3, float, float))

    def _launch(self, kernel: Callable[..., None], dim: int | tuple[int, ...], inputs: list, outputs: list) -> None:
        wp.launch(kernel, dim=dim, inputs=inputs, outputs=outputs, device=self.device)

    def run(self, start: int, stop: int) -> None:
        """Make the gradient steps ``start`` to ``stop - 1``."""
        if self.fused:
            inputs = [self.hand.arrays, self.objects, self.settings, start, stop]
            self._launch(fused_kernels.optimize_kernel, self.grasp_count, inputs, [self.state])
            return
        for iteration in range(start, stop):
            self.iteration.fill_(iteration)
            if wp.get_device(self.device).is_cuda:
                self._replay_step()
            else:
                self._split_step()

    def _split_step(self) -> None:
        self._evaluate(self.settings)
        self._launch(
            hand_kernels.step_kernel,
            self.grasp_count,
            [self.hand.arrays, self.objects, self.settings, self.iteration],
            [self.state],
        )

    def _replay_step(self) -> None:
        """Make one step from a recorded CUDA graph; the first is made directly, since it may load modules."""
        if self._graph is None:
            self._split_step()
            with wp.ScopedCapture(device=self.device) as capture:
                self._split_step()
            self._graph = capture.graph
        else:
            wp.capture_launch(self._graph)

    def _evaluate(self, settings: Any) -> None:
        """Compute all losses and their gradients at the present state, on the split path."""
        hand, grasps, state = self.hand, self.grasp_count, self.state
        model, obj, iteration = hand.arrays, self.objects, self.iteration
        by_point = (grasps, hand.point_count)
        by_simulation = (grasps, state.stable_losses.shape[1])
        self._launch(hand_kernels.place_kernel, grasps, [model, obj], [state])
        self._launch(contact_kernels.measure_kernel, by_point, [model, obj, settings, iteration], [state])
        if self._sweep:
            derivatives = self._sweep[2:]
            kernels = gauss_seidel_kernels
            self._launch(kernels.sweep_kernel, by_simulation, [obj, settings, iteration], [state, *self._sweep])
            self._launch(kernels.pull_back_sweep_kernel, by_point, [settings, iteration, *derivatives], [state])
        else:
            self._launch(contact_kernels.simulate_kernel, by_simulation, [obj, settings, iteration], [state])
            self._launch(contact_kernels.pull_back_kernel, by_point, [model, obj, settings, iteration], [state])
        self._launch(contact_kernels.link_wrenches_kernel, (grasps, hand.link_count), [model], [state])
        self._launch(hand_kernels.gradient_kernel, grasps, [model, obj, settings], [state])

    def evaluate(self) -> None:
        """Compute losses and gradients of the present state without padding and leak, all distances measured anew."""
        self._evaluate(self._exact_settings(self.config))

    def _exact_settings(self, config: SynthesisConfig) -> Any:
        self.iteration.zero_()
        exact = replace(config, iterations=1, dilation=0.0, leak=0.0, reuse_distance=0.0, reuse_share=0.0)
        return settings_of(exact, self.hand.point_count, self.hand.filling_count, self.device)

    def losses(self) -> dict[str, np.ndarray]:
        """Return the loss terms of the last evaluation by name, shape [grasp_count] each.

        They are ``stable``, relative to the tested speed, and those that the kernels keep; units and meanings are in
        :data:`~omni_graspd.synthesis.losses.LOSS_TERMS`.
        """
        stable = self.state.stable_losses.numpy().mean(axis=1) / self.config.probe
        kept = self.state.losses.numpy()
        return {"stable": stable, **{term.name: kept[:, term.slot].copy() for term in KEPT_TERMS}}

    def _overlaps(self) -> np.ndarray:
        """Return how deep each hand point lies in the object [m], 0 outside, shape [grasp_count, point_count]."""
        measured = np.linalg.norm(self.state.listed_normals.numpy(), axis=-1) > 0.0
        return np.where(measured, np.maximum(-self.state.listed_distances.numpy(), 0.0), 0.0)

    def penetration(self) -> np.ndarray:
        """Return half the mean squared depth of hand points in the object after ``evaluate`` [m2], [grasp_count]."""
        return 0.5 * np.mean(self._overlaps() ** 2, axis=1)

    def gaps(self) -> np.ndarray:
        """Return at least how far the hand is from the object after ``evaluate`` [m], 0 at contact, [grasp_count]."""
        return np.maximum(self.state.listed_distances.numpy().min(axis=1, initial=np.inf), 0.0)

    def depths(self) -> np.ndarray:
        """Return how deep hand and object are in one another after ``evaluate`` [m], shape [grasp_count].

        The deepest point of the hand, or the sphere inside its links in which the object is deepest: that is more
        where a thin wall is in the hand.
        """
        return np.maximum(self._overlaps().max(axis=1, initial=0.0), self.state.filling_depth.numpy())

    def contacts(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return what ``evaluate`` measured of the hand points.

        Distances [m], shape [grasp_count, point_count]; places from the centre of mass [m] and unit normals out of the
        object, [grasp_count, point_count, 3]; points out of reach have no normal.
        """
        state = self.state
        normals = state.listed_normals.numpy().astype(np.float64)
        measured = np.linalg.norm(normals, axis=-1) > 0.0
        distances = np.where(measured, state.listed_distances.numpy().astype(np.float64), np.inf)
        return distances, state.listed_points.numpy().astype(np.float64), normals

    def clearances(self) -> np.ndarray:
        """Return how far the hand's points are from table and obstacles after ``evaluate``.

        In metres, negative inside, shape [grasp_count]; at most 3 cm, and so where nothing stands around.
        """
        state = self.state
        return np.minimum(state.table_clearance.numpy(), state.obstacle_clearance.numpy())

    def escape(self) -> np.ndarray:
        """Return how far a pushed object gets, relative to the push; small is good, shape [grasp_count].

        The push is 3 mm along each axis, both ways, and the hand's contacts are projected 16 times. Unlike the
        ``stable`` loss this ranks grasps: see docs/method.md.
        """
        settings = self._exact_settings(replace(self.config, probe=_SCORE_PROBE))
        state, grasps = self.state, self.grasp_count
        escapes = wp.zeros(state.stable_losses.shape, dtype=float, device=self.device)
        self._launch(hand_kernels.place_kernel, grasps, [self.hand.arrays, self.objects], [state])
        self._launch(
            contact_kernels.measure_kernel,
            (grasps, self.hand.point_count),
            [self.hand.arrays, self.objects, settings, self.iteration],
            [state],
        )
        self._launch(
            score_kernels.escape_kernel, escapes.shape, [self.objects, settings, _SCORE_SWEEPS, state], [escapes]
        )
        return escapes.numpy().mean(axis=1) / _SCORE_PROBE


def _allocate(hand: HandModel, grasps: int, simulations: int, device: str) -> Any:
    """Return a GraspArrays, all zero."""
    links, joints, actuated, points = hand.link_count, hand.joint_count, hand.actuated_count, hand.point_count
    shapes = {
        float: {
            "joint_positions": joints,
            "measured_distances": points,
            "trust": points,
            "listed_distances": points,
            "listed_mobility": points,
            "stable_losses": simulations,
            "joint_gradients": joints,
            "actuated_gradients": actuated,
            "losses": len(KEPT_TERMS),
            "table_clearance": None,
            "obstacle_clearance": None,
            "filling_distances": max(hand.filling_count, 1),
            "filling_depth": None,
            "palm_squares": 2,
            "joint_moments": actuated,
            "joint_squares": actuated,
        },
        int: {"query_count": None, "listed_link": points, "listed_leaks": points, "failed": None},
        wp.transform: {"link_poses": links},
        wp.vec3: {
            "joint_axis": links,
            "joint_anchor": links,
            "measured_points": points,
            "measured_normals": points,
            "listed_points": points,
            "listed_normals": points,
            "point_gradients": points,
            "adjoint_linear": simulations,
            "adjoint_angular": simulations,
            "forces": links,
            "torques": links,
            "sphere_centers": max(hand.sphere_count, 1),
            "filling_measured": max(hand.filling_count, 1),
            "filling_normals": max(hand.filling_count, 1),
            "bound_centers": links,
            "palm_forces": None,
            "palm_torques": None,
            "palm_moments": 2,
        },
    }
    arrays = GraspArrays()
    for dtype, columns in shapes.items():
        for name, width in columns.items():
            shape = (grasps,) if width is None else (grasps, width)
            setattr(arrays, name, wp.zeros(shape, dtype=dtype, device=device))
    arrays.listed_stopping = wp.zeros((grasps, points, 3), dtype=float, device=device)
    # Far from everywhere, so that every distance is measured at first.
    for measured in (arrays.measured_points, arrays.filling_measured):
        measured.fill_(wp.vec3(1.0e6, 1.0e6, 1.0e6))
    return arrays
