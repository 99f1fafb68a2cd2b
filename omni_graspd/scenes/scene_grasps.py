# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grasps placed in a scene, as tables keep them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

FROM_ABOVE = math.radians(60.0)
"""Largest angle between its way and straight down of a hand that comes from above [rad]."""


@dataclass(frozen=True)
class SceneGrasps:
    """Grasps in the frame of a scene, one row each, in the order of the base grasps."""

    T_world_palm: np.ndarray
    """Palm poses, shape [grasp_count, 7]."""
    table_clearance: np.ndarray
    """Height of the hand's lowest vertex over the table top [m], negative below it, shape [grasp_count]."""
    collides: np.ndarray
    """Whether the hand reaches below the table top or touches a neighbour, or is nowhere (NaN), [grasp_count], bool."""
    approach_angle: np.ndarray
    """Angle between the direction in which the palm looks and straight down [rad], shape [grasp_count]."""
    approach_clearance: np.ndarray
    """Lowest vertex over the table top on the whole way, from pregrasp to lift [m]; for grasps without a known way on
    the open hand's straight one from pregrasp to grasp; NaN where there is no pregrasp, shape [grasp_count]."""
    from_above: np.ndarray
    """Whether the hand comes from above, within 60 degrees, never reaches below the table top and touches no neighbour
    from place to place of its way, shape [grasp_count], bool."""
    usable: np.ndarray | None = None
    """Whether the base grasp is usable and its whole way is clear of the table and, from place to place, of neighbours,
    shape [grasp_count], bool; None for grasps without a known way."""
    neighbour_clearance: np.ndarray | None = None
    """Distance to the nearest neighbour [m], up to 5 cm, 0 where the hand touches it, shape [grasp_count]; None for a
    scene without clutter."""
