# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What a grasp needs to be carried out where its object stands: a way in, a squeeze in balance, room to lift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.placed_hands import PlacedHands
from omni_graspd.synthesis.clearance import HandClearance
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.grasp import GraspBatch, Postures, Way
from omni_graspd.synthesis.joint_motion import joints_above
from omni_graspd.synthesis.models import hand_model
from omni_graspd.synthesis.request import Wanted
from omni_graspd.synthesis.squeeze import Squeeze, balanced_squeeze
from omni_graspd.synthesis.way import NO_WAY, PlannedWays, plan_ways
from omni_graspd.usd.transforms import pose_to_matrix

_DEEPEST = 6e-3
"""A hand that reaches deeper into the object does not grasp it [m]."""
_SHORTER = 6
"""How often the way of a squeeze is cut to seven tenths before it is given up."""
_RANK_ESCAPE, _RANK_BALANCE, _RANK_PLACE = 0.5, 20.0, 20.0
"""Weights of the ranking score: of the escape score, of the imbalance, and of where forces act [1/m]."""
_LIFTS = (0.02, 0.05, 0.1)
"""Heights at which a hand that lifts is looked at among obstacles [m]."""


def with_way(
    hand: Hand, wanted: Wanted, batch: GraspBatch, depths: np.ndarray, config: SynthesisConfig, device: str
) -> GraspBatch:
    """Find way, squeeze and lift of each grasp, and say which can be carried out.

    Args:
        hand: The hand.
        wanted: The object and what stands around it.
        batch: Grasps as the optimisation left them.
        depths: How deep the hands reach into the object [m], shape [grasp_count].
        config: Settings.
        device: Warp device.

    Returns:
        The grasps with postures and ways. The status says what keeps a grasp from being carried out. Further losses
        are ``imbalance`` and ``drop``, by which grasps rank that are to lift: half the escape score plus 20 times the
        imbalance, and per 5 cm 1 for how far beside and how far above the centre of mass the hand presses.
    """
    points = hand_model(hand, config.draft.point_count, device).points
    actuated, palms = batch.joint_positions[:, hand.actuated], batch.T_object_palm
    clearance = wanted.clearance(hand, points)
    finite = np.asarray(np.isfinite(palms).all(axis=1) & np.isfinite(actuated).all(axis=1))
    ways = PlannedWays.none_yet(palms, actuated)
    targets, imbalance, drop = actuated.copy(), np.ones(len(palms)), np.full(len(palms), np.inf)
    if finite.any():
        rows = np.flatnonzero(finite)
        ways.take(rows, plan_ways(clearance, palms[rows], actuated[rows], config.way), np.arange(len(rows)))
        squeeze = _squeeze(clearance, wanted, palms[rows], actuated[rows], config, device)
        targets[rows], imbalance[rows] = squeeze.targets, squeeze.imbalance
        drop[rows] = _RANK_ESCAPE * batch.losses["escape"][rows] + _RANK_BALANCE * squeeze.imbalance
        drop[rows] += _RANK_PLACE * (squeeze.lever + squeeze.height)
    squeezed = hand.joint_positions(targets)
    up = _lift_directions(hand, wanted, palms)
    held, pressing = (clearance.place(palms[finite], joints[finite]) for joints in (batch.joint_positions, squeezed))
    plane = np.full(4, np.nan) if clearance.plane is None else clearance.plane
    way = Way(
        table_plane=np.tile(plane, (len(palms), 1)),
        T_object_hover_palm=ways.T_object_hover_palm,
        lift_direction=up,
        approach_clearance=ways.approach_clearance,
        closing_clearance=ways.closing_clearance,
        grasp_clearance=_spread(finite, clearance.around(held)),
        squeeze_clearance=_spread(finite, clearance.around(pressing)),
        lift_clearance=_spread(finite, _lift_clearance(clearance, pressing, up[finite])),
        usable=np.zeros(len(palms), dtype=bool),
        tries=np.ones(len(palms), dtype=np.int32),
        rejected=("",) * len(palms),
    )
    status = _statuses(batch.status, depths, way, ways.fault, imbalance, config)
    return replace(
        batch,
        losses=batch.losses | {"imbalance": imbalance, "drop": drop},
        status=status,
        postures=Postures(
            ways.T_object_pregrasp_palm, hand.joint_positions(ways.opened), ways.pregrasp_clearance, squeezed
        ),
        way=replace(way, usable=np.array([reason == "ok" for reason in status], dtype=bool)),
    )


def _statuses(
    before: Sequence[str],
    depths: np.ndarray,
    way: Way,
    faults: np.ndarray,
    imbalance: np.ndarray,
    config: SynthesisConfig,
) -> tuple[str, ...]:
    """Say of each grasp what keeps it from being carried out, the first reason there is."""
    reasons = (
        (way.grasp_clearance < 0.0, "the grasp is in the table or an obstacle"),
        (depths > _DEEPEST, "deep in the object"),
        (imbalance > config.squeeze.max_imbalance, "out of balance"),
        *((faults == number, reason) for number, reason in enumerate(NO_WAY) if number),
        (way.squeeze_clearance < 0.0, "the squeeze is in the table or an obstacle"),
        (way.lift_clearance < 0.0, "no room to lift"),
    )
    statuses = list(before)
    for wrong, reason in reasons:
        for row in np.flatnonzero(wrong):
            if statuses[row] == "ok":
                statuses[row] = reason
    return tuple(statuses)


def _squeeze(
    clearance: HandClearance,
    wanted: Wanted,
    T_object_palm: np.ndarray,
    actuated: np.ndarray,
    config: SynthesisConfig,
    device: str,
) -> Squeeze:
    """Return the squeeze of each grasp, its targets over the table."""
    hand, model = clearance.hand, wanted.model
    squeeze = balanced_squeeze(
        hand,
        hand_model(hand, config.point_count, device).points,
        model.distance,
        model.center_of_mass.astype(np.float64),
        config.squeeze.task(wanted.request.surroundings.upward, model.gyration_radius),
        T_object_palm,
        actuated,
        config.squeeze,
    )
    return replace(squeeze, targets=_over_table(clearance, T_object_palm, actuated, squeeze.targets))


def _over_table(
    clearance: HandClearance, T_object_palm: np.ndarray, actuated: np.ndarray, targets: np.ndarray
) -> np.ndarray:
    """Press less with the digits whose targets would be in the table, if the object did not stop them."""
    hand = clearance.hand
    moved_by = np.abs(joints_above(hand).astype(float) @ hand.coupling) > 0.0
    kept = targets.copy()
    for _ in range(_SHORTER):
        low = clearance.link_heights(clearance.place(T_object_palm, hand.joint_positions(kept))) < 0.0
        shorter = (low[..., None] & moved_by).any(axis=1)
        if not shorter.any():
            break
        kept = np.where(shorter, actuated + 0.7 * (kept - actuated), kept)
    return kept


def _lift_directions(hand: Hand, wanted: Wanted, T_object_palm: np.ndarray) -> np.ndarray:
    """Return along which direction each grasp lifts, in the object frame, shape [grasp_count, 3]."""
    up = wanted.request.surroundings.upward
    if up.any():
        return np.tile(up, (len(T_object_palm), 1))
    return -pose_to_matrix(T_object_palm)[:, :3, :3] @ hand.approach_direction


def _lift_clearance(clearance: HandClearance, hands: PlacedHands, up: np.ndarray) -> np.ndarray:
    """Return the least distance from obstacles on the first 10 cm of the lift [m], NaN without any."""
    if clearance.obstacles is None:
        return np.full(len(hands), np.nan)
    return np.minimum.reduce([clearance.obstacle_gaps(hands.moved(height * up)) for height in _LIFTS])


def _spread(finite: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return values of the hands that are somewhere; NaN for the others."""
    result = np.full(len(finite), np.nan)
    result[finite] = values
    return result
