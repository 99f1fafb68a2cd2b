# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Finding grasps, shared out over threads."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from omni_graspd.hands.hand import Hand
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.progress import Progress, no_progress
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.grasp import GraspBatch, join_batches
from omni_graspd.synthesis.models import SurroundingsModel, hand_model, object_model
from omni_graspd.synthesis.optimization import load_kernels
from omni_graspd.synthesis.request import GraspRequest, Wanted
from omni_graspd.synthesis.search import find_grasps
from omni_graspd.synthesis.surroundings import NOTHING, Surroundings


async def synthesize(
    hand: Hand,
    obj: RigidObject,
    grasp_indices: Sequence[int],
    config: SynthesisConfig,
    *,
    seed: int,
    surroundings: Surroundings = NOTHING,
    device: str = "cpu",
    progress: Progress = no_progress,
    capture_every: int = 0,
    threads: int | None = None,
) -> GraspBatch:
    """Find grasps of one object by one hand (paper, sections III and IV-A).

    Each grasp depends on the seed and on its own index only, not on the other grasps or on how they are shared out.
    On the CPU, grasps are split over threads, one per core. The event loop is free meanwhile; the task can be
    cancelled.

    Args:
        hand: The hand.
        obj: The object.
        grasp_indices: Index of each grasp to find.
        config: Settings.
        seed: The run's seed.
        surroundings: What stands around the object; the grasps then have a way in.
        device: Warp device, for example ``"cpu"`` or ``"cuda:0"``.
        progress: Called with gradient steps done and in total.
        capture_every: Record the hands and the losses every so many steps; 0: not at all.
        threads: CPU threads; by default one per core. Results do not depend on it.

    Returns:
        One row per index, in the given order. A grasp whose gradient stopped being finite keeps its last pose and says
        so in its status.
    """
    options = {"seed": seed, "device": device, "progress": progress, "capture_every": capture_every, "threads": threads}
    return (await synthesize_mixed(hand, [GraspRequest(obj, grasp_indices, surroundings)], config, **options))[0]


async def synthesize_mixed(
    hand: Hand,
    requests: Sequence[GraspRequest],
    config: SynthesisConfig,
    *,
    seed: int,
    device: str = "cpu",
    progress: Progress = no_progress,
    capture_every: int = 0,
    threads: int | None = None,
) -> list[GraspBatch]:
    """Find grasps of several objects in one batch; the grasps are those of :func:`synthesize`.

    Args:
        hand: The hand.
        requests: Objects with their surroundings, and the indices of the grasps to find of each.
        config: Settings.
        seed: The run's seed.
        device: Warp device.
        progress: Called with gradient steps done and in total.
        capture_every: Record the hands and the losses every so many steps; 0: not at all.
        threads: CPU threads; by default one per core. Results do not depend on it.

    Returns:
        One batch per request.
    """
    loop = asyncio.get_running_loop()
    wanted = [
        Wanted(
            request,
            object_model(request.obj, config.distance, device),
            SurroundingsModel(request.surroundings, device),
        )
        for request in requests
    ]
    for point_count in {config.point_count, config.draft.point_count}:
        hand_model(hand, point_count, device)
    # Two threads must not compile at once: Warp 1.8 crashes.
    load_kernels(config, device)
    threads = (threads or os.cpu_count() or 1) if device == "cpu" else 1
    parts = _share_out(wanted, threads)
    clock = _Clock(loop, progress, config.draft.iterations + config.iterations, len(parts))
    options = {"seed": seed, "device": device, "capture_every": capture_every}
    with ThreadPoolExecutor(threads) as pool:

        def start(number: int) -> asyncio.Future[list[GraspBatch]]:
            report, part = clock.of_part(number), [piece for _, piece in parts[number]]
            return loop.run_in_executor(pool, lambda: find_grasps(hand, part, config, report=report, **options))

        try:
            found = await asyncio.gather(*[start(number) for number in range(len(parts))])
        except BaseException:
            clock.stop()
            raise
    pieces: list[list[GraspBatch]] = [[] for _ in wanted]
    for part, batches in zip(parts, found, strict=True):
        for (request, _), batch in zip(part, batches, strict=True):
            pieces[request].append(batch)
    return [join_batches(batches) for batches in pieces]


def _share_out(wanted: Sequence[Wanted], count: int) -> list[list[tuple[int, Wanted]]]:
    """Split grasps into at most ``count`` parts of like size, each a list of requests and what is wanted of them.

    A request without grasps goes to the first part, so that it has a batch too.
    """
    owner = np.repeat(np.arange(len(wanted)), [len(part.request.indices) for part in wanted])
    place = np.concatenate([np.arange(len(part.request.indices)) for part in wanted])
    parts = []
    for rows in np.array_split(np.arange(len(owner)), max(1, min(len(owner), count))):
        part = []
        for number, whole in enumerate(wanted):
            chosen = place[rows[owner[rows] == number]]
            if len(chosen) or not (parts or len(whole.request.indices)):
                indices = [whole.request.indices[int(i)] for i in chosen]
                part.append((number, replace(whole, request=replace(whole.request, indices=indices))))
        parts.append(part)
    return parts


class _Clock:
    """Sums up the gradient steps of all parts, tells the event loop's thread, and stops the parts."""

    def __init__(self, loop: asyncio.AbstractEventLoop, progress: Progress, total: int, parts: int) -> None:
        self._loop, self._progress, self._total = loop, progress, total
        self._done, self._stopped = [0] * parts, False
        progress(0, total)

    def of_part(self, number: int) -> Callable[[int], None]:
        """Return what a part calls, in its own thread, with the steps it has made."""

        def report(steps: int) -> None:
            if self._stopped:
                raise asyncio.CancelledError
            self._loop.call_soon_threadsafe(self._advance, number, steps)

        return report

    def _advance(self, number: int, steps: int) -> None:
        self._done[number] = steps
        self._progress(sum(self._done) // len(self._done), self._total)

    def stop(self) -> None:
        """Let the parts end at their next report."""
        self._stopped = True
