# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Adapters inside Omniverse Kit: the only place that imports omni, carb or isaacsim."""

from .extension import GraspdExtension as GraspdExtension
from .stage_grasps import StageGrasps as StageGrasps
from .stage_grasps import grasp_on_stage as grasp_on_stage
from .stage_reach import reach_on_stage as reach_on_stage
