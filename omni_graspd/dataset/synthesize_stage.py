# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""First stage: hands and objects as USD, and a table of measured base grasps for each pair."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from omni_graspd.dataset.asset_copies import copy_hand
from omni_graspd.dataset.run import Run
from omni_graspd.dataset.tables import GraspTable, concatenate_grasps, read_grasps, write_grasps
from omni_graspd.hands.hand import Hand
from omni_graspd.metrics.evaluate import evaluate_grasps
from omni_graspd.objects.resting_pieces import write_resting_object
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.progress import Progress, no_progress
from omni_graspd.synthesis.synthesizer import synthesize

_CHUNK_SIZE = {"cpu": 64, "cuda": 1024}
"""Grasps that are computed together and lost together when the run is killed. Results do not depend on it."""


async def synthesize_stage(run: Run, progress: Progress = no_progress) -> None:
    """Write hands, objects and base grasps; what is there already is left as it is.

    Args:
        run: An open run.
        progress: Called with grasps done and in total.

    Raises:
        GraspdError: If a hand or an object cannot be written.
    """
    count = run.config.grasps
    pairs = [(hand, obj) for obj in run.objects for hand in run.hands]
    progress(0, len(pairs) * count)
    _write_assets(run)
    for position, (hand, obj) in enumerate(pairs):
        counted = _Counted(progress, position * count, len(pairs) * count)
        if not run.layout.grasps(hand.name, obj.name).is_file():
            await _synthesize_pair(run, hand, obj, counted)
        shutil.rmtree(_parts_folder(run, hand, obj), ignore_errors=True)
        counted.report(count)
    run.finish_stage()


@dataclass(frozen=True)
class _Counted:
    """Progress of the whole stage, seen from one pair or chunk."""

    progress: Progress
    start: int
    total: int

    def report(self, done: int) -> None:
        self.progress(self.start + done, self.total)

    def chunk(self, start: int, count: int) -> Progress:
        return lambda done, total: self.report(start + count * done // max(total, 1))


async def _synthesize_pair(run: Run, hand: Hand, obj: RigidObject, counted: _Counted) -> None:
    """Compute the grasps of one pair chunk by chunk; chunks that a killed run has finished are kept."""
    chunk_size = _CHUNK_SIZE[run.device.partition(":")[0]]
    indices = np.arange(run.config.grasps, dtype=np.int32)
    tables = []
    for start in range(0, len(indices), chunk_size):
        chunk = indices[start : start + chunk_size]
        part = _parts_folder(run, hand, obj) / f"{start:08d}.parquet"
        if not part.is_file():
            write_grasps(await _compute(run, hand, obj, chunk, counted.chunk(start, len(chunk))), part)
        tables.append(read_grasps(part))
    write_grasps(concatenate_grasps(tables), run.layout.grasps(hand.name, obj.name))


def _parts_folder(run: Run, hand: Hand, obj: RigidObject) -> Path:
    return run.layout.grasps(hand.name, obj.name).with_suffix(".parts")


async def _compute(run: Run, hand: Hand, obj: RigidObject, indices: np.ndarray, progress: Progress) -> GraspTable:
    config = run.config
    batch = await synthesize(
        hand, obj, indices.tolist(), config.synthesis, seed=config.seed, device=run.device, progress=progress
    )
    await asyncio.sleep(0)
    metrics = evaluate_grasps(hand, obj, batch.T_object_palm, batch.joint_positions, config.metrics, device=run.device)
    metrics = _without_failed(metrics, batch.status)
    return GraspTable(hand.name, obj.name, hand.joint_names, indices, config.seed, batch, metrics)


def _without_failed(metrics: dict[str, np.ndarray], status: Sequence[str]) -> dict[str, np.ndarray]:
    """Blank the metrics of failed grasps: NaN for numbers, 0 for counts, False for flags."""
    failed = np.array([reason != "ok" for reason in status], dtype=bool)
    blank = {"f": np.nan, "i": 0, "b": False}
    return {name: np.where(failed, blank[column.dtype.kind], column) for name, column in metrics.items()}


def _write_assets(run: Run) -> None:
    for hand in run.hands:
        if not run.layout.hand(hand.name).is_file():
            copy_hand(hand, run.layout.hand(hand.name))
    for obj in run.objects:
        if not run.layout.object(obj.name).is_file():
            write_resting_object(obj, run.layout.object(obj.name))
