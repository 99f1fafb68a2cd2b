# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The commands ``graspd hands ...``: their arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from omni_graspd.hands.importing.hand_import import add_hand, list_hands, remove_hand

if TYPE_CHECKING:
    from rich.console import Console

Action = Callable[..., None]
"""Work that is done once the arguments are read; prints to the console it is given."""


def check(hand: str, picture: Path | None = None, validate: bool = False) -> Action:
    """Look a hand over: joints, links and frames, what is wrong with it, and how to mend each fault.

    Ends with code 1 if there are errors.

    Args:
        hand: Name of a hand, a USD file, or a glob over either, for example "*" in quotes.
        picture: Write a sheet of pictures there (PNG or JPEG): open, closed, surface points, colliders.
        validate: Check NVIDIA's asset rules and its gripper profile, too.
    """
    # Rendering and its packages are only loaded where they are needed.
    from omni_graspd.cli.hand_check import run_hand_check

    return partial(run_hand_check, hand, picture, validate)


def add(name: str, source: str | None = None, scale: float = 1.0, replace: bool = False) -> Action:
    """Take a hand into your library: from URDF, MJCF or USD, or one that is known by name.

    Known by name, fetched with pip: ability, allegro_vendor, barrett_vendor, dclaw, inspire, leap, schunk,
    shadow_vendor. Afterwards --hand NAME finds it.

    Args:
        name: Its name from now on.
        source: URDF, MJCF (.xml) or USD file, or a folder with one of them; none for hands known by name.
        scale: Metres per unit of a URDF or MJCF file.
        replace: Take the place of a hand of that name.
    """
    return partial(_add, name, source, scale, replace)


def list_() -> Action:
    """Show all hands: joints, actuated ones, where they come from, licence."""
    return _list


def remove(name: str) -> Action:
    """Delete a hand from your library.

    Args:
        name: Its name.
    """
    return partial(_remove, name)


def _add(name: str, source: str | None, scale: float, replace: bool, console: Console) -> None:
    path = add_hand(name, source, scale=scale, replace=replace)
    files = [file for file in sorted(path.parent.iterdir()) if file.is_file()]
    licenses = [str(file) for file in files if file.suffix.lower() in ("", ".txt", ".md")]
    text = f" (read {', '.join(licenses)})" if licenses else ""
    entry = next(entry for entry in list_hands() if entry.name == name)
    console.print(
        f"{name}: {entry.joint_count} joints, {entry.actuated_count} actuated, from {entry.source}, "
        f"licence {entry.license}{text}\n{path}",
        soft_wrap=True,
        markup=False,
    )


def _list(console: Console) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("name", "joints", "actuated", "source", "licence"):
        table.add_column(column, justify="right" if column in ("joints", "actuated") else "left")
    for entry in list_hands():
        table.add_row(entry.name, str(entry.joint_count), str(entry.actuated_count), entry.source, entry.license)
    console.print(table)


def _remove(name: str, console: Console) -> None:
    console.print(f"removed {remove_hand(name)}", soft_wrap=True, markup=False)


def parse_hands(arguments: Sequence[str]) -> Action:
    """Return the work that the arguments behind ``graspd hands`` ask for."""
    import tyro

    check.__annotations__["hand"] = tyro.conf.Positional[str]
    for command in (add, remove):
        command.__annotations__["name"] = tyro.conf.Positional[str]
    add.__annotations__["source"] = tyro.conf.Positional[str | None]
    return tyro.extras.subcommand_cli_from_dict(
        {"add": add, "list": list_, "remove": remove, "check": check},
        prog="graspd hands",
        description="Take in your own hands, and look at hands.",
        args=list(arguments),
    )
