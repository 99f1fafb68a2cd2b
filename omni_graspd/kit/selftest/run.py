# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The self-test: all steps one after the other on Kit's loop, and the report."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import carb
import omni.kit.app

from omni_graspd.atomic import atomic_path
from omni_graspd.kit.selftest import app_steps, stage_steps
from omni_graspd.kit.selftest.answers import Answers
from omni_graspd.kit.selftest.report import StepResult, report

Step = Callable[[Answers, Path], Awaitable[None]]

STEPS: dict[str, Step] = {
    "symbols": app_steps.symbols,
    "startup": app_steps.startup,
    "panel": app_steps.panel,
    "viewport": app_steps.viewport,
    "addresses": app_steps.addresses,
    "physics": stage_steps.physics,
    "rendering": stage_steps.rendering,
    "writing": stage_steps.writing,
    "generate": app_steps.generate,
}
"""Steps by name, in order: quick ones first."""
_LIMIT = 300.0
"""Longest time of a step [s]; the first run compiles kernels."""
_under_way: set[asyncio.Task[int]] = set()


def start(arguments: Sequence[str] | None = None) -> asyncio.Task[int]:
    """Begin the self-test on Kit's loop and return at once; Kit quits when it is over, with 0 if all is well.

    Args:
        arguments: ``--out FOLDER``; ``None``: those behind the script's name in ``sys.argv``.
    """
    parser = argparse.ArgumentParser(prog="selftest.py", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path.home() / "graspd_selftest", help="folder for report and files")
    folder = parser.parse_args(list(sys.argv[1:] if arguments is None else arguments)).out
    task = asyncio.ensure_future(_run_and_quit(folder.expanduser().resolve()))
    _under_way.add(task)
    task.add_done_callback(_under_way.discard)
    return task


async def _run_and_quit(folder: Path) -> int:
    code = 1
    try:
        results = await selftest(folder)
        path = folder / "report.md"
        with atomic_path(path) as temporary:
            temporary.write_text(report(results), encoding="utf-8")
        sys.stdout.write(f"{report(results)}\nreport: {path}\n")
        sys.stdout.flush()
        code = 0 if all(result.is_good for result in results) else 1
    except Exception:
        carb.log_error(traceback.format_exc())
    finally:
        omni.kit.app.get_app().post_quit(code)
    return code


async def selftest(folder: Path, steps: Sequence[str] = tuple(STEPS)) -> list[StepResult]:
    """Run steps; none keeps the others from running.

    Args:
        folder: Where they write; made if missing. What an earlier self-test left there is used again.
        steps: Their names.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return [await _run_step(name, folder) for name in steps]


async def _run_step(name: str, folder: Path) -> StepResult:
    answers, begin, short, problem = Answers(name), time.monotonic(), "", ""
    sys.stdout.write(f"self-test: {name} ...\n")
    sys.stdout.flush()
    try:
        async with asyncio.timeout(_LIMIT):
            await STEPS[name](answers, folder)
    except Exception as error:
        short, problem = f"{type(error).__name__}: {error}", traceback.format_exc()
        carb.log_error(f"omni_graspd self-test, {name}: {problem}")
    return StepResult(name, time.monotonic() - begin, answers.finish(short), tuple(answers.notes), problem)
