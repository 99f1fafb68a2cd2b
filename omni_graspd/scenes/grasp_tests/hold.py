# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The hold test: does a fixed hand keep the object when gravity pulls from six sides?"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from pxr import Usd

from omni_graspd.errors import GraspdError
from omni_graspd.geometry.convex_decomposition import ConvexDecompositionConfig, convex_pieces
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.metrics.walls import passes_through
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.ranges import require_positive
from omni_graspd.scenes.grasp_tests.hand_colliders import hand_colliders
from omni_graspd.scenes.grasp_tests.hold_stage import HoldPhysics, author_hold_stage, place_links
from omni_graspd.scenes.simulation import SimulateConfig, SimulateResult
from omni_graspd.usd.meshes import TriangleMesh

Simulate = Callable[[Usd.Stage, SimulateConfig], Awaitable[SimulateResult]]

HOLD_DIRECTIONS = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], dtype=np.float64)
"""Directions of gravity in the object frame, shape [6, 3]."""
LARGEST_DISPLACEMENT = 0.1
"""An object that moves farther than this has fallen [m]."""


@dataclass(frozen=True, kw_only=True)
class HoldConfig:
    """How long the object must stay, and how near."""

    duration: float = 0.5
    """How long gravity acts [s]."""
    time_step: float = 1.0 / 240.0
    """Physics time step [s]."""
    moved_threshold: float = 0.01
    """The object is held if its centre of mass stays within this distance of its start [m]."""
    object_mass: float | None = 0.1
    """Mass of the object [kg], with its inertia scaled to match; None: the object's own."""
    record_interval: float = 0.25
    """Time between checks of the object [s]."""
    decomposition: ConvexDecompositionConfig = field(default_factory=lambda: ConvexDecompositionConfig(threshold=0.05))
    """Convex decomposition of objects that come without one; finer than for scenes, where only rest matters."""
    physics: HoldPhysics = field(default_factory=HoldPhysics)
    """Gravity, friction and solver."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        times = ("duration", "time_step", "record_interval")
        require_positive(self, "hold", *times, "moved_threshold", finite=True)
        if self.object_mass is not None:
            require_positive(self, "hold", "object_mass", unit=" kg", finite=True)


@dataclass(frozen=True)
class HoldResult:
    """How far the object moved in each grasp and direction of gravity."""

    displacements: np.ndarray
    """Largest distance of the centre of mass from its start [m], shape [grasp_count, 6]; NaN where nothing was
    simulated: the grasp is not finite, or the object passes through the hand."""
    held: np.ndarray
    """Whether it stayed below the threshold, shape [grasp_count, 6], bool."""

    def columns(self, largest_displacement: float = LARGEST_DISPLACEMENT) -> dict[str, np.ndarray]:
        """Return the metrics ``displacement`` and ``held``, means over the directions, each [grasp_count].

        Args:
            largest_displacement: An object that moves farther has fallen; displacements are cut there [m].
        """
        moved = np.minimum(self.displacements, largest_displacement)
        return {"displacement": moved.mean(axis=1), "held": self.held.mean(axis=1)}


async def measure_hold(
    simulate: Simulate,
    hand: Hand,
    obj: RigidObject,
    T_object_palm: np.ndarray,
    joint_positions: np.ndarray,
    config: HoldConfig | None = None,
    *,
    object_pieces: Sequence[TriangleMesh] | None = None,
) -> HoldResult:
    """Let gravity pull the object out of each grasp along :data:`HOLD_DIRECTIONS`, and see whether it stays.

    The hand is fixed in the posture of the grasp and collides with the convex pieces of its links. The object starts at
    rest in the pose of the grasp and collides with convex pieces of its own. A hand that the object passes through is
    not tried: physics would wedge it there, and the object counts as lost. A grasp's outcome does not depend on the
    others. The event loop gets a turn after each grasp, at which the task can be cancelled.

    Args:
        simulate: The backend's simulation.
        hand: The hand.
        obj: The object.
        T_object_palm: Palm poses in the object frame, shape [grasp_count, 7].
        joint_positions: All joints [rad or m], shape [grasp_count, joint_count].
        config: Duration, threshold, physics.
        object_pieces: Convex meshes in the object frame [m]; by default those of the object, else a decomposition of
            its surface, which takes seconds and is worth keeping between calls.

    Raises:
        GraspdError: If the shapes of the arrays do not fit the hand.
    """
    config = config or HoldConfig()
    _check_shapes(hand, T_object_palm, joint_positions)
    pieces = tuple(object_pieces or obj.convex_pieces or convex_pieces(obj.mesh, config.decomposition))
    if config.object_mass is not None:
        inertia = obj.inertia * (config.object_mass / obj.mass)
        obj = dataclasses.replace(obj, mass=config.object_mass, inertia=inertia)
    stage = author_hold_stage(hand_colliders(hand), obj, pieces, HOLD_DIRECTIONS, config.physics)
    displacements = np.full((len(T_object_palm), len(HOLD_DIRECTIONS)), np.nan)
    finite = np.isfinite(np.concatenate([T_object_palm, joint_positions], axis=1)).all(axis=1)
    possible = finite & ~passes_through(hand, obj, T_object_palm, joint_positions)
    # One grasp at a time: in one simulation with others, the solver's order, and so the outcome, would depend on them.
    for grasp in np.flatnonzero(possible):
        place_links(stage, obj, link_poses(hand, T_object_palm[grasp], joint_positions[grasp]))
        displacements[grasp] = await _displacements(simulate, stage, config)
        await asyncio.sleep(0.0)
    return HoldResult(displacements, displacements < config.moved_threshold)


def _check_shapes(hand: Hand, T_object_palm: np.ndarray, joint_positions: np.ndarray) -> None:
    count = len(T_object_palm)
    if T_object_palm.shape != (count, 7) or joint_positions.shape != (count, hand.joint_count):
        raise GraspdError(
            f"expected palm poses [grasp_count, 7] and joint positions [grasp_count, {hand.joint_count}] of "
            f"{hand.name}, got {list(T_object_palm.shape)} and {list(joint_positions.shape)}; expand actuated "
            "positions with Hand.joint_positions"
        )


async def _displacements(simulate: Simulate, stage: Usd.Stage, config: HoldConfig) -> np.ndarray:
    """Simulate one grasp; shape [6]."""
    result = await simulate(
        stage,
        SimulateConfig(
            time_step=config.time_step,
            max_time=config.duration,
            rest_time=np.inf,
            record_interval=config.record_interval,
            keep_loaded=True,
        ),
    )
    moved = np.linalg.norm(result.poses[:, :, :3] - result.poses[0, :, :3], axis=-1).max(axis=0)
    order = [result.body_paths.index(f"/World/object_{index}") for index in range(len(HOLD_DIRECTIONS))]
    return moved[order]
