# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A robot arm: an articulation with a base that stands and a flange that a hand is mounted on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from omni_graspd.arms.chain import Chain
from omni_graspd.hands.hand import Hand


@dataclass(frozen=True, eq=False)
class Arm:
    """An arm. All its joints lead from the base to the flange; link 0 of the articulation is the base."""

    name: str
    """Name of the arm, a valid file name."""
    source: Path
    """USD file it was read from."""
    articulation: Hand
    """Links, joints and limits, read as those of a hand; how hands approach and open means nothing here."""
    flange_link: int
    """Index of the link that the flange is part of."""
    T_link_flange: np.ndarray
    """Pose of the flange in that link's frame; hands point along its +z, shape [7]."""
    license: str
    """Licence, as far as it is known."""

    @property
    def joint_names(self) -> tuple[str, ...]:
        """Names of the joints, from the base on; all arrays of arm positions follow this order."""
        return self.articulation.joint_names

    @property
    def joint_count(self) -> int:
        """Number of joints."""
        return self.articulation.joint_count

    @property
    def lower(self) -> np.ndarray:
        """Lower limits [rad or m], shape [joint_count]."""
        return self.articulation.joint_lower

    @property
    def upper(self) -> np.ndarray:
        """Upper limits [rad or m], shape [joint_count]."""
        return self.articulation.joint_upper

    def chain(self) -> Chain:
        """Return the kinematics from the base to the flange."""
        return Chain.of(self.articulation, self.flange_link, self.T_link_flange)

    def still_links(self, link: int) -> tuple[int, ...]:
        """Return the links that do not move against one, itself first.

        Args:
            link: Index of the link.
        """
        first: list[int] = []
        for number, each in enumerate(self.articulation.links):
            first.append(first[each.parent] if each.parent >= 0 and each.joint < 0 else number)
        return link, *(other for other in range(len(first)) if first[other] == first[link] and other != link)

    def longest_reach(self) -> float:
        """Return a distance from the base that neither a joint nor the flange goes beyond [m]."""
        chain = self.chain()
        slides = np.where(chain.revolute, 0.0, np.maximum(np.abs(chain.lower), np.abs(chain.upper)))
        return float(np.linalg.norm(chain.frames[:, :3, 3], axis=1).sum() + slides.sum())
