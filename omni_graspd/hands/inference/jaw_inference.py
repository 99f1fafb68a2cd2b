# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grippers: jaws of one joint each, which meet objects between their tips rather than on a palm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omni_graspd.hands.inference.digit_surface import DigitSurface
from omni_graspd.hands.inference.digits import Digit
from omni_graspd.hands.inference.surface_samples import surface_samples
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.usd.transforms import IDENTITY, pose_to_matrix

_MOST_JAWS = 3
_STEPS, _ROUNDS = 33, 3
"""Positions of each joint that are tried, and how often where jaws move one by one."""
_PALM_SAMPLES = 2000
_NEAR = 1.15
"""A sliding jaw is near to what of the palm is at most so many times as far from its tip as the nearest point."""
_FACING = 0.5
"""An open jaw on a hinge still points forward: cosine of its angle to the approach direction, 60 degrees."""
_LAST = 0.15
"""Jaws close in the direction of this last part of their way."""
_BESIDE = 0.15
"""The palm is looked for within this part of the way to the tips beside their middle."""
_ASIDE = 0.2
"""Of the way to where jaws meet, at least this part leads out of the palm."""
_FIXED = 0.6
"""A jaw that is part of the palm reaches at least this part of the moving jaw's length from its hinge."""


@dataclass(frozen=True, eq=False)
class Jaws:
    """How a gripper approaches and opens, in the palm frame."""

    point: np.ndarray
    """On the palm between the jaws [m], shape [3]."""
    direction: np.ndarray
    """Unit direction from there to where the jaws meet, shape [3]."""
    open_positions: np.ndarray
    """Actuated positions with the jaws as far apart as they go [rad or m], shape [actuated_count]."""


def infer_jaws(surface: DigitSurface) -> Jaws | None:
    """Return how a gripper approaches and opens: out of the palm between the jaws, and all the way.

    Returns:
        None for hands with digits of several joints, or more than three, and where jaws do not close in front of the
        palm. A single jaw closes on the part of the palm that reaches as far as it does.
    """
    moved = surface.moved()
    if not 1 <= len(surface.digits) <= _MOST_JAWS or (moved.sum(axis=1) != 1).any() or not len(surface.palm.faces):
        return None
    tips = _Tips.from_surface(surface)
    if tips.fixed is None and len(surface.digits) == 1:
        return None
    closed, opened = tips.extreme(closing=True), tips.extreme(closing=False)
    center = tips.at(closed).mean(axis=0)
    way = center - tips.roots.mean(axis=0)
    direction = _without(way, _closing_axes(tips, closed, opened))
    length = float(np.linalg.norm(direction))
    if length < _ASIDE * float(np.linalg.norm(way)) or tips.spread(opened) <= tips.spread(closed):
        return None
    direction = direction / length
    opened = tips.extreme(closing=False, direction=direction)
    # A jaw that is part of the palm is beside the way, too.
    foot = None if tips.fixed is not None else _palm_height(tips.palm, center, direction, length)
    height = float(tips.roots.mean(axis=0) @ direction) if foot is None else foot
    point = center + (height - float(center @ direction)) * direction
    return Jaws(point, direction, tips.lower + opened * (tips.upper - tips.lower))


@dataclass(frozen=True, eq=False)
class _Tips:
    """Where the tips of jaws are over the ranges of their joints."""

    paths: np.ndarray
    """Tips over the range of the joint that moves them, in the palm frame [m], shape [digit_count, steps, 3]."""
    columns: np.ndarray
    """Which actuated joint moves each, shape [digit_count]."""
    roots: np.ndarray
    """Where each hangs on the palm [m], shape [digit_count, 3]."""
    hinged: np.ndarray
    """Whether each turns on a hinge, shape [digit_count]."""
    axes: np.ndarray
    """Unit axes of the hinges in the palm frame, shape [digit_count, 3]."""
    fixed: np.ndarray | None
    """Tip of a jaw that is part of the palm [m], shape [3], where there is a single moving one."""
    palm: np.ndarray
    """Points on the palm [m], shape [n, 3]."""
    lower: np.ndarray
    """Lower limits of the actuated joints [rad or m]."""
    upper: np.ndarray
    """Upper limits."""

    @classmethod
    def from_surface(cls, surface: DigitSurface) -> _Tips:
        """Move each jaw over the range of its joint."""
        hand, columns = surface.hand, surface.moved().argmax(axis=1)
        lower, upper = hand.joint_lower[hand.actuated], hand.joint_upper[hand.actuated]
        postures = lower + np.linspace(0.0, 1.0, _STEPS)[:, None] * (upper - lower)
        paths = np.swapaxes(surface.place(postures)[1], 0, 1)
        palm, _ = surface_samples(surface.palm, _PALM_SAMPLES, hand.links[0].name)
        firsts = [next(k for k in digit.links if hand.links[k].joint >= 0) for digit in surface.digits]
        hinged = np.array([hand.links[k].joint_type == "revolute" for k in firsts])
        T_palm_link = pose_to_matrix(link_poses(hand, IDENTITY, hand.joint_positions(postures[_STEPS // 2])))
        axes = [
            T_palm_link[k, :3, :3] @ pose_to_matrix(hand.links[k].T_link_joint)[:3, :3] @ hand.links[k].axis
            for k in firsts
        ]
        roots = [_root(d, h, p, palm) for d, h, p in zip(surface.digits, hinged, paths, strict=True)]
        fixed = _fixed_tip(surface.digits[0], paths[0], palm) if len(surface.digits) == 1 and hinged[0] else None
        return cls(paths, columns, np.array(roots), hinged, np.array(axes), fixed, palm, lower, upper)

    def at(self, shares: np.ndarray) -> np.ndarray:
        """Return the tips with joints at shares of their ranges, that of a fixed jaw at last, shape [tip_count, 3]."""
        steps = np.rint(shares[self.columns] * (_STEPS - 1)).astype(np.int64)
        moving = self.paths[np.arange(len(self.paths)), steps]
        return moving if self.fixed is None else np.concatenate([moving, self.fixed[None]])

    def spread(self, shares: np.ndarray) -> float:
        """Return the mean distance of the tips from their middle [m]."""
        tips = self.at(shares)
        return float(np.linalg.norm(tips - tips.mean(axis=0), axis=1).mean())

    def extreme(self, *, closing: bool, direction: np.ndarray | None = None) -> np.ndarray:
        """Return the shares of the joints' ranges with the tips nearest to each other, or farthest apart.

        Args:
            closing: Nearest, not farthest.
            direction: If given, jaws on hinges have to point along it, shape [3].
        """
        best = np.full(len(self.lower), 0.5)
        values = np.linspace(0.0, 1.0, _STEPS)
        for _ in range(_ROUNDS):
            for column in np.unique(self.columns):
                tried = np.repeat(best[None], _STEPS, axis=0)
                tried[:, column] = values
                scores = np.array([self.spread(shares) for shares in tried]) * (-1.0 if closing else 1.0)
                if direction is not None:
                    facing = np.array([self._face(shares, direction) for shares in tried])
                    scores = np.where(facing | ~facing.any(), scores, -np.inf)
                best = tried[int(np.argmax(scores))]
        return best

    def _face(self, shares: np.ndarray, direction: np.ndarray) -> bool:
        arms = self.at(shares)[: len(self.roots)] - self.roots
        cosines = arms @ direction / np.maximum(np.linalg.norm(arms, axis=1), 1e-12)
        return bool((cosines[self.hinged] >= _FACING).all())


def _root(digit: Digit, hinged: bool, path: np.ndarray, palm: np.ndarray) -> np.ndarray:
    """Return the hinge of a jaw, or the middle of the palm that a sliding one is near to in the middle of its way."""
    if hinged:
        return digit.base_point
    distances = np.linalg.norm(palm - path[len(path) // 2], axis=1)
    return palm[distances <= _NEAR * distances.min()].mean(axis=0)


def _fixed_tip(digit: Digit, path: np.ndarray, palm: np.ndarray) -> np.ndarray | None:
    """Return the point of the palm on which a single jaw closes; None if none reaches far enough from the hinge."""
    reaching = palm[np.linalg.norm(palm - digit.base_point, axis=1) > _FIXED * digit.length]
    if not len(reaching):
        return None
    gaps = np.linalg.norm(reaching[:, None] - path, axis=2).min(axis=1)
    near = reaching[gaps <= gaps.min() + 0.1 * digit.length]
    return near.mean(axis=0) if gaps.min() < 0.35 * digit.length else None


def _closing_axes(tips: _Tips, closed: np.ndarray, opened: np.ndarray) -> np.ndarray:
    """Return directions across which a gripper does not approach: along which it closes, and its hinges'."""
    # The last of the way, since a single jaw comes round a corner.
    chords = tips.at(closed) - tips.at(closed + _LAST * (opened - closed))
    if len(chords) > 2:
        # Three jaws close in a plane.
        _, _, axes = np.linalg.svd(tips.at(opened) - tips.at(opened).mean(axis=0))
        return axes[:2]
    closing = chords[0] - chords[1]
    axes = [closing]
    if tips.hinged.all() and abs(tips.axes[0] @ closing) < 0.5 * np.linalg.norm(closing):
        axes.append(tips.axes[0])
    return np.array(axes)


def _without(vector: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Return what of a vector is across all axes, shape [3]."""
    basis = np.linalg.qr(axes.T)[0]
    return vector - basis @ (basis.T @ vector)


def _palm_height(palm: np.ndarray, center: np.ndarray, direction: np.ndarray, length: float) -> float | None:
    """Return how far out the palm reaches along a direction, near the line through a point, in the first half of a way.

    Args:
        palm: Points on the palm [m], shape [n, 3].
        center: Where the way ends [m], shape [3].
        direction: Unit direction of the way, shape [3].
        length: Its length [m].
    """
    offsets = palm - center
    along = offsets @ direction
    beside = np.linalg.norm(offsets - along[:, None] * direction, axis=1)
    under = (beside < _BESIDE * length) & (along < -0.5 * length)
    return float((along[under] + float(center @ direction)).max()) if under.any() else None
