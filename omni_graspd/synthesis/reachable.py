# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grasps that can be carried out where the object stands: each is tried until it has a clear way in, within a budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.lowest_point import link_heights, lowest_heights
from omni_graspd.synthesis.clearance import HandClearance
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.grasp import GraspBatch, Postures, Way, join_batches
from omni_graspd.synthesis.joint_motion import joints_above
from omni_graspd.synthesis.models import hand_model
from omni_graspd.synthesis.squeeze import balanced_squeeze
from omni_graspd.synthesis.table_starts import sample_table_starts
from omni_graspd.synthesis.way import NO_WAY, plan_ways

if TYPE_CHECKING:
    from omni_graspd.synthesis.search import Recorder, Wanted

_DEEPEST = 6e-3
# How often the way of a squeeze is cut to seven tenths before it is given up.
_SHORTER = 6


def find_reachable(
    hand: Hand, wanted: Sequence[Wanted], config: SynthesisConfig, recorder: Recorder, *, seed: int, device: str
) -> list[GraspBatch]:
    """Find grasps with a way in, one batch per entry of ``wanted``."""
    found = [_Found(part) for part in wanted]
    for attempt in range(config.tries):
        pending = [number for number, rows in enumerate(found) if len(rows.pending)]
        if not pending:
            break
        parts = [found[number].request_left() for number in pending]
        batches = _try(hand, parts, config, recorder, attempt=attempt, seed=seed, device=device)
        for number, batch in zip(pending, batches, strict=True):
            found[number].take(batch)
    return [rows.batch() for rows in found]


class _Found:
    """What was found so far for one request."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.rows: list[GraspBatch | None] = [None] * len(wanted.request.indices)
        self.reasons: list[list[str]] = [[] for _ in wanted.request.indices]
        self.pending = list(range(len(wanted.request.indices)))

    def request_left(self) -> Wanted:
        request = self.wanted.request
        return replace(self.wanted, request=replace(request, indices=[request.indices[row] for row in self.pending]))

    def take(self, batch: GraspBatch) -> None:
        assert batch.way is not None
        left = []
        for number, row in enumerate(self.pending):
            one = batch.rows(number, number + 1)
            first = self.rows[row]
            if first is None or batch.way.usable[number]:
                if first is not None:
                    self.reasons[row].append(first.status[0])
                self.rows[row] = one
            else:
                self.reasons[row].append(one.status[0])
            if not batch.way.usable[number]:
                left.append(row)
        self.pending = left

    def batch(self) -> GraspBatch:
        batch = join_batches([row for row in self.rows if row is not None])
        assert batch.way is not None
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
    from omni_graspd.synthesis.search import search_from

    first_pass = config.draft_pass() if config.draft.iterations else config
    points = hand_model(hand, first_pass.point_count, device).points
    starts = [
        sample_table_starts(
            hand,
            part.request.obj,
            part.around.plane,
            part.request.indices,
            config.table_start,
            candidates=config.draft.candidates,
            attempt=attempt,
            points=points,
            distance=part.model.distance,
            seed=seed,
        )
        for part in wanted
    ]
    poses, actuated = zip(*starts, strict=True)
    batches = search_from(hand, wanted, config, (np.concatenate(poses), np.concatenate(actuated)), recorder, device)
    return [_with_way(hand, part, batch, config, device) for part, batch in zip(wanted, batches, strict=True)]


def _clear_targets(
    hand: Hand, plane: np.ndarray, T_object_palm: np.ndarray, actuated: np.ndarray, targets: np.ndarray
) -> np.ndarray:
    """Press less with the digits whose targets would be in the table, if the object did not stop them."""
    moved_by = np.abs(joints_above(hand).astype(float) @ hand.coupling) > 0.0
    kept = targets.copy()
    for _ in range(_SHORTER):
        low = link_heights(hand, plane, T_object_palm, hand.joint_positions(kept)) < 0.0
        shorter = (low[..., None] & moved_by).any(axis=1)
        if not shorter.any():
            break
        kept = np.where(shorter, actuated + 0.7 * (kept - actuated), kept)
    return kept


def _with_way(hand: Hand, wanted: Wanted, batch: GraspBatch, config: SynthesisConfig, device: str) -> GraspBatch:
    points = hand_model(hand, config.draft.point_count, device).points
    actuated = batch.joint_positions[:, hand.actuated]
    plane = wanted.around.plane
    clearance = HandClearance(hand, points, wanted.model.distance, plane, wanted.around.obstacles)
    ways = plan_ways(clearance, batch.T_object_palm, actuated, config.way)
    fine = hand_model(hand, config.point_count, device).points
    model = wanted.model
    targets, imbalance = balanced_squeeze(
        hand,
        fine,
        model.distance,
        model.center_of_mass.astype(np.float64),
        model.gyration_radius,
        plane[:3],
        batch.T_object_palm,
        actuated,
        config.squeeze,
    )
    squeezed = hand.joint_positions(_clear_targets(hand, plane, batch.T_object_palm, actuated, targets))
    grasp_clearance = lowest_heights(hand, plane, batch.T_object_palm, batch.joint_positions)
    squeeze_clearance = lowest_heights(hand, plane, batch.T_object_palm, squeezed)
    statuses, count = list(batch.status), len(batch.status)
    depths = batch.losses["depth"]
    for row in range(count):
        if statuses[row] != "ok":
            continue
        if grasp_clearance[row] < 0.0:
            statuses[row] = "below the table"
        elif depths[row] > _DEEPEST:
            statuses[row] = "deep in the object"
        elif imbalance[row] > config.squeeze.max_imbalance:
            statuses[row] = "out of balance"
        elif ways.fault[row]:
            statuses[row] = NO_WAY[ways.fault[row]]
        elif squeeze_clearance[row] < 0.0:
            statuses[row] = "squeezes into the table"
    usable = np.array([status == "ok" for status in statuses])
    losses = {name: values for name, values in batch.losses.items() if name != "depth"} | {"imbalance": imbalance}
    opened = hand.joint_positions(ways.opened)
    return replace(
        batch,
        losses=losses,
        status=tuple(statuses),
        postures=Postures(ways.T_object_pregrasp_palm, opened, ways.pregrasp_clearance, squeezed),
        way=Way(
            table_plane=np.tile(plane, (count, 1)),
            T_object_hover_palm=ways.T_object_hover_palm,
            lift_direction=np.tile(plane[:3], (count, 1)),
            approach_clearance=ways.approach_clearance,
            closing_clearance=ways.closing_clearance,
            grasp_clearance=grasp_clearance,
            squeeze_clearance=squeeze_clearance,
            lift_clearance=np.full(count, np.nan),
            usable=usable,
            tries=np.ones(count, dtype=np.int32),
            rejected=("",) * count,
        ),
    )
