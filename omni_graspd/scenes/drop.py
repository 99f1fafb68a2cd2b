# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Dropping an object on a table until it rests, many times side by side."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from pxr import Usd

from omni_graspd.errors import GraspdError
from omni_graspd.geometry.convex_hull import convex_hull
from omni_graspd.geometry.hull_cells import hull_cells
from omni_graspd.objects.resting_pieces import resting_pieces, support_points
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.ranges import require_at_least, require_not_negative, require_positive
from omni_graspd.scenes.drop_stage import DropPhysics, author_drop_stage, body_path
from omni_graspd.scenes.simulation import SimulateConfig, SimulateResult
from omni_graspd.scenes.toppling import toppled_pose
from omni_graspd.seeding import random_generator
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import transform_points

Simulate = Callable[[Usd.Stage, SimulateConfig], Awaitable[SimulateResult]]

REST_GAP = 1e-5
"""Height of the lowest vertex over the table top at rest [m]: above it in single precision too."""
STAY_ROUNDS = 6
"""How often a body that moves on from where it was put down is followed before the drop is given up."""
SIDE_BY_SIDE = 64
"""Most drops in one simulation."""

_PLACES = np.array([(row - 3.5, column - 3.5) for row in range(8) for column in range(8)])
"""Where each drop is simulated [m]. The place comes from the drop's number alone, since it matters to rounding."""


@dataclass(frozen=True, kw_only=True)
class DropConfig:
    """How objects are dropped, and when a rest pose counts."""

    height: float = 0.1
    """Height of the object's lowest vertex above the table at the start [m]."""
    table_radius: float = 0.4
    """An object that comes to rest farther than this from its release point has left the table [m]."""
    position_range: float = 0.05
    """Objects are placed within this distance of the table's centre in x and y [m]."""
    attempts: int = 8
    """Drops to try before giving up."""
    stay_time: float = 1.0
    """How long the object must stay put when restarted from its rest pose [s]."""
    stay_distance: float = 7e-4
    """Farthest that any point of its convex hull may move in that time [m]."""
    physics: DropPhysics = field(default_factory=DropPhysics)
    """Gravity, contact and damping."""
    simulation: SimulateConfig = field(
        default_factory=lambda: SimulateConfig(time_step=1.0 / 120.0, record_interval=1.0 / 30.0)
    )
    """Step size, time limit, speeds at rest."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_at_least(self, "drop", 1, "attempts")
        require_not_negative(self, "drop", "height", "position_range", unit=" [m]")
        require_positive(self, "drop", "table_radius", "stay_time", "stay_distance")


@dataclass(frozen=True)
class Drop:
    """An object at rest on the table top z = 0."""

    T_world_object: np.ndarray
    """Rest pose, shape [7]."""
    linear_speed: float
    """Speed of the centre of mass, a while after it was started again from the rest pose [m/s]."""
    angular_speed: float
    """Angular speed then [rad/s]."""
    simulated_time: float
    """Time from release until it had rested long enough [s]."""
    settle_correction: float
    """Upward shift after the simulation that puts the lowest vertex on the table top [m]; PhysX lets bodies sink in."""
    attempts: int
    """Starts it took; 1 when the first one came to rest."""
    left_count: int
    """Starts after which the object left the table."""
    restless_count: int
    """Starts after which it did not come to rest in time, or did not stay."""


async def drop_object(obj: RigidObject, index: int, config: DropConfig, seed: int, simulate: Simulate) -> Drop:
    """Drop an object once; see :func:`drop_objects`."""
    return (await drop_objects(obj, [index], config, seed, simulate))[0]


async def drop_objects(
    obj: RigidObject, indices: Iterable[int], config: DropConfig, seed: int, simulate: Simulate
) -> list[Drop]:
    """Drop an object from random orientations and return how it lies.

    Up to 64 drops are simulated side by side. A drop has the same bits whatever is simulated beside it.

    The collider is the convex hull of the mesh, for scans to within a fifth of a millimetre. The simulation decides how
    the object lies. Where it lies is drawn: an endless flat table looks the same everywhere, so the rest pose is slid
    until the middle of its bounding box is within ``position_range`` of the origin, unless it went so far that it had
    left the table. Then the pose is shifted up by what PhysX let it sink in, and simulated once more from rest to see
    that it stays.

    Args:
        obj: The object.
        indices: Numbers of the drops; each has its own random stream.
        config: Start, physics and acceptance.
        seed: Seed of the run.
        simulate: The backend's simulation.

    Returns:
        The first rest pose found in each drop, in the order of the indices.

    Raises:
        GraspdError: If the object is flat, or no attempt of a drop came to rest on the table and stayed.
    """
    indices = list(indices)
    arena = _Arena.prepare(obj, config, simulate)
    drops: dict[int, Drop] = {}
    waiting = [_Trial(obj.name, index, config, seed) for index in sorted(set(indices))]
    while waiting:
        trials, waiting = waiting[:SIDE_BY_SIDE], waiting[SIDE_BY_SIDE:]
        drops |= await arena.attempt(trials)
        waiting += [trial for trial in trials if trial.index not in drops]
    return [drops[index] for index in indices]


class _Trial:
    """One drop while it is tried: its place, its random stream, and what became of it so far."""

    def __init__(self, name: str, index: int, config: DropConfig, seed: int) -> None:
        self.index = index
        self.random = random_generator(seed, "drop", name, index)
        self.position = self.random.uniform(-config.position_range, config.position_range, size=2)
        self.left_count = self.restless_count = 0

    @property
    def attempts(self) -> int:
        """Starts that failed."""
        return self.left_count + self.restless_count


@dataclass(frozen=True)
class _Arena:
    """What all drops of an object have in common."""

    obj: RigidObject
    hull: np.ndarray
    """Vertices of the exact convex hull, shape [vertex_count, 3]; nothing else can touch the table."""
    support: np.ndarray
    """Those of them that the colliders have, shape [point_count, 3]."""
    cells: tuple[TriangleMesh, ...]
    """Colliders while the body falls: the filled hull."""
    pieces: tuple[TriangleMesh, ...]
    """Colliders with which the object is written, and has to stay where it lies."""
    config: DropConfig
    simulate: Simulate

    @classmethod
    def prepare(cls, obj: RigidObject, config: DropConfig, simulate: Simulate) -> _Arena:
        """Make the colliders of an object."""
        hull = convex_hull(obj.mesh.vertices, vertex_limit=len(obj.mesh.vertices)).vertices
        support = support_points(obj.mesh)
        return cls(obj, hull, support, hull_cells(support), resting_pieces(obj), config, simulate)

    async def attempt(self, trials: list[_Trial]) -> dict[int, Drop]:
        """Let every trial start once, side by side; return the drops of those that come to rest and stay.

        Raises:
            GraspdError: If a trial has no attempt left.
        """
        self._check_attempts(trials)
        starts = np.array([_start_pose(self.hull, self.config.height, trial.random) for trial in trials])
        result = await self._simulate(trials, starts, dataclasses.replace(self.config.simulation, independent=True))
        rested, ends = [], []
        for body, trial in enumerate(trials):
            record = result.rest_records[body]
            end = result.poses[record, body]
            if record < 0:
                trial.restless_count += 1
            elif np.linalg.norm(end[:2] - starts[body, :2]) > self.config.table_radius:
                trial.left_count += 1
            else:
                rested.append((trial, float(result.times[record])))
                toppled = toppled_pose(self.support, self.obj.center_of_mass, end)
                ends.append(_place(toppled, self.support, trial.position))
        return await self._keep_staying(rested, ends) if rested else {}

    def _check_attempts(self, trials: list[_Trial]) -> None:
        if any(trial.attempts >= self.config.attempts for trial in trials):
            raise GraspdError(
                f"{self.obj.name} did not come to rest on the table within {self.config.simulation.max_time:g} s in "
                f"any of {self.config.attempts} drops; increase the damping, the time limit or the size of the table"
            )

    async def _keep_staying(
        self, rested: list[tuple[_Trial, float]], ends: list[tuple[np.ndarray, float]]
    ) -> dict[int, Drop]:
        """Simulate from rest as a reader of the scene would, and keep what stays.

        What moves on is put down anew as it then lies, a few times.
        """
        drops: dict[int, Drop] = {}
        time = self.config.stay_time
        watch = dataclasses.replace(self.config.simulation, max_time=time, record_interval=time, rest_time=np.inf)
        for _ in range(STAY_ROUNDS):
            if not rested:
                break
            poses = np.array([pose for pose, _ in ends])
            result = await self._simulate([trial for trial, _ in rested], poses, watch, plain=True)
            moved = []
            for body, (trial, rest_time) in enumerate(rested):
                speeds = np.linalg.norm([result.linear_velocities[body], result.angular_velocities[body]], axis=1)
                slow = np.all(speeds < (watch.rest_linear_speed, watch.rest_angular_speed))
                if slow and self._same_place(result.poses[-1, body], poses[body]):
                    drops[trial.index] = _drop(trial, poses[body], speeds, rest_time, ends[body][1])
                else:
                    moved.append(body)
            rested = [rested[body] for body in moved]
            ends = [
                _place(result.poses[-1, body], self.support, trial.position)
                for body, (trial, _) in zip(moved, rested, strict=True)
            ]
        for trial, _ in rested:
            trial.restless_count += 1
        return drops

    async def _simulate(
        self, trials: list[_Trial], poses: np.ndarray, simulation: SimulateConfig, *, plain: bool = False
    ) -> SimulateResult:
        """Simulate one body for each trial, at the trial's own place; the result is as if all were at the origin."""
        offsets = np.zeros((len(trials), 7))
        offsets[:, :2] = [_PLACES[trial.index % SIDE_BY_SIDE] for trial in trials]
        colliders = self.pieces if plain else self.cells
        stage = author_drop_stage(self.obj, colliders, poses + offsets, self.config.physics, plain=plain)
        result = await self.simulate(stage, simulation)
        order = [result.body_paths.index(body_path(body)) for body in range(len(trials))]
        return dataclasses.replace(
            result,
            body_paths=tuple(result.body_paths[body] for body in order),
            poses=result.poses[:, order] - offsets,
            linear_velocities=result.linear_velocities[order],
            angular_velocities=result.angular_velocities[order],
            at_rest=result.at_rest[order],
            rest_records=result.rest_records[order],
        )

    def _same_place(self, end: np.ndarray, start: np.ndarray) -> bool:
        moved = transform_points(end, self.hull) - transform_points(start, self.hull)
        return float(np.linalg.norm(moved, axis=1).max()) < self.config.stay_distance


def _drop(trial: _Trial, pose: np.ndarray, speeds: np.ndarray, rest_time: float, correction: float) -> Drop:
    return Drop(
        T_world_object=pose,
        linear_speed=float(speeds[0]),
        angular_speed=float(speeds[1]),
        simulated_time=rest_time,
        settle_correction=correction,
        attempts=trial.attempts + 1,
        left_count=trial.left_count,
        restless_count=trial.restless_count,
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
