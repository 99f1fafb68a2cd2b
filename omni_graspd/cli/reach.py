# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The command ``graspd reach``."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from omni_graspd.arms.reach_config import ReachConfig
from omni_graspd.arms.reach_line import reach_line
from omni_graspd.cli.console import Action, duration, progress_bar
from omni_graspd.dataset.reach.reach_dataset import reach_dataset
from omni_graspd.dataset.remote_folder import mirrored_dataset
from omni_graspd.plural import counted

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True, kw_only=True)
class ReachOptions:
    """Which arm, and how many processes."""

    arm: str
    """Arm, by name or USD file; see graspd arms."""
    lift: bool = False
    """Also try in PhysX whether the whole robot lifts the object; about a second and a half for each grasp."""
    workers: int = 0
    """Worker processes; 0: one per core if there is enough to do."""


def reach(
    path: Annotated[Path, tyro.conf.Positional],
    options: Annotated[ReachOptions, tyro.conf.arg(name="")],
    config: Annotated[ReachConfig, tyro.conf.arg(name="")],
) -> Action:
    """Find out which usable grasps of a dataset an arm reaches in their scenes, and how its joints move.

    For each scene a table is written, reach/ARM/OBJECT/scene_0000.parquet: whether the arm gets the hand from the
    pregrasp to the lifted object within its joint limits, in one branch and without touching table, objects, itself or
    the hand; its joint positions at each place of the way, or why not. With --lift, whether the whole robot lifts the
    object in PhysX. Tables that are there and still true are kept.

    Args:
        path: Dataset folder, or its address in an object store.
        options: Which arm.
        config: Where it stands, how it holds the hand, and the search.
    """
    return partial(_reach, path, options, config)


def _reach(path: Path, options: ReachOptions, config: ReachConfig, console: Console) -> None:
    begin = time.perf_counter()
    with mirrored_dataset(path) as root, progress_bar(console, "reach", "scene") as progress:
        workers = options.workers or None
        counts = reach_dataset(root, options.arm, config, lift=options.lift, workers=workers, progress=progress)
    console.print(reach_line(counts.reachable, counts.usable), soft_wrap=True)
    for reason, count in sorted(counts.reasons.items(), key=lambda item: -item[1]):
        console.print(f"  {reason}: {count}", soft_wrap=True, markup=False)
    if counts.lifted is not None and counts.reachable:
        of = counted(counts.reachable, "reachable grasp")
        lifted = 100.0 * counts.lifted / counts.reachable
        console.print(f"{counts.lifted} of {of} lifted ({lifted:.0f} %)", soft_wrap=True)
    kept = f", {counts.kept} kept" if counts.kept else ""
    took = duration(time.perf_counter() - begin)
    console.print(f"{counted(counts.written, 'table')} written{kept} in {took}", soft_wrap=True)
