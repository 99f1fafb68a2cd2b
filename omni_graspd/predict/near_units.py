# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Units in which the head that looks from the palm speaks: what it says is about 1 in size."""

from __future__ import annotations

POSITION = 0.02
"""Of the palm's shift, in its own frame [m]."""
ROTATION = 0.3
"""Of the palm's turn, in its own frame [rad]."""
JOINTS = 0.3
"""Of changes of joints, in halves of their range: toward a better grasp, and from the grasp to the squeeze."""
OPENING = 0.5
"""Of changes from the grasp to the open hand, in halves of the range."""
RETREAT = 0.05
"""Of shifts from the grasp to hover, and from there to the pregrasp, in the palm's frame [m]."""
GOOD = 0.5
"""Grasps shifted by this many of the first three units at once score exp(-1)."""
WORST = 3.0
"""Grasps are shifted by up to so many units in training."""
