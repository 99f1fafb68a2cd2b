# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Where the shards of a run are done: in this process, in processes beside it, or on a Ray cluster."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING

from omni_graspd.dataset.execution.shard_work import ShardWork, do_shard, do_shard_in_worker, start_worker
from omni_graspd.dataset.execution.shards import WHOLE_SHARD, Shard, ShardReport, note_report
from omni_graspd.progress import Progress

if TYPE_CHECKING:
    from omni_graspd.dataset.run import Run

_PAYING_SHARDS = 4
"""Whole shards per process from which on it pays to start processes by itself."""

_SEND_SECONDS = 10.0
"""How often what is new goes to an object store."""

_LOG = logging.getLogger(__name__)

Watch = Callable[[Shard], Progress]
"""Returns the progress callback of a shard, for what is done in this process."""


async def run_shards(run: Run, shards: Sequence[Shard], work: ShardWork, watch: Watch) -> AsyncIterator[ShardReport]:
    """Do shards and yield what each took, in the order in which they end.

    Args:
        run: An open run; its configuration names the executor.
        shards: What is missing.
        work: Does one shard; a function of a module, so that it can be sent to other processes.
        watch: Progress of shards that are done in this process.

    Raises:
        GraspdError: If a shard cannot be done, or a worker is lost.
    """
    if run.config.executor == "ray":
        from omni_graspd.dataset.execution.ray_executor import run_on_ray

        reports = run_on_ray(run, shards, work)
    elif (workers := _worker_count(run, shards)) > 1:
        reports = _run_in_processes(run, shards, work, workers)
    else:
        reports = _run_here(run, shards, work, watch)
    async for report in reports:
        note_report(report, run.layout.shard_reports)
        _LOG.info("%s", report.line)
        run.send(every=_SEND_SECONDS)
        yield report


def _worker_count(run: Run, shards: Sequence[Shard]) -> int:
    """Return how many processes to take; Kit, GPUs and the renderer, which takes all cores, have this one only."""
    alone = run.device != "cpu" or run.backend.name != "standalone" or any(shard.stage == "render" for shard in shards)
    if alone:
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    whole = sum((shard.stop - shard.start) / WHOLE_SHARD[shard.stage] for shard in shards)
    return min(run.config.workers or min(cores, int(whole / _PAYING_SHARDS)), len(shards))


async def _run_here(run: Run, shards: Sequence[Shard], work: ShardWork, watch: Watch) -> AsyncIterator[ShardReport]:
    for shard in shards:
        yield await do_shard(run, shard, work, watch(shard))


async def _run_in_processes(
    run: Run, shards: Sequence[Shard], work: ShardWork, workers: int
) -> AsyncIterator[ShardReport]:
    import pickle
    from functools import partial

    from omni_graspd.dataset.execution.worker_processes import worker_processes

    loop = asyncio.get_running_loop()
    with worker_processes(workers, partial(start_worker, pickle.dumps((run, work)))) as pool:
        futures = [loop.run_in_executor(pool, do_shard_in_worker, shard) for shard in shards]
        try:
            for future in asyncio.as_completed(futures):
                yield await future
        finally:
            for future in futures:
                future.cancel()
