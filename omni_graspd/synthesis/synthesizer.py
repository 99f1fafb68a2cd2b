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
from omni_graspd.synthesis.grasp import GraspBatch
from omni_graspd.synthesis.optimization import HandModel, ObjectModel, Shard
from omni_graspd.synthesis.starts import sample_starts

_STEPS_BETWEEN_YIELDS = 20


async def synthesize(
    hand: Hand,
    obj: RigidObject,
    grasp_indices: Sequence[int],
    config: SynthesisConfig,
    *,
    seed: int,
    device: str = "cpu",
    progress: Progress = no_progress,
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

    Returns:
        One row per index, in the given order. A grasp whose gradient stopped being finite keeps its last pose and says
        so in its status.
    """
    points = sample_surface_points(hand, config.point_count)
    hand_model = HandModel(hand, points, self_collision_spheres(hand), device)
    object_model = ObjectModel(obj, config.distance, device)
    starts, actuated = sample_starts(
        hand, obj, grasp_indices, config.start, points=points, distance=object_model.distance, seed=seed
    )
    shard_count = min(max(len(starts), 1), os.cpu_count() or 1) if device == "cpu" else 1
    shards = [
        Shard(hand_model, object_model, poses, joints, config, device)
        for poses, joints in zip(
            np.array_split(starts, shard_count), np.array_split(actuated, shard_count), strict=True
        )
    ]
    await _run(shards, config.iterations, progress)
    return _collect(hand, shards)


async def _run(shards: Sequence[Shard], iterations: int, progress: Progress) -> None:
    loop = asyncio.get_running_loop()
    progress(0, iterations)
    with ThreadPoolExecutor(max(len(shards), 1)) as pool:
        # The first step compiles the kernels, and two threads must not do that at once (Warp 1.8 crashes).
        for shard in shards:
            await loop.run_in_executor(pool, shard.run, 0, 1)
        done = 1
        progress(done, iterations)
        while done < iterations:
            stop = min(done + _STEPS_BETWEEN_YIELDS, iterations)
            await asyncio.gather(*(loop.run_in_executor(pool, shard.run, done, stop) for shard in shards))
            done = stop
            progress(done, iterations)
    for shard in shards:
        shard.evaluate(radius=0.0, leak=0.0, exact=True)


def _collect(hand: Hand, shards: Sequence[Shard]) -> GraspBatch:
    poses = np.concatenate([shard.T_object_palm.numpy() for shard in shards]).astype(np.float64)
    poses[:, 3:] /= np.linalg.norm(poses[:, 3:], axis=1, keepdims=True)
    actuated = np.concatenate([shard.actuated.numpy() for shard in shards]).astype(np.float64)
    failed = np.concatenate([shard.failed.numpy() for shard in shards])
    losses = [shard.losses() for shard in shards]
    return GraspBatch(
        T_object_palm=poses,
        joint_positions=hand.joint_positions(actuated),
        losses={name: np.concatenate([part[name] for part in losses]) for name in losses[0]},
        status=tuple("diverged: the gradient is not finite" if flag else "ok" for flag in failed),
    )
