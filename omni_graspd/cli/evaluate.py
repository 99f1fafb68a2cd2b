# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The commands ``graspd evaluate`` and ``graspd report``."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from omni_graspd.cli.console import Action, duration, progress_bar
from omni_graspd.dataset.config import ExecutorName
from omni_graspd.dataset.evaluation.evaluate_dataset import evaluate_dataset
from omni_graspd.dataset.evaluation.evaluation_chunk import EvaluationSettings
from omni_graspd.inspection.report import ReportConfig, write_report
from omni_graspd.plural import counted
from omni_graspd.quiet_warp import start_warp

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions:
    """Which metrics to add, and on what."""

    device: str = "cpu"
    """Device that computes distances: cpu or cuda:0."""
    workers: int = 0
    """Worker processes; 0: one per core."""
    executor: ExecutorName = "local"
    """Where the work runs: on this machine, or on a Ray cluster that can access the dataset folder. The results are the
    same."""
    address: str = ""
    """Address of the Ray cluster, as for ray.init. Default: the one in RAY_ADDRESS, otherwise a new one on this
    machine."""
    settings: EvaluationSettings = field(default_factory=EvaluationSettings)
    """Metrics."""


def evaluate(
    path: Annotated[Path, tyro.conf.Positional],
    options: Annotated[EvaluateOptions, tyro.conf.arg(name="")],
) -> Action:
    """Add metrics to the grasps of a dataset, made with graspd or imported with graspd convert.

    Measures contact area, epsilon and volume at several contact thresholds, intersection volume, self-penetration,
    joint limits and, in PhysX, whether the object stays in the hand. Existing columns are kept; a run that was stopped
    resumes with the same command. All grasps are measured: a column says something of each row.

    Args:
        path: Dataset folder.
        options: What to measure.
    """
    return partial(_evaluate, path, options)


def report(
    path: Annotated[list[Path], tyro.conf.Positional],
    options: Annotated[ReportConfig, tyro.conf.arg(name="")],
) -> Action:
    """Write a page on the quality of one or more evaluated datasets, with pictures and tables.

    Args:
        path: Dataset folders; the report is about the first, the others are for comparison.
        options: What to show.
    """
    return partial(_report, path, options)


def _evaluate(path: Path, options: EvaluateOptions, console: Console) -> None:
    begin = time.perf_counter()
    with progress_bar(console, "evaluate", "grasp") as progress:
        count = evaluate_dataset(
            path,
            options.settings,
            device=options.device,
            workers=options.workers or None,
            start_worker=start_warp,
            executor=options.executor,
            address=options.address,
            progress=progress,
            tell=lambda line: console.print(line, style="dim", soft_wrap=True),
        )
    if not count:
        console.print("nothing to measure: all columns exist already")
        return
    console.print(
        f"{counted(count, 'grasp')} in {duration(time.perf_counter() - begin)}; next: graspd report {path}",
        soft_wrap=True,
        markup=False,
    )


def _report(paths: list[Path], options: ReportConfig, console: Console) -> None:
    with progress_bar(console, "report", "picture") as progress:
        page = write_report(paths, options, progress)
    console.print(f"report: {page}", soft_wrap=True, markup=False)
