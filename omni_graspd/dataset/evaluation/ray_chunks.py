# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Chunks of an evaluation on a Ray cluster; each node writes its part files into the folder that all share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from omni_graspd.dataset.evaluation.evaluation_chunk import EvaluationChunk, measure_chunk
from omni_graspd.dataset.execution.ray_executor import RETRIES, ray_cluster, ray_errors, require_shared
from omni_graspd.dataset.layout import DatasetLayout


def measure_on_ray(chunks: Sequence[EvaluationChunk], address: str, workers: int) -> Iterator[int]:
    """Measure chunks as Ray tasks, one core each, and yield their places in the order in which they end.

    Every node needs this package and the dataset folder under the same path.

    Args:
        chunks: What is missing, with absolute paths.
        address: Of the cluster; empty for the one in ``RAY_ADDRESS``, otherwise a new one on this machine.
        workers: Cores of a new one; 0: all.

    Raises:
        GraspdError: If Ray is not installed, there is no such cluster, a node does not see the dataset folder, or a
            chunk cannot be measured.
    """
    with ray_cluster(address, workers) as ray:
        tasks = {}
        for place, chunk in enumerate(chunks):
            needs = {"num_gpus": 1} if chunk.device != "cpu" else {}
            options = {"num_cpus": 1, **needs, "max_retries": RETRIES, "name": f"evaluate {chunk.object}"}
            tasks[ray.remote(_measure).options(**options).remote(chunk)] = place
        waiting = list(tasks)
        try:
            while waiting:
                with ray_errors(ray):
                    (done,), waiting = ray.wait(waiting, num_returns=1)
                    ray.get(done)
                yield tasks[done]
        finally:
            # Asking a connection that is gone would make a new one and hide why it is gone.
            if ray.is_initialized():
                for task in waiting:
                    ray.cancel(task, force=True)


def _measure(chunk: EvaluationChunk) -> None:
    _start_warp_once()
    require_shared(DatasetLayout(chunk.root))
    measure_chunk(chunk)


@lru_cache(maxsize=1)
def _start_warp_once() -> None:
    from omni_graspd.quiet_warp import start_warp

    start_warp()
