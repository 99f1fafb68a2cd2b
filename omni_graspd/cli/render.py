# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The command ``graspd render --scene FILE``: images of any USD scene."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from omni_graspd.atomic import writing_to
from omni_graspd.backend import BackendName, load_backend
from omni_graspd.cli.console import Action, duration
from omni_graspd.dataset.stages.scene_images import write_scene_images
from omni_graspd.plural import counted
from omni_graspd.rendering.annotators import LABEL_ANNOTATORS
from omni_graspd.rendering.cameras import CameraConfig
from omni_graspd.rendering.frame import RenderConfig
from omni_graspd.rendering.scene_views import label_by_name, scene_rigs
from omni_graspd.rendering.surfaces import undrawn_kinds
from omni_graspd.usd.still_stage import open_still

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True, kw_only=True)
class SceneRenderConfig:
    """What to render of a scene, and where to."""

    scene: Path
    """USD file to render: usd, usda, usdc or usdz."""
    out: Path = Path("graspd_images")
    """Folder for the images, with a subfolder for each view."""
    labels_only: bool = False
    """Render masks, boxes and distances only, at video rate."""
    backend: BackendName = "auto"
    """What renders: standalone, or kit inside Isaac Sim; auto picks the one available."""
    camera: CameraConfig = field(default_factory=CameraConfig)
    """Image size of cameras that state none; the views to place if the scene has no camera."""
    render: RenderConfig = field(default_factory=RenderConfig)
    """Rendering."""


def render_scene(config: Annotated[SceneRenderConfig, tyro.conf.arg(name="")]) -> Action:
    """Render any USD scene with its own cameras, or with cameras placed around it if it has none.

    Labels are the scene's semantic classes; if it has none, they are derived from the names of its prims.
    """
    return partial(_render, config)


def _render(config: SceneRenderConfig, console: Console) -> None:
    begin = time.perf_counter()
    render = replace(config.render, annotators=LABEL_ANNOTATORS) if config.labels_only else config.render
    stage, backend = open_still(config.scene), load_backend(config.backend)
    labelled = label_by_name(stage)
    rigs = scene_rigs(stage, config.camera, render.seed)
    console.print(f"scene {config.scene} · renderer {backend.choose_renderer(render)[0]}", soft_wrap=True, markup=False)
    if labelled:
        console.print(f"the scene has no semantic labels; {counted(labelled, 'prim')} labelled by name", style="dim")
    for kind, count in undrawn_kinds(stage).items():
        console.print(f"not drawn: {count} of type {kind}", style="yellow")
    with writing_to(config.out, resumes=False):
        count = asyncio.run(write_scene_images(backend, stage, rigs, render, config.out))
    made = f"{counted(count, 'image')} of {counted(len(rigs), 'view')}"
    console.print(f"{made} in {duration(time.perf_counter() - begin)}: {config.out}", soft_wrap=True, markup=False)
