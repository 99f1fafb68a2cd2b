# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Which links of a hand may not overlap one another."""

from __future__ import annotations

import numpy as np

from omni_graspd.hands.hand import Hand


def collidable_link_pairs(hand: Hand) -> np.ndarray:
    """Tell which links may not overlap: all pairs but those of one rigid body and those of a body and its parent.

    Links without a joint between them are one rigid body, also when they are welded to the palm. That is the rule of
    MuJoCo; PhysX and URDF tools leave out joined links alike.

    Args:
        hand: The hand.

    Returns:
        Symmetric, shape [link_count, link_count], bool.
    """
    body: list[int] = []
    for index, link in enumerate(hand.links):
        body.append(index if link.joint >= 0 or link.parent < 0 else body[link.parent])
    parent = [body[link.parent] if link.parent >= 0 else -1 for link in (hand.links[b] for b in body)]
    bodies, parents = np.array(body), np.array(parent)
    joined = parents[:, None] == bodies[None, :]
    return ~((bodies[:, None] == bodies[None, :]) | joined | joined.T)
