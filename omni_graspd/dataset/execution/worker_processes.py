# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Worker processes on this machine that never outlive the process that started them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import wait
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any

from omni_graspd.errors import GraspdError
from omni_graspd.interrupts import held_interrupts


@contextmanager
def worker_processes(count: int, start: Callable[[], None] | None = None) -> Iterator[ProcessPoolExecutor]:
    """Yield a pool of processes; those that are at work when the block ends by an error are stopped.

    Args:
        count: How many, 1 or more.
        start: Called in each of them first; must be picklable.

    Raises:
        GraspdError: If the system killed one of them.
    """
    if count < 1:
        raise GraspdError(f"expected workers to be 0 or more, got {count}")
    context = _Workers()
    pool = ProcessPoolExecutor(count, context, _begin, (start,))
    try:
        yield pool
        pool.shutdown()
    except BrokenProcessPool as error:
        raise GraspdError(
            "a worker process was killed, most likely because memory ran out; run the same command again with fewer "
            '--workers; a script needs `if __name__ == "__main__":` around its calls'
        ) from error
    finally:
        context.kill()
        pool.shutdown(wait=True, cancel_futures=True)


class _Workers(SpawnContext):
    """Starts the processes of one pool, and knows them; threads of Warp, PhysX and manifold3d do not survive a fork."""

    def __init__(self) -> None:
        super().__init__()
        self._prefix = f"graspd-{uuid.uuid4().hex[:8]}-"
        self._count = 0

    def Process(self, *args: Any, **kwargs: Any) -> SpawnProcess:
        self._count += 1
        return _Worker(*args, **{**kwargs, "name": f"{self._prefix}{self._count}"})

    def kill(self) -> None:
        """Stop those that live; they keep nothing that would have to be put away."""
        for process in multiprocessing.active_children():
            if process.name.startswith(self._prefix):
                process.kill()


class _Worker(SpawnProcess):
    """A process that Ctrl-C does not reach from its first moment on.

    Ctrl-C goes to the whole group: the parent says what happened and stops its workers. A worker that it ended while it
    was still starting would leave the parent writing to nobody, for good.
    """

    def start(self) -> None:
        with held_interrupts():
            super().start()


def _begin(start: Callable[[], None] | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        # The pool stops those that are left of a broken one by SIGTERM.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    if start is not None:
        start()


def _end_with_the_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
