# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Last stage: the images of all views of all scenes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from omni_graspd.dataset.execution.executor import run_shards
from omni_graspd.dataset.execution.shards import Shard
from omni_graspd.dataset.run import Run
from omni_graspd.dataset.stages.scene_images import render_views, write_lists
from omni_graspd.dataset.stages.settle_stage import scene_shards
from omni_graspd.dataset.stages.shown_grasps import stages_with_hands
from omni_graspd.errors import GraspdError
from omni_graspd.progress import Progress, no_progress
from omni_graspd.rendering.cameras import read_camera_rigs
from omni_graspd.rendering.frame import CameraRig
from omni_graspd.rendering.image_index import ImageRecord, image_records
from omni_graspd.rendering.view_folder import has_any, is_whole
from omni_graspd.rendering.view_writer import ViewWriter
from omni_graspd.seeding import random_generator
from omni_graspd.usd.stage import open_stage


async def render_stage(run: Run, progress: Progress = no_progress) -> None:
    """Render what is not there yet; a view is a folder, with ``left`` and ``right`` below it for stereo.

    Lists of the images, where asked for, are written at the end, anew each time, from what lies in the folder.

    Args:
        run: An open run.
        progress: Called with images done and in total.

    Raises:
        GraspdError: If a scene is missing or cannot be rendered.
    """
    shards = scene_shards(run, "render")
    total = sum(shard.stop - shard.start for shard in shards) * run.config.camera.images_per_scene
    done = 0
    progress(done, total)

    def watch(_: Shard) -> Progress:
        return lambda count, __: progress(done + count, total)

    async for report in run_shards(run, shards, render_shard, watch):
        done += (report.shard.stop - report.shard.start) * run.config.camera.images_per_scene
        progress(done, total)
    run.finish_stage()
    if run.config.render.index or run.config.render.coco:
        await write_lists(_image_records(run), run.layout.root, run.config.render)


async def render_shard(run: Run, shard: Shard, progress: Progress, threads: int | None) -> None:
    """Render the views of a shard's scenes that are not there yet.

    Args:
        run: The run.
        shard: Scenes of one object.
        progress: Called with images done and in total.
        threads: Not used: the renderer has its own.
    """
    per_scene = run.config.camera.images_per_scene
    total = (shard.stop - shard.start) * per_scene
    async with ViewWriter(run.config.render.writer_threads) as writer:
        for position, index in enumerate(range(shard.start, shard.stop)):
            start = position * per_scene
            await _render_scene(
                run, shard.object, index, writer, lambda done, _, start=start: progress(start + done, total)
            )


async def _render_scene(run: Run, object_name: str, scene_index: int, writer: ViewWriter, progress: Progress) -> None:
    """Render the missing views of a scene."""
    path, folder = run.layout.scene(object_name, scene_index), run.layout.renders(object_name, scene_index)
    if not path.is_file():
        raise GraspdError(f"the scene {path} is missing; run `graspd settle` with the same options first")
    if not run.layout.object(object_name).is_file():
        raise GraspdError(
            f"the object {run.layout.object(object_name)} is missing, and its scenes would be rendered without it; run "
            "`graspd settle` with the same options to write it again"
        )
    stage, config = open_stage(path), run.config.render
    rigs = read_camera_rigs(stage)
    missing = [rig for rig in rigs if not is_whole(folder / rig.name, rig, config.annotators)]
    done = sum(len(rig.camera_paths) for rig in rigs if rig not in missing)
    progress(done, 0)
    if missing:
        random = random_generator(run.config.seed, "noise", object_name, scene_index, config.seed)
        seeded = replace(config, seed=int(random.integers(2**31)))
        for channels, rigs in _by_channels(missing, folder, config.annotators).items():
            lacking = replace(seeded, annotators=channels)
            for shown, views in stages_with_hands(run, object_name, scene_index, stage, rigs):
                done += await render_views(
                    run.backend,
                    shown,
                    views,
                    lacking,
                    folder,
                    writer,
                    lambda count, _, done=done: progress(done + count, 0),
                )


def _by_channels(
    rigs: Sequence[CameraRig], folder: Path, annotators: Sequence[str]
) -> dict[tuple[str, ...], list[CameraRig]]:
    """Group views by the channels that they lack; a view that lacks a part of a channel is made anew whole."""
    groups: dict[tuple[str, ...], list[CameraRig]] = {}
    for rig in rigs:
        lacking = tuple(name for name in annotators if not has_any(folder / rig.name, rig, name))
        whole = is_whole(folder / rig.name, rig, [name for name in annotators if name not in lacking])
        groups.setdefault(lacking if whole else tuple(annotators), []).append(rig)
    return groups


def _image_records(run: Run) -> list[ImageRecord]:
    """Return all images of the run, scene by scene."""
    root, records = run.layout.root, []
    for obj in run.objects:
        for index in range(run.config.scenes):
            path, folder = run.layout.scene(obj.name, index), run.layout.renders(obj.name, index)
            stage = open_stage(path)
            names = path.relative_to(root).as_posix(), folder.relative_to(root).as_posix()
            records += image_records(stage, read_camera_rigs(stage), run.config.render.annotators, *names)
    return records
