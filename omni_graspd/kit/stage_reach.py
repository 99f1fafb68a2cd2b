# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Which grasps on the user's own stage the arm reaches that stands there."""

from __future__ import annotations

import asyncio

from omni_graspd.arms.arm import Arm
from omni_graspd.arms.arm_reader import load_arm
from omni_graspd.arms.reach_config import ReachConfig
from omni_graspd.arms.stage_arm import find_stage_arm, stage_mount
from omni_graspd.arms.stage_reach import StageReach, find_stage_reach, surroundings_of_arm
from omni_graspd.errors import GraspdError
from omni_graspd.kit.ghosts import ROOT as GHOSTS
from omni_graspd.kit.selection import selected_path
from omni_graspd.kit.stage_grasps import StageGrasps
from omni_graspd.kit.viewport import ROOT as INSPECTION
from omni_graspd.kit.viewport import open_stage
from omni_graspd.scenes.stage_hand import find_stage_hand


async def reach_on_stage(
    made: StageGrasps,
    arm: str | Arm,
    prim: str | None = None,
    *,
    robot: str | None = None,
    config: ReachConfig | None = None,
) -> StageReach:
    """Find out which of the grasps on the open stage an arm reaches from where it stands.

    Args:
        made: The grasps, as :func:`~omni_graspd.kit.grasp_on_stage` found them.
        arm: Which arm it is: a name or USD file, see ``graspd arms``, or an arm.
        prim: The arm's prim, or that of the robot that it is part of; None: what is selected.
        robot: Prim of the hand, which has to be on that arm and says how it is mounted; None: that is as in ``config``.
        config: Settings; the base is where it stands on the stage.

    Returns:
        What the arm can do about the grasps that can be carried out; for :meth:`StageGrasps.apply`.

    Raises:
        GraspdError: If another stage is open than the grasps are of, the arm is not there or another, or the hand is
            not on it.
    """
    config, path = config or ReachConfig(), prim or selected_path()
    known = arm if isinstance(arm, Arm) else await asyncio.to_thread(load_arm, arm)
    stage = open_stage()
    if stage != made.stage:
        raise GraspdError("the grasps are of another stage than the open one; find grasps anew")
    standing = find_stage_arm(stage, path, known)
    if robot is None:
        mount = config.mount_pose(made.hand)
    else:
        mount = stage_mount(stage, standing, find_stage_hand(stage, robot, made.hand))
    away = [INSPECTION, GHOSTS, *([robot] if robot else [])]
    around = surroundings_of_arm(stage, made.standing, standing, known, away)
    asked = made.standing, around, made.batch, made.good, config
    return await asyncio.to_thread(find_stage_reach, known, made.hand, standing, mount, *asked)
