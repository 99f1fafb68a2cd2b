# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""``graspd generate`` inside Kit without a window: a coroutine, progress on stdout, an exit code."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
import time
import traceback
from collections.abc import Callable, Sequence

import carb
import omni.kit.app

from omni_graspd.backend import Backend, load_backend
from omni_graspd.cli.generate_options import parse_generate_options
from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.dataset.stages.pipeline import generate
from omni_graspd.errors import GraspdError
from omni_graspd.progress import Progress

OK, FAILED, MENDABLE, STOPPED = 0, 1, 2, 130
"""Exit codes: done, unexpected error, what the user can mend, stopped; those of ``graspd``."""

PACKAGES = {"tyro": "0.9", "pyarrow": "17", "manifold3d": "3.2", "platformdirs": "4"}
"""What Isaac Sim's Python lacks for a whole run, with the oldest version: options, tables, solids, folders."""

_FROM_EXTENSION = ("scipy", "trimesh")
"""What comes with Isaac Sim's extension omni.pip.compute, which a lean application may leave out."""

_running: set[asyncio.Task[int]] = set()
"""Runs under way: a loop alone does not keep its tasks alive."""

_NEEDED_BY_TYRO = ("docstring-parser", "typeguard", "typing-extensions")

_INTERVAL = 2.0
"""Time between two lines of progress of a stage [s]."""


def start(arguments: Sequence[str] | None = None) -> asyncio.Task[int]:
    """Begin a run on Kit's loop and return at once; Kit quits with its exit code when it is over.

    Args:
        arguments: Options of ``graspd generate``; ``None``: those behind the script's name in ``sys.argv``.
    """
    task = asyncio.ensure_future(_run_and_quit(list(sys.argv[1:] if arguments is None else arguments)))
    _running.add(task)
    task.add_done_callback(_running.discard)
    return task


def stop_runs() -> None:
    """Cancel the runs that :func:`start` began; each goes on when it is started again with the same options."""
    for task in list(_running):
        task.cancel()


async def run(arguments: Sequence[str], backend: Backend | None = None) -> int:
    """Make a dataset as ``graspd generate`` does, or finish one that was begun with the same options.

    Errors are one line on stderr and in Kit's log. What was unexpected is in the log with its traceback.

    Args:
        arguments: Options of ``graspd generate``.
        backend: What simulates and renders; ``None``: Kit's PhysX and Replicator.

    Returns:
        The exit code.
    """
    try:
        _require_packages()
        config = parse_generate_options(arguments, prog="generate.py")
        backend = backend or _kit_backend(config)
        await generate(config, _reporter, backend)
    except GraspdError as error:
        return _fail(str(error), MENDABLE)
    except ModuleNotFoundError as error:
        return _fail(f"Kit's Python lacks the package {error.name}; {_remedy(error.name or '')}", MENDABLE)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else FAILED
    except asyncio.CancelledError:
        return _fail("stopped; run again with the same options to resume", STOPPED)
    except Exception as error:
        carb.log_error(traceback.format_exc())
        return _fail(f"{type(error).__name__}: {error}; run again with the same options to resume", FAILED)
    _say(f"dataset: {config.out.resolve()}")
    return OK


async def _run_and_quit(arguments: Sequence[str]) -> int:
    code = FAILED
    try:
        code = await run(arguments)
    finally:
        omni.kit.app.get_app().post_quit(code)
    return code


def _kit_backend(config: GenerateConfig) -> Backend:
    if config.backend not in ("auto", "kit"):
        raise GraspdError(
            f"expected backend kit inside Kit, got {config.backend!r}; drop --backend, or run graspd outside Kit"
        )
    return load_backend("kit")


def _require_packages() -> None:
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise GraspdError(
            f"Kit's Python needs the packages {', '.join(PACKAGES)} and has no {' and no '.join(missing)}; "
            f"{_remedy(*missing)}"
        )


def _remedy(*names: str) -> str:
    if set(names) <= set(_FROM_EXTENSION):
        return "start Kit with --enable omni.pip.compute, the extension of Isaac Sim that has it"
    wanted = [f"'{name}>={PACKAGES[name]}'" if name in PACKAGES else name for name in names]
    if "tyro" in names:
        wanted += _NEEDED_BY_TYRO
    # Without dependencies, since pip need not see the numpy that Isaac Sim brings and would add another.
    return f"in Isaac Sim's folder, run ./python.sh -m pip install --no-deps {' '.join(wanted)}; see docs/isaac_sim.md"


def _reporter(stage: str) -> Progress:
    """Return a stage's progress callback, which writes a line every two seconds and one at the end."""
    begin = time.monotonic()
    written = begin
    finished = False

    def report(done: int, total: int) -> None:
        nonlocal written, finished
        now = time.monotonic()
        is_end = done >= total > 0
        if finished or not (is_end or now - written >= _INTERVAL):
            return
        written, finished = now, is_end
        _say(f"{stage}: {done} of {total}, {now - begin:.1f} s")

    return report


def _fail(problem: str, code: int) -> int:
    problem = " ".join(problem.split())  # messages of bindings have many lines
    carb.log_error(f"omni_graspd: {problem}")
    _write(sys.stderr.write, f"error: {problem}")
    return code


def _say(line: str) -> None:
    carb.log_info(f"omni_graspd: {line}")
    _write(sys.stdout.write, line)


def _write(write: Callable[[str], object], line: str) -> None:
    write(f"{line}\n")
    sys.stdout.flush()
