# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Where an arm stands and how it holds a hand."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from omni_graspd.arms.mount import default_mount, pose_from_euler
from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand import Hand


@dataclass(frozen=True, kw_only=True)
class RobotConfig:
    """Where the arm stands, and how it holds the hand.

    The table top is z = 0 and its middle the origin; by default its edge is at x = -0.4, and the arm stands behind it.
    """

    base: tuple[float, float, float, float] = (-0.55, 0.0, 0.0, 0.0)
    """Place of the arm's base: x, y, z [m], and its turn about the vertical [degrees]."""
    mount: tuple[float, float, float, float, float, float] | None = None
    """The palm in the frame of the flange: x, y, z [m], roll, pitch, yaw [degrees]. Default: its back on the flange."""
    mount_turn: float = 0.0
    """Turn of the hand about the flange's axis, where no mount is given [degrees]."""
    mount_tilt: float = 90.0
    """Without a mount: at 90 the palm looks along the flange's axis, at 0 its fingers point along it [degrees]."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("base", "mount"):
            values = getattr(self, name) or ()
            if not np.isfinite(values).all():
                raise GraspdError(f"expected {name} to be finite numbers, got {values}")
        for name in ("mount_tilt", "mount_turn"):
            if not math.isfinite(getattr(self, name)):
                raise GraspdError(f"expected {name} to be a finite angle in degrees, got {getattr(self, name)}")

    def base_pose(self) -> np.ndarray:
        """Return T_world_base, shape [7]."""
        return standing(np.array(self.base))

    def mount_pose(self, hand: Hand) -> np.ndarray:
        """Return T_flange_palm of a hand, shape [7].

        Raises:
            GraspdError: If no mount is given and the palm has no surface to mount it by.
        """
        if self.mount is None:
            return default_mount(hand, math.radians(self.mount_turn), math.radians(self.mount_tilt))
        x, y, z, *angles = self.mount
        return pose_from_euler((x, y, z, *(math.radians(angle) for angle in angles)))


def standing(place: np.ndarray) -> np.ndarray:
    """Return the pose of what stands upright, shape [7].

    Args:
        place: x, y, z [m], and its turn about the vertical [degrees], shape [4].
    """
    x, y, z, yaw = place
    return pose_from_euler((x, y, z, 0.0, 0.0, math.radians(yaw)))
