# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What the numbers in joint positions are: names of the joints, and which of them a motor moves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True, eq=False)
class HandJoints:
    """The joints of a hand, in the order of every array of joint positions."""

    names: tuple[str, ...]
    """Names of all movable joints, [joint_count]."""
    actuated: np.ndarray
    """Which joints are actuated, shape [joint_count], bool; the others follow them."""
    lower: np.ndarray
    """Lower limits [rad or m], shape [joint_count]."""
    upper: np.ndarray
    """Upper limits [rad or m], shape [joint_count]."""


def read_hand_joints(hand_file: Path) -> HandJoints:
    """Read the joints of a dataset's hand.

    Args:
        hand_file: The hand's USD file.

    Raises:
        GraspdError: If it is missing, or no hand.
    """
    from omni_graspd.hands.usd.hand_reader import read_hand

    hand = read_hand(hand_file)
    actuated = np.zeros(hand.joint_count, dtype=bool)
    actuated[hand.actuated] = True
    return HandJoints(hand.joint_names, actuated, hand.joint_lower, hand.joint_upper)
