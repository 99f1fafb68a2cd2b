# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Views written on threads while the next ones are rendered."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

from omni_graspd.rendering.frame import Frame
from omni_graspd.rendering.view_folder import write_view


class ViewWriter:
    """Encodes and writes views off the main thread; one view more than there are threads may be on its way.

    An asynchronous context: leaving it well waits until all is written. Leaving it on an error or on Ctrl-C drops the
    views no thread has begun and lets the others end, so that no thread outlives the block. Each view is written by one
    thread, all or nothing, hence files and bytes do not depend on the number of threads.

    Args:
        threads: Number of threads, 1 or more.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="view_writer")
        self._under_way: deque[Future[None]] = deque()

    async def __aenter__(self) -> ViewWriter:
        return self

    async def write(self, eyes: Sequence[Frame], folder: Path) -> None:
        """Hand over a view; waits as long as too many are on their way, without blocking the event loop.

        Args:
            eyes: The view's frames, in the order of its cameras; they must not be changed any more.
            folder: The view's folder.

        Raises:
            OSError: If an earlier view could not be written.
        """
        for future in [future for future in self._under_way if future.done()]:
            self._under_way.remove(future)
            future.result()
        while len(self._under_way) > self._threads:
            await asyncio.wrap_future(self._under_way.popleft())
        self._under_way.append(self._pool.submit(write_view, eyes, folder))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            while kind is None and self._under_way:
                await asyncio.wrap_future(self._under_way.popleft())
        finally:
            self._pool.shutdown(wait=True, cancel_futures=True)
