# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Units in which the head that looks from the palm speaks and is taught: what it says is about 1 in size."""

from __future__ import annotations

OPENING = 0.5
"""Of changes of joints from the grasp to the open hand, in halves of their range."""
PRESSING = 0.3
"""Of changes of joints from the grasp to the squeeze, in halves of their range."""
RETREAT = 0.05
"""Of shifts from the grasp to hover, and from there to the pregrasp, in the palm's frame [m]."""
SHIFT, TURN, BEND = 0.02, 0.3, 0.3
"""Of what grasps are spoilt by in training: the palm's place [m] and direction [rad], joints in halves of their
range."""
GOOD = 0.5
"""Grasps that are spoilt by this many units score exp(-1)."""
WORST = 3.0
"""Grasps are spoilt by up to so many units."""
