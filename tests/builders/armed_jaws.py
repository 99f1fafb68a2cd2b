# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The jaws of the lift tests on an arm of seven axes, and where it stands."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from lift_jaws import make_jaws
from six_axis_arm import SEVEN, arm_urdf

from omni_graspd.arms.arm import Arm
from omni_graspd.arms.arm_import import add_arm
from omni_graspd.arms.arm_reader import load_arm
from omni_graspd.hands.hand import Hand

MOUNT = np.array([0.0, 0.0, 0.03, 1.0, 0.0, 0.0, 0.0])
"""The jaws' palm in the frame of the flange."""
BASE = np.array([-0.5, 0.1, 0.0, 0.0, 0.0, np.sin(0.2), np.cos(0.2)])
"""The arm's base in the world."""


def make_robot(folder: Path) -> tuple[Arm, Hand]:
    """Add the arm to a library in a folder, and make the jaws there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRASPD_HOME", str(folder / "home"))
        add_arm("seven", arm_urdf(folder, SEVEN))
        return load_arm("seven"), make_jaws(folder)
