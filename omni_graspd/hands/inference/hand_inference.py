# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What a hand's USD does not say, inferred from its geometry and kinematics: approach and open posture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.inference.approach_inference import Approach, infer_approach
from omni_graspd.hands.inference.digit_surface import DigitSurface, sample_postures
from omni_graspd.hands.inference.digits import find_digits
from omni_graspd.hands.inference.jaw_inference import Jaws, infer_jaws
from omni_graspd.hands.inference.posture_inference import infer_open_positions

_POSTURES = 64
_ALONG = 0.8
"""Cosine of the largest angle between a direction that is given and the one between a gripper's jaws."""


def infer_grasping(
    hand: Hand, *, direction: np.ndarray | None = None, point: np.ndarray | None = None, posture_known: bool = False
) -> Hand:
    """Fill in how a hand approaches and opens, where it is not given.

    A hand without digits keeps what it has. One whose palm has no surface, or whose digits have no length, meets
    objects where its digits begin, in the direction in which their tips lie.

    Args:
        hand: The hand; what is inferred is replaced.
        direction: The approach direction, if it is known, shape [3].
        point: The approach point, if it is known [m], shape [3].
        posture_known: Keep the hand's open posture.
    """
    is_known = direction is not None and point is not None and posture_known
    if is_known or not find_digits(hand):
        return _with_approach(hand, direction, point)
    surface = DigitSurface.from_hand(hand)
    jaws = infer_jaws(surface)
    if direction is None or point is None:
        approach = _approach(surface, jaws, direction)
        direction = approach.direction if direction is None else direction
        point = approach.point if point is None else point
    hand = _with_approach(hand, direction, point)
    if not posture_known:
        hand = replace(
            hand,
            open_positions=infer_open_positions(surface, hand.approach_point, hand.approach_direction)
            if jaws is None
            else jaws.open_positions,
        )
    return hand


def _approach(surface: DigitSurface, jaws: Jaws | None, toward: np.ndarray | None) -> Approach:
    if jaws is not None and (toward is None or float(jaws.direction @ toward) > _ALONG):
        return Approach(jaws.point, jaws.direction)
    has_room = len(surface.palm.faces) and surface.size > 0.0
    return infer_approach(surface, toward) if has_room else _approach_without_palm(surface)


def _approach_without_palm(surface: DigitSurface) -> Approach:
    """Return the way from where the digits begin to where their tips are on average."""
    base = np.mean([digit.base_point for digit in surface.digits], axis=0)
    _, tips = surface.place(sample_postures(surface.hand, _POSTURES))
    way = tips.reshape(-1, 3).mean(axis=0) - base
    length = float(np.linalg.norm(way))
    return Approach(base, way / length if length > 0.0 else np.array([0.0, 0.0, 1.0]))


def _with_approach(hand: Hand, direction: np.ndarray | None, point: np.ndarray | None) -> Hand:
    return replace(
        hand,
        approach_direction=hand.approach_direction if direction is None else direction,
        approach_point=hand.approach_point if point is None else point,
    )
