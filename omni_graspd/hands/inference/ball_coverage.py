# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How well the digits of a hand can surround a ball that lies on its palm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omni_graspd.geometry.sphere_directions import sphere_directions
from omni_graspd.hands.inference.digit_surface import DigitSurface, sample_postures

_POSTURES = 320
_DIRECTIONS = 48
# A digit may reach so deep into the ball and touches it within so much, as shares of its radius.
_DEPTH, _REACH = 0.12, 0.3
# Cosines between which a direction counts from not at all to fully touched: 73 to 18 degrees.
_FAR, _NEAR = 0.3, 0.95
# How much it counts to push the ball aside, sweep after sweep over the digits; a first digit cannot help pushing. With
# 2, a ball that is touched all over one half is worth nothing.
_ONE_SIDED = (0.0, 2.0, 2.0)
# How much it counts if digits want a joint that moves both at different positions: half its range apart costs 1.
_DISAGREEMENT = 4.0


@dataclass(frozen=True, eq=False)
class DigitReach:
    """The digits in many postures, to choose from."""

    surface: DigitSurface
    """The digits."""
    points: np.ndarray
    """Their points in the palm frame [m], float32, shape [posture_count, point_count, 3]."""
    shares: np.ndarray
    """Actuated positions as shares of their ranges, shape [posture_count, actuated_count]."""
    moved: np.ndarray
    """Whether an actuated joint moves a digit, bool, shape [digit_count, actuated_count]."""

    @classmethod
    def from_surface(cls, surface: DigitSurface) -> DigitReach:
        """Pose the digits."""
        postures, hand = sample_postures(surface.hand, _POSTURES), surface.hand
        lower, upper = hand.joint_lower[hand.actuated], hand.joint_upper[hand.actuated]
        shares = (postures - lower) / np.where(upper > lower, upper - lower, 1.0)
        return cls(surface, surface.place(postures)[0].astype(np.float32), shares, surface.moved())

    def coverage(self, center: np.ndarray, radius: float, frame: np.ndarray) -> float:
        """Return from how much of all around the digits can touch a ball at once, 0 to 1.

        For each digit one posture is chosen, digit after digit and three times over, so that together they touch the
        ball from as many directions as they can without pushing it aside.

        Args:
            center: The ball's centre in the palm frame [m], shape [3].
            radius: Its radius [m].
            frame: Axes as rows, the last one out of the palm, shape [3, 3].
        """
        directions = sphere_directions(_DIRECTIONS) @ frame
        sideways = directions - np.outer(directions @ frame[2], frame[2])
        offsets = self.points - center.astype(np.float32)
        distances = np.sqrt(np.einsum("bpi,bpi->bp", offsets, offsets))
        choices = [_touched(rows, offsets, distances, radius, directions) for rows in self.surface.rows]
        taken = np.full(len(choices), -1)
        covered = np.zeros((len(choices), _DIRECTIONS))
        best = 0.0
        for one_sided in _ONE_SIDED:
            for digit, (postures, touched) in enumerate(choices):
                total = np.minimum(touched + np.delete(covered, digit, axis=0).sum(axis=0), 1.0)
                values = total.mean(axis=1) - one_sided * np.linalg.norm(total @ sideways / _DIRECTIONS, axis=1)
                values -= _DISAGREEMENT * self._disagreement(digit, postures, taken)
                choice = int(np.argmax(values))
                taken[digit], covered[digit], best = postures[choice], touched[choice], float(values[choice])
        return best

    def _disagreement(self, digit: int, postures: np.ndarray, taken: np.ndarray) -> np.ndarray:
        """Return by how much postures of a digit contradict those that other digits have taken, shape [choice_count].

        Args:
            digit: The digit.
            postures: Postures to choose from, the last one -1 for staying away, shape [choice_count].
            taken: Postures of all digits, -1 for none, shape [digit_count].
        """
        apart = np.zeros(len(postures))
        for other in np.flatnonzero(taken >= 0):
            shared = self.moved[digit] & self.moved[other]
            if other != digit and shared.any():
                gaps = self.shares[np.ix_(postures[:-1], shared)] - self.shares[taken[other], shared]
                apart[:-1] += (gaps * gaps).sum(axis=1)
        return apart


def _touched(
    rows: tuple[np.ndarray, ...], offsets: np.ndarray, distances: np.ndarray, radius: float, directions: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the postures in which one digit touches a ball, and from where it does; at last, staying away.

    Args:
        rows: Indices of the points of each of the digit's links.
        offsets: Points from the ball's centre [m], shape [posture_count, point_count, 3].
        distances: Their lengths [m], shape [posture_count, point_count].
        radius: The ball's radius [m].
        directions: Unit directions from its centre, shape [direction_count, 3].

    Returns:
        Indices of the postures, -1 at last, shape [choice_count], and how much each direction is covered, 0 to 1, shape
        [choice_count, direction_count].
    """
    nearest = distances[:, np.concatenate(rows)].min(axis=1)
    chosen = np.flatnonzero((nearest > (1.0 - _DEPTH) * radius) & (nearest < (1.0 + _REACH) * radius))
    cosines = np.full((len(chosen) + 1, len(directions)), -1.0)
    for link in rows:
        of_link = distances[np.ix_(chosen, link)]
        at = of_link.argmin(axis=1)
        unit = offsets[chosen, link[at]] / distances[chosen, link[at], None]
        touching = np.flatnonzero(of_link.min(axis=1) < (1.0 + _REACH) * radius)
        cosines[touching] = np.maximum(cosines[touching], unit[touching] @ directions.T)
    return np.append(chosen, -1), np.clip((cosines - _FAR) / (_NEAR - _FAR), 0.0, 1.0)
