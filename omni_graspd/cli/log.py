# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""``--verbose`` and ``--log FILE``, which every command takes: what goes on, beyond what is printed."""

from __future__ import annotations

import logging
import os
import platform
import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from omni_graspd.cli.arguments import take_value
from omni_graspd.errors import GraspdError
from omni_graspd.version import __version__

LOG = logging.getLogger("omni_graspd")
"""Everything that modules log comes together here."""


def take_log_options(arguments: Sequence[str]) -> tuple[Path | None, bool, list[str]]:
    """Take ``--log`` and ``--verbose`` out of the arguments.

    Returns:
        The file, whether to be verbose, and the other arguments.

    Raises:
        GraspdError: If the file is not named.
    """
    file, rest = take_value(arguments, "--log")
    if file == "":
        raise GraspdError("--log needs a file, for example: --log run.log")
    verbose = "--verbose" in rest
    return None if file is None else Path(file), verbose, [argument for argument in rest if argument != "--verbose"]


@contextmanager
def logging_run(file: Path | None, verbose: bool, arguments: Sequence[str]) -> Iterator[None]:
    """Log what goes on in the block: how it was called and where, each piece of work, how it ended.

    Errors are logged with all that Python knows of them, and raised on.

    Args:
        file: File to which is appended; it gets what is printed, too. None: no file.
        verbose: Log to standard error, too.
        arguments: The command line.

    Raises:
        GraspdError: If the file cannot be written.
    """
    handlers = [*_file_handler(file), *_terminal_handler(verbose)]
    if not handlers:
        yield
        return
    before = LOG.level, LOG.propagate
    LOG.setLevel(logging.DEBUG)
    LOG.propagate = False
    for handler in handlers:
        LOG.addHandler(handler)
    begin = time.perf_counter()
    LOG.info("graspd %s", shlex.join(arguments))
    LOG.info("%s in %s", _machine(), Path.cwd())
    try:
        yield
        LOG.info("done after %.1f s", time.perf_counter() - begin)
    except BaseException as error:
        kind = "stopped" if isinstance(error, KeyboardInterrupt) else "ended"
        if not (isinstance(error, SystemExit) and not error.code):
            LOG.info("%s after %.1f s", kind, time.perf_counter() - begin, exc_info=True)
        raise
    finally:
        for handler in handlers:
            LOG.removeHandler(handler)
            handler.close()
        LOG.setLevel(before[0])
        LOG.propagate = before[1]


def _file_handler(file: Path | None) -> Iterator[logging.Handler]:
    if file is None:
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(file, encoding="utf-8")
    except OSError as error:
        raise GraspdError(f"cannot write {file}, given with --log: {error.strerror}; choose another file") from error
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    yield handler


def _terminal_handler(verbose: bool) -> Iterator[logging.Handler]:
    if not verbose:
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(logging.INFO)  # what is printed is there already
    handler.setFormatter(logging.Formatter("%(message)s"))
    yield handler


def _machine() -> str:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"omni_graspd {__version__}, Python {platform.python_version()}, {platform.platform()}, {cores} cores"
