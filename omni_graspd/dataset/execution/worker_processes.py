# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Worker processes on this machine that never outlive the process that started them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import wait

from omni_graspd.errors import GraspdError


@contextmanager
def worker_processes(count: int, start: Callable[[], None] | None = None) -> Iterator[ProcessPoolExecutor]:
    """Yield a pool of processes; those that are at work when the block ends by an error are stopped.

    Args:
        count: How many, 1 or more.
        start: Called in each of them first; must be picklable.

    Raises:
        GraspdError: If the system killed one of them.
    """
    # Threads of Warp, PhysX and manifold3d do not survive a fork.
    pool = ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), _begin, (start,))
    try:
        yield pool
        pool.shutdown()
    except BrokenProcessPool as error:
        raise GraspdError(
            "expected worker processes to live until they are done, but one was killed, most often for want of memory; "
            'run the same command again, with fewer --workers; a script needs `if __name__ == "__main__":` around it'
        ) from error
    finally:
        for process in list((pool._processes or {}).values()):
            process.kill()
        pool.shutdown(wait=True, cancel_futures=True)


def _begin(start: Callable[[], None] | None) -> None:
    # Ctrl-C reaches the whole group; the parent says what happened and stops its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    if start is not None:
        start()


def _end_with_the_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
