# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grasps that can be carried out where the object stands: each is tried until its way is clear, within a budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from omni_graspd.hands.hand import Hand
from omni_graspd.synthesis.clearance import HandClearance
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.grasp import GraspBatch, join_batches
from omni_graspd.synthesis.models import hand_model
from omni_graspd.synthesis.passes import Recorder, run_passes
from omni_graspd.synthesis.request import Wanted
from omni_graspd.synthesis.table_starts import sample_table_starts
from omni_graspd.synthesis.way_check import with_way


def find_reachable(
    hand: Hand, wanted: Sequence[Wanted], config: SynthesisConfig, recorder: Recorder, *, seed: int, device: str
) -> list[GraspBatch]:
    """Find grasps with a way in, one batch per entry of ``wanted``."""
    found = [_Found(part) for part in wanted]
    for attempt in range(config.tries):
        # At first also those that want none, so that they have a batch of none.
        pending = [number for number, rows in enumerate(found) if len(rows.pending) or attempt == 0]
        if not pending:
            break
        parts = [found[number].request_left() for number in pending]
        batches = _try(hand, parts, config, recorder.of_try(attempt), attempt=attempt, seed=seed, device=device)
        for number, batch in zip(pending, batches, strict=True):
            found[number].take(batch)
    return [rows.batch() for rows in found]


class _Found:
    """What was found so far for one request."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.first: GraspBatch | None = None
        self.rows: list[GraspBatch | None] = [None] * len(wanted.request.indices)
        self.reasons: list[list[str]] = [[] for _ in wanted.request.indices]
        self.pending = list(range(len(wanted.request.indices)))

    def request_left(self) -> Wanted:
        request = self.wanted.request
        return replace(self.wanted, request=replace(request, indices=[request.indices[row] for row in self.pending]))

    def take(self, batch: GraspBatch) -> None:
        assert batch.way is not None
        self.first = self.first or batch
        left = []
        for number, row in enumerate(self.pending):
            one = batch.rows(number, number + 1)
            first = self.rows[row]
            if first is None or batch.way.usable[number]:
                if first is not None:
                    self.reasons[row].insert(0, first.status[0])
                self.rows[row] = one
            else:
                self.reasons[row].append(one.status[0])
            if not batch.way.usable[number]:
                left.append(row)
        self.pending = left

    def batch(self) -> GraspBatch:
        batch = join_batches([row for row in self.rows if row is not None]) if self.rows else self.first
        assert batch is not None and batch.way is not None
        way = replace(
            batch.way,
            tries=np.array([1 + len(reasons) for reasons in self.reasons], dtype=np.int32),
            rejected=tuple("; ".join(reasons) for reasons in self.reasons),
        )
        return replace(batch, way=way)


def _try(
    hand: Hand,
    wanted: Sequence[Wanted],
    config: SynthesisConfig,
    recorder: Recorder,
    *,
    attempt: int,
    seed: int,
    device: str,
) -> list[GraspBatch]:
    first_pass = config.draft_pass() if config.draft.iterations else config
    points = hand_model(hand, first_pass.point_count, device).points
    starts = [
        sample_table_starts(
            hand,
            part.request.obj,
            HandClearance(hand, points, part.model.distance, part.around.plane, part.around.obstacles),
            part.request.indices,
            config.table_start,
            candidates=config.table_start.candidates if config.draft.iterations else 1,
            attempt=attempt,
            seed=seed,
        )
        for part in wanted
    ]
    poses, actuated = zip(*starts, strict=True)
    state = np.concatenate(poses), np.concatenate(actuated)
    batches = run_passes(hand, wanted, config, state, recorder, device)
    return [
        with_way(hand, part, batch, depths, config, device)
        for part, (batch, depths) in zip(wanted, batches, strict=True)
    ]
