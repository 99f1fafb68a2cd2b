# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""First stage: scenes with the object at rest on a table, lights and cameras."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import numpy as np

from omni_graspd.dataset.asset_copies import write_objects
from omni_graspd.dataset.execution.executor import run_shards
from omni_graspd.dataset.execution.shard_work import ShardWork
from omni_graspd.dataset.execution.shards import WHOLE_SHARD, Shard, ShardStage
from omni_graspd.dataset.run import Run
from omni_graspd.dataset.scene_files import read_rest
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.progress import Progress, no_progress
from omni_graspd.rendering.cameras import author_cameras
from omni_graspd.scenes.clutter import Neighbour, scatter_neighbours
from omni_graspd.scenes.drop import drop_objects
from omni_graspd.scenes.scene_writer import author_scene, drawn_table_size
from omni_graspd.usd.stage import save_stage
from omni_graspd.usd.transforms import transform_points


async def settle_stage(run: Run, progress: Progress = no_progress) -> None:
    """Write objects and the scenes that are not there yet.

    Args:
        run: An open run.
        progress: Called with scenes done and in total.

    Raises:
        GraspdError: If an object cannot be written or does not come to rest.
    """
    write_objects(run.objects, run.layout)
    shards = scene_shards(run, "settle")
    missing = {shard: _missing_scenes(run, shard) for shard in shards}
    run.begin_change(run.layout.scene(shard.object, index) for shard in shards for index in missing[shard])
    await run_scene_shards(run, missing, settle_shard, progress)


async def run_scene_shards(
    run: Run, missing: Mapping[Shard, Sequence[int]], work: ShardWork, progress: Progress
) -> None:
    """Do the shards of a stage that works scene by scene, and finish the stage.

    Args:
        run: An open run.
        missing: The scenes of each shard that are to be done; a shard without any is left alone.
        work: Does one of them.
        progress: Called with scenes done and in total.
    """
    total = len(run.objects) * run.config.scenes
    done = total - sum(len(indices) for indices in missing.values())
    progress(done, total)

    def watch(_: Shard) -> Progress:
        return lambda count, __: progress(done + count, total)

    todo = [shard for shard, indices in missing.items() if indices]
    async for report in run_shards(run, todo, work, watch):
        done += len(missing[report.shard])
        progress(done, total)
    run.finish_stage()


async def settle_shard(run: Run, shard: Shard, progress: Progress, threads: int | None) -> None:
    """Write the scenes of a shard that are not there yet.

    Args:
        run: The run.
        shard: Scenes of one object.
        progress: Called with scenes done and in total.
        threads: Not used: PhysX has its own.
    """
    obj = next(obj for obj in run.objects if obj.name == shard.object)
    missing = _missing_scenes(run, shard)
    new = [index for index in missing if not run.layout.scene(obj.name, index).is_file()]
    drops = await drop_objects(obj, new, run.config.drop, run.config.seed, run.backend.simulate) if new else []
    poses = {index: drop.T_world_object for index, drop in zip(new, drops, strict=True)}
    for count, index in enumerate(missing, start=1):
        if index in poses:
            pose, neighbours = poses[index], await _neighbours(run, obj, index, poses[index])
        else:
            pose, neighbours = read_rest(run.layout.scene(obj.name, index), run.objects)
        _write_scene(run, obj, index, pose, neighbours)
        progress(count, len(missing))
        await asyncio.sleep(0.0)


def scene_shards(run: Run, stage: ShardStage) -> list[Shard]:
    """Return the shards of a stage that works scene by scene, whether done or not."""
    size, count = WHOLE_SHARD[stage], run.config.scenes
    return [
        Shard(stage, obj.name, start, min(start + size, count))
        for obj in run.objects
        for start in range(0, count, size)
    ]


def missing_scene_count(run: Run) -> int:
    """Return how many scenes of a run there are no files of."""
    scenes = [run.layout.scene(obj.name, index) for obj in run.objects for index in range(run.config.scenes)]
    return sum(not path.is_file() for path in scenes)


def scenes_lacking_views(run: Run) -> int:
    """Return how many scenes of a run are there, but were made for fewer views."""
    scenes = [(obj.name, index) for obj in run.objects for index in range(run.config.scenes)]
    return sum(run.layout.scene(*scene).is_file() and not _is_whole(run, *scene) for scene in scenes)


def _missing_scenes(run: Run, shard: Shard) -> list[int]:
    """Return the scenes that are not there or were made for fewer views."""
    return [index for index in range(shard.start, shard.stop) if not _is_whole(run, shard.object, index)]


def _is_whole(run: Run, object_name: str, scene_index: int) -> bool:
    scene = run.layout.scene(object_name, scene_index)
    if not scene.is_file():
        return False
    # Not opened as a stage: that would take a hundred times as long, and most runs have nothing to add.
    last_view = f'"view_{run.config.camera.views - 1:04d}"'
    return run.config.camera.views == 0 or last_view in scene.read_text(encoding="utf-8")


async def _neighbours(
    run: Run, obj: RigidObject, scene_index: int, T_world_object: np.ndarray
) -> tuple[Neighbour, ...]:
    config = run.config
    return await scatter_neighbours(
        obj,
        T_world_object,
        run.objects,
        config.scene.clutter,
        scene_index,
        drawn_table_size(config.scene, config.seed, obj.name, scene_index),
        config.drop,
        config.seed,
        run.backend.simulate,
    )


def _write_scene(
    run: Run,
    obj: RigidObject,
    scene_index: int,
    T_world_object: np.ndarray,
    neighbours: tuple[Neighbour, ...],
) -> None:
    config, path = run.config, run.layout.scene(obj.name, scene_index)
    others = [(run.layout.object(neighbour.obj.name), neighbour.T_world_object) for neighbour in neighbours]
    stage = author_scene(
        path, run.layout.object(obj.name), obj, T_world_object, scene_index, config.scene, config.seed, others
    )
    center, radius = _bounding_ball(transform_points(T_world_object, obj.mesh.vertices))
    author_cameras(stage, center, config.camera, config.seed, obj.name, scene_index, target_radius=radius)
    save_stage(stage, path)


def _bounding_ball(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the middle of the bounding box [3] and the radius of the ball about it that holds all points [m]."""
    center = 0.5 * (points.min(axis=0) + points.max(axis=0))
    return center, float(np.linalg.norm(points - center, axis=1).max())
