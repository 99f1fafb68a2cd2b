# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What a panel's buttons start: one coroutine at a time, cancellable, its errors said in the panel."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import carb

from omni_graspd.errors import GraspdError


class PanelTasks:
    """Runs one piece of work of the panel on Kit's loop."""

    def __init__(self, say: Callable[[str, bool], None]) -> None:
        """Begin with nothing to do.

        Args:
            say: Shows one line; the second argument tells whether it is an error.
        """
        self.say = say
        self._task: asyncio.Task[None] | None = None
        self._told: list[Callable[[bool], None]] = []

    def on_busy(self, told: Callable[[bool], None]) -> None:
        """Have something called with True when long work begins, and with False when none runs any more."""
        self._told.append(told)

    def _tell(self, is_busy: bool) -> None:
        for told in self._told:
            told(is_busy)

    @property
    def is_busy(self) -> bool:
        """Whether something runs."""
        return self._task is not None and not self._task.done()

    def start(self, work: Coroutine[Any, Any, str | None], what: str, *, is_short: bool = False) -> None:
        """Start work, in place of what runs.

        Args:
            work: The coroutine; where it returns a line, that is said when it is done.
            what: What it does, for the line.
            is_short: Whether it is over so soon that buttons need not rest meanwhile.
        """
        before = self._task if self.is_busy else None
        if before is not None:
            before.cancel()
        self._task = asyncio.ensure_future(self._run(work, what, before))
        # Also of a task that is cancelled before it begins.
        self._task.add_done_callback(lambda task: self._tell(False) if task is self._task else None)
        self._tell(not is_short)

    async def _run(self, work: Coroutine[Any, Any, str | None], what: str, before: asyncio.Task[None] | None) -> None:
        try:
            if before is not None:
                await asyncio.wait([before])
            self.say(f"{what} ...", False)
            self.say(await work or f"{what}: done", False)
        except asyncio.CancelledError:
            work.close()
            self.say(f"{what}: stopped", False)
            raise
        except GraspdError as error:
            self.say(str(error), True)
        except Exception as error:
            carb.log_error(f"omni_graspd: {what}: {error!r}")
            self.say(f"{what} failed: {error!r}; see the console for details", True)

    def attempt(self, work: Callable[[], Any]) -> None:
        """Do something short at once; its errors are said."""
        try:
            work()
        except GraspdError as error:
            self.say(str(error), True)

    def cancel(self) -> None:
        """Stop what runs."""
        if self.is_busy and self._task is not None:
            self._task.cancel()

    async def finished(self) -> None:
        """Wait until nothing runs."""
        if self._task is not None:
            await asyncio.wait([self._task])
