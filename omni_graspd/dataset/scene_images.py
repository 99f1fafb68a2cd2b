# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Images of one stage that is not part of a dataset."""

from __future__ import annotations

from pathlib import Path

from pxr import Usd

from omni_graspd.backend import Backend
from omni_graspd.rendering.frame import CameraRig, Frame, RenderConfig
from omni_graspd.rendering.image_writer import write_frame


async def write_scene_images(
    backend: Backend, stage: Usd.Stage, rigs: list[CameraRig], config: RenderConfig, folder: Path
) -> int:
    """Render all views of a stage; each gets a folder, with ``left`` and ``right`` below it for stereo.

    Args:
        backend: What renders.
        stage: The stage.
        rigs: The views.
        config: How.
        folder: Where the folders of the views go; a view that is there already is replaced.

    Returns:
        Number of images.

    Raises:
        GraspdError: If a camera or a texture is missing.
    """
    waiting, eyes, count = list(rigs), [], 0
    async for frame in backend.render(stage, rigs, config):
        eyes.append(frame)
        count += 1
        if len(eyes) == len(waiting[0].camera_paths):
            _write_view(eyes, folder / waiting.pop(0).name)
            eyes = []
    return count


def _write_view(eyes: list[Frame], folder: Path) -> None:
    for frame, name in zip(eyes, ("left", "right") if len(eyes) > 1 else (".",), strict=True):
        write_frame(frame, folder / name)
