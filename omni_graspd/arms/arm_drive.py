# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Position drives of arms that come without any: stiff, as servos of industrial arms are, with gravity compensated."""

from __future__ import annotations

import math
from dataclasses import replace

from omni_graspd.hands.usd.hand_design import HandDesign

STIFFNESS, DAMPING = 4000.0, 400.0
"""Of joints that turn [N m/rad], [N m s/rad]."""
LINEAR_STIFFNESS, LINEAR_DAMPING = 10.0 * STIFFNESS, 10.0 * DAMPING
"""Of joints that slide [N/m], [N s/m]."""


def with_arm_drives(design: HandDesign) -> HandDesign:
    """Give a robot the drives of an arm, without a largest torque: torque limits of the source are ignored."""
    return replace(
        design,
        stiffness=STIFFNESS,
        damping=DAMPING,
        max_torque=math.inf,
        linear_stiffness=LINEAR_STIFFNESS,
        linear_damping=LINEAR_DAMPING,
        max_force=math.inf,
    )
