# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Second stage: scenes with the object at rest on a table, with cameras, and the grasps placed in them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np

from omni_graspd.dataset.executor import run_shards
from omni_graspd.dataset.run import Run
from omni_graspd.dataset.scene_growth import lacks_grasps_or_views, read_rest
from omni_graspd.dataset.shards import Shard, ShardStage
from omni_graspd.dataset.tables import GraspTable, SceneGraspTable, read_grasps, write_scene_grasps
from omni_graspd.errors import GraspdError
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.progress import Progress, no_progress
from omni_graspd.rendering.cameras import author_cameras
from omni_graspd.scenes.clutter import Neighbour, scatter_neighbours
from omni_graspd.scenes.drop import drop_objects
from omni_graspd.scenes.scene_writer import author_scene, drawn_table_size
from omni_graspd.scenes.transfer import join_scene_grasps, transfer_grasps
from omni_graspd.usd.stage import save_stage
from omni_graspd.usd.transforms import transform_points

_SCENES_PER_SHARD = 8
"""Drops that are simulated side by side. Results do not depend on it."""


async def settle_stage(run: Run, progress: Progress = no_progress) -> None:
    """Write the scenes that are not there yet, each with a table of the grasps of all hands.

    Args:
        run: An open run.
        progress: Called with scenes done and in total.

    Raises:
        GraspdError: If base grasps are missing, or an object does not come to rest.
    """
    shards = scene_shards(run, "settle")
    missing = {shard: _missing_scenes(run, shard) for shard in shards}
    total = len(run.objects) * run.config.scenes
    done = total - sum(len(indices) for indices in missing.values())
    progress(done, total)
    for shard, indices in missing.items():
        for hand in run.hands if indices else ():
            _check_base_grasps(run, hand.name, shard.object)
    run.begin_change(file for shard in shards for index in missing[shard] for file in _files(run, shard.object, index))

    def watch(_: Shard) -> Progress:
        return lambda count, __: progress(done + count, total)

    async for report in run_shards(run, [shard for shard in shards if missing[shard]], watch):
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
    base = [read_grasps(run.layout.grasps(hand.name, obj.name)) for hand in run.hands]
    new = [index for index in missing if not _is_there(run, obj.name, index)]
    drops = await drop_objects(obj, new, run.config.drop, run.config.seed, run.backend.simulate) if new else []
    poses = {index: drop.T_world_object for index, drop in zip(new, drops, strict=True)}
    for count, index in enumerate(missing, start=1):
        if index in poses:
            pose, neighbours = poses[index], await _neighbours(run, obj, index, poses[index])
        else:
            pose, neighbours = read_rest(run, obj.name, index)
        _write_scene(run, obj, index, pose, neighbours, base)
        progress(count, len(missing))
        await asyncio.sleep(0.0)


def scene_shards(run: Run, stage: ShardStage) -> list[Shard]:
    """Return the shards of a stage that works scene by scene, whether done or not."""
    count = run.config.scenes
    return [
        Shard(stage, obj.name, start, min(start + _SCENES_PER_SHARD, count))
        for obj in run.objects
        for start in range(0, count, _SCENES_PER_SHARD)
    ]


def _missing_scenes(run: Run, shard: Shard) -> list[int]:
    """Return the scenes that are not there or were made for fewer grasps or views."""
    return [
        index
        for index in range(shard.start, shard.stop)
        if not _is_there(run, shard.object, index) or lacks_grasps_or_views(run, shard.object, index)
    ]


def _is_there(run: Run, object_name: str, scene_index: int) -> bool:
    return all(file.is_file() for file in _files(run, object_name, scene_index))


def _files(run: Run, object_name: str, scene_index: int) -> tuple[Path, Path]:
    return run.layout.scene(object_name, scene_index), run.layout.scene_grasps(object_name, scene_index)


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
    base: list[GraspTable],
) -> None:
    """Write one scene; its table comes last and says that the scene is whole."""
    config, path = run.config, run.layout.scene(obj.name, scene_index)
    others = [(run.layout.object(neighbour.obj.name), neighbour.T_world_object) for neighbour in neighbours]
    stage = author_scene(
        path, run.layout.object(obj.name), obj, T_world_object, scene_index, config.scene, config.seed, others
    )
    center, radius = _bounding_ball(transform_points(T_world_object, obj.mesh.vertices))
    author_cameras(stage, center, config.camera, config.seed, obj.name, scene_index, target_radius=radius)
    save_stage(stage, path)
    write_scene_grasps(
        _place(run, obj, scene_index, base, T_world_object, neighbours),
        run.layout.scene_grasps(obj.name, scene_index),
    )


def _check_base_grasps(run: Run, hand: str, object_name: str) -> None:
    path = run.layout.grasps(hand, object_name)
    if not path.is_file():
        raise GraspdError(
            f"expected base grasps in {path}, got none; run `graspd synthesize` with the same options first"
        )


def _place(
    run: Run,
    obj: RigidObject,
    scene_index: int,
    base: list[GraspTable],
    T_world_object: np.ndarray,
    neighbours: tuple[Neighbour, ...],
) -> SceneGraspTable:
    placed = [
        transfer_grasps(hand, table.grasps, T_world_object, neighbours)
        for hand, table in zip(run.hands, base, strict=True)
    ]
    return SceneGraspTable(
        object=obj.name,
        scene_index=scene_index,
        hands=tuple(table.hand for table in base for _ in table.indices),
        grasp_indices=np.concatenate([table.indices for table in base]),
        status=tuple(status for table in base for status in table.grasps.status),
        grasps=join_scene_grasps(placed),
    )


def _bounding_ball(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the middle of the bounding box [3] and the radius of the ball about it that holds all points [m]."""
    center = 0.5 * (points.min(axis=0) + points.max(axis=0))
    return center, float(np.linalg.norm(points - center, axis=1).max())
