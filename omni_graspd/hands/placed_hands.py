# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Hands with all links placed, for kernels that measure posed hands: placed once, moved and measured many times."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import warp as wp

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.kinematics import place_links


@dataclass(frozen=True, eq=False)
class PlacedHands:
    """Postures of one hand; single precision, which places a link right to a tenth of a micrometre."""

    hand: Hand
    """The hand."""
    T_root_link: np.ndarray
    """Poses of all links, float32, shape [hand_count, link_count, 7]."""

    @classmethod
    def of(cls, hand: Hand, T_root_palm: np.ndarray, joint_positions: np.ndarray, device: str = "cpu") -> PlacedHands:
        """Place hands.

        Args:
            hand: The hand.
            T_root_palm: Palm poses, shape [hand_count, 7].
            joint_positions: All joints [rad or m], shape [hand_count, joint_count].
            device: Warp device that computes it.
        """
        return cls(hand, place_links(hand, T_root_palm, joint_positions, device).numpy())

    def __len__(self) -> int:
        """Return how many postures there are."""
        return len(self.T_root_link)

    def rows(self, chosen: np.ndarray) -> PlacedHands:
        """Return some of the postures."""
        return replace(self, T_root_link=self.T_root_link[chosen])

    def moved(self, shifts: np.ndarray) -> PlacedHands:
        """Return the hands moved without turning, by ``shifts`` in the root frame [m], shape [hand_count, 3]."""
        poses = self.T_root_link.copy()
        poses[..., :3] += np.asarray(shifts, dtype=np.float32)[:, None]
        return replace(self, T_root_link=poses)

    def on(self, device: str) -> wp.array:
        """Return the poses on a device, transform, shape [hand_count, link_count]."""
        return wp.array(self.T_root_link, dtype=wp.transform, ndim=2, device=device, copy=False)
