# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The whole line: scenes, grasps, grasps in scenes, images."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from omni_graspd.backend import Backend
from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.dataset.run import Run, open_run
from omni_graspd.dataset.stages.place_stage import place_stage
from omni_graspd.dataset.stages.render_stage import render_stage
from omni_graspd.dataset.stages.settle_stage import settle_stage
from omni_graspd.dataset.stages.synthesize_stage import synthesize_stage
from omni_graspd.progress import Progress, no_progress

STAGES: dict[str, Callable[[Run, Progress], Coroutine[Any, Any, None]]] = {
    "settle": settle_stage,
    "synthesize": synthesize_stage,
    "place": place_stage,
    "render": render_stage,
}
"""The stages by name, in order. Each goes on where it was stopped and needs what those before it wrote."""

STAGE_UNITS = {"settle": "scene", "synthesize": "grasp", "place": "scene", "render": "image"}
"""What each stage counts."""


async def generate(
    config: GenerateConfig,
    progress: Callable[[str], Progress] = lambda _: no_progress,
    backend: Backend | None = None,
) -> None:
    """Make a dataset, or finish one that was begun with the same settings.

    Args:
        config: What to make and where to.
        progress: Returns the progress callback of a stage, by the stage's name.
        backend: What simulates and renders; ``None`` loads the one that the settings name.

    Raises:
        GraspdError: If the settings, a hand, an object or the dataset folder cannot be used.
    """
    with open_run(config, backend) as run:
        for name, stage in STAGES.items():
            await stage(run, progress(name))
