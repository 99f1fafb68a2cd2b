# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A process of its own that talks to a Ray cluster.

Ray puts handlers of SIGTERM in place while it connects, in Python and below it, and takes them away when it is shut
down; a signal at such a moment ends the process by whatever handler there is. Ctrl-C and SIGTERM are for the process
that starts the driver: it stops the driver, and with it a cluster of its own.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from omni_graspd.dataset.execution.worker_processes import worker_processes
from omni_graspd.errors import GraspdError

_RETRIES = 10
"""How often a piece of work is begun again whose worker or node was lost."""
_KNOCK_SECONDS = 10.0
"""So long a cluster may take to answer at all [s]."""
_waiting: dict[Any, int] = {}
"""In the driver: what Ray has not done yet, and its place among the tasks."""


@dataclass(frozen=True)
class RayTask:
    """A piece of work for the cluster."""

    name: str
    """Name in Ray's own lists."""
    arguments: tuple[Any, ...]
    """What the function is called with."""
    gpus: int = 0
    """GPUs that it takes, beside one core."""
    fills_node: bool = False
    """Whether it takes all cores of a node."""


class RayDriver:
    """What a driver is asked for; it does one thing after the other."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    def connect(self, address: str, workers: int) -> Future[None]:
        """Connect to a cluster; one that was there before stays when the driver ends.

        Args:
            address: Of the cluster; empty for the one that this process uses, or the one in ``RAY_ADDRESS``, otherwise
                a new one on this machine.
            workers: Cores of a new one; 0: all.

        Raises:
            GraspdError: By the future, if the cluster cannot be reached.
        """
        wanted = _used_here() or address or os.environ.get("RAY_ADDRESS", "")
        return self._pool.submit(_connect, wanted, workers or os.cpu_count() or 1)

    def submit(self, function: Callable[..., Any], tasks: Sequence[RayTask], shared: Any = None) -> Future[None]:
        """Give Ray tasks to do.

        Args:
            function: What does a task; of a module, so that it can be sent to other processes.
            tasks: The tasks.
            shared: If given, each call gets a list as first argument, whose only element is Ray's reference to it, so
                that a worker process can get it once for all its tasks.
        """
        return self._pool.submit(_submit, function, tasks, shared)

    def next(self) -> Future[tuple[int, Any]]:
        """Wait for the task that ends next, and return its place among the tasks and its result.

        Raises:
            GraspdError: By the future, if the task ended with one, or the cluster lost it.
        """
        return self._pool.submit(_next)

    def disconnect(self) -> Future[None]:
        """Shut down a cluster that the driver started, and leave any other."""
        return self._pool.submit(_disconnect)


@contextmanager
def ray_driver() -> Iterator[RayDriver]:
    """Yield a driver; if the block ends by an error, it is killed with all that it started.

    Raises:
        GraspdError: If Ray is not installed.
    """
    if find_spec("ray") is None or find_spec("psutil") is None:
        raise GraspdError(
            "--executor ray needs Ray; install it with `pip install 'omni-graspd[ray]'`, or drop --executor"
        )
    with worker_processes(1) as pool:
        driver = pool.submit(os.getpid).result()
        try:
            yield RayDriver(pool)
        except BaseException:
            _kill_tree(driver)
            raise


def _kill_tree(root: int) -> None:
    """Kill a process and all below it; each is stopped first, so that it starts no more while the others are found."""
    import psutil

    found, missing = [], [root]
    while missing:
        with suppress(psutil.Error):
            process = psutil.Process(missing.pop())
            process.suspend()
            found.append(process)
            missing += [child.pid for child in process.children()]
    for process in found:
        with suppress(psutil.Error):
            process.kill()


def _used_here() -> str:
    """Return the address of the cluster to which this process is connected; empty if there is none."""
    ray = sys.modules.get("ray")
    return ray.get_runtime_context().gcs_address if ray is not None and ray.is_initialized() else ""


def _connect(address: str, cores: int) -> None:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # or Ray prints a tip on it
    import ray

    # Without an address, Ray would look for a cluster that somebody has started on this machine.
    new = {"address": "local", "num_cpus": cores, "include_dashboard": False}
    options = {"address": address} if address else new
    try:
        _knock(address)
        ray.init(**options, log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, OverflowError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise GraspdError(
            f"cannot reach a Ray cluster at {address or 'this machine'}: {reason}; start one with `ray start --head`, "
            "or drop --address to run one on this machine"
        ) from error


def _knock(address: str) -> None:
    """Raise OSError if nobody listens at HOST:PORT; Ray would try for minutes. Other addresses are left to Ray."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), _KNOCK_SECONDS).close()


def _disconnect() -> None:
    import ray

    ray.shutdown()


def _submit(function: Callable[..., Any], tasks: Sequence[RayTask], shared: Any) -> None:
    import ray

    first = () if shared is None else ([ray.put(shared)],)
    node = min(node["Resources"].get("CPU", 1) for node in ray.nodes() if node["Alive"])
    remote = ray.remote(function)
    for place, task in enumerate(tasks):
        needs = {"num_cpus": node if task.fills_node else 1} | ({"num_gpus": task.gpus} if task.gpus else {})
        options = remote.options(**needs, max_retries=_RETRIES, name=task.name)
        _waiting[options.remote(*first, *task.arguments)] = place


def _next() -> tuple[int, Any]:
    import ray

    try:
        (done,), _ = ray.wait(list(_waiting), num_returns=1)
        return _waiting.pop(done), ray.get(done)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error
    except ray.exceptions.RayError as error:
        reason = str(error).splitlines()[0]
        raise GraspdError(
            f"the Ray cluster did not finish every shard: {reason}; run the same command again, which resumes where it "
            "stopped"
        ) from error
