# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Predicted hands fitted to the guessed object: the palm backs off until it is free, fingers close until at it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.placed_hands import PlacedHands
from omni_graspd.prediction.part_gaps import hand_parts, part_gaps
from omni_graspd.usd.transforms import pose_to_matrix

if TYPE_CHECKING:
    from omni_graspd.prediction.predictor import Prediction
    from omni_graspd.prediction.shape_grid import ShapeGrids

_BACK = 0.008 * np.arange(6)
"""How far palms back off [m], tried in turn."""
_SHARES = np.linspace(0.0, 1.28, 9)
"""How far fingers close from the open hand (0) to the predicted grasp (1) and on, tried in turn."""
_FREE = 0.001
"""Open hands may be so deep in the guessed object [m]."""
_STOP = 0.002
"""So far from it fingers stop [m]: where it is guessed too small, they would be in the true one."""
_CLEAR = 0.004
"""Hands that are deeper in it somewhere are not clear [m]."""


def fit_to_shape(hand: Hand, found: Prediction, shapes: ShapeGrids) -> tuple[Prediction, np.ndarray]:
    """Fit hands to the guessed object.

    The open hand backs off against its approach until it is free; then each digit closes on the line from the open
    hand to the predicted grasp, and a little beyond, until it is just before the object. Fingers that get nowhere near
    stay where they were predicted. The squeeze goes with the grasp.

    Args:
        hand: The hand.
        found: Predicted grasps.
        shapes: The guessed object, of one view.

    Returns:
        The grasps, and which of them are clear of the guessed object and reach it with two digits, [grasp_count].
    """
    parts, count = hand_parts(hand), len(found.score)
    owned = parts.of_joint > 0
    opened = np.where(owned, found.opened, found.actuated)
    away = -(pose_to_matrix(found.T_crop_palm)[:, :3, :3] @ hand.approach_direction)
    tried = np.repeat(found.T_crop_palm[None], len(_BACK), axis=0)
    tried[..., :3] += _BACK[:, None, None] * away
    gaps = _gaps(hand, tried, np.broadcast_to(opened, (len(_BACK), *opened.shape)), shapes).min(axis=-1)
    free = gaps >= -_FREE
    step = np.where(free.any(axis=0), free.argmax(axis=0), gaps.argmax(axis=0))
    back = _BACK[step, None] * away
    palm = tried[step, np.arange(count)]
    closing = opened + _SHARES[:, None, None] * (found.actuated - opened)
    gaps = _gaps(hand, np.broadcast_to(palm, (len(_SHARES), *palm.shape)), closing, shapes)
    share, touching = _first_touch(gaps)
    actuated = opened + np.where(owned, share[:, parts.of_joint], 1.0) * (found.actuated - opened)
    lower, upper = hand.joint_lower[hand.actuated], hand.joint_upper[hand.actuated]
    squeezed = np.clip(actuated + (found.squeezed - found.actuated), lower, upper)
    actuated = np.clip(actuated, lower, upper)
    left = _gaps(hand, palm[None], actuated[None], shapes)[0]
    good = (left.min(axis=-1) >= -_CLEAR) & (touching[:, 1:].sum(axis=-1) >= 2)
    hover, pregrasp = found.T_crop_hover.copy(), found.T_crop_pregrasp.copy()
    for poses in (hover, pregrasp):
        poses[:, :3] += back
    moved = {"T_crop_palm": palm, "T_crop_hover": hover, "T_crop_pregrasp": pregrasp}
    return replace(found, actuated=actuated, squeezed=squeezed, **moved), good


def _first_touch(gaps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the share at which each part stops, 1 where it does not, and whether it does, [grasp_count, part_count].

    Args:
        gaps: At each of ``_SHARES`` [m], shape [share_count, grasp_count, part_count].
    """
    blocked = gaps < _STOP
    touching, first = np.asarray(blocked.any(axis=0)), blocked.argmax(axis=0)
    before = np.maximum(first - 1, 0)
    ends = (np.take_along_axis(gaps, row[None], axis=0)[0] for row in (before, first))
    outside, inside = (gap - _STOP for gap in ends)
    between = np.clip(outside / np.maximum(outside - inside, 1e-9), 0.0, 1.0)
    share = _SHARES[before] + between * (_SHARES[first] - _SHARES[before])
    return np.where(touching, np.where(first == 0, 0.0, share), 1.0), touching


def _gaps(hand: Hand, palms: np.ndarray, actuated: np.ndarray, shapes: ShapeGrids) -> np.ndarray:
    """Return how far each part of each hand is from the guessed object [m], shape [..., part_count]."""
    flat = palms.reshape(-1, 7)
    placed = PlacedHands.of(hand, flat, hand.joint_positions(actuated.reshape(len(flat), -1)))
    return part_gaps(placed, shapes).reshape(*palms.shape[:-1], -1)
