# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grasps on arms: cost, share that is reachable, share that lifts, and independent checks; exits with 1 on a miss.

    graspd arms add fr3 franka_fr3/fr3.xml    # and so on: robots are the user's
    python benchmarks/bench_arms.py DATASET --arms fr3 ur10e iiwa14 [--check 200] [--lift 64] [--places]

DATASET is made with ``graspd synthesize``. ``cpu ms`` is processor time per usable grasp for its inverse kinematics and
collisions, models built. The checks take nothing from what they check: forward kinematics by :mod:`hands.kinematics`,
collisions by manifold3d's distances between convex pieces. ``lifted`` is judged by MuJoCo with all joints driven.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro
from arm_checks import check_collisions, check_kinematics
from mujoco_arm_lift import MujocoArmLift, arm_way

from omni_graspd.arms.arm_reader import read_arm
from omni_graspd.arms.reach_config import ReachConfig
from omni_graspd.dataset.grasp_numbers import rows_of
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.manifest import read_manifest
from omni_graspd.dataset.reach.reach_dataset import reach_dataset
from omni_graspd.dataset.reach.reach_scene import scene_stations
from omni_graspd.dataset.reach.reach_table import ReachTable, read_reach
from omni_graspd.dataset.scene_files import read_rest
from omni_graspd.dataset.tables import read_grasps, read_scene_grasps
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.objects.object_library import load_object

COST, POSITION, ANGLE, LIFTED = 10.0, 1e-4, np.radians(0.05), 0.71
"""Most processor time per grasp [ms], most that forward kinematics may be off [m], [rad], least share lifted."""
