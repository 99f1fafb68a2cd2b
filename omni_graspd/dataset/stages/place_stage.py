# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Third stage: for each scene a table of the base grasps of all hands that belong to it, placed there and looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np

from omni_graspd.dataset.execution.shards import Shard
from omni_graspd.dataset.run import Run
from omni_graspd.dataset.scene_files import read_rest
from omni_graspd.dataset.stages.settle_stage import run_scene_shards, scene_shards
from omni_graspd.dataset.table_files import row_count
from omni_graspd.dataset.table_kinds import GRASPS, SCENE_GRASPS
from omni_graspd.dataset.tables import GraspTable, SceneGraspTable, read_grasps, write_scene_grasps
from omni_graspd.errors import GraspdError
from omni_graspd.progress import Progress, no_progress
from omni_graspd.scenes.transfer import join_scene_grasps, transfer_grasps


async def place_stage(run: Run, progress: Progress = no_progress) -> None:
    """Write the tables of scene grasps that are not there yet or lack grasps.

    Args:
        run: An open run.
        progress: Called with scenes done and in total.

    Raises:
        GraspdError: If scenes or base grasps are missing.
    """
    run = run.with_rest_poses()
    shards = scene_shards(run, "place")
    missing = {shard: _missing_tables(run, shard) for shard in shards}
    for object_name in dict.fromkeys(shard.object for shard in shards if missing[shard]):
        _check_base_grasps(run, object_name)
    run.begin_change(run.layout.scene_grasps(shard.object, index) for shard in shards for index in missing[shard])
    await run_scene_shards(run, missing, place_shard, progress)


async def place_shard(run: Run, shard: Shard, progress: Progress, threads: int | None) -> None:
    """Write the tables of a shard's scenes that are not there yet.

    Args:
        run: The run, with rest poses.
        shard: Scenes of one object.
        progress: Called with scenes done and in total.
        threads: Not used.
    """
    missing = _missing_tables(run, shard)
    tables = [read_grasps(run.layout.grasps(hand.name, shard.object)) for hand in run.hands]
    for count, index in enumerate(missing, start=1):
        rest_pose = int(run.rest_poses[shard.object].labels[index])
        placed = _placed(run, shard.object, index, [table.of_rest_pose(rest_pose) for table in tables])
        write_scene_grasps(placed, run.layout.scene_grasps(shard.object, index))
        progress(count, len(missing))
        await asyncio.sleep(0.0)


def _missing_tables(run: Run, shard: Shard) -> list[int]:
    """Return the scenes whose tables are not there or were made for fewer grasps or hands."""
    wanted = run.config.grasps * len(run.hands)
    paths = {index: run.layout.scene_grasps(shard.object, index) for index in range(shard.start, shard.stop)}
    return [index for index, path in paths.items() if not path.is_file() or row_count(path, SCENE_GRASPS) < wanted]


def _check_base_grasps(run: Run, object_name: str) -> None:
    wanted = run.rest_poses[object_name].count * run.config.grasps
    for hand in run.hands:
        path = run.layout.grasps(hand.name, object_name)
        there = row_count(path, GRASPS) if path.is_file() else 0
        if there < wanted:
            raise GraspdError(
                f"expected {wanted} base grasps in {path}, got {there or 'no such file'}; run `graspd synthesize` with "
                "the same options first"
            )


def _placed(run: Run, object_name: str, scene_index: int, base: Sequence[GraspTable]) -> SceneGraspTable:
    """Return the grasps of all hands in a scene; grasps made among its neighbours would join ``base`` here."""
    T_world_object, neighbours = read_rest(run.layout.scene(object_name, scene_index), run.objects)
    placed = [
        transfer_grasps(hand, table.grasps, T_world_object, neighbours)
        for hand, table in zip(run.hands, base, strict=True)
    ]
    return SceneGraspTable(
        object=object_name,
        scene_index=scene_index,
        hands=tuple(table.hand for table in base for _ in table.indices),
        grasp_indices=np.concatenate([table.indices for table in base]),
        status=tuple(status for table in base for status in table.grasps.status),
        grasps=join_scene_grasps(placed),
        rest_pose=None if run.config.around == "nothing" else int(run.rest_poses[object_name].labels[scene_index]),
    )
