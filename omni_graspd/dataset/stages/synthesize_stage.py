# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Second stage: hands as USD, and a table of measured base grasps for each hand and object."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from os import cpu_count
from pathlib import Path

import numpy as np

from omni_graspd.dataset.asset_copies import write_hands, write_objects
from omni_graspd.dataset.execution.executor import run_shards
from omni_graspd.dataset.execution.shards import Shard, grasp_shard_size
from omni_graspd.dataset.grasp_numbers import grasp_indices
from omni_graspd.dataset.run import Run
from omni_graspd.dataset.table_parts import grasp_counts, join_parts
from omni_graspd.dataset.tables import GraspTable, write_grasps
from omni_graspd.hands.surface_points import sample_surface_points
from omni_graspd.metrics.evaluate import evaluate_grasps
from omni_graspd.progress import Progress, no_progress
from omni_graspd.synthesis.optimization import load_kernels
from omni_graspd.synthesis.synthesizer import synthesize


async def synthesize_stage(run: Run, progress: Progress = no_progress) -> None:
    """Write hands, objects and base grasps; what is there already is left as it is.

    Args:
        run: An open run.
        progress: Called with grasps done and in total.

    Raises:
        GraspdError: If a scene is missing where grasps depend on it, or a hand or an object cannot be written.
    """
    run = run.with_rest_poses()
    pairs = [(hand.name, obj.name) for obj in run.objects for hand in run.hands]
    total = sum(run.rest_poses[object_name].count * run.config.grasps for _, object_name in pairs)
    progress(0, total)
    write_hands(run.hands, run.layout)
    write_objects(run.objects, run.layout)
    planned = {pair: _planned_shards(run, *pair) for pair in pairs}
    run.begin_change(run.layout.grasps(*pair) for pair in pairs if planned[pair])
    missing = {pair: [shard for shard in planned[pair] if not _part(run, shard).is_file()] for pair in pairs}
    for pair in pairs:
        if not missing[pair]:
            _join(run, *pair, planned[pair])
    shards = [shard for pair in pairs for shard in missing[pair]]
    done = total - sum(shard.stop - shard.start for shard in shards)
    progress(done, total)
    if shards:
        # Two processes must not compile at once, either.
        load_kernels(run.config.synthesis, run.device)

    def watch(shard: Shard) -> Progress:
        count = shard.stop - shard.start
        return lambda steps, all_steps: progress(done + count * steps // max(all_steps, 1), total)

    async for report in run_shards(run, shards, synthesize_shard, watch):
        pair = (report.shard.hand, report.shard.object)
        missing[pair].remove(report.shard)
        if not missing[pair]:
            _join(run, *pair, planned[pair])
        done += report.shard.stop - report.shard.start
        progress(done, total)
    run.finish_stage()


async def synthesize_shard(run: Run, shard: Shard, progress: Progress, threads: int | None) -> None:
    """Make and measure the grasps of a shard, and write them to its part of the table.

    Args:
        run: The run, with rest poses.
        shard: Grasps of one hand and object, in one rest pose.
        progress: Called with gradient steps done and in total.
        threads: CPU threads; by default one per core.
    """
    config = run.config
    hand = next(hand for hand in run.hands if hand.name == shard.hand)
    obj = next(obj for obj in run.objects if obj.name == shard.object)
    indices = grasp_indices(shard.rest_pose, shard.start, shard.stop)
    batch = await synthesize(
        hand,
        obj,
        indices.tolist(),
        config.synthesis,
        seed=config.seed,
        surroundings=run.rest_poses[obj.name].surroundings[shard.rest_pose],
        device=run.device,
        progress=progress,
        threads=threads,
    )
    await asyncio.sleep(0)
    metrics = evaluate_grasps(
        hand,
        obj,
        batch.T_object_palm,
        batch.joint_positions,
        config.metrics,
        points=sample_surface_points(hand, config.metrics.point_count),
        device=run.device,
        threads=threads or cpu_count() or 1,
    )
    metrics = _without_failed(metrics, batch.status)
    rest_poses = None if config.around == "nothing" else np.full(len(indices), shard.rest_pose, dtype=np.int32)
    table = GraspTable(hand.name, obj.name, hand.joint_names, indices, config.seed, batch, metrics, rest_poses)
    write_grasps(table, _part(run, shard))


def _planned_shards(run: Run, hand: str, object_name: str) -> list[Shard]:
    """Return the shards of the grasps that the table of a pair lacks, whether they have parts yet or not."""
    table, rest_pose_count = run.layout.grasps(hand, object_name), run.rest_poses[object_name].count
    there = grasp_counts(table, rest_pose_count) if table.is_file() else [0] * rest_pose_count
    size, count = grasp_shard_size(run.device), run.config.grasps
    return [
        Shard("synthesize", object_name, start, min(start + size, count), hand, rest_pose)
        for rest_pose in range(rest_pose_count)
        for start in range(there[rest_pose], count, size)
    ]


def _part(run: Run, shard: Shard) -> Path:
    name = f"{shard.rest_pose:04d}-{shard.start:08d}-{shard.stop:08d}.parquet"
    return run.layout.grasp_parts(shard.hand, shard.object) / name


def _join(run: Run, hand: str, object_name: str, shards: Sequence[Shard]) -> None:
    """Add the parts of a pair to its table."""
    table = run.layout.grasps(hand, object_name)
    if shards:
        join_parts([*([table] if table.is_file() else []), *(_part(run, shard) for shard in shards)], table)
    shutil.rmtree(run.layout.grasp_parts(hand, object_name), ignore_errors=True)


def _without_failed(metrics: dict[str, np.ndarray], status: Sequence[str]) -> dict[str, np.ndarray]:
    """Blank the metrics of failed grasps: NaN for numbers, 0 for counts, False for flags."""
    failed = np.array([reason != "ok" for reason in status], dtype=bool)
    blank = {"f": np.nan, "i": 0, "b": False}
    return {name: np.where(failed, blank[column.dtype.kind], column) for name, column in metrics.items()}
