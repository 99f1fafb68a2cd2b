# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The lift test: a hand comes to an object on a table as its data say, squeezes and lifts; does the object come too?"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand import Hand
from omni_graspd.objects.convex_decomposition import convex_pieces
from omni_graspd.objects.resting_pieces import resting_pieces
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.scenes.hand_colliders import hand_colliders
from omni_graspd.scenes.hold import Simulate
from omni_graspd.scenes.lift_config import LiftConfig, LiftNoise
from omni_graspd.scenes.lift_motion import HandWay, hand_motion, hand_way
from omni_graspd.scenes.lift_screen import depths_in_object, lowest_on_the_way
from omni_graspd.scenes.lift_stage import PLACES, LiftStage, object_path
from omni_graspd.scenes.simulation import SimulateConfig, SimulateResult
from omni_graspd.seeding import random_generator
from omni_graspd.synthesis.grasp import GraspBatch, Postures, Way
from omni_graspd.usd.meshes import TriangleMesh

NOT_USABLE = "not usable"
PENETRATES = "penetrates at the pregrasp"
TOUCHED_TABLE = "touched the table"
PUSHED_AWAY = "pushed away on the way in"
SLIPPED = "slipped"
TILTED = "tilted"


@dataclass(frozen=True)
class LiftResult:
    """What became of each grasp."""

    lifted: np.ndarray
    """Whether the object came along, shape [grasp_count], bool."""
    drift: np.ndarray
    """Distance of the object's centre of mass from where the palm should have brought it [m], the largest one while it
    was watched, shape [grasp_count]; NaN where nothing was simulated."""
    tilt: np.ndarray
    """How far the object has turned [rad], likewise."""
    reasons: tuple[str, ...]
    """Empty where it was lifted; else :data:`NOT_USABLE` (no way, or numbers that are not finite), :data:`PENETRATES`,
    :data:`TOUCHED_TABLE`, :data:`PUSHED_AWAY`, :data:`SLIPPED` or :data:`TILTED`."""
    score: np.ndarray | None = None
    """Share of the tries with errors in which the object was lifted, 0 for a grasp that fails before anything is
    simulated and NaN for one that is not usable, shape [grasp_count]; None where none were asked for."""


async def measure_lift(
    simulate: Simulate,
    hand: Hand,
    obj: RigidObject,
    batch: GraspBatch,
    config: LiftConfig | None = None,
    *,
    indices: Sequence[int] | None = None,
    object_pieces: Sequence[TriangleMesh] | None = None,
) -> LiftResult:
    """Let each hand go its way, squeeze and lift, and see whether the object comes along.

    The object rests on a table top. The open hand goes from the pregrasp straight to hover; the palm goes on to the
    grasp while the joints move evenly from open to closed; the joints go on to the squeeze posture; the palm rises. The
    palm goes exactly where it should; joints, coupled ones too, are driven, each toward its own target.

    Hands are simulated side by side. What a grasp does depends on its index, which says where on the table it is, but
    not on the other grasps.

    Args:
        simulate: The backend's simulation.
        hand: The hand.
        obj: The object.
        batch: Grasps with postures and a way.
        config: The protocol.
        indices: Number of each grasp, from which errors of the pose and places follow; by default 0, 1, 2, ...
        object_pieces: Convex meshes in the object frame [m]; by default those of
            :func:`~omni_graspd.objects.resting_pieces.resting_pieces`.

    Raises:
        GraspdError: If the batch has no way or no postures, or there are not as many indices as grasps.

    References:
        Chen et al., "BODex" and its benchmark DexGraspBench, 2024.
    """
    config = config or LiftConfig()
    count = len(batch.status)
    if batch.way is None or batch.postures is None:
        raise GraspdError(
            f"expected grasps of {obj.name} with a way past a table, got some without; synthesize them over a table"
        )
    if indices is not None and len(indices) != count:
        raise GraspdError(f"expected an index for each of {count} grasps, got {len(indices)}")
    numbers = range(count) if indices is None else indices
    test = _LiftTest.prepare(simulate, hand, obj, config, object_pieces)
    ways = dict(_ways(batch, batch.postures, batch.way, obj))
    reasons = {row: NOT_USABLE for row in range(count) if row not in ways} | test.screen(batch.postures, ways)
    tried = {row: way for row, way in ways.items() if row not in reasons}
    outcomes = await test.run([_Trial(row, numbers[row] % len(PLACES), way) for row, way in tried.items()])
    noisy = [
        _Trial(row, numbers[row] % len(PLACES), way.moved_by(error))
        for row, way in tried.items()
        for error in _errors(config.noise, hand.name, obj.name, numbers[row])
    ]
    again = await test.run(noisy)
    score = np.where([row in ways for row in range(count)], 0.0, np.nan)
    for row in tried:
        score[row] = np.mean([outcome.lifted for outcome in again[row]]) if noisy else np.nan
    found = [
        outcomes[row][0] if row in tried else _Outcome(False, np.nan, np.nan, reasons[row]) for row in range(count)
    ]
    return LiftResult(
        lifted=np.array([outcome.lifted for outcome in found], dtype=bool),
        drift=np.array([outcome.drift for outcome in found], dtype=np.float64),
        tilt=np.array([outcome.tilt for outcome in found], dtype=np.float64),
        reasons=tuple(outcome.reason for outcome in found),
        score=score if config.noise.count else None,
    )


@dataclass(frozen=True)
class _Trial:
    row: int
    place: int
    way: HandWay


@dataclass(frozen=True)
class _Outcome:
    lifted: bool
    drift: float
    tilt: float
    reason: str


@dataclass(frozen=True)
class _LiftTest:
    """What all grasps of an object by a hand have in common."""

    simulate: Simulate
    hand: Hand
    hand_pieces: Sequence[Sequence[TriangleMesh]]
    obj: RigidObject
    object_pieces: Sequence[TriangleMesh]
    config: LiftConfig

    @classmethod
    def prepare(
        cls,
        simulate: Simulate,
        hand: Hand,
        obj: RigidObject,
        config: LiftConfig,
        object_pieces: Sequence[TriangleMesh] | None,
    ) -> _LiftTest:
        """Make the colliders, and give the object its mass."""
        if object_pieces is None:
            pieces = obj.convex_pieces or tuple(convex_pieces(obj.mesh, config.decomposition))
            object_pieces = resting_pieces(dataclasses.replace(obj, convex_pieces=pieces))
        if config.object_mass is not None:
            inertia = obj.inertia * (config.object_mass / obj.mass)
            obj = dataclasses.replace(obj, mass=config.object_mass, inertia=inertia)
        return cls(simulate, hand, hand_colliders(hand), obj, tuple(object_pieces), config)

    def screen(self, postures: Postures, ways: dict[int, HandWay]) -> dict[int, str]:
        """Return why grasps fail before anything is simulated, by row."""
        if not ways:
            return {}
        rows = list(ways)
        opened = postures.pregrasp_joint_positions[rows]
        depths = depths_in_object(self.hand, self.obj, postures.T_object_pregrasp_palm[rows], opened)
        found = {}
        for row, depth in zip(rows, depths, strict=True):
            if depth > self.config.pregrasp_depth:
                found[row] = PENETRATES
            elif lowest_on_the_way(self.hand, ways[row]) < -self.config.table_depth:
                found[row] = TOUCHED_TABLE
        return found

    async def run(self, trials: Sequence[_Trial]) -> dict[int, list[_Outcome]]:
        """Simulate trials side by side; returns the outcomes of each row, in order."""
        outcomes: dict[int, list[_Outcome]] = {trial.row: [] for trial in trials}
        config, stage = self.config, None
        at = config.phases.starts
        for together in _rounds(trials):
            stage = stage or self._author_stage(together)
            for place, trial in together.items():
                stage.put(place, trial.way.T_world_object, hand_motion(trial.way, config.phases))
            result = await self.simulate(
                stage.stage,
                SimulateConfig(
                    time_step=config.time_step,
                    max_time=at["end"],
                    rest_time=np.inf,
                    record_interval=config.record_interval,
                    keep_loaded=True,
                ),
            )
            for place, trial in together.items():
                outcomes[trial.row].append(self._outcome(trial, place, result))
            await asyncio.sleep(0.0)
        return outcomes

    def _author_stage(self, first: dict[int, _Trial]) -> LiftStage:
        """Author the stage; places that are not taken in the first round get copies, whose outcomes nobody looks at."""
        config = self.config
        gravity_time = config.phases.starts["squeeze"] if config.gravity_from == "squeeze" else 0.0
        pieces = (self.hand_pieces, self.obj, self.object_pieces)
        stage = LiftStage(self.hand, *pieces, config.physics, config.drive, gravity_time)
        filler = next(iter(first.values())).way
        for place in set(range(len(PLACES))) - set(first):
            stage.put(place, filler.T_world_object, hand_motion(filler, config.phases))
        return stage

    def _outcome(self, trial: _Trial, place: int, result: SimulateResult) -> _Outcome:
        config, at = self.config, self.config.phases.starts
        poses = result.poses[:, result.body_paths.index(object_path(place))]
        moved = poses[:, :3] - poses[0, :3]
        motion = hand_motion(trial.way, config.phases)
        palm = [np.interp(result.times, motion.times, axis) for axis in motion.T_world_palm[:, :3].T]
        carried = np.stack(palm, axis=1) - trial.way.T_world_palm[2, :3]
        watched = slice(-1, None) if config.watch == "end" else result.times > at["lift"] - 1e-6
        drift = np.linalg.norm(moved - carried, axis=1)[watched].max()
        tilt = _angles(poses[0], poses[watched]).max()
        before = np.linalg.norm(moved[result.times < at["squeeze"] + 1e-6], axis=1).max()
        reason = ""
        if drift > config.largest_drift or moved[-1, 2] < config.least_rise:
            reason = PUSHED_AWAY if before > config.pushed_distance else SLIPPED
        elif tilt > config.largest_tilt:
            reason = TILTED
        return _Outcome(not reason, float(drift), float(tilt), reason)


def _ways(batch: GraspBatch, postures: Postures, way: Way, obj: RigidObject) -> Iterator[tuple[int, HandWay]]:
    """Yield the rows that have a way, and the ways."""
    palms = np.stack([postures.T_object_pregrasp_palm, way.T_object_hover_palm, batch.T_object_palm], axis=1)
    joints = [postures.pregrasp_joint_positions, batch.joint_positions, postures.squeeze_joint_positions]
    for row in range(len(batch.status)):
        plane, up, own = way.table_plane[row], way.lift_direction[row], np.stack([part[row] for part in joints])
        if all(np.isfinite(part).all() for part in (palms[row], own, plane, up)):
            yield row, hand_way(plane, obj.center_of_mass, palms[row], own, up)


def _rounds(trials: Sequence[_Trial]) -> Iterator[dict[int, _Trial]]:
    """Yield trials that are simulated together, by their places."""
    queues = [[trial for trial in trials if trial.place == place] for place in range(len(PLACES))]
    for turn in range(max(map(len, queues))):
        yield {place: queue[turn] for place, queue in enumerate(queues) if turn < len(queue)}


def _errors(noise: LiftNoise, hand: str, obj: str, index: int) -> np.ndarray:
    """Draw errors of the palm's pose in its own frame, shape [count, 7]."""
    from scipy.spatial.transform import Rotation

    random = random_generator(noise.seed, "lift", hand, obj, index)
    shifts, turns = random.standard_normal((2, noise.count, 3)) / np.sqrt(3.0)
    rotations = Rotation.from_rotvec(noise.angle * turns).as_quat() if noise.count else np.zeros((0, 4))
    return np.concatenate([noise.position * shifts, rotations], axis=1)


def _angles(first: np.ndarray, poses: np.ndarray) -> np.ndarray:
    """Return the angles between the rotation of a pose [7] and those of others [..., 7] [rad]."""
    cosines = np.abs(poses[..., 3:] @ first[3:]) / np.linalg.norm(poses[..., 3:], axis=-1) / np.linalg.norm(first[3:])
    return 2.0 * np.arccos(np.clip(cosines, 0.0, 1.0))
