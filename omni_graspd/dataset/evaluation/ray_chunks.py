# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Chunks of an evaluation on a Ray cluster; each node writes its part files into the folder that all share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from omni_graspd.dataset.evaluation.evaluation_chunk import EvaluationChunk, measure_chunk
from omni_graspd.dataset.execution.ray_driver import RayTask, ray_driver
from omni_graspd.dataset.execution.ray_executor import require_shared
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
    tasks = [RayTask(f"evaluate {chunk.object}", (chunk,), gpus=int(chunk.device != "cpu")) for chunk in chunks]
    with ray_driver() as driver:
        driver.connect(address, workers).result()
        driver.submit(_measure, tasks).result()
        for _ in tasks:
            place, _ = driver.next().result()
            yield place
        driver.disconnect().result()


def _measure(chunk: EvaluationChunk) -> None:
    _start_warp_once()
    require_shared(DatasetLayout(chunk.root))
    measure_chunk(chunk)


@lru_cache(maxsize=1)
def _start_warp_once() -> None:
    from omni_graspd.quiet_warp import start_warp

    start_warp()
