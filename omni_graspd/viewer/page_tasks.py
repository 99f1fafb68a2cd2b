# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What a page does when something is pressed: one long task at a time, and errors as a line in the page."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from omni_graspd.errors import GraspdError

Work = Callable[[Any], Coroutine[Any, Any, None] | None]


class PageTasks:
    """All work of a page runs on the server's event loop, so that nothing of it needs a lock."""

    def __init__(self, say: Callable[[str, bool], None]) -> None:
        """Begin with nothing under way.

        Args:
            say: Shows a line; told whether it is an error.
        """
        self._say = say
        self._long: asyncio.Task[None] | None = None

    def callback(self, work: Work, *, from_server: bool = False) -> Callable[[Any], Coroutine[Any, Any, None]]:
        """Return what viser calls on an event: the work, with its errors told.

        Args:
            work: Is given the event; a coroutine is waited for.
            from_server: Whether to work, too, when the program itself has set the value.
        """

        async def called(event: Any) -> None:
            if getattr(event, "client_id", 0) is None and not from_server:
                return
            await self._guarded(work, event)

        return called

    def long_callback(self, work: Work) -> Callable[[Any], Coroutine[Any, Any, None]]:
        """Return what viser calls for work that takes long: it ends what is under way first."""

        async def called(event: Any) -> None:
            await self.stop()
            self._long = asyncio.ensure_future(self._guarded(work, event))

        return called

    async def stop(self) -> None:
        """End the long task that is under way, if one is."""
        if self._long is not None and not self._long.done():
            self._long.cancel()
            await asyncio.gather(self._long, return_exceptions=True)
        self._long = None

    async def _guarded(self, work: Work, event: Any) -> None:
        try:
            result = work(event)
            if result is not None:
                await result
        except GraspdError as error:
            self._say(str(error), True)
        except OSError as error:
            self._say(f"cannot read or write a file: {error}; fix that and try again", True)
