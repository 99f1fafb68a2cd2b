# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How a hand closes: the joints that bring its fingertips together in front of the palm."""

from __future__ import annotations

import numpy as np

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.usd.transforms import IDENTITY, pose_to_matrix

_STEP = 0.05
"""Change of a joint by which its effect is measured, as a share of its range."""
_LEAST_EFFECT = 0.35
"""A joint closes if this share of its fingertips' motion goes toward the middle; others spread."""
_REACH = 0.06
"""Where fingertips meet: this far in front of the palm's approach point [m]."""


def fingertip_positions(hand: Hand, joint_positions: np.ndarray) -> np.ndarray:
    """Return the middle of each digit's last link in the palm frame [m], shape [tip_count, 3].

    Args:
        hand: The hand.
        joint_positions: All joints [rad or m], shape [joint_count].
    """
    poses = pose_to_matrix(link_poses(hand, IDENTITY, joint_positions))
    tips = sorted(set(range(1, len(hand.links))) - {link.parent for link in hand.links})
    middles = [hand.links[tip].mesh.vertices for tip in tips]
    centers = [v.mean(axis=0) if len(v) else np.zeros(3) for v in middles]
    return np.array(
        [poses[tip, :3, :3] @ center + poses[tip, :3, 3] for tip, center in zip(tips, centers, strict=True)]
    ).reshape(-1, 3)


def closed_positions(hand: Hand, share: float = 0.6) -> np.ndarray:
    """Return actuated positions with the fingers closed, for pictures and checks.

    Joints that bring their fingertips toward a point in front of the palm go that way by ``share`` of what is left of
    their range; joints that mostly spread fingers stay open.

    Args:
        hand: The hand.
        share: 0 open, 1 at the limits.

    Returns:
        Actuated positions [rad or m], shape [actuated_count].
    """
    positions = hand.open_positions.copy()
    meeting = hand.approach_point + _REACH * hand.approach_direction
    before = fingertip_positions(hand, hand.joint_positions(hand.open_positions))
    if not len(before):
        return positions
    toward = meeting - before
    toward /= np.maximum(np.linalg.norm(toward, axis=1, keepdims=True), 1e-9)
    for k, joint in enumerate(hand.actuated):
        lower, upper = float(hand.joint_lower[joint]), float(hand.joint_upper[joint])
        step = _STEP * (upper - lower)
        moved = hand.open_positions.copy()
        moved[k] += step
        travel = fingertip_positions(hand, hand.joint_positions(moved)) - before
        length = float(np.linalg.norm(travel, axis=1).sum())
        effect = float((travel * toward).sum()) / length if length > 1e-9 else 0.0
        if abs(effect) > _LEAST_EFFECT:
            limit = upper if effect > 0.0 else lower
            positions[k] += share * (limit - positions[k])
    return positions
