# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Postures of a hand anywhere within its limits, in any turn."""

from __future__ import annotations

import numpy as np

from omni_graspd.hands.hand import Hand


def random_hands(hand: Hand, count: int, *, near: float = 0.0, far: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    """Palm poses between two distances from the origin [m], [count, 7], and joint positions, [count, joint_count]."""
    random = np.random.default_rng(5)
    quats, away = random.normal(size=(count, 4)), random.normal(size=(count, 3))
    quats /= np.linalg.norm(quats, axis=1, keepdims=True)
    away *= random.uniform(near, far, size=(count, 1)) / np.linalg.norm(away, axis=1, keepdims=True)
    lower, upper = hand.joint_lower[hand.actuated], hand.joint_upper[hand.actuated]
    actuated = random.uniform(lower, upper, size=(count, hand.actuated_count))
    return np.concatenate([away, quats], axis=1), hand.joint_positions(actuated)
