# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Postures of an arm by where they bring its flange: good starts for inverse kinematics, in all its branches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omni_graspd.arms.chain import Chain
from omni_graspd.seeding import random_generator

_LENGTH = 0.3
"""Metres that count as a radian [m]."""
_NEAREST = 64
"""So many postures near a pose are looked at to choose different ones."""
_APART = 0.8
"""Starts that differ less than this in every joint are taken to lead to the same solution [rad or m]."""


@dataclass(frozen=True, eq=False)
class SeedBank:
    """Random postures within the joint limits, and the poses of the flange that they lead to."""

    positions: np.ndarray
    """Joint positions [rad or m], shape [posture_count, joint_count]."""
    origins: np.ndarray
    """Where the flange is [m], shape [posture_count, 3]."""
    rotations: np.ndarray
    """How it is turned, shape [posture_count, 9]."""

    @classmethod
    def of(cls, chain: Chain, count: int) -> SeedBank:
        """Draw postures; the same for the same chain and count.

        Joints that can turn more than once around are drawn within one turn about the middle of their range.
        """
        middle = 0.5 * (chain.lower + chain.upper)
        half = 0.5 * (chain.upper - chain.lower)
        half = np.where(chain.revolute, np.minimum(half, np.pi), half)
        draws = random_generator(0, "arm postures").uniform(-1.0, 1.0, (count, chain.joint_count))
        positions = middle + half * draws
        end = chain.end(positions)
        return cls(positions, end[:, :3, 3], end[:, :3, :3].reshape(count, 9))

    def starts(self, T_base_flange: np.ndarray, count: int) -> np.ndarray:
        """Return starts for a pose, near it and different from each other, shape [count, joint_count].

        Args:
            T_base_flange: The pose, shape [4, 4].
            count: How many; fewer if the postures nearby are all alike.
        """
        cosine = 0.5 * (self.rotations @ T_base_flange[:3, :3].ravel() - 1.0)
        angle = np.arccos(np.clip(cosine, -1.0, 1.0))
        apart = np.linalg.norm(self.origins - T_base_flange[:3, 3], axis=1) + _LENGTH * angle
        nearest = np.argpartition(apart, min(_NEAREST, len(apart) - 1))[:_NEAREST]
        nearest = nearest[np.lexsort((nearest, apart[nearest]))]
        chosen: list[int] = []
        for row in nearest:
            away = np.abs(self.positions[chosen] - self.positions[row]).max(axis=1, initial=0.0)
            if not chosen or (away >= _APART).all():
                chosen.append(int(row))
            if len(chosen) == count:
                break
        return self.positions[chosen]
