# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Doing one shard, here or in a worker that has got the run from elsewhere."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable, Coroutine
from typing import Any

from omni_graspd.dataset.place_stage import place_shard
from omni_graspd.dataset.render_stage import render_shard
from omni_graspd.dataset.run import Run
from omni_graspd.dataset.settle_stage import settle_shard
from omni_graspd.dataset.shards import Shard, ShardClock, ShardReport
from omni_graspd.dataset.synthesize_stage import synthesize_shard
from omni_graspd.progress import Progress, no_progress

_WORK: dict[str, Callable[[Run, Shard, Progress, int | None], Coroutine[Any, Any, None]]] = {
    "settle": settle_shard,
    "synthesize": synthesize_shard,
    "place": place_shard,
    "render": render_shard,
}
_worker_runs: list[Run] = []
"""The run of a worker process, once it has begun."""


async def do_shard(run: Run, shard: Shard, progress: Progress = no_progress, threads: int | None = None) -> ShardReport:
    """Do a shard; what it wrote before, it does not write again.

    Args:
        run: The run.
        shard: The shard.
        progress: Called with what is done of it and in total, in units of the stage.
        threads: CPU threads; by default one per core.

    Raises:
        GraspdError: If it cannot be done.
    """
    clock = ShardClock(shard)
    await _WORK[shard.stage](run, shard, progress, threads)
    return clock.report()


def start_worker(packed: bytes) -> None:
    """Unpack the run that a worker process belongs to."""
    from omni_graspd.quiet_warp import start_warp

    start_warp()
    _worker_runs.append(pickle.loads(packed))


def do_shard_in_worker(shard: Shard) -> ShardReport:
    """Do a shard of the worker's run on one thread: the other cores have workers of their own."""
    return asyncio.run(do_shard(_worker_runs[0], shard, threads=1))
