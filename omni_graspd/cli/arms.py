# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The commands ``graspd arms ...``: their arguments."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from omni_graspd.arms.arm_import import add_arm, arm_entry, list_arms
from omni_graspd.arms.arm_reader import load_arm
from omni_graspd.arms.robot_config import RobotConfig
from omni_graspd.arms.robot_export import write_robot
from omni_graspd.arms.robot_usd import write_robot_usd
from omni_graspd.cli.console import Action, progress_bar
from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.library import remove_own
from omni_graspd.plural import counted

if TYPE_CHECKING:
    from rich.console import Console

_AT_ORIGIN = RobotConfig(base=(0.0, 0.0, 0.0, 0.0))
_PIVOT = "AssetPivotPlacementChecker"
"""Wants an asset's origin below its middle; a robot's is where it stands, wherever the arm is."""


def add(
    name: Annotated[str, tyro.conf.Positional],
    source: Annotated[str, tyro.conf.Positional],
    flange: str | None = None,
    license_name: str = "",
    scale: float = 1.0,
    replace: bool = False,
    accept_licence: bool = False,
) -> Action:
    """Import a robot arm into your library, for use with graspd reach --arm NAME: from URDF, MJCF or USD.

    What moves beyond the flange, such as a gripper, is left out.

    Args:
        name: Name of the arm in the library.
        source: URDF, MJCF (.xml) or USD file, or a folder that contains one.
        flange: Link or site that hands are mounted on, its +z out of the arm. Default: by its name, such as tool0.
        license_name: Licence of the source, if no licence file lies beside it.
        scale: Metres per unit of a URDF or MJCF file.
        replace: Replace an existing arm of that name.
        accept_licence: Take an arm whose licence forbids commercial use.
    """
    return partial(_add, name, source, flange, license_name, scale, replace, accept_licence)


def check(
    arm: Annotated[str, tyro.conf.Positional],
    hand: str = "",
    picture: Path | None = None,
) -> Action:
    """Report an arm's joints, links and flange, and what is wrong with it.

    Exits with code 1 if there are faults.

    Args:
        arm: Name of an arm, or its USD file.
        hand: Also show how this hand is mounted.
        picture: PNG or JPEG file for pictures of the arm, with the hand if there is one, from two sides.
    """
    # Rendering and its packages are only loaded where they are needed.
    from omni_graspd.cli.arm_check import run_arm_check

    return partial(run_arm_check, arm, hand, picture)


def export(
    arm: Annotated[str, tyro.conf.Positional],
    hand: Annotated[str, tyro.conf.Positional],
    target: Annotated[Path, tyro.conf.Positional],
    config: Annotated[RobotConfig, tyro.conf.arg(name="")] = _AT_ORIGIN,
    validate: bool = False,
) -> Action:
    """Write an arm with a hand on its flange as one articulation, with position drives on all driven joints.

    Args:
        arm: Name of an arm, or its USD file.
        hand: Name of a hand, or its USD file.
        target: USD file (.usd, .usda, .usdc) or MJCF file (.xml) to write.
        config: How the hand is mounted, and where the arm stands.
        validate: Check the USD file by NVIDIA's rules, too; exits with code 1 if one is broken.
    """
    return partial(_export, arm, hand, target, config, validate)


def list_() -> Action:
    """List your arms with their joints, sources and licences."""
    return _list


def remove(name: Annotated[str, tyro.conf.Positional]) -> Action:
    """Delete an arm from your library.

    Args:
        name: Name of the arm.
    """
    return partial(_remove, name)


def _add(
    name: str,
    source: str,
    flange: str | None,
    license_text: str,
    scale: float,
    replace: bool,
    accept_licence: bool,
    console: Console,
) -> None:
    with progress_bar(console, "arm", "link") as progress:
        path, notes = add_arm(
            name,
            source,
            flange=flange,
            license_text=license_text,
            scale=scale,
            replace=replace,
            accept_licence=accept_licence,
            progress=progress,
        )
    for note in notes:
        console.print(note, style="yellow", soft_wrap=True, markup=False)
    entry = arm_entry(name)
    console.print(
        f"{name}: {entry.joint_count} joints, reaches {entry.reach:.2f} m, from {entry.source}, licence "
        f"{entry.license}\n{path}",
        soft_wrap=True,
        markup=False,
    )


def _export(arm: str, hand: str, target: Path, config: RobotConfig, validate: bool, console: Console) -> None:
    kinds = {".xml": write_robot, ".usd": write_robot_usd, ".usda": write_robot_usd, ".usdc": write_robot_usd}
    write = kinds.get(target.suffix.lower())
    if write is None or (validate and write is not write_robot_usd):
        wanted = ".usd, .usda or .usdc" if validate else ".usd, .usda, .usdc or .xml"
        raise GraspdError(f"expected a file that ends in {wanted}, got {target}; rename it")
    mounted, known = load_hand(hand), load_arm(arm)
    write(known, mounted, config.mount_pose(mounted), config.base_pose(), target)
    console.print(f"{known.name} with {mounted.name}: {target}", soft_wrap=True, markup=False)
    if validate:
        _validate(target, console)


def _validate(target: Path, console: Console) -> None:
    from omni_graspd.hands.checks.asset_rules import check_general_rules

    found = check_general_rules(target)
    findings = [replace(each, severity="note") if each.code == _PIVOT else each for each in found]
    for finding in findings:
        console.print(
            f"{finding.severity:<8}{finding.code} at {finding.where}: {finding.message}", soft_wrap=True, markup=False
        )
    errors = sum(finding.severity == "error" for finding in findings)
    console.print(counted(errors, "error"))
    if errors:
        sys.exit(1)


def _list(console: Console) -> None:
    from rich.table import Table

    entries = list_arms()
    if not entries:
        console.print("no arms yet; add one with: graspd arms add NAME FILE")
        return
    table = Table(box=None, pad_edge=False)
    for column in ("name", "joints", "reach m", "source", "licence"):
        table.add_column(column, justify="right" if column in ("joints", "reach m") else "left")
    for entry in entries:
        table.add_row(entry.name, str(entry.joint_count), f"{entry.reach:.2f}", entry.source, entry.license)
    console.print(table)


def _remove(name: str, console: Console) -> None:
    folder = remove_own("arms", name)
    console.print(f"removed {folder}", soft_wrap=True, markup=False)
