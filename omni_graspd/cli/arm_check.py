# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What ``graspd arms check`` prints and draws."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from omni_graspd.arms.arm import Arm
from omni_graspd.arms.arm_checks import arm_faults
from omni_graspd.arms.arm_reader import load_arm
from omni_graspd.arms.mount import default_mount
from omni_graspd.atomic import atomic_path
from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand

if TYPE_CHECKING:
    from rich.console import Console

_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}


def run_arm_check(name: str, hand_name: str, picture: Path | None, console: Console) -> None:
    """Check an arm and print what was found; the process ends with code 1 if there are faults.

    Args:
        name: One of the user's arms, or a USD file.
        hand_name: Hand whose mount is shown, too; none if empty.
        picture: Where pictures go (PNG or JPEG); none if None.
        console: Where to print.

    Raises:
        GraspdError: If there is no such arm or hand, or the picture's name has another ending.
    """
    if picture is not None and picture.suffix.lower() not in _FORMATS:
        raise GraspdError(f"expected --picture to end in .png or .jpg, got {picture}; rename the picture")
    arm = load_arm(name)
    hand = load_hand(hand_name) if hand_name else None
    _print(arm, hand, console)
    faults = arm_faults(arm)
    for fault in faults:
        console.print(f"fault: {fault}", style="yellow", soft_wrap=True, markup=False)
    if picture is not None:
        _save(arm, hand, picture)
        console.print(f"picture: {picture}", soft_wrap=True, markup=False)
    if faults:
        sys.exit(1)


def _print(arm: Arm, hand: Hand | None, console: Console) -> None:
    from rich.table import Table

    console.print(f"{arm.source}", style="bold", soft_wrap=True, markup=False)
    table = Table(box=None, pad_edge=False)
    for column in ("#", "joint", "type", "lower", "upper", "unit", "link", "mass kg"):
        table.add_column(column, justify="left" if column in ("joint", "type", "unit", "link") else "right")
    for link in arm.articulation.links:
        if link.joint < 0:
            continue
        turns = link.joint_type == "revolute"
        factor, unit = (180.0 / np.pi, "deg") if turns else (1e3, "mm")
        limits = (f"{factor * value[link.joint]:.1f}" for value in (arm.lower, arm.upper))
        name = arm.joint_names[link.joint]
        table.add_row(str(link.joint), name, link.joint_type, *limits, unit, link.name, f"{link.mass:.2f}")
    console.print(table)
    flange = arm.articulation.links[arm.flange_link].name
    console.print(
        f"flange on {flange}: {_numbers(arm.T_link_flange)}; licence {arm.license}", soft_wrap=True, markup=False
    )
    if hand is not None:
        pose = _numbers(default_mount(hand))
        console.print(f"{hand.name}: palm in the frame of the flange {pose}", soft_wrap=True, markup=False)


def _numbers(pose: np.ndarray) -> str:
    position, quaternion = (", ".join(f"{value + 0.0:.4g}" for value in part) for part in (pose[:3], pose[3:]))
    return f"({position}) m, quaternion xyzw ({quaternion})"


def _save(arm: Arm, hand: Hand | None, path: Path) -> None:
    from PIL import Image

    from omni_graspd.backend import load_backend
    from omni_graspd.inspection.arm_pictures import draw_arm

    sheet = asyncio.run(draw_arm(load_backend("auto"), arm, hand))
    with atomic_path(path) as temporary:
        Image.fromarray(sheet).save(temporary, format=_FORMATS[path.suffix.lower()], quality=88)
