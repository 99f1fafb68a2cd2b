# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Third stage: the images of all views of all scenes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from omni_graspd.atomic import atomic_path
from omni_graspd.dataset.run import Run
from omni_graspd.errors import GraspdError
from omni_graspd.progress import Progress, no_progress
from omni_graspd.rendering.cameras import read_camera_rigs
from omni_graspd.rendering.frame import Frame
from omni_graspd.rendering.image_writer import write_frame
from omni_graspd.seeding import random_generator
from omni_graspd.usd.stage import open_stage


async def render_stage(run: Run, progress: Progress = no_progress) -> None:
    """Render what is not there yet; a view is a folder, with ``left`` and ``right`` below it for stereo.

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
    for position, (object_name, scene_index) in enumerate(scenes):
        start = position * per_scene
        await _render_scene(run, object_name, scene_index, lambda done, _, start=start: progress(start + done, total))
    run.update_counts()


async def _render_scene(run: Run, object_name: str, scene_index: int, progress: Progress) -> None:
    path, folder = run.layout.scene(object_name, scene_index), run.layout.renders(object_name, scene_index)
    if not run.layout.scene_grasps(object_name, scene_index).is_file():
        raise GraspdError(f"expected the scene {path}, got none; run `graspd settle` with the same options first")
    if not run.layout.object(object_name).is_file():
        raise GraspdError(
            f"expected the object {run.layout.object(object_name)}, got none: its scenes would be rendered without it; "
            "run `graspd synthesize` with the same options to write it again"
        )
    stage = open_stage(path)
    rigs = read_camera_rigs(stage)
    missing = [rig for rig in rigs if not (folder / rig.name).is_dir()]
    done = sum(len(rig.camera_paths) for rig in rigs if rig not in missing)
    progress(done, 0)
    if not missing:
        return
    waiting, eyes = list(missing), []
    random = random_generator(run.config.seed, "noise", object_name, scene_index, run.config.render.seed)
    config = replace(run.config.render, seed=int(random.integers(2**31)))
    async for frame in run.backend.render(stage, missing, config):
        eyes.append(frame)
        done += 1
        progress(done, 0)
        if len(eyes) == len(waiting[0].camera_paths):
            _write_view(eyes, folder / waiting.pop(0).name)
            eyes = []


def _write_view(eyes: list[Frame], folder: Path) -> None:
    """Write all eyes of a view at once, or none."""
    with atomic_path(folder) as temporary:
        for frame in eyes:
            eye = frame.camera_path.rsplit("/", 1)[-1]
            write_frame(frame, temporary / eye if len(eyes) > 1 else temporary)
