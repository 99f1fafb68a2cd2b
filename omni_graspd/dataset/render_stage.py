# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Third stage: the images of all views of all scenes."""

from __future__ import annotations

from dataclasses import replace

from omni_graspd.dataset.run import Run
from omni_graspd.dataset.scene_images import render_views, write_lists
from omni_graspd.dataset.shown_grasps import stages_with_hands
from omni_graspd.errors import GraspdError
from omni_graspd.progress import Progress, no_progress
from omni_graspd.rendering.cameras import read_camera_rigs
from omni_graspd.rendering.image_index import ImageRecord, image_records
from omni_graspd.rendering.view_folder import is_whole
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
    camera = run.config.camera
    scenes = [(obj.name, index) for obj in run.objects for index in range(run.config.scenes)]
    per_scene = camera.views * (2 if camera.stereo else 1)
    total = len(scenes) * per_scene
    progress(0, total)
    records = []
    async with ViewWriter(run.config.render.writer_threads) as writer:
        for position, (object_name, scene_index) in enumerate(scenes):
            start = position * per_scene
            records += await _render_scene(
                run, object_name, scene_index, writer, lambda done, _, start=start: progress(start + done, total)
            )
    run.finish_stage()
    await write_lists(records, run.layout.root, run.config.render)


async def _render_scene(
    run: Run, object_name: str, scene_index: int, writer: ViewWriter, progress: Progress
) -> list[ImageRecord]:
    """Render the missing views of a scene; return all its images where a list of them is asked for."""
    path, folder = run.layout.scene(object_name, scene_index), run.layout.renders(object_name, scene_index)
    if not run.layout.scene_grasps(object_name, scene_index).is_file():
        raise GraspdError(f"expected the scene {path}, got none; run `graspd settle` with the same options first")
    if not run.layout.object(object_name).is_file():
        raise GraspdError(
            f"expected the object {run.layout.object(object_name)}, got none: its scenes would be rendered without it; "
            "run `graspd synthesize` with the same options to write it again"
        )
    stage, config = open_stage(path), run.config.render
    rigs = read_camera_rigs(stage)
    missing = [rig for rig in rigs if not is_whole(folder / rig.name, rig, config.annotators)]
    done = sum(len(rig.camera_paths) for rig in rigs if rig not in missing)
    progress(done, 0)
    if missing:
        random = random_generator(run.config.seed, "noise", object_name, scene_index, config.seed)
        seeded = replace(config, seed=int(random.integers(2**31)))
        for shown, views in stages_with_hands(run, object_name, scene_index, stage, missing):
            done += await render_views(
                run.backend, shown, views, seeded, folder, writer, lambda count, _, done=done: progress(done + count, 0)
            )
    if not (config.index or config.coco):
        return []
    root = run.layout.root
    return image_records(
        stage, rigs, config.annotators, path.relative_to(root).as_posix(), folder.relative_to(root).as_posix()
    )
