# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Doing one shard, here or in a worker that has got the run from elsewhere."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from omni_graspd.dataset.execution.shards import Shard, ShardClock, ShardReport
from omni_graspd.progress import Progress, no_progress

if TYPE_CHECKING:
    from omni_graspd.dataset.run import Run

ShardWork = Callable[["Run", Shard, Progress, int | None], Coroutine[Any, Any, None]]
"""Does a shard of a run: takes the run, the shard, what is told of the progress, and how many CPU threads to use."""
_worker_runs: list[tuple[Run, ShardWork]] = []
"""The run of a worker process and what it does, once it has begun."""


async def do_shard(
    run: Run, shard: Shard, work: ShardWork, progress: Progress = no_progress, threads: int | None = None
) -> ShardReport:
    """Do a shard; what it wrote before, it does not write again.

    Args:
        run: The run.
        shard: The shard.
        work: The stage's work.
        progress: Called with what is done of it and in total, in units of the stage.
        threads: CPU threads; by default one per core.

    Raises:
        GraspdError: If it cannot be done.
    """
    clock = ShardClock(shard)
    await work(run, shard, progress, threads)
    return clock.report()


def start_worker(packed: bytes) -> None:
    """Unpack the run that a worker process belongs to, and its work."""
    from omni_graspd.quiet_warp import start_warp

    start_warp()
    _worker_runs.append(pickle.loads(packed))


def do_shard_in_worker(shard: Shard) -> ShardReport:
    """Do a shard of the worker's run on one thread: the other cores have workers of their own."""
    run, work = _worker_runs[0]
    return asyncio.run(do_shard(run, shard, work, threads=1))
