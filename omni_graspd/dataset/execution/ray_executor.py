# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Shards on a Ray cluster. Ray schedules, retries what lost workers had begun, and knows which node has what."""

from __future__ import annotations

import asyncio
import os
import pickle
from collections.abc import AsyncIterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from omni_graspd.dataset.execution.ray_driver import RayTask, ray_driver
from omni_graspd.dataset.execution.shard_work import ShardWork, do_shard
from omni_graspd.dataset.execution.shards import Shard, ShardReport
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.errors import GraspdError

if TYPE_CHECKING:
    from omni_graspd.dataset.run import Run


async def run_on_ray(run: Run, shards: Sequence[Shard], work: ShardWork) -> AsyncIterator[ShardReport]:
    """Do shards as Ray tasks and yield what each took, in the order in which they end.

    Every node needs this package and the dataset folder under the same path.

    Args:
        run: An open run; its configuration names the cluster.
        shards: What is missing.
        work: The stage's work.

    Raises:
        GraspdError: If Ray is not installed, there is no such cluster, a node does not see the dataset folder, or a
            shard cannot be done.
    """
    tasks = [_task(run, shard) for shard in shards]
    with ray_driver() as driver:
        await asyncio.wrap_future(driver.connect(run.config.address, run.config.workers))
        await asyncio.wrap_future(driver.submit(_do_shard, tasks, pickle.dumps((run, work))))
        for _ in tasks:
            _, report = await asyncio.wrap_future(driver.next())
            yield report
        await asyncio.wrap_future(driver.disconnect())


def _task(run: Run, shard: Shard) -> RayTask:
    """Return a shard as a task: a core for grasps and drops, a GPU for grasps where they are, a node for images."""
    return RayTask(
        name=f"{shard.stage} {shard.object}",
        arguments=(shard,),
        gpus=int(shard.stage == "synthesize" and run.device != "cpu"),
        fills_node=shard.stage == "render",
    )


def _do_shard(packed: list[Any], shard: Shard) -> ShardReport:
    run, work = _unpacked(packed[0])
    require_shared(run.layout)
    return asyncio.run(do_shard(run, shard, work, threads=1))


def require_shared(layout: DatasetLayout) -> None:
    """Check on a node that it sees the dataset.

    Raises:
        GraspdError: If it does not.
    """
    if not layout.manifest.is_file():
        raise GraspdError(
            f"the dataset folder {layout.root} does not exist on the Ray node {os.uname().nodename}; choose a folder "
            "that all nodes share"
        )


@lru_cache(maxsize=1)
def _unpacked(packed: Any) -> tuple[Run, ShardWork]:
    import ray

    from omni_graspd.quiet_warp import start_warp

    start_warp()
    return pickle.loads(ray.get(packed))
