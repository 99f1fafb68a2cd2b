# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Jobs of a long benchmark, shared out over processes; one that fails, or takes its process along, stops no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from omni_graspd.dataset.execution.worker_processes import worker_processes
from omni_graspd.quiet_warp import start_warp

_DIED = "its process died"


def run_jobs(function: Callable, jobs: Sequence[tuple], workers: int) -> Iterator[tuple[tuple, Any, str]]:
    """Call a function with the arguments of each job, in processes of their own; yields in the order of completion.

    Args:
        function: Importable by name; arguments and results are pickled.
        jobs: Arguments of each call.
        workers: How many processes.

    Yields:
        The job, what the function returned, and an empty string; or the job, None, and why it failed, in one line.
    """
    if not jobs:
        return
    lost = []
    for job, result, error in _in_a_pool(function, jobs, workers):
        if error == _DIED and len(jobs) > 1:
            lost.append(job)
        else:
            yield job, result, error
    # Nobody knows which of them took the pool along; each gets one to itself.
    for job in lost:
        yield from _in_a_pool(function, [job], 1)


def _in_a_pool(function: Callable, jobs: Sequence[tuple], workers: int) -> Iterator[tuple[tuple, Any, str]]:
    with worker_processes(min(workers, len(jobs)), start_warp) as pool:
        futures = {pool.submit(_attempt, function, job): job for job in jobs}
        for future in as_completed(futures):
            try:
                yield futures[future], *future.result()
            except BrokenProcessPool:
                yield futures[future], None, _DIED


def _attempt(function: Callable, job: tuple) -> tuple[Any, str]:
    try:
        return function(*job), ""
    except Exception as error:  # the point is to go on with the others, whatever it was
        lines = str(error).splitlines() or [""]
        return None, f"{type(error).__name__}: {lines[0]}"
