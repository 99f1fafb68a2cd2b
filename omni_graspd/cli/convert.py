# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The command ``graspd convert``: grasps from and to the files of other projects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from omni_graspd.cli.console import progress_bar
from omni_graspd.formats.conversion import Conversion, ConvertConfig, convert
from omni_graspd.formats.registry import read_names, write_names

if TYPE_CHECKING:
    from rich.console import Console

Action = Callable[..., None]
"""Work that is done once the arguments are read; prints to the console it is given."""

_MOST_LINES = 20


def convert_grasps(
    source: Path,
    target: Path,
    from_: str = "",
    to: str = "",
    hand: str = "",
    object_: Path | None = None,
    check: bool = True,
) -> Action:
    """Convert grasps: files of other projects to a dataset of ours and back, or from one format to another.

    Args:
        source: A file, a folder of files of one format, or the folder of one of our datasets.
        target: A file; for a dataset, or for several hands and objects, a folder.
        from_: Format that is read; by default told by the content.
        to: Format that is written; by default told by the name.
        hand: Our hand, by name or USD file; by default told by the names of the joints, or of the hand in the file.
        object_: Mesh or USD file of the object, or a folder of objects; by default what the file names is looked for.
        check: Refuse files whose quaternions or joints seem to be in another order than the format has them.
    """
    config = ConvertConfig(from_name=from_, to=to, hand=hand, object_path=object_, check=check)
    return partial(_convert, source, target, config)


def parse_convert(arguments: Sequence[str]) -> Action:
    """Return the work that the arguments behind ``graspd convert`` ask for."""
    import tyro

    convert_grasps.__annotations__ |= {
        "source": tyro.conf.Positional[Path],
        "target": tyro.conf.Positional[Path],
        "from_": Annotated[str, tyro.conf.arg(name="from")],
        "object_": Annotated[Path | None, tyro.conf.arg(name="object")],
    }
    description = (
        "Convert grasps: files of other projects to a dataset of ours and back, or from one format to another. "
        f"Reads {', '.join(read_names())}. Writes {', '.join(write_names())}."
    )
    return tyro.cli(convert_grasps, prog="graspd convert", description=description, args=list(arguments))


def _convert(source: Path, target: Path, options: ConvertConfig, console: Console) -> None:
    with progress_bar(console, "convert", "files") as progress:
        result = convert(source, target, options, progress)
    _show(result, console)


def _show(result: Conversion, console: Console) -> None:
    _say(console, f"read as {result.from_name} ({result.reason}), written as {result.to_name}")
    for file in result.files[:_MOST_LINES]:
        _say(
            console,
            f"{file.count} grasps · hand {file.hand or 'unnamed'} · object {file.object or 'unnamed'}: {file.path}",
        )
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
        count = f"{refusal.count} grasps" if refusal.count else refusal.source.name
        _say(console, f"left out {count}: {refusal.reason}", "yellow")
    if len(result.refused) > _MOST_LINES:
        _say(console, f"and {len(result.refused) - _MOST_LINES} more left out", "yellow")


def _say(console: Console, line: str, style: str = "") -> None:
    console.print(line, style=style, soft_wrap=True, markup=False)
