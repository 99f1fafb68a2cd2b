# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The optimisation loop over a batch of grasps."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from omni_graspd.hands.collision_spheres import self_collision_spheres
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.surface_points import sample_surface_points
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.progress import Progress, no_progress
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.grasp import GraspBatch, Trajectory
from omni_graspd.synthesis.models import HandModel, ObjectModel
from omni_graspd.synthesis.optimization import Shard
from omni_graspd.synthesis.starts import sample_starts

_STEPS_BETWEEN_YIELDS = 20

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

    Returns:
        One row per index, in the given order. A grasp whose gradient stopped being finite keeps its last pose and says
        so in its status.
    """
    options = {"seed": seed, "device": device, "progress": progress, "capture_every": capture_every}
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

    Returns:
        One batch per request.
    """
    points = sample_surface_points(hand, config.point_count)
    hand_model = HandModel(hand, points, self_collision_spheres(hand), device)
    objects = [ObjectModel(obj, config.distance, device) for obj, _ in requests]
    starts = [
        sample_starts(hand, obj, indices, config.start, points=points, distance=model.distance, seed=seed)
        for (obj, indices), model in zip(requests, objects, strict=True)
    ]
    counts = [len(indices) for _, indices in requests]
    shards = _split(hand_model, objects, starts, config, device)
    frames = await _run(shards, config.iterations, progress, capture_every)
    whole = _collect(hand, shards, frames)
    ends = np.cumsum(counts)
    return [whole.rows(end - count, end) for count, end in zip(counts, ends, strict=True)]


def _split(
    hand: HandModel,
    objects: Sequence[ObjectModel],
    starts: Sequence[tuple[np.ndarray, np.ndarray]],
    config: SynthesisConfig,
    device: str,
) -> list[Shard]:
    """Share the grasps out over shards, one per core; on a GPU there is one."""
    poses = np.concatenate([part[0] for part in starts])
    actuated = np.concatenate([part[1] for part in starts])
    index = np.repeat(np.arange(len(objects)), [len(part[0]) for part in starts])
    count = min(max(len(poses), 1), os.cpu_count() or 1) if device == "cpu" else 1
    rows = np.array_split(np.arange(len(poses)), count)
    return [Shard(hand, objects, index[part], poses[part], actuated[part], config, device) for part in rows]


async def _run(shards: Sequence[Shard], iterations: int, progress: Progress, capture_every: int) -> list[Frame]:
    """Run all shards to the end; returns what was captured on the way."""
    loop = asyncio.get_running_loop()
    frames: list[Frame] = []
    progress(0, iterations)
    with ThreadPoolExecutor(max(len(shards), 1)) as pool:
        # The first step compiles the kernels, and two threads must not do that at once (Warp 1.8 crashes).
        for shard in shards:
            await loop.run_in_executor(pool, shard.run, 0, 1)
        done = 1
        progress(done, iterations)
        if capture_every == 1:
            frames.append((done, *_joined(shards)))
        while done < iterations:
            stop = min(done + _STEPS_BETWEEN_YIELDS, iterations)
            if capture_every:
                stop = min(stop, done + capture_every - done % capture_every)
            await asyncio.gather(*(loop.run_in_executor(pool, shard.run, done, stop) for shard in shards))
            done = stop
            progress(done, iterations)
            if capture_every and done % capture_every == 0:
                frames.append((done, *_joined(shards)))
    for shard in shards:
        shard.evaluate()
    return frames


def _joined(shards: Sequence[Shard]) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Return palm poses, actuated positions and losses of all shards."""
    poses = np.concatenate([shard.state.T_object_palm.numpy() for shard in shards]).astype(np.float64)
    poses[:, 3:] /= np.linalg.norm(poses[:, 3:], axis=1, keepdims=True)
    actuated = np.concatenate([shard.state.actuated.numpy() for shard in shards]).astype(np.float64)
    losses = [shard.losses() for shard in shards]
    return poses, actuated, {name: np.concatenate([part[name] for part in losses]) for name in losses[0]}


def _collect(hand: Hand, shards: Sequence[Shard], frames: Sequence[Frame]) -> GraspBatch:
    poses, actuated, losses = _joined(shards)
    losses["penetration"] = np.concatenate([shard.penetration() for shard in shards])
    losses["escape"] = np.concatenate([shard.escape() for shard in shards])
    failed = np.concatenate([shard.state.failed.numpy() for shard in shards])
    return GraspBatch(
        T_object_palm=poses,
        joint_positions=hand.joint_positions(actuated),
        losses=losses,
        status=tuple("diverged: the gradient is not finite" if flag else "ok" for flag in failed),
        trajectory=_trajectory(hand, frames) if frames else None,
    )


def _trajectory(hand: Hand, frames: Sequence[Frame]) -> Trajectory:
    steps, poses, actuated, losses = zip(*frames, strict=True)
    return Trajectory(
        steps=np.array(steps),
        T_object_palm=np.stack(poses),
        joint_positions=hand.joint_positions(np.stack(actuated)),
        losses={name: np.stack([part[name] for part in losses]) for name in losses[0]},
    )
