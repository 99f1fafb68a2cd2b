# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How far the joints of a grasp stay from their limits."""

from __future__ import annotations

import numpy as np

from omni_graspd.hands.hand import Hand


def joint_limit_margins(hand: Hand, joint_positions: np.ndarray) -> np.ndarray:
    """Return the distance of the joint that is nearest to one of its limits, as a share of its range.

    Args:
        hand: The hand.
        joint_positions: All joints [rad or m], shape [grasp_count, joint_count].

    Returns:
        Shape [grasp_count]: 0.5 with every joint in the middle, 0 at a limit, negative beyond; 0.5 for hands without
        limited joints.
    """
    spans = hand.joint_upper - hand.joint_lower
    limited = np.isfinite(spans) & (spans > 0.0)
    positions, lower, upper = joint_positions[:, limited], hand.joint_lower[limited], hand.joint_upper[limited]
    margins = np.minimum(positions - lower, upper - positions) / spans[limited]
    return margins.min(axis=1, initial=0.5)
