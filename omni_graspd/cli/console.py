# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What all commands share: where they print and how they show progress."""

from __future__ import annotations

import functools
import io
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from omni_graspd.plain_text import printable
from omni_graspd.plural import counted
from omni_graspd.progress import Progress

if TYPE_CHECKING:
    from rich.console import Console

Action = Callable[..., None]
"""Work that is done once the arguments are read; prints to the console it is given."""

_PLAIN_WIDTH = 160
_LOG = logging.getLogger(__name__)


def open_console(*, quiet: bool = False) -> Console:
    """Return where to print: the terminal, or plain text of a fixed width for files and pipes.

    Args:
        quiet: Print nothing; errors go another way. What is not printed is logged all the same.
    """
    settings: dict[str, Any] = {"highlight": False, "markup": False, "emoji": False, "quiet": quiet}
    console = _plain_console()(**settings)
    if not console.is_terminal:
        console = _plain_console()(**settings, width=_PLAIN_WIDTH)
    console.on_broken_pipe = _broken_pipe
    return console


@functools.cache
def _plain_console() -> type[Console]:
    from rich.console import Console
    from rich.text import Text

    class PlainConsole(Console):
        """Prints texts as they are: names and licences of strangers are neither markup nor escape codes."""

        def render_str(self, text: str, **options: Any) -> Text:
            return super().render_str(printable(text), **options)

        def print(self, *objects: Any, **options: Any) -> None:
            super().print(*objects, **options)
            if _LOG.isEnabledFor(logging.DEBUG):
                page = PlainConsole(file=io.StringIO(), width=_PLAIN_WIDTH, highlight=False, markup=False, emoji=False)
                Console.print(page, *objects, **options)
                _LOG.debug("%s", page.file.getvalue().rstrip())  # pyright: ignore[reportAttributeAccessIssue]

    return PlainConsole


def _broken_pipe() -> None:
    """Leave it to the command how it ends when nobody reads what it prints; rich would end it with code 1."""
    raise BrokenPipeError


@contextmanager
def progress_bar(console: Console, stage: str, unit: str) -> Iterator[Progress]:
    """Yield a callback that draws a bar on a terminal, and one line at the end elsewhere.

    Args:
        console: Where to print.
        stage: What is under way.
        unit: What is counted, in the singular.
    """
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn(f"{stage:<10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(f"{unit}s · {{task.fields[rate]}}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    begin = time.perf_counter()
    count = 0
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        task = bars.add_task(stage, total=None, rate="")

        def update(done: int, total: int) -> None:
            nonlocal count
            count = done
            rate = done / max(time.perf_counter() - begin, 1e-9)
            bars.update(task, completed=done, total=total, rate=f"{rate:.2f}/s")

        yield update
    if not console.is_terminal:
        console.print(f"{stage:<10} {counted(count, unit)} in {duration(time.perf_counter() - begin)}")


def first_names(names: Sequence[str], most: int = 8) -> str:
    """Write names in a line: the first ones, and how many more there are."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def duration(seconds: float) -> str:
    """Write a time as people read it: ``4.2 s``, ``3 min 20 s``."""
    if seconds < 60.0:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"
