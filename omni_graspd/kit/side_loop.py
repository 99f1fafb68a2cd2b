# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A thread with an event loop of its own, for what computes long between two awaits: Kit's loop never waits for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from omni_graspd.errors import GraspdError

_Result = TypeVar("_Result")


async def on_side_loop(work: Callable[[], Coroutine[Any, Any, _Result]]) -> _Result:
    """Run a coroutine in a thread of its own and wait for its result; cancelled, it ends at its next await.

    Args:
        work: Makes the coroutine, in that thread.

    Raises:
        GraspdError: If something else than the caller cancelled the coroutine.
    """
    thread = _SideThread(work)
    try:
        return await thread.done(asyncio.get_running_loop())
    except asyncio.CancelledError:
        thread.cancel()
        raise


class _SideThread:
    """A thread that runs one coroutine on a loop of its own."""

    def __init__(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        self._work, self._cancelled = work, False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task | None = None

    def done(self, main: asyncio.AbstractEventLoop) -> asyncio.Future:
        """Start, and return what is done when the thread is."""
        future: asyncio.Future[Any] = main.create_future()

        def finish(result: Any, error: BaseException | None) -> None:
            if not future.done():
                future.set_exception(error) if error is not None else future.set_result(result)

        def run() -> None:
            result, error = None, None
            try:
                # Not asyncio.run: Kit 110.4 replaces it with one that stops the main loop first, from any thread.
                with asyncio.Runner() as runner:
                    result = runner.run(self._main())
            except asyncio.CancelledError:
                error = GraspdError("stopped")
            except BaseException as raised:
                error = raised
            if not main.is_closed():
                main.call_soon_threadsafe(finish, result, error)

        threading.Thread(target=run, name="omni_graspd", daemon=True).start()
        return future

    async def _main(self) -> Any:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        return None if self._cancelled else await self._work()

    def cancel(self) -> None:
        """Let the coroutine end at its next await."""
        self._cancelled = True
        if self._loop is not None and self._task is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._task.cancel)
