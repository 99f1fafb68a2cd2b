# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The way of some grasps in one thread: starts, a draft of several candidates, the optimisation, the postures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from omni_graspd.hands.hand import Hand
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.grasp import GraspBatch, Postures
from omni_graspd.synthesis.models import ObjectModel, hand_model
from omni_graspd.synthesis.passes import Recorder, State, run_passes
from omni_graspd.synthesis.postures import find_postures
from omni_graspd.synthesis.reachable import find_reachable
from omni_graspd.synthesis.request import Wanted
from omni_graspd.synthesis.starts import sample_starts
from omni_graspd.synthesis.tries import try_until


def find_grasps(
    hand: Hand,
    wanted: Sequence[Wanted],
    config: SynthesisConfig,
    *,
    seed: int,
    device: str,
    capture_every: int = 0,
    report: Callable[[int], None] = lambda steps: None,
) -> list[GraspBatch]:
    """Find grasps; what :func:`~omni_graspd.synthesis.synthesizer.synthesize` does in each of its threads.

    Args:
        hand: The hand.
        wanted: Objects, and the grasps to find of each.
        config: Settings.
        seed: The run's seed.
        device: Warp device.
        capture_every: Record the hands and the losses every so many steps; 0: not at all.
        report: Called with the gradient steps made, every few steps; what it raises ends the search.

    Returns:
        One batch per entry of ``wanted``.
    """
    numbers_of: dict[bool, list[int]] = {}
    for number, part in enumerate(wanted):
        numbers_of.setdefault(part.request.surroundings.is_empty, []).append(number)
    total = config.draft.iterations + config.iterations
    found: dict[int, GraspBatch] = {}
    for turn, (empty, numbers) in enumerate(numbers_of.items()):
        search, parts = _find_free if empty else find_reachable, [wanted[number] for number in numbers]
        # Both searches make as many steps, one after the other.
        recorder = Recorder(capture_every, lambda done, turn=turn: report((turn * total + done) // len(numbers_of)))
        batches = search(hand, parts, config, recorder, seed=seed, device=device)
        found |= dict(zip(numbers, batches, strict=True))
    return [found[number] for number in range(len(wanted))]


def _find_free(
    hand: Hand, wanted: Sequence[Wanted], config: SynthesisConfig, recorder: Recorder, *, seed: int, device: str
) -> list[GraspBatch]:
    """Find grasps of objects with nothing around them."""

    def form(parts: Sequence[Wanted], attempt: int) -> list[GraspBatch]:
        starts = _starts(hand, parts, config, attempt=attempt, seed=seed, device=device)
        return [batch for batch, _ in run_passes(hand, parts, config, starts, recorder.of_try(attempt), device)]

    batches = try_until(wanted, config.tries, form, lambda batch: ~(batch.pierced | batch.crossed))
    return [
        replace(
            batch,
            postures=postures_of(hand, part.model, batch.T_object_palm, batch.joint_positions, config, device),
        )
        for part, batch in zip(wanted, batches, strict=True)
    ]


def _starts(
    hand: Hand, wanted: Sequence[Wanted], config: SynthesisConfig, *, attempt: int, seed: int, device: str
) -> State:
    """Return palm poses and actuated positions of all candidates of all grasps."""
    first_pass = config.draft_pass() if config.draft.iterations else config
    points = hand_model(hand, first_pass.point_count, device).points
    options = {"candidates": config.draft.candidates, "points": points, "attempt": attempt, "seed": seed}
    starts = [
        sample_starts(
            hand,
            part.request.obj,
            part.request.indices,
            config.start,
            distance=part.model.distance,
            thin_walled=part.model.thin_walled,
            **options,
        )
        for part in wanted
    ]
    poses, actuated = zip(*starts, strict=True)
    return np.concatenate(poses), np.concatenate(actuated)


def postures_of(
    hand: Hand,
    model: ObjectModel,
    T_object_palm: np.ndarray,
    joint_positions: np.ndarray,
    config: SynthesisConfig,
    device: str,
) -> Postures:
    """Return pregrasp and squeeze of grasps, see :func:`omni_graspd.synthesis.postures.find_postures`.

    Args:
        hand: The hand.
        model: The object.
        T_object_palm: Palm poses, shape [grasp_count, 7].
        joint_positions: All joints [rad or m], shape [grasp_count, joint_count].
        config: Settings.
        device: Warp device.
    """
    # As many points as a draft has are enough for what leaves millimetres of room.
    points = hand_model(hand, config.draft.point_count, device).points
    actuated = joint_positions[:, hand.actuated]
    return find_postures(hand, points, model.distance, T_object_palm, actuated, config.posture)
