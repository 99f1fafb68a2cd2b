# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The commands ``graspd evaluate`` and ``graspd report``."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from omni_graspd.cli.console import duration, progress_bar
from omni_graspd.dataset.evaluation.evaluate_dataset import evaluate_dataset
from omni_graspd.dataset.evaluation.evaluation_chunk import EvaluationSettings
from omni_graspd.inspection.report import ReportConfig, write_report
from omni_graspd.quiet_warp import start_warp

if TYPE_CHECKING:
    from rich.console import Console

Action = Callable[..., None]
"""Work that is done once the arguments are read; prints to the console it is given."""


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions:
    """Which metrics to add, and on what."""

    device: str = "cpu"
    """Warp device of the distances."""
    workers: int = 0
    """Processes that measure; 0: one for each core."""
    settings: EvaluationSettings = field(default_factory=EvaluationSettings)
    """Metrics."""


def evaluate(path: Path, options: EvaluateOptions) -> Action:
    """Add metrics to the grasps of a dataset, one that was imported with graspd convert, too.

    Contact area, epsilon and volume at thresholds of 1 to 9 mm, intersection volume, self-penetration, joint limits,
    and what the object does in the hold test. With --lift, also whether the hand lifts the object off its table
    (--lift-protocol dexgraspbench, dexgraspbench_hard, dexgraspnet2 or ours; --lift-noise N adds a score of N lifts
    with errors). Columns that are there stay; stopped, the same command goes on.

    Args:
        path: Dataset folder.
        options: What to measure.
    """
    return partial(_evaluate, path, options)


def report(path: list[Path], options: ReportConfig) -> Action:
    """Write a page on the quality of one or more evaluated datasets, with its pictures and tables beside it.

    Args:
        path: Dataset folders; the first is the one the report is about, the others are compared with it.
        options: What to show.
    """
    return partial(_report, path, options)


def parse_evaluate(arguments: Sequence[str]) -> Action:
    """Return the work that the arguments behind ``graspd evaluate`` ask for."""
    import tyro

    evaluate.__annotations__ |= {"path": tyro.conf.Positional[Path], "options": _flat(EvaluateOptions)}
    evaluate.__defaults__ = (EvaluateOptions(),)
    return tyro.cli(evaluate, prog="graspd evaluate", args=_without_settings(arguments))


def parse_report(arguments: Sequence[str]) -> Action:
    """Return the work that the arguments behind ``graspd report`` ask for."""
    import tyro

    report.__annotations__ |= {"path": tyro.conf.Positional[list[Path]], "options": _flat(ReportConfig)}
    report.__defaults__ = (ReportConfig(),)
    return tyro.cli(report, prog="graspd report", args=list(arguments))


def _flat(config: type) -> object:
    import tyro

    return Annotated[config, tyro.conf.arg(name="")]


_SHORT_FORMS = {
    "--thresholds": "--settings.thresholds",
    "--hold-test": "--settings.hold-test",
    "--no-hold-test": "--settings.no-hold-test",
    "--lift": "--settings.lift-test",
    "--no-lift": "--settings.no-lift-test",
    "--lift-protocol": "--settings.lift-protocol",
    "--lift-noise": "--settings.lift-noise",
}


def _without_settings(arguments: Sequence[str]) -> list[str]:
    """Let the usual settings do without the name of their group."""
    return [_long_form(argument) for argument in arguments]


def _long_form(argument: str) -> str:
    name, equals, value = argument.partition("=")
    return f"{_SHORT_FORMS.get(name, name)}{equals}{value}"


def _evaluate(path: Path, options: EvaluateOptions, console: Console) -> None:
    begin = time.perf_counter()
    with progress_bar(console, "evaluate", "grasps") as progress:
        count = evaluate_dataset(
            path,
            options.settings,
            device=options.device,
            workers=options.workers or None,
            start_worker=start_warp,
            progress=progress,
        )
    if not count:
        console.print("nothing to measure: all columns are there")
        return
    console.print(
        f"{count} grasps in {duration(time.perf_counter() - begin)}; next: graspd report {path}",
        soft_wrap=True,
        markup=False,
    )


def _report(paths: list[Path], options: ReportConfig, console: Console) -> None:
    with progress_bar(console, "report", "pictures") as progress:
        page = write_report(paths, options, progress)
    console.print(f"report: {page}", soft_wrap=True, markup=False)
