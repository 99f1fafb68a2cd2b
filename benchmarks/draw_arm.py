# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of an arm that carries out a grasp of a dataset, from two sides; with --gif also its lift in MuJoCo.

python benchmarks/draw_arm.py DATASET ARM picture.jpg [--hand allegro] [--object mug] [--stages pregrasp grasp lift]
MUJOCO_GL=egl python benchmarks/draw_arm.py DATASET ARM picture.jpg --gif lift.gif    # egl: without a display
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro
from arm_cases import ArmCase, read_cases
from mujoco_arm_lift import MujocoArmLift
from PIL import Image

from omni_graspd.arms.arm_reader import read_arm
from omni_graspd.arms.way_reach import pieces_of
from omni_graspd.backend import load_backend
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.inspection.arm_pictures import PlacedFile, PosedRobot, draw_robot
from omni_graspd.objects.object_library import load_object
from omni_graspd.scenes.way_stations import STAGES


@dataclass(frozen=True, kw_only=True)
class Options:
    """Which grasp."""

    hand: str = "allegro"
    """Name of the hand."""
    object: str = "soup_can"
    """Name of the object."""
    row: int = 0
    """Which of its reachable grasps."""
    stages: tuple[str, ...] = ("grasp",)
    """What is drawn, from left to right; both sides of each, one below the other."""
    gif: Path | None = None
    """Animation of the lift in MuJoCo; none if None."""


def draw(root: Path, name: str, case: ArmCase, stages: tuple[str, ...]) -> np.ndarray:
    """Return the pictures of a grasp in a grid, [height, width, 3], uint8."""
    layout = DatasetLayout(root)
    arm, hand = read_arm(layout.arm(name)), load_hand(str(layout.hand(case.hand)))
    columns = []
    for stage in stages:
        station = STAGES[stage]
        robot = PosedRobot(
            arm=arm,
            arm_positions=case.arm_positions[station],
            T_world_base=case.T_world_base,
            hand=hand,
            hand_positions=case.hand_positions[station],
            T_flange_palm=case.T_flange_palm,
        )
        thing = PlacedFile(layout.object(case.object), case.moved(case.T_world_object, station))
        pictures = asyncio.run(draw_robot(load_backend("auto"), robot, [thing], case.table(layout)))
        columns.append(np.concatenate(pictures))
    return np.concatenate(columns, axis=1)


def main(
    dataset: Annotated[Path, tyro.conf.Positional],
    arm: Annotated[str, tyro.conf.Positional],
    picture: Annotated[Path, tyro.conf.Positional],
    options: Annotated[Options, tyro.conf.arg(name="")],
) -> None:
    """Draw a grasp."""
    layout = DatasetLayout(dataset)
    wanted = (True, options.hand, options.object)
    cases = [case for case in read_cases(dataset, arm) if (case.reachable, case.hand, case.object) == wanted]
    if options.row >= len(cases):
        raise GraspdError(f"expected --row below {len(cases)}, the number of such grasps, got {options.row}")
    case = cases[options.row]
    Image.fromarray(draw(dataset, arm, case, options.stages)).save(picture, quality=85)
    if options.gif is not None:
        obj, hand = load_object(str(layout.object(case.object))), load_hand(str(layout.hand(case.hand)))
        known = read_arm(layout.arm(arm))
        test = MujocoArmLift(known, hand, case.T_flange_palm, obj, pieces_of(obj), case.table(layout))
        test.animate(case.way(), options.gif, every=10)


if __name__ == "__main__":
    tyro.cli(main)
