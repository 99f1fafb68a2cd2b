# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grasps that can be carried out where the object stands: each is tried until its way is clear, within a budget."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from omni_graspd.hands.hand import Hand
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.grasp import GraspBatch
from omni_graspd.synthesis.models import hand_model
from omni_graspd.synthesis.passes import Recorder, run_passes
from omni_graspd.synthesis.request import Wanted
from omni_graspd.synthesis.table_starts import sample_table_starts
from omni_graspd.synthesis.tries import try_until
from omni_graspd.synthesis.way_check import with_way


def find_reachable(
    hand: Hand, wanted: Sequence[Wanted], config: SynthesisConfig, recorder: Recorder, *, seed: int, device: str
) -> list[GraspBatch]:
    """Find grasps with a way in, one batch per entry of ``wanted``."""

    def form(parts: Sequence[Wanted], attempt: int) -> list[GraspBatch]:
        return _try(hand, parts, config, recorder.of_try(attempt), attempt=attempt, seed=seed, device=device)

    return try_until(wanted, config.tries, form, lambda batch: batch.usable)


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
            part.clearance(hand, points),
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
