# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Trials of the lift test: hands on their ways, simulated side by side, and what became of the object."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from omni_graspd.hands.hand import Hand
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.scenes.grasp_tests.hold import Simulate
from omni_graspd.scenes.grasp_tests.lift_config import LiftConfig
from omni_graspd.scenes.grasp_tests.lift_motion import HandWay, hand_motion
from omni_graspd.scenes.grasp_tests.lift_stage import PLACES, LiftStage, object_path
from omni_graspd.scenes.simulation import SimulateConfig, SimulateResult
from omni_graspd.usd.meshes import TriangleMesh

PUSHED_AWAY = "pushed away on the way in"
SLIPPED = "slipped"
TILTED = "tilted"


@dataclass(frozen=True)
class LiftTrial:
    """One hand on its way."""

    row: int
    """Which grasp it is."""
    index: int
    """Number from which the place on the table follows."""
    way: HandWay
    """Where it goes."""

    @property
    def place(self) -> int:
        """Which place it has."""
        return self.index % len(PLACES)


@dataclass(frozen=True)
class LiftOutcome:
    """What became of the object."""

    drift: float
    """Distance of the centre of mass from where the palm should have brought it [m]."""
    tilt: float
    """How far the object has turned [rad]."""
    reason: str
    """Why it was not lifted; empty if it was."""


@dataclass(frozen=True)
class LiftTest:
    """What all trials with an object and a hand have in common."""

    simulate: Simulate
    """The backend's simulation."""
    hand: Hand
    """The hand."""
    hand_pieces: Sequence[Sequence[TriangleMesh]]
    """Convex meshes of each link, in its frame [m]."""
    obj: RigidObject
    """The object, of the mass that it has in the test."""
    object_pieces: Sequence[TriangleMesh]
    """Convex meshes in the object frame [m]."""
    config: LiftConfig
    """The protocol."""

    async def run(self, trials: Sequence[LiftTrial]) -> dict[int, list[LiftOutcome]]:
        """Simulate trials side by side; returns the outcomes of each row in the order of its trials."""
        outcomes: dict[int, list[LiftOutcome]] = {trial.row: [] for trial in trials}
        stage = None
        for together in _rounds(trials):
            stage = stage or self._author_stage(together)
            for trial in together:
                stage.put(trial.place, trial.way.T_world_object, hand_motion(trial.way, self.config.phases))
            result = await self.simulate(stage.stage, self._simulation())
            for trial in together:
                outcomes[trial.row].append(self._outcome(trial, result))
            await asyncio.sleep(0.0)
        return outcomes

    def _author_stage(self, first: Sequence[LiftTrial]) -> LiftStage:
        """Author the stage. Places that are not taken in the first round get copies, whose outcomes nobody looks at."""
        config = self.config
        gravity_time = config.phases.starts["squeeze"] if config.gravity_from == "squeeze" else 0.0
        pieces = (self.hand_pieces, self.obj, self.object_pieces)
        stage = LiftStage(self.hand, *pieces, config.physics, config.drive, gravity_time)
        motion = hand_motion(first[0].way, config.phases)
        for place in set(range(len(PLACES))) - {trial.place for trial in first}:
            stage.put(place, first[0].way.T_world_object, motion)
        return stage

    def _simulation(self) -> SimulateConfig:
        return SimulateConfig(
            time_step=self.config.time_step,
            max_time=self.config.phases.starts["end"],
            rest_time=np.inf,
            record_interval=self.config.record_interval,
            keep_loaded=True,
        )

    def _outcome(self, trial: LiftTrial, result: SimulateResult) -> LiftOutcome:
        poses = result.poses[:, result.body_paths.index(object_path(trial.place))]
        motion = hand_motion(trial.way, self.config.phases)
        palm = [np.interp(result.times, motion.times, axis) for axis in motion.T_world_palm[:, :3].T]
        carried = np.stack(palm, axis=1) - trial.way.T_world_palm[2, :3]
        return judge(result.times, poses, carried, self.config)


def judge(times: np.ndarray, poses: np.ndarray, carried: np.ndarray, config: LiftConfig) -> LiftOutcome:
    """Tell whether an object came along.

    Args:
        times: When it was looked at [s], shape [count].
        poses: Its body's poses, shape [count, 7].
        carried: How far the palm should be from where it grasps [m], shape [count, 3].
        config: The protocol.
    """
    at = config.phases.starts
    moved = poses[:, :3] - poses[0, :3]
    watched = slice(-1, None) if config.watch == "end" else times > at["lift"] - 1e-6
    drift = float(np.linalg.norm(moved - carried, axis=1)[watched].max())
    tilt = float(_angles(poses[0], poses[watched]).max())
    before = np.linalg.norm(moved[times < at["squeeze"] + 1e-6], axis=1).max()
    reason = ""
    if drift > config.largest_drift or moved[-1, 2] < config.least_rise:
        reason = PUSHED_AWAY if before > config.pushed_distance else SLIPPED
    elif tilt > config.largest_tilt:
        reason = TILTED
    return LiftOutcome(drift, tilt, reason)


def _rounds(trials: Sequence[LiftTrial]) -> Iterator[list[LiftTrial]]:
    """Yield trials that are simulated together, at most one in each place."""
    queues = [[trial for trial in trials if trial.place == place] for place in range(len(PLACES))]
    for turn in range(max(map(len, queues))):
        yield [queue[turn] for queue in queues if turn < len(queue)]


def _angles(first: np.ndarray, poses: np.ndarray) -> np.ndarray:
    """Return the angles between the rotation of a pose [7] and those of others [..., 7] [rad]."""
    cosines = np.abs(poses[..., 3:] @ first[3:]) / np.linalg.norm(poses[..., 3:], axis=-1) / np.linalg.norm(first[3:])
    return 2.0 * np.arccos(np.clip(cosines, 0.0, 1.0))
