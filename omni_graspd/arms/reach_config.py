# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Settings of what an arm reaches."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from omni_graspd.arms.mount import default_mount, pose_from_euler
from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand import Hand
from omni_graspd.ranges import require_at_least, require_not_negative, require_positive
from omni_graspd.seeding import random_generator


@dataclass(frozen=True, kw_only=True)
class ReachConfig:
    """Where the arm stands, how it holds the hand, and how it is found out which grasps it reaches.

    The table top is z = 0 and its middle the origin; by default its edge is at x = -0.4, and the arm stands behind it.
    """

    base: tuple[float, float, float, float] = (-0.55, 0.0, 0.0, 0.0)
    """Place of the arm's base: x, y, z [m], and its turn about the vertical [degrees]."""
    base_range: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    """How far the base may be off to either side, drawn for each scene [m, m, m, degrees]."""
    mount: tuple[float, float, float, float, float, float] | None = None
    """The palm in the frame of the flange: x, y, z [m], roll, pitch, yaw [degrees]. Default: its back on the flange."""
    mount_turn: float = 0.0
    """Turn of the hand about the flange's axis, where no mount is given [degrees]."""
    mount_tilt: float = 90.0
    """Without a mount: at 90 the palm looks along the flange's axis, at 0 its fingers point along it [degrees]."""
    clearance: float = 0.005
    """Links of the arm keep this far from table and objects [m]."""
    largest_step: float = 0.5
    """A joint that has to move farther between two of the 19 places of the way jumps [rad or m]."""
    postures: int = 20000
    """Random postures of the arm from which starts of the inverse kinematics are chosen."""
    starts: int = 8
    """Starts for each grasp, in different branches."""
    seed: int = 0
    """Seed of the base's place."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("base", "base_range", "mount"):
            values = getattr(self, name) or ()
            if not np.isfinite(values).all() or (name == "base_range" and min(values) < 0.0):
                least = ", 0 or more" if name == "base_range" else ""
                raise GraspdError(f"expected {name} to be finite numbers{least}, got {values}")
        for name in ("mount_tilt", "mount_turn"):
            if not math.isfinite(getattr(self, name)):
                raise GraspdError(f"expected {name} to be a finite angle in degrees, got {getattr(self, name)}")
        require_positive(self, "reach", "largest_step", finite=True)
        require_not_negative(self, "reach", "clearance")
        require_at_least(self, "reach", 1, "postures", "starts")
        require_at_least(self, "reach", 0, "seed")

    def base_pose(self, object_name: str, scene_index: int) -> np.ndarray:
        """Return T_world_base in a scene, shape [7]; it depends on the scene and the seed only."""
        draws = random_generator(self.seed, "arm base", object_name, scene_index).uniform(-1.0, 1.0, 4)
        x, y, z, yaw = np.array(self.base) + draws * self.base_range
        return pose_from_euler((x, y, z, 0.0, 0.0, math.radians(yaw)))

    def mount_pose(self, hand: Hand) -> np.ndarray:
        """Return T_flange_palm of a hand, shape [7]."""
        if self.mount is None:
            return default_mount(hand, math.radians(self.mount_turn), math.radians(self.mount_tilt))
        x, y, z, *angles = self.mount
        return pose_from_euler((x, y, z, *(math.radians(angle) for angle in angles)))
