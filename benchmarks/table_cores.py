# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What a second core is worth: one thread, two threads, and two processes with half of the grasps each."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from multiprocessing.synchronize import Barrier

import numpy as np
from table_cases import TableCase
from table_pair import PairOptions

from omni_graspd.hands.hand_library import load_hand
from omni_graspd.objects.object_library import load_object
from omni_graspd.quiet_warp import start_warp
from omni_graspd.synthesis.surroundings import table_under
from omni_graspd.synthesis.synthesizer import synthesize

WAYS = ("1 thread", "2 threads", "2 processes")
_REPEATS = 3
_PATIENCE = 600.0  # s


def wall_seconds(hand_name: str, case: TableCase, options: PairOptions) -> np.ndarray:
    """Return the wall time of all grasps in the first rest pose for each of :data:`WAYS` [s], the best of three.

    Hand, object and kernels are prepared in every process. The ways take turns, since other work on the machine only
    ever adds time.
    """
    context = multiprocessing.get_context("spawn")
    barrier, times = context.Barrier(3), context.Queue()
    halves = np.array_split(np.arange(options.grasps), 2)
    workers = [
        context.Process(target=_work, args=(barrier, times, hand_name, case, options, half.tolist()), daemon=True)
        for half in halves
    ]
    for worker in workers:
        worker.start()
    make = _Maker(hand_name, case, options)
    found = []
    for _ in range(_REPEATS):
        alone = [make.seconds(range(options.grasps), threads) for threads in (1, 2)]
        barrier.wait(_PATIENCE)
        found.append([*alone, max(times.get(timeout=_PATIENCE) for _ in workers)])
    for worker in workers:
        worker.join()
    return np.min(found, axis=0)


class _Maker:
    """Hand and object, prepared."""

    def __init__(self, hand_name: str, case: TableCase, options: PairOptions) -> None:
        self.hand, self.obj, self.options = load_hand(hand_name), load_object(case.source), options
        self.around = table_under(case.T_world_object[0])
        self.seconds([0, 1], 2)

    def seconds(self, indices, threads: int) -> float:
        start = time.perf_counter()
        options = {"seed": self.options.seed, "surroundings": self.around, "threads": threads}
        asyncio.run(synthesize(self.hand, self.obj, indices, self.options.config, **options))
        return time.perf_counter() - start


def _work(barrier: Barrier, times, hand_name: str, case: TableCase, options: PairOptions, indices: list[int]) -> None:
    start_warp()
    make = _Maker(hand_name, case, options)
    for _ in range(_REPEATS):
        barrier.wait(_PATIENCE)
        times.put(make.seconds(indices, 1))
