# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Dropping an object on a table until it rests."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import numpy as np
from pxr import Usd

from omni_graspd.errors import GraspdError
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.ranges import require_at_least, require_not_negative, require_positive
from omni_graspd.scenes.drop_stage import DropPhysics, author_drop_stage
from omni_graspd.scenes.hull_cells import hull_cells
from omni_graspd.scenes.simulation import SimulateConfig, SimulateResult
from omni_graspd.seeding import random_generator
from omni_graspd.usd.transforms import transform_points

Simulate = Callable[[Usd.Stage, SimulateConfig], Awaitable[SimulateResult]]

REST_GAP = 1e-5
"""Height of the lowest vertex over the table top at rest [m]: above it in single precision too."""


@dataclass(frozen=True, kw_only=True)
class DropConfig:
    """How objects are dropped, and when a rest pose counts."""

    height: float = 0.1
    """Height of the lowest vertex over the table at the start [m]."""
    position_range: float = 0.05
    """The object comes to rest within this distance of the table's centre in x and in y [m]."""
    attempts: int = 8
    """Starts to try before giving up."""
    stay_time: float = 1.0
    """Started again from its rest pose, the object must stay for this long [s]."""
    stay_distance: float = 1e-3
    """Largest movement while staying [m]."""
    stay_angle: float = float(np.radians(1.0))
    """Largest rotation while staying [rad]."""
    physics: DropPhysics = field(default_factory=DropPhysics)
    """Gravity, contact and damping."""
    simulation: SimulateConfig = field(default_factory=SimulateConfig)
    """Step length, time limit, rest speeds."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_at_least(self, "drop", 1, "attempts")
        require_not_negative(self, "drop", "height", "position_range", unit=" [m]")
        require_positive(self, "drop", "stay_time", "stay_distance", "stay_angle")


@dataclass(frozen=True)
class Drop:
    """An object at rest on the table top z = 0."""

    T_world_object: np.ndarray
    """Rest pose, shape [7]."""
    linear_speed: float
    """Speed of the centre of mass at the end of the simulation [m/s]."""
    angular_speed: float
    """Angular speed at the end of the simulation [rad/s]."""
    simulated_time: float
    """Time from release to the end of the simulation [s]."""
    settle_correction: float
    """Upward shift after the simulation that puts the lowest vertex on the table top [m]; PhysX lets bodies sink in."""
    attempts: int
    """Starts it took; 1 when the first one came to rest."""


async def drop_object(obj: RigidObject, index: int, config: DropConfig, seed: int, simulate: Simulate) -> Drop:
    """Drop an object from a random orientation and return how it lies.

    The collider is the exact convex hull of the mesh. The simulation decides how the object lies. Where it lies is
    drawn: an endless flat table looks the same everywhere, so the rest pose is slid until the middle of its bounding
    box is within ``position_range`` of the origin, which keeps objects that roll. Then the pose is shifted up by the
    micrometres that PhysX let it sink in, and simulated once more from rest to see that it stays.

    Args:
        obj: The object.
        index: Number of the drop; each has its own random stream.
        config: Start, physics and acceptance.
        seed: Seed of the run.
        simulate: The backend's simulation.

    Returns:
        The first rest pose found.

    Raises:
        GraspdError: If the object is flat, or no attempt came to rest and stayed.
    """
    random = random_generator(seed, "drop", obj.name, index)
    position = random.uniform(-config.position_range, config.position_range, size=2)
    colliders = hull_cells(obj.mesh.vertices)
    for attempt in range(1, config.attempts + 1):
        start = _start_pose(obj.mesh.vertices, config.height, random)
        result = await simulate(author_drop_stage(obj, colliders, start, config.physics), config.simulation)
        if not result.at_rest[0]:
            continue
        T_world_object, correction = _place(result.poses[-1, 0], obj.mesh.vertices, position)
        stage = author_drop_stage(obj, colliders, T_world_object, config.physics)
        if await _stays(stage, T_world_object, config, simulate):
            return Drop(
                T_world_object=T_world_object,
                linear_speed=float(np.linalg.norm(result.linear_velocities[0])),
                angular_speed=float(np.linalg.norm(result.angular_velocities[0])),
                simulated_time=float(result.times[-1]),
                settle_correction=correction,
                attempts=attempt,
            )
    raise GraspdError(
        f"expected {obj.name} to come to rest within {config.simulation.max_time:g} s in one of {config.attempts} "
        "drops, got none; raise the damping or the time limit"
    )


def _start_pose(vertices: np.ndarray, height: float, random: np.random.Generator) -> np.ndarray:
    """Draw a pose with uniform orientation (normalised Gaussian quaternion) and the lowest vertex at ``height``."""
    quat = random.standard_normal(4)
    pose = np.concatenate([np.zeros(3), quat / np.linalg.norm(quat)])
    pose[2] = height - transform_points(pose, vertices)[:, 2].min()
    return pose


def _place(pose: np.ndarray, vertices: np.ndarray, position: np.ndarray) -> tuple[np.ndarray, float]:
    """Slide a rest pose to a place on the table and put its lowest vertex on the top; returns also the shift in z."""
    points = transform_points(pose, vertices)
    placed = pose.copy()
    placed[3:] /= np.linalg.norm(placed[3:])
    placed[:2] += position - 0.5 * (points.min(axis=0) + points.max(axis=0))[:2]
    correction = REST_GAP - float(transform_points(placed, vertices)[:, 2].min())
    placed[2] += correction
    return placed, correction


async def _stays(stage: Usd.Stage, T_world_object: np.ndarray, config: DropConfig, simulate: Simulate) -> bool:
    """Simulate from rest and tell whether the body stays; a body that was slowly tipping over does not."""
    watch = dataclasses.replace(config.simulation, max_time=config.stay_time, rest_time=np.inf)
    result = await simulate(stage, watch)
    end = result.poses[-1, 0]
    half_cosine = min(1.0, abs(float(end[3:] @ T_world_object[3:])))
    moved = float(np.linalg.norm(end[:3] - T_world_object[:3]))
    return moved < config.stay_distance and 2.0 * np.arccos(half_cosine) < config.stay_angle
