# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The command ``graspd generate`` and its stages."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from omni_graspd.cli.console import Action, duration, first_names, progress_bar
from omni_graspd.cli.generate_options import RunOptions
from omni_graspd.cli.grasp_table import grasp_table
from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.dataset.forecast import forecast
from omni_graspd.dataset.labels.label_dataset import label_stage
from omni_graspd.dataset.run import Run, open_run, run_names
from omni_graspd.dataset.stages.pipeline import STAGE_UNITS, STAGES
from omni_graspd.dataset.stages.settle_stage import missing_scene_count, scenes_lacking_views
from omni_graspd.dataset.stages.shown_grasps import scenes_without_hand
from omni_graspd.inspection.overview import write_overview
from omni_graspd.inspection.summary import summarize_dataset
from omni_graspd.plural import counted

if TYPE_CHECKING:
    from rich.console import Console

_STAGES = STAGES | {"labels": label_stage, "overview": write_overview}
_SYNTHESIZE = ("settle", "synthesize", "place")
_RENDER = ("render", "labels", "overview")
_UNITS = STAGE_UNITS | {"labels": "view", "overview": "picture"}


def generate(config: GenerateConfig, options: RunOptions) -> Action:
    """Make a whole dataset: scenes, grasps, images, and overview.png.

    If a run is stopped, the same command resumes it; with more grasps, scenes, views, hands or objects than before, it
    makes only the new ones.
    """
    return _run(config, options, tuple(_STAGES))


def synthesize(config: GenerateConfig, options: RunOptions) -> Action:
    """Find grasps of the objects as they lie in their scenes, and place them there.

    Takes the options of generate; what is not given is as the dataset in --out has it.
    Grasps depend on how the objects lie, so missing scenes are settled first.
    """
    return _run(config, options, _SYNTHESIZE)


def settle(config: GenerateConfig, options: RunOptions) -> Action:
    """Drop objects on tables and write the scenes: the first stage of generate.

    Takes the options of generate; what is not given is as the dataset in --out has it, if there is one.
    """
    return _run(config, options, ("settle",))


def render(config: GenerateConfig, options: RunOptions) -> Action:
    """Render the views of all scenes: the last stage of generate; what is not given is as the dataset in --out has it.

    To render any USD scene instead, use graspd render --scene FILE; for its options, add --help.
    """
    return _run(config, options, _RENDER)


def _run(config: GenerateConfig, options: RunOptions, stages: Sequence[str]) -> Action:
    if options.dry_run:
        return partial(_show_forecast, config, stages)
    left_out = {name for name in ("overview", "labels") if not getattr(options, name)}
    return partial(run_stages, config, [stage for stage in stages if stage not in left_out])


def _show_forecast(config: GenerateConfig, stages: Sequence[str], console: Console) -> None:
    hands, objects = run_names(config)
    console.print(
        f"hand {', '.join(hands)} · object {', '.join(objects)} · out {config.out}", soft_wrap=True, markup=False
    )
    for entry in forecast(config, hands, objects):
        if entry.stage not in stages:
            continue
        if entry.missing is None:
            unit = f"{counted(config.grasps, 'grasp')} for each hand, object and rest pose"
            later = "the rest poses are known once objects have been dropped"
            console.print(f"{entry.stage:<10} {unit}; {later}", soft_wrap=True)
            continue
        parts = [f"{counted(entry.missing, STAGE_UNITS[entry.stage])} of {entry.total}"]
        if entry.missing and entry.shards:
            parts.append(counted(entry.shards, "shard"))
        if entry.missing and entry.cpu_seconds is not None:
            parts.append(f"{duration(entry.cpu_seconds)} of processor time as before")
        if entry.missing and entry.size is not None:
            parts.append(f"{entry.size / 1e6:.1f} MB")
        console.print(f"{entry.stage:<10} {' · '.join(parts)}", soft_wrap=True)


def run_stages(config: GenerateConfig, stages: Sequence[str], console: Console) -> None:
    """Run stages of a dataset and print what came of them.

    Args:
        config: What to make.
        stages: Names of the stages, in their order.
        console: Where to print.

    Raises:
        GraspdError: If a setting or an input is wrong, or a stage fails.
    """
    times = {}
    with open_run(config) as run:
        console.print(_headline(run), soft_wrap=True, markup=False)
        for obj in run.objects:
            for note in obj.notes:
                console.print(f"{obj.name}: {note}", style="dim", soft_wrap=True, markup=False)
        if tuple(stages) == _SYNTHESIZE and (missing := missing_scene_count(run)):
            verb = "is" if missing == 1 else "are"
            console.print(f"{counted(missing, 'scene')} {verb} missing, so the objects are dropped first", style="dim")
        if "settle" not in stages and (lacking := scenes_lacking_views(run)):
            console.print(f"{counted(lacking, 'scene')} without all views, so cameras are added first", style="dim")
            stages = ("settle", *stages)
        for stage in stages:
            begin = time.perf_counter()
            with progress_bar(console, stage, _UNITS[stage]) as progress:
                asyncio.run(_STAGES[stage](run, progress))
            times[stage] = time.perf_counter() - begin
        if run.config.shown_grasp != "none" and "render" in stages and (bare := scenes_without_hand(run)):
            console.print(
                f"no hand shown where no grasp is usable: {first_names(bare)}",
                style="yellow",
                soft_wrap=True,
                markup=False,
            )
        summary = summarize_dataset(run.layout.root)
    console.print(grasp_table(summary))
    console.print(" · ".join(f"{stage} {duration(seconds)}" for stage, seconds in times.items()), soft_wrap=True)
    if run.layout.overview.is_file():
        console.print(f"overview: {run.layout.overview}", soft_wrap=True)


def _headline(run: Run) -> str:
    hands = ", ".join(hand.name for hand in run.hands)
    objects = ", ".join(obj.name for obj in run.objects)
    renderer, reason = run.renderer
    return (
        f"hand {hands} · object {objects} · backend {run.backend.name} · device {run.device} · "
        f"renderer {renderer} ({reason}) · out {run.remote.shown_address if run.remote else run.layout.root}"
    )
