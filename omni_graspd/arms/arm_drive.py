# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Position drives of arms that come without any: stiff, as servos of industrial arms are, with gravity compensated."""

from __future__ import annotations

import math
from dataclasses import replace

from omni_graspd.hands.usd.hand_design import HandDesign

STIFFNESS, DAMPING = 4000.0, 400.0
"""Of joints that turn [N m/rad], [N m s/rad]."""
_SLIDE = 10.0
"""Joints that slide are so much stiffer in N/m."""


def with_arm_drives(design: HandDesign) -> HandDesign:
    """Give a robot the drives of an arm, without a largest torque: what a motor yields is not known."""
    return replace(
        design,
        stiffness=STIFFNESS,
        damping=DAMPING,
        max_torque=math.inf,
        linear_stiffness=_SLIDE * STIFFNESS,
        linear_damping=_SLIDE * DAMPING,
        max_force=math.inf,
    )
