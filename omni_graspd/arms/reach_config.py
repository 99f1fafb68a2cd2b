# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Settings of what an arm reaches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omni_graspd.arms.robot_config import RobotConfig, standing
from omni_graspd.errors import GraspdError
from omni_graspd.ranges import require_at_least, require_not_negative, require_positive
from omni_graspd.seeding import random_generator


@dataclass(frozen=True, kw_only=True)
class ReachConfig(RobotConfig):
    """Where the arm stands, how it holds the hand, and how it is found out which grasps it reaches.

    The table top is z = 0 and its middle the origin; by default its edge is at x = -0.4, and the arm stands behind it.
    """

    base_range: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    """How far the base may be off to either side, drawn for each scene [m, m, m, degrees]."""
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
        super().__post_init__()
        if not np.isfinite(self.base_range).all() or min(self.base_range) < 0.0:
            raise GraspdError(f"expected base_range to be finite numbers, 0 or more, got {self.base_range}")
        require_positive(self, "reach", "largest_step", finite=True)
        require_not_negative(self, "reach", "clearance")
        require_at_least(self, "reach", 1, "postures", "starts")
        require_at_least(self, "reach", 0, "seed")

    def drawn_base_pose(self, object_name: str, scene_index: int) -> np.ndarray:
        """Return T_world_base in a scene, shape [7]; it depends on the scene and the seed only."""
        draws = random_generator(self.seed, "arm base", object_name, scene_index).uniform(-1.0, 1.0, 4)
        return standing(np.array(self.base) + draws * self.base_range)
