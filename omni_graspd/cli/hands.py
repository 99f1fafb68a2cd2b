# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The commands ``graspd hands ...``: their arguments."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from omni_graspd.cli.console import Action, progress_bar
from omni_graspd.hands.importing.hand_import import add_hand, hand_entry, import_notes, list_hands
from omni_graspd.hands.importing.hand_mirror import mirror_hand
from omni_graspd.library import remove_own

if TYPE_CHECKING:
    from rich.console import Console


def check(hand: Annotated[str, tyro.conf.Positional], picture: Path | None = None, validate: bool = False) -> Action:
    """Report a hand's joints, links and frames, what is wrong with it, and how to fix it.

    Exits with code 1 if there are errors.

    Args:
        hand: Name of a hand, a USD file, or a quoted glob of either, for example "*".
        picture: PNG or JPEG file for a sheet of pictures: open, closed, surface points, colliders.
        validate: Also check NVIDIA's asset rules and gripper profile.
    """
    # Rendering and its packages are only loaded where they are needed.
    from omni_graspd.cli.hand_check import run_hand_check

    return partial(run_hand_check, hand, picture, validate)


def add(
    name: Annotated[str, tyro.conf.Positional],
    source: Annotated[str | None, tyro.conf.Positional] = None,
    scale: float = 1.0,
    replace: bool = False,
    accept_licence: bool = False,
) -> Action:
    """Import a hand into your library, for use with --hand NAME: from URDF, MJCF or USD, or a known one by name.

    Known by name, and downloaded with pip: ability, allegro_vendor, barrett_vendor, dclaw, leap, schunk, shadow_vendor;
    allegro_vendor_left, leap_left and shadow_vendor_left, too. Known by name in a repository that you have: dex3,
    dexhand021, inspire, orca, sharpa, wuji, and each with _left.

    Args:
        name: Name of the hand in the library.
        source: URDF, MJCF or USD file, or a folder or archive (zip, wheel, tar) with one; omit it for pip's.
        scale: Metres per unit of a URDF or MJCF file.
        replace: Replace an existing hand of that name.
        accept_licence: Take a hand whose licence forbids commercial use.
    """
    return partial(_add, name, source, scale, replace, accept_licence)


def mirror(
    name: Annotated[str, tyro.conf.Positional],
    new_name: Annotated[str | None, tyro.conf.Positional] = None,
    replace: bool = False,
) -> Action:
    """Make the left hand of a right one, or the other way round, in your library.

    Args:
        name: Name of a hand.
        new_name: Name of its mirror image; default: with left and right exchanged, or NAME_mirrored.
        replace: Replace an existing hand of that name.
    """
    return partial(_mirror, name, new_name, replace)


def list_() -> Action:
    """List all hands with their joints, sources and licences."""
    return _list


def remove(name: Annotated[str, tyro.conf.Positional]) -> Action:
    """Delete a hand from your library.

    Args:
        name: Name of the hand.
    """
    return partial(_remove, name)


def _add(name: str, source: str | None, scale: float, replace: bool, accept_licence: bool, console: Console) -> None:
    with progress_bar(console, "hand", "step") as progress:
        path = add_hand(name, source, scale=scale, replace=replace, accept_licence=accept_licence, progress=progress)
    files = [file for file in sorted(path.parent.iterdir()) if file.is_file()]
    licenses = [str(file) for file in files if file.suffix.lower() in ("", ".txt", ".md")]
    text = f" (read {', '.join(licenses)})" if licenses else ""
    entry = hand_entry(name)
    for note in import_notes(path):
        console.print(note, style="yellow", soft_wrap=True, markup=False)
    console.print(
        f"{name}: {entry.joint_count} joints, {entry.actuated_count} actuated, from {entry.source}, "
        f"licence {entry.license}{text}\n{path}",
        soft_wrap=True,
        markup=False,
    )


def _mirror(name: str, new_name: str | None, replace: bool, console: Console) -> None:
    path = mirror_hand(name, new_name, replace=replace)
    console.print(f"{path.stem}: mirror image of {name}\n{path}", soft_wrap=True, markup=False)


def _list(console: Console) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("name", "joints", "actuated", "source", "licence"):
        table.add_column(column, justify="right" if column in ("joints", "actuated") else "left")
    for entry in list_hands():
        table.add_row(entry.name, str(entry.joint_count), str(entry.actuated_count), entry.source, entry.license)
    console.print(table)


def _remove(name: str, console: Console) -> None:
    folder = remove_own("hands", name)
    console.print(f"removed {folder}", soft_wrap=True, markup=False)
