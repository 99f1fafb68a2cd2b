# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Postures in which a thumb faces the other digits across a gap: how a hand reaches for something on a table."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.inference.digits import Digit, find_digits
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.seeding import random_generator
from omni_graspd.usd.transforms import IDENTITY, pose_to_matrix

APERTURES = (0.02, 0.04, 0.06, 0.08, 0.10, 0.12)
"""Gaps between thumb and fingers that are looked for [m]."""

_FIRST = 2
"""Which of them is looked for over the whole range of the joints; the others are found from their neighbours."""
_DRAWS, _ROUNDS, _KEPT = 1500, 4, 30
# Deviations that cost as much as one another: of the gap, of depth along the approach, of level, of the last links'
# and of their motion's direction, of the side-by-side distance of tips, and of the joints from mid-range.
_GAP, _DEPTH, _LEVEL, _LEAN, _TURN, _SIDE, _RANGE = 0.005, 0.012, 0.15, 0.6, 0.4, 0.01, 2.0
# Tips side by side are so far apart [m], at least and at most from their middle.
_APART, _ASIDE = 0.022, 0.045
# A digit is the thumb if the others differ by less than this part of what they do without any other digit.
_UNLIKE = 0.5
# A gap that is missed by more than this is out of the hand's reach [m].
_MISSED = 0.01


@dataclass(frozen=True, eq=False)
class Preshape:
    """A posture whose thumb tip faces the other tips."""

    aperture: float
    """Distance between the thumb's tip and the middle of the others [m]."""
    actuated: np.ndarray
    """Actuated positions [rad or m], shape [actuated_count]."""
    center: np.ndarray
    """Middle between thumb and fingers in the palm frame [m], shape [3]."""
    axis: np.ndarray
    """Unit direction from the thumb to the fingers, across the approach direction, in the palm frame, shape [3]."""


@functools.lru_cache(maxsize=16)
def find_preshapes(hand: Hand) -> tuple[Preshape, ...]:
    """Find a preshape for each of :data:`APERTURES` that the hand can open to, narrow ones first.

    Postures are drawn over the joints' ranges and the best are refined. A posture is good where the thumb and the
    middle of the other digits are the gap apart, level with each other as seen along the approach direction, where the
    other tips lie side by side, and the last links point along the approach, not across it. The thumb is the digit
    without which the others are alike; where several might be, all of them are tried. None for hands with fewer than
    two digits.
    """
    digits = find_digits(hand)
    if len(digits) < 2:
        return ()
    first = APERTURES[_FIRST]
    searched = {thumb: _refine(hand, digits, thumb, first) for thumb in possible_thumbs(hand, digits)}
    thumb = min(searched, key=lambda number: searched[number][0])
    best = {_FIRST: searched[thumb][1]}
    for number in (*range(_FIRST + 1, len(APERTURES)), *reversed(range(_FIRST))):
        neighbour = best[number - 1 if number > _FIRST else number + 1]
        best[number] = _refine(hand, digits, thumb, APERTURES[number], neighbour)[1]
    preshapes = []
    for number, aperture in enumerate(APERTURES):
        preshape = _preshape(hand, digits, thumb, best[number])
        if abs(preshape.aperture - aperture) < _MISSED:
            preshapes.append(preshape)
    return tuple(preshapes)


def possible_thumbs(hand: Hand, digits: tuple[Digit, ...]) -> tuple[int, ...]:
    """Return which digits may be the thumb.

    A posture alone does not tell: little fingers that curl may face the others better than a thumb. But fingers are
    alike: with the joints at mid-range their last links point and bend the same way, and the thumb's does not. Of three
    digits or fewer two always are, so all may be.
    """
    middle = 0.5 * (hand.joint_lower + hand.joint_upper)[hand.actuated]
    _, leans, turns = (part[0] for part in _tips(hand, digits, middle[None]))
    others = [np.delete(np.arange(len(digits)), number) for number in range(len(digits))]
    unlike = [
        2.0 - np.linalg.norm(leans[rest].mean(axis=0)) - np.linalg.norm(turns[rest].mean(axis=0)) for rest in others
    ]
    first, second = np.argsort(unlike, kind="stable")[:2]
    is_clear = len(digits) > 3 and unlike[first] < _UNLIKE * unlike[second]
    return (int(first),) if is_clear else tuple(range(len(digits)))


def _refine(
    hand: Hand, digits: tuple[Digit, ...], thumb: int, aperture: float, near: np.ndarray | None = None
) -> tuple[float, np.ndarray]:
    """Draw postures, all over or around one, then around the best ones.

    Returns:
        The least cost and its actuated positions, shape [actuated_count].
    """
    random = random_generator(0, "preshape", hand.name, thumb, round(1e3 * aperture))
    lower, upper = hand.joint_lower[hand.actuated], hand.joint_upper[hand.actuated]
    drawn = random.uniform(lower, upper, size=(_DRAWS, len(lower))) if near is None else near[None]
    costs = _costs(hand, digits, thumb, aperture, drawn)
    for round_number in range(_ROUNDS):
        kept = drawn[np.argsort(costs, kind="stable")[:_KEPT]]
        spread = (0.15 if near is None else 0.1) * 0.5**round_number * (upper - lower)
        around = np.repeat(kept, _DRAWS // (2 * len(kept)), axis=0)
        around = np.clip(around + spread * random.standard_normal(around.shape), lower, upper)
        drawn = np.concatenate([kept, around])
        costs = _costs(hand, digits, thumb, aperture, drawn)
    best = int(np.argmin(costs))
    return float(costs[best]), drawn[best]


def _tips(hand: Hand, digits: tuple[Digit, ...], actuated: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return fingertips, unit directions of the last links, and unit directions in which bending them moves the tips.

    All in the palm frame, shape [posture_count, digit_count, 3].
    """
    joints = hand.joint_positions(actuated)
    matrices = pose_to_matrix(link_poses(hand, np.broadcast_to(IDENTITY, (len(joints), 7)), joints))
    tips, leans, turns = [], [], []
    for digit in digits:
        link = hand.links[digit.tip_link]
        tip = matrices[:, digit.tip_link, :3, :3] @ digit.tip_point + matrices[:, digit.tip_link, :3, 3]
        root = matrices[:, digit.tip_link] @ pose_to_matrix(link.T_link_joint)
        along = tip - root[:, :3, 3]
        axis = root[:, :3, :3] @ link.axis
        turn = np.cross(axis, along) if link.joint_type == "revolute" else axis
        # Bending brings a tip nearer to the base of its digit.
        bends = np.where(np.einsum("pi,pi->p", turn, tip - digit.base_point) > 0.0, -1.0, 1.0)
        tips.append(tip)
        leans.append(_unit(along))
        turns.append(_unit(turn) * bends[:, None])
    return np.stack(tips, axis=1), np.stack(leans, axis=1), np.stack(turns, axis=1)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def _costs(hand: Hand, digits: tuple[Digit, ...], thumb: int, aperture: float, actuated: np.ndarray) -> np.ndarray:
    """Return how far postures are from a good preshape, shape [posture_count]."""
    tips, leans, turns = _tips(hand, digits, actuated)
    others = [number for number in range(len(digits)) if number != thumb]
    middle = tips[:, others].mean(axis=1)
    across = middle - tips[:, thumb]
    gap = np.linalg.norm(across, axis=1)
    axis = _unit(across)
    approach = hand.approach_direction
    offsets = tips[:, others] - middle[:, None]
    # Sideways is what is left across axis and approach; tips there are beside, not before or below, one another.
    sideways = (
        offsets @ approach[:, None] * approach + np.einsum("pdi,pi->pd", offsets, axis)[..., None] * axis[:, None]
    )
    aside = np.linalg.norm(offsets - sideways, axis=-1)
    apart = np.linalg.norm(tips[:, others, None] - tips[:, None, others], axis=-1) + np.eye(len(others))
    crowded = np.maximum(_APART - apart, 0.0).sum(axis=(1, 2)) + np.maximum(aside - _ASIDE, 0.0).sum(axis=1)
    lower, upper = hand.joint_lower[hand.actuated], hand.joint_upper[hand.actuated]
    from_middle = (actuated - 0.5 * (lower + upper)) / np.maximum(0.5 * (upper - lower), 1e-9)
    from_palm = 0.5 * (middle + tips[:, thumb]) - hand.approach_point
    depth = from_palm @ approach
    beside = np.linalg.norm(from_palm - depth[:, None] * approach, axis=1)
    reach = np.mean([digit.length for digit in digits])
    # Each digit stands on its own side of the gap.
    bases = np.array([digit.base_point for digit in digits]) - (0.5 * (middle + tips[:, thumb]))[:, None]
    sides = np.where(np.arange(len(digits)) == thumb, -1.0, 1.0)
    inside = np.maximum(-sides * np.einsum("pdi,pi->pd", bases, axis), 0.0)
    return (
        ((gap - aperture) / _GAP) ** 2
        + ((axis @ approach) / _LEVEL) ** 2
        + ((np.linalg.norm(sideways, axis=-1) / _DEPTH) ** 2).mean(axis=1)
        + ((np.einsum("pdi,pi->pd", leans, axis) / _LEAN) ** 2).mean(axis=1)
        + ((1.0 + sides * np.einsum("pdi,pi->pd", turns, axis)) / _TURN).mean(axis=1)
        + (crowded / _SIDE) ** 2
        + ((inside / (2.0 * _SIDE)) ** 2).mean(axis=1)
        + (beside / (3.0 * _SIDE)) ** 2
        + (np.maximum(0.6 * reach - depth, 0.0) / _DEPTH) ** 2
        + (from_middle**2).mean(axis=1) / _RANGE**2
    )


def _preshape(hand: Hand, digits: tuple[Digit, ...], thumb: int, actuated: np.ndarray) -> Preshape:
    tips = _tips(hand, digits, actuated[None])[0][0]
    middle = np.delete(tips, thumb, axis=0).mean(axis=0)
    axis = middle - tips[thumb]
    aperture = float(np.linalg.norm(axis))
    axis = axis - (axis @ hand.approach_direction) * hand.approach_direction
    return Preshape(aperture, actuated, 0.5 * (middle + tips[thumb]), axis / np.linalg.norm(axis))
