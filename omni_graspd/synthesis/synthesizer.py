# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The optimisation loop over a batch of grasps."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.surface_points import HandPoints
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.progress import Progress, no_progress
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.grasp import GraspBatch, Postures, Trajectory
from omni_graspd.synthesis.models import ObjectModel, hand_model, object_model
from omni_graspd.synthesis.optimization import Shard
from omni_graspd.synthesis.postures import find_postures
from omni_graspd.synthesis.starts import sample_starts

_STEPS_BETWEEN_YIELDS = 20
# A hand farther than this from the object does not grasp it [m].
_TOUCHING = 5e-3
# A candidate deeper than this in the object goes on only if all are [m]; such a hand is caught there.
_DEEP = 4e-3

Frame = tuple[int, np.ndarray, np.ndarray, dict[str, np.ndarray]]
"""Steps done, palm poses, actuated positions, losses."""


async def synthesize(
    hand: Hand,
    obj: RigidObject,
    grasp_indices: Sequence[int],
    config: SynthesisConfig,
    *,
    seed: int,
    device: str = "cpu",
    progress: Progress = no_progress,
    capture_every: int = 0,
    threads: int | None = None,
) -> GraspBatch:
    """Find grasps of one object by one hand (paper, sections III and IV-A).

    Each grasp depends on the seed and on its own index only, not on the other grasps or on how they are shared out.
    On the CPU, grasps are split over threads, one per core. The event loop gets a turn every few steps, at which the
    task can be cancelled.

    Args:
        hand: The hand.
        obj: The object.
        grasp_indices: Index of each grasp to find.
        config: Settings.
        seed: The run's seed.
        device: Warp device, for example ``"cpu"`` or ``"cuda:0"``.
        progress: Called with gradient steps done and in total.
        capture_every: Record the hands and the losses every so many steps; 0: not at all.
        threads: CPU threads; by default one per core. Results do not depend on it.

    Returns:
        One row per index, in the given order. A grasp whose gradient stopped being finite keeps its last pose and says
        so in its status.
    """
    options = {"seed": seed, "device": device, "progress": progress, "capture_every": capture_every, "threads": threads}
    return (await synthesize_mixed(hand, [(obj, grasp_indices)], config, **options))[0]


async def synthesize_mixed(
    hand: Hand,
    requests: Sequence[tuple[RigidObject, Sequence[int]]],
    config: SynthesisConfig,
    *,
    seed: int,
    device: str = "cpu",
    progress: Progress = no_progress,
    capture_every: int = 0,
    threads: int | None = None,
) -> list[GraspBatch]:
    """Find grasps of several objects in one batch; the grasps are those of :func:`synthesize`.

    Args:
        hand: The hand.
        requests: Objects, and the indices of the grasps to find of each.
        config: Settings.
        seed: The run's seed.
        device: Warp device.
        progress: Called with gradient steps done and in total.
        capture_every: Record the hands and the losses every so many steps; 0: not at all.
        threads: CPU threads; by default one per core. Results do not depend on it.

    Returns:
        One batch per request.
    """
    objects = [object_model(obj, config.distance, device) for obj, _ in requests]
    counts = [len(indices) for _, indices in requests]
    owner = np.repeat(np.arange(len(objects)), counts)
    shard_count = (threads or os.cpu_count() or 1) if device == "cpu" else 1
    clock = _Clock(progress, config.draft.iterations + config.iterations, capture_every)
    state = _starts(hand, requests, objects, config, seed=seed, device=device)
    if config.draft.iterations:
        candidates = config.draft.candidates
        shards = _split(hand, objects, np.repeat(owner, candidates), state, config.draft_pass(), device, shard_count)
        await _run(shards, config.draft.iterations, clock)
        best = _most_promising(shards, candidates)
        state = tuple(part[best] for part in _joined(shards)[:2])
        clock.keep(best)
    shards = _split(hand, objects, owner, state, config, device, shard_count)
    await _run(shards, config.iterations, clock)
    whole = _collect(hand, shards, clock.frames)
    ends = np.cumsum(counts)
    batches = [whole.rows(end - count, end) for count, end in zip(counts, ends, strict=True)]
    # As many points as a draft has are enough for what leaves millimetres of room.
    points = hand_model(hand, config.draft.point_count, device).points
    return [
        replace(batch, postures=_postures(hand, points, model, batch, config))
        for batch, model in zip(batches, objects, strict=True)
    ]


def _postures(
    hand: Hand, points: HandPoints, model: ObjectModel, batch: GraspBatch, config: SynthesisConfig
) -> Postures:
    actuated = batch.joint_positions[:, hand.actuated]
    return find_postures(hand, points, model.distance, batch.T_object_palm, actuated, config.posture)


class _Clock:
    """Counts gradient steps over both passes, reports them and records frames."""

    def __init__(self, progress: Progress, total: int, capture_every: int) -> None:
        self.done, self.total, self.progress, self.capture_every = 0, total, progress, capture_every
        self.frames: list[Frame] = []
        progress(0, total)

    def steps_to_go(self, limit: int) -> int:
        """Return how many steps to make before the next look, at most ``limit``."""
        every = self.capture_every
        return min(limit, every - self.done % every) if every else limit

    def advance(self, steps: int, shards: Sequence[Shard]) -> None:
        self.done += steps
        self.progress(self.done, self.total)
        if self.capture_every and self.done % self.capture_every == 0:
            self.frames.append((self.done, *_joined(shards)))

    def keep(self, rows: np.ndarray) -> None:
        """Drop all grasps but ``rows`` from the frames."""
        self.frames = [
            (step, poses[rows], actuated[rows], {name: values[rows] for name, values in losses.items()})
            for step, poses, actuated, losses in self.frames
        ]


def _starts(
    hand: Hand,
    requests: Sequence[tuple[RigidObject, Sequence[int]]],
    objects: Sequence[ObjectModel],
    config: SynthesisConfig,
    *,
    seed: int,
    device: str,
) -> tuple[np.ndarray, ...]:
    """Return palm poses and actuated positions of all candidates of all grasps."""
    first_pass = config.draft_pass() if config.draft.iterations else config
    points = hand_model(hand, first_pass.point_count, device).points
    options = {"candidates": config.draft.candidates, "points": points, "seed": seed}
    starts = [
        sample_starts(hand, obj, indices, config.start, distance=model.distance, **options)
        for (obj, indices), model in zip(requests, objects, strict=True)
    ]
    return tuple(np.concatenate(parts) for parts in zip(*starts, strict=True))


def _split(
    hand: Hand,
    objects: Sequence[ObjectModel],
    owner: np.ndarray,
    state: tuple[np.ndarray, ...],
    config: SynthesisConfig,
    device: str,
    shard_count: int,
) -> list[Shard]:
    """Share grasps out over shards, each for a thread; on a GPU there is one."""
    model = hand_model(hand, config.point_count, device)
    poses, actuated = state
    rows = np.array_split(np.arange(len(poses)), min(max(len(poses), 1), shard_count))
    return [Shard(model, objects, owner[part], poses[part], actuated[part], config, device) for part in rows]


async def _run(shards: Sequence[Shard], iterations: int, clock: _Clock) -> None:
    """Run all shards to the end and evaluate them there."""
    loop = asyncio.get_running_loop()
    done = 0
    with ThreadPoolExecutor(max(len(shards), 1)) as pool:
        while done < iterations:
            steps = min(clock.steps_to_go(_STEPS_BETWEEN_YIELDS if done else 1), iterations - done)
            jobs = [loop.run_in_executor(pool, shard.run, done, done + steps) for shard in shards if done]
            if not done:
                # The first step compiles the kernels, and two threads must not do that at once (Warp 1.8 crashes).
                for shard in shards:
                    await loop.run_in_executor(pool, shard.run, 0, steps)
            await asyncio.gather(*jobs)
            done += steps
            clock.advance(steps, shards)
    for shard in shards:
        shard.evaluate()


def _most_promising(shards: Sequence[Shard], candidates: int) -> np.ndarray:
    """Return the row of each grasp's candidate from which a pushed object escapes least."""
    escapes = np.concatenate([shard.escape() for shard in shards]).reshape(-1, candidates)
    failed = np.concatenate([shard.state.failed.numpy() for shard in shards]).reshape(-1, candidates)
    depths = np.concatenate([shard.depths() for shard in shards]).reshape(-1, candidates)
    escapes = escapes + np.where(depths > _DEEP, 1.0, 0.0)
    ranked = np.where((failed != 0) | ~np.isfinite(escapes), np.inf, escapes)
    return np.arange(len(ranked)) * candidates + ranked.argmin(axis=1)


def _joined(shards: Sequence[Shard]) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Return palm poses, actuated positions and losses of all shards."""
    poses = np.concatenate([shard.state.T_object_palm.numpy() for shard in shards]).astype(np.float64)
    poses[:, 3:] /= np.linalg.norm(poses[:, 3:], axis=1, keepdims=True)
    actuated = np.concatenate([shard.state.actuated.numpy() for shard in shards]).astype(np.float64)
    losses = [shard.losses() for shard in shards]
    return poses, actuated, {name: np.concatenate([part[name] for part in losses]) for name in losses[0]}


def _collect(hand: Hand, shards: Sequence[Shard], frames: Sequence[Frame]) -> GraspBatch:
    statuses = [status for shard in shards for status in _statuses(shard)]
    poses, actuated, losses = _joined(shards)
    losses["penetration"] = np.concatenate([shard.penetration() for shard in shards])
    losses["escape"] = np.concatenate([shard.escape() for shard in shards])
    return GraspBatch(
        T_object_palm=poses,
        joint_positions=hand.joint_positions(actuated),
        losses=losses,
        status=tuple(statuses),
        trajectory=_trajectory(hand, frames) if frames else None,
    )


def _statuses(shard: Shard) -> list[str]:
    """Say of each evaluated grasp whether it is one."""
    statuses = []
    for failed, gap in zip(shard.state.failed.numpy(), shard.gaps(), strict=True):
        status = "ok" if gap <= _TOUCHING else f"apart: the hand ends {1e3 * gap:.0f} mm from the object"
        statuses.append("diverged: the gradient is not finite" if failed else status)
    return statuses


def _trajectory(hand: Hand, frames: Sequence[Frame]) -> Trajectory:
    steps, poses, actuated, losses = zip(*frames, strict=True)
    return Trajectory(
        steps=np.array(steps),
        T_object_palm=np.stack(poses),
        joint_positions=hand.joint_positions(np.stack(actuated)),
        losses={name: np.stack([part[name] for part in losses]) for name in losses[0]},
    )
