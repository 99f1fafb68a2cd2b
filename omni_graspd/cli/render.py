# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The command ``graspd render --scene FILE``: images of any USD scene."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from omni_graspd.atomic import writing_to
from omni_graspd.backend import BackendName, load_backend
from omni_graspd.dataset.stages.scene_images import write_scene_images
from omni_graspd.rendering.annotators import LABEL_ANNOTATORS
from omni_graspd.rendering.cameras import CameraConfig
from omni_graspd.rendering.frame import RenderConfig
from omni_graspd.rendering.scene_views import label_by_name, scene_rigs
from omni_graspd.rendering.surfaces import undrawn_kinds
from omni_graspd.usd.stage import open_stage

if TYPE_CHECKING:
    from rich.console import Console

Action = Callable[..., None]
"""Work that is done once the arguments are read; prints to the console it is given."""

_SHORT_FORMS = {"--views": "--camera.views", "--stereo": "--camera.stereo", "--mono": "--camera.no-stereo"}


@dataclass(frozen=True, kw_only=True)
class SceneRenderConfig:
    """What to render of a scene, and where to."""

    scene: Path
    """USD file: usd, usda, usdc or usdz."""
    out: Path = Path("graspd_images")
    """Folder for the images; each view gets a folder of its own."""
    labels_only: bool = False
    """No colour images: masks, boxes and distances at video rate."""
    backend: BackendName = "auto"
    """What renders."""
    camera: CameraConfig = field(default_factory=CameraConfig)
    """Image size of cameras of the scene that state none; views that are placed where it has no camera."""
    render: RenderConfig = field(default_factory=RenderConfig)
    """Rendering."""


def render_scene(config: SceneRenderConfig) -> Action:
    """Render any USD scene with its own cameras, else with cameras placed around it.

    Labels are the scene's semantic classes; where it has none at all, they are made from the names of its prims.
    """
    return partial(_render, config)


def parse_scene_render(arguments: Sequence[str]) -> Action:
    """Return the work that the arguments behind ``graspd render`` ask for."""
    import tyro

    render_scene.__annotations__["config"] = Annotated[SceneRenderConfig, tyro.conf.arg(name="")]
    long = [_SHORT_FORMS.get(argument.partition("=")[0], argument) for argument in arguments]
    return tyro.cli(render_scene, prog="graspd render", args=long)


def is_scene_render(arguments: Sequence[str]) -> bool:
    """Tell whether a command line asks for a scene's images rather than for a stage of a dataset."""
    return list(arguments[:1]) == ["render"] and any(a == "--scene" or a.startswith("--scene=") for a in arguments)


def _render(config: SceneRenderConfig, console: Console) -> None:
    begin = time.perf_counter()
    render = replace(config.render, annotators=LABEL_ANNOTATORS) if config.labels_only else config.render
    stage, backend = open_stage(config.scene), load_backend(config.backend)
    labelled = label_by_name(stage)
    rigs = scene_rigs(stage, config.camera, render.seed)
    console.print(f"scene {config.scene} · renderer {backend.choose_renderer(render)[0]}", soft_wrap=True, markup=False)
    if labelled:
        console.print(f"no semantic labels: {labelled} prims labelled by their names", style="dim")
    for kind, count in undrawn_kinds(stage).items():
        console.print(f"not drawn: {count} of type {kind}", style="yellow")
    with writing_to(config.out, resumes=False):
        count = asyncio.run(write_scene_images(backend, stage, rigs, render, config.out))
    console.print(
        f"{count} images of {len(rigs)} views in {time.perf_counter() - begin:.1f} s: {config.out}", soft_wrap=True
    )
