# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Views of one stage rendered and written, for datasets and for stages that are not part of one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pxr import Usd

from omni_graspd.backend import Backend
from omni_graspd.progress import Progress, no_progress
from omni_graspd.rendering.coco import write_coco
from omni_graspd.rendering.frame import CameraRig, RenderConfig
from omni_graspd.rendering.image_index import ImageRecord, image_records, write_image_index
from omni_graspd.rendering.view_writer import ViewWriter


async def write_scene_images(
    backend: Backend, stage: Usd.Stage, rigs: list[CameraRig], config: RenderConfig, folder: Path
) -> int:
    """Render all views of a stage; each gets a folder, with ``left`` and ``right`` below it for stereo.

    Args:
        backend: What renders.
        stage: The stage.
        rigs: The views.
        config: How, and whether a list of the images and COCO annotations are written beside them.
        folder: Where the folders of the views go; the files of a view that is there already are replaced.

    Returns:
        Number of images.

    Raises:
        GraspdError: If a camera or a texture is missing.
    """
    async with ViewWriter(config.writer_threads) as writer:
        count = await render_views(backend, stage, rigs, config, folder, writer)
    if config.index or config.coco:
        scene = Path(stage.GetRootLayer().identifier).name
        await write_lists(image_records(stage, rigs, config.annotators, scene, "."), folder, config)
    return count


async def render_views(
    backend: Backend,
    stage: Usd.Stage,
    rigs: Sequence[CameraRig],
    config: RenderConfig,
    folder: Path,
    writer: ViewWriter,
    progress: Progress = no_progress,
) -> int:
    """Render views and hand them to a writer; they are there when its block ends.

    Args:
        backend: What renders.
        stage: The stage.
        rigs: The views.
        config: How.
        folder: Where the folders of the views go.
        writer: What writes.
        progress: Called with images rendered and in total.

    Returns:
        Number of images.
    """
    waiting, eyes, count = list(rigs), [], 0
    total = sum(len(rig.camera_paths) for rig in rigs)
    async for frame in backend.render(stage, list(rigs), config):
        eyes.append(frame)
        count += 1
        progress(count, total)
        if len(eyes) == len(waiting[0].camera_paths):
            await writer.write(eyes, folder / waiting.pop(0).name)
            eyes = []
    return count


async def write_lists(records: Sequence[ImageRecord], folder: Path, config: RenderConfig) -> None:
    """Write the list of images and the COCO annotations that the configuration asks for.

    Args:
        records: The images; all their files are there.
        folder: Folder to which they are relative; the lists go there.
        config: What is asked for.
    """
    if config.index:
        write_image_index(records, folder)
    if config.coco:
        await write_coco(records, folder)
