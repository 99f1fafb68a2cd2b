# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Shards on a Ray cluster. Ray schedules, retries what lost workers had begun, and knows which node has what."""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from omni_graspd.dataset.execution.shard_work import ShardWork, do_shard
from omni_graspd.dataset.execution.shards import Shard, ShardReport
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.errors import GraspdError
from omni_graspd.interrupts import own_sigterm

if TYPE_CHECKING:
    from omni_graspd.dataset.run import Run

RETRIES = 10
"""How often a piece of work is begun again whose worker or node was lost."""


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
    with ray_cluster(run.config.address, run.config.workers) as ray:
        packed = ray.put(pickle.dumps(run))
        tasks = [_submit(ray, run, packed, work, shard) for shard in shards]
        try:
            for future in asyncio.as_completed([asyncio.wrap_future(task.future()) for task in tasks]):
                yield await _result(ray, future)
        finally:
            # Asking a connection that is gone would make a new one and hide why it is gone.
            if ray.is_initialized():
                for task in tasks:
                    ray.cancel(task, force=True)


@contextmanager
def ray_cluster(address: str, workers: int) -> Iterator[Any]:
    """Yield Ray, connected; a cluster that was there before stays.

    Args:
        address: Of the cluster; empty for the one in ``RAY_ADDRESS``, otherwise a new one on this machine.
        workers: Cores of a new one; 0: all.

    Raises:
        GraspdError: If Ray is not installed, or the cluster cannot be reached.
    """
    if find_spec("ray") is None:
        raise GraspdError(
            "--executor ray needs Ray; install it with `pip install 'omni-graspd[ray]'`, or drop --executor"
        )
    import ray

    if ray.is_initialized():
        yield ray
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # or Ray prints a tip on it
    wanted = address or os.environ.get("RAY_ADDRESS")
    options: dict[str, Any] = {"num_cpus": workers or os.cpu_count(), "include_dashboard": False}
    if wanted:
        options = {"address": wanted}
    try:
        with own_sigterm():
            ray.init(**options, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise GraspdError(
            f"cannot reach a Ray cluster at {wanted or 'this machine'}: {reason}; start one with `ray start --head`, "
            "or drop --address to run one on this machine"
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _submit(ray: Any, run: Run, packed: Any, work: ShardWork, shard: Shard) -> Any:
    """Submit a shard: one core for grasps and drops, a GPU for grasps where they are, a node's cores for images."""
    if shard.stage == "render":
        needs = {"num_cpus": min(node["Resources"].get("CPU", 1) for node in ray.nodes() if node["Alive"])}
    elif shard.stage == "synthesize" and run.device != "cpu":
        needs = {"num_cpus": 1, "num_gpus": 1}
    else:
        needs = {"num_cpus": 1}
    task = ray.remote(_do_shard).options(**needs, max_retries=RETRIES, name=f"{shard.stage} {shard.object}")
    # In a list, so that Ray hands over the reference: each worker unpacks the run once, not once a shard.
    return task.remote([packed], work, shard)


def _do_shard(packed: list[Any], work: ShardWork, shard: Shard) -> ShardReport:
    run = _unpacked(packed[0])
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
def _unpacked(packed: Any) -> Run:
    import ray

    from omni_graspd.quiet_warp import start_warp

    start_warp()
    return pickle.loads(ray.get(packed))


async def _result(ray: Any, future: Any) -> ShardReport:
    with ray_errors(ray):
        return await future


@contextmanager
def ray_errors(ray: Any) -> Iterator[None]:
    """Turn what Ray raises into what the work raised, or into one line on the cluster.

    Raises:
        GraspdError: If a task ended with one, or the cluster lost it.
    """
    try:
        yield
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error
    except ray.exceptions.RayError as error:
        reason = str(error).splitlines()[0]
        raise GraspdError(
            f"the Ray cluster did not finish every shard: {reason}; run the same command again, which resumes where it "
            "stopped"
        ) from error
