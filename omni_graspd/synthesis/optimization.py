# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""One shard of grasps and the launches of one gradient step; all arrays are allocated once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import warp as wp

from omni_graspd.hands import kinematics_kernels
from omni_graspd.hands.collision_spheres import CollisionSpheres
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.kinematics import KinematicTree
from omni_graspd.hands.surface_points import HandPoints
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.objects.signed_distance import SignedDistance, SignedDistanceConfig
from omni_graspd.synthesis import contact_kernels, gradient_kernels, optimizer_kernels
from omni_graspd.synthesis.config import SynthesisConfig


class HandModel:
    """What the kernels know of a hand, on one device; shared by all shards."""

    def __init__(self, hand: Hand, points: HandPoints, spheres: CollisionSpheres, device: str) -> None:
        self.tree = KinematicTree.from_hand(hand, device)
        self.link_count = len(hand.links)
        self.joint_count = hand.joint_count
        self.actuated_count = hand.actuated_count
        self.point_count = len(points.link_index)
        starts = np.searchsorted(points.link_index, np.arange(self.link_count + 1)).astype(np.int32)
        self.point_start = wp.array(starts, dtype=int, device=device)
        self.point_link = wp.array(points.link_index.astype(np.int32), dtype=int, device=device)
        self.point_positions = wp.array(points.positions, dtype=wp.vec3, device=device)
        self.coupling = wp.array(hand.coupling, dtype=float, device=device)
        self.coupling_offset = wp.array(hand.coupling_offset, dtype=float, device=device)
        self.lower = wp.array(hand.joint_lower, dtype=float, device=device)
        self.upper = wp.array(hand.joint_upper, dtype=float, device=device)
        self.actuated_lower = wp.array(hand.joint_lower[hand.actuated], dtype=float, device=device)
        self.actuated_upper = wp.array(hand.joint_upper[hand.actuated], dtype=float, device=device)
        self.sphere_link = wp.array(spheres.link_index.astype(np.int32), dtype=int, device=device)
        self.sphere_center = wp.array(spheres.centers, dtype=wp.vec3, device=device)
        self.sphere_radius = wp.array(spheres.radii, dtype=float, device=device)
        self.sphere_pairs = wp.array(_sphere_pairs(spheres), dtype=wp.vec2i, device=device)


def _sphere_pairs(spheres: CollisionSpheres) -> np.ndarray:
    a, b = np.triu_indices(len(spheres.link_index), k=1)
    keep = ~spheres.ignored_link_pairs[spheres.link_index[a], spheres.link_index[b]]
    return np.stack([a[keep], b[keep]], axis=-1).astype(np.int32).reshape(-1, 2)


class ObjectModel:
    """What the kernels know of an object, on one device; shared by all shards."""

    def __init__(self, obj: RigidObject, config: SignedDistanceConfig, device: str) -> None:
        self.distance = SignedDistance.build(obj.mesh, closed=obj.closed, device=device, config=config)
        self.center_of_mass = wp.vec3(*(float(v) for v in obj.center_of_mass))
        unit_inertia = obj.inertia / obj.mass
        self.inverse_inertia = wp.mat33(*(float(v) for v in np.linalg.inv(unit_inertia).ravel()))
        self.gyration_radius = float(np.sqrt(np.trace(unit_inertia) / 3.0))


class Shard:
    """Some grasps of one object, and their state during the optimisation."""

    def __init__(
        self,
        hand: HandModel,
        obj: ObjectModel,
        T_object_palm: np.ndarray,
        actuated_positions: np.ndarray,
        config: SynthesisConfig,
        device: str,
    ) -> None:
        self.hand, self.obj, self.config, self.device = hand, obj, config, device
        self.grasp_count = len(T_object_palm)
        self.motions = wp.array(config.probe_motions(), dtype=wp.vec3, device=device)
        self.T_object_palm = wp.array(T_object_palm, dtype=wp.transform, device=device)
        self.actuated = wp.array(actuated_positions, dtype=float, device=device)
        self._allocate()

    def _allocate(self) -> None:
        hand, grasps, simulations = self.hand, self.grasp_count, len(self.motions)

        def zeros(*shape: int, dtype: type = float) -> wp.array:
            return wp.zeros(shape, dtype=dtype, device=self.device)

        self.joint_positions = zeros(grasps, hand.joint_count)
        self.T_object_link = zeros(grasps, hand.link_count, dtype=wp.transform)
        self.joint_axis = zeros(grasps, hand.link_count, dtype=wp.vec3)
        self.joint_anchor = zeros(grasps, hand.link_count, dtype=wp.vec3)
        nowhere = wp.vec3(1.0e6, 1.0e6, 1.0e6)
        self.queried_points = wp.full((grasps, hand.point_count), nowhere, dtype=wp.vec3, device=self.device)
        self.queried_distances = zeros(grasps, hand.point_count)
        self.points = zeros(grasps, hand.point_count, dtype=wp.vec3)
        self.distances = zeros(grasps, hand.point_count)
        self.normals = zeros(grasps, hand.point_count, dtype=wp.vec3)
        self.point_gradients = zeros(grasps, hand.point_count, dtype=wp.vec3)
        self.stable_losses = zeros(grasps, simulations)
        self.adjoint_linear = zeros(grasps, simulations, dtype=wp.vec3)
        self.adjoint_angular = zeros(grasps, simulations, dtype=wp.vec3)
        self.averaging = zeros(grasps, simulations)
        self.forces = zeros(grasps, hand.link_count, dtype=wp.vec3)
        self.torques = zeros(grasps, hand.link_count, dtype=wp.vec3)
        self.joint_gradients = zeros(grasps, hand.joint_count)
        self.palm_forces = zeros(grasps, dtype=wp.vec3)
        self.palm_torques = zeros(grasps, dtype=wp.vec3)
        self.actuated_gradients = zeros(grasps, hand.actuated_count)
        self.range_losses = zeros(grasps)
        self.limit_losses = zeros(grasps)
        self.self_collision_losses = zeros(grasps)
        self.palm_moments = zeros(grasps, 2, dtype=wp.vec3)
        self.palm_squares = zeros(grasps, 2)
        self.joint_moments = zeros(grasps, hand.actuated_count)
        self.joint_squares = zeros(grasps, hand.actuated_count)
        self.failed = zeros(grasps, dtype=int)

    def _launch(self, kernel: Callable[..., None], dim: int | tuple[int, ...], inputs: list, outputs: list) -> None:
        wp.launch(kernel, dim=dim, inputs=inputs, outputs=outputs, device=self.device)

    def run(self, start: int, stop: int) -> None:
        """Make the gradient steps ``start`` to ``stop - 1``."""
        for iteration in range(start, stop):
            self.evaluate(
                self.config.dilation_radius(iteration), leak=self.config.leak * self.config.rate_scale(iteration)
            )
            self.step(iteration)

    def evaluate(self, radius: float, *, leak: float, exact: bool = False) -> None:
        """Compute all losses and their gradients at the present state.

        Args:
            radius: Padding of the object [m].
            leak: Share of the contact gradient that reaches points which do not touch.
            exact: Whether all distances are measured anew, also of points that hardly moved.
        """
        self.place_points(exact=exact)
        self.simulate(radius)
        self.pull_back(radius, leak)
        self.gather_gradients()

    def place_points(self, *, exact: bool) -> None:
        """Run forward kinematics and measure the signed distance of every hand point, anew if ``exact``."""
        hand, obj, tree = self.hand, self.obj, self.hand.tree
        self._launch(
            gradient_kernels.joint_positions_kernel,
            (self.grasp_count, hand.joint_count),
            [hand.coupling, hand.coupling_offset, self.actuated],
            [self.joint_positions],
        )
        self._launch(
            kinematics_kernels.forward_kinematics_kernel,
            self.grasp_count,
            [
                *(tree.parent, tree.joint, tree.joint_type, tree.axis, tree.T_parent_joint, tree.T_joint_link),
                *(self.T_object_palm, self.joint_positions),
            ],
            [self.T_object_link, self.joint_axis, self.joint_anchor],
        )
        distance = obj.distance
        self._launch(
            contact_kernels.query_points_kernel,
            (self.grasp_count, hand.point_count),
            [
                *(distance.mesh.id, distance.corner_normals, distance.sign_mode, distance.phong_alpha),
                *(self.config.reach, obj.center_of_mass, hand.point_link, hand.point_positions, self.T_object_link),
                *((0.0, 0.0) if exact else (self.config.reuse_distance, self.config.reuse_share)),
            ],
            [self.queried_points, self.queried_distances, self.points, self.distances, self.normals],
        )

    def simulate(self, radius: float) -> None:
        """Step the M simulations; leaves their losses and adjoints."""
        self._launch(
            contact_kernels.simulate_kernel,
            (self.grasp_count, len(self.motions)),
            [
                *(self.points, self.distances, self.normals, self.motions, radius, self.config.friction),
                *(self.obj.inverse_inertia, self.obj.gyration_radius, 0.1 * self.config.probe),
            ],
            [self.stable_losses, self.adjoint_linear, self.adjoint_angular, self.averaging],
        )

    def pull_back(self, radius: float, leak: float) -> None:
        """Compute the gradient by the position of every hand point."""
        config = self.config
        self._launch(
            contact_kernels.pull_back_kernel,
            (self.grasp_count, self.hand.point_count),
            [
                *(self.points, self.distances, self.normals, self.motions),
                *(self.adjoint_linear, self.adjoint_angular, self.averaging, radius, config.friction),
                *(self.obj.inverse_inertia, leak, int(config.leak_mode == "one_sided")),
                config.penetration_weight / self.hand.point_count,
            ],
            [self.point_gradients],
        )

    def gather_gradients(self) -> None:
        """Turn point gradients into those of palm pose and actuated joints; add the losses on the hand alone."""
        hand, config, tree = self.hand, self.config, self.hand.tree
        self._launch(
            gradient_kernels.link_wrenches_kernel,
            (self.grasp_count, hand.link_count),
            [hand.point_start, self.points, self.point_gradients],
            [self.forces, self.torques],
        )
        self._launch(
            gradient_kernels.self_collision_kernel,
            self.grasp_count,
            [
                *(hand.sphere_link, hand.sphere_center, hand.sphere_radius, hand.sphere_pairs),
                *(self.T_object_link, self.obj.center_of_mass, config.self_collision_weight),
            ],
            [self.forces, self.torques, self.self_collision_losses],
        )
        self._launch(
            gradient_kernels.joint_gradients_kernel,
            self.grasp_count,
            [
                *(tree.parent, tree.joint, tree.joint_type, self.joint_axis, self.joint_anchor),
                *(self.T_object_palm, self.obj.center_of_mass),
            ],
            [self.forces, self.torques, self.joint_gradients, self.palm_forces, self.palm_torques],
        )
        self._launch(
            gradient_kernels.actuated_gradients_kernel,
            self.grasp_count,
            [
                *(hand.coupling, self.joint_gradients, self.joint_positions, hand.lower, hand.upper),
                *(config.range_weight, config.limit_weight),
            ],
            [self.actuated_gradients, self.range_losses, self.limit_losses],
        )

    def step(self, iteration: int) -> None:
        """Move palms and joints by one Adam step."""
        config = self.config
        scale = config.rate_scale(iteration)
        adam = [
            *(config.beta_1, config.beta_2),
            *(1.0 - config.beta_1 ** (iteration + 1), 1.0 - config.beta_2 ** (iteration + 1)),
        ]
        self._launch(
            optimizer_kernels.mark_failed_kernel,
            self.grasp_count,
            [self.palm_forces, self.palm_torques, self.actuated_gradients],
            [self.failed],
        )
        self._launch(
            optimizer_kernels.adam_palm_kernel,
            self.grasp_count,
            [
                *(self.palm_forces, self.palm_torques),
                *adam,
                *(scale * config.translation_rate, scale * config.rotation_rate, self.failed),
            ],
            [self.palm_moments, self.palm_squares, self.T_object_palm],
        )
        self._launch(
            optimizer_kernels.adam_joints_kernel,
            (self.grasp_count, self.hand.actuated_count),
            [
                *(self.actuated_gradients, self.hand.actuated_lower, self.hand.actuated_upper),
                *adam,
                *(scale * config.joint_rate, self.failed),
            ],
            [self.joint_moments, self.joint_squares, self.actuated],
        )

    def losses(self) -> dict[str, np.ndarray]:
        """Return the loss terms of the last evaluation by name, shape [grasp_count] each.

        ``stable`` is equation 2 of the paper relative to the tested speed: about 1 where nothing is held back, 0 where
        all motion is. ``range`` and ``limit`` are equations 3 and 4 [rad], ``penetration`` and ``self_collision`` are
        half the mean, respectively the sum, of squared depths [m2].
        """
        distances = np.where(np.linalg.norm(self.normals.numpy(), axis=-1) > 0.0, self.distances.numpy(), np.inf)
        return {
            "stable": self.stable_losses.numpy().mean(axis=1) / self.config.probe,
            "range": self.range_losses.numpy(),
            "limit": self.limit_losses.numpy(),
            "penetration": 0.5 * np.mean(np.minimum(distances, 0.0) ** 2, axis=1),
            "self_collision": self.self_collision_losses.numpy(),
        }
