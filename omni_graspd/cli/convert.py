# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The command ``graspd convert``: grasps from and to the files of other projects."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from omni_graspd.atomic import leftovers_of
from omni_graspd.cli.console import Action, progress_bar
from omni_graspd.dataset.selection import Selection
from omni_graspd.formats.conversion import Conversion, ConvertConfig, read_for_conversion, write_reading
from omni_graspd.plural import counted

if TYPE_CHECKING:
    from rich.console import Console

_MOST_LINES = 20


def convert_grasps(
    source: Annotated[Path, tyro.conf.Positional],
    target: Annotated[Path, tyro.conf.Positional],
    from_: Annotated[str, tyro.conf.arg(name="from")] = "",
    to: str = "",
    hand: str = "",
    object_: Annotated[Path | None, tyro.conf.arg(name="object")] = None,
    where: str = "",
    top: int | None = None,
    by: str = "",
    check: bool = True,
) -> Action:
    """Convert grasps between graspd datasets and the files of other projects, or from one format to another.

    Reads dataset, isaac_grasp, dexgraspnet, multigrippergrasp, graspgen, bodex, dexgraspbench, multidex, acronym,
    graspit, planner_list, table, scene. Writes dataset, usd, mjcf, webdataset, lerobot, isaac_grasp, dexgraspnet,
    multigrippergrasp, graspgen, table. Grasps in a scene (scenes/mug/scene_0000.grasps.parquet) keep their place in the
    world in usd, mjcf and isaac_grasp. Grasps made on a table play in usd and mjcf: the hand goes its way and lifts.

    Args:
        source: File, folder of files of one format, or dataset folder.
        target: File to write; a folder for a dataset, or for several hands or objects.
        from_: Format to read. Default: detected from the content.
        to: Format to write. Default: chosen by the target's name.
        hand: Hand, by name or USD file. Default: detected from the joints or the hand's name in the file.
        object_: Mesh or USD file of the object, or a folder of objects. Default: the object that the file names.
        where: Take only grasps that meet a condition on the columns, for example "usable and epsilon > 0.2".
        top: Take only the best grasps of each hand and object.
        by: Column to rank grasps by. Default: the ranking score.
        check: Refuse files whose quaternions or joints seem to be in a different order from the format's (on by
            default).
    """
    config = ConvertConfig(
        from_name=from_, to=to, hand=hand, object_path=object_, check=check, selection=Selection(where, top, by)
    )
    return partial(_convert, source, target, config)


def _convert(source: Path, target: Path, options: ConvertConfig, console: Console) -> None:
    with progress_bar(console, "read", "file") as progress:
        reading, to_name = read_for_conversion(source, target, options, progress)
    with progress_bar(console, "write", "step") as progress:
        result = write_reading(reading, target, to_name, progress)
    _show(result, console)
    for path in leftovers_of(target):
        _say(console, f"{path} is of a conversion that was killed, or still runs; if it does not, delete it", "yellow")


def _show(result: Conversion, console: Console) -> None:
    _say(console, f"read as {result.from_name} ({result.reason}), written as {result.to_name}")
    for file in result.files[:_MOST_LINES]:
        owner = f"hand {file.hand or 'unnamed'} · object {file.object or 'unnamed'}"
        _say(console, f"{counted(file.count, file.unit)} · {owner}: {file.path}")
    if len(result.files) > _MOST_LINES:
        _say(console, f"and {len(result.files) - _MOST_LINES} more files")
    show_losses(result, console)


def show_losses(result: Conversion, console: Console) -> None:
    """Print what was guessed in reading, lost in writing, or left out.

    Args:
        result: What came of a conversion.
        console: Where to print.
    """
    for note in result.notes[:_MOST_LINES]:
        _say(console, note, "dim")
    for refusal in result.refused[:_MOST_LINES]:
        count = counted(refusal.count, "grasp") if refusal.count else refusal.source.name
        _say(console, f"left out {count}: {refusal.reason}", "yellow")
    if len(result.refused) > _MOST_LINES:
        _say(console, f"and {len(result.refused) - _MOST_LINES} more reasons", "yellow")


def _say(console: Console, line: str, style: str = "") -> None:
    console.print(line, style=style, soft_wrap=True, markup=False)
