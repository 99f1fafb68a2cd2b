# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The command ``graspd kit``: the extension for Isaac Sim and other applications made with Omniverse Kit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from omni_graspd.cli.kit_stage import EXTENSION_NAME, stage_extension

if TYPE_CHECKING:
    from rich.console import Console

Action = Callable[..., None]
"""Work that is done once the arguments are read; prints to the console it is given."""


def stage(folder: Path) -> Action:
    """Lay out the extension as a folder that Isaac Sim finds: DIR/omni.graspd, checked before it appears.

    Args:
        folder: A folder of extensions, for example Isaac Sim's extsUser; other extensions there are left alone.
    """
    return partial(_stage, folder)


def parse_kit(arguments: Sequence[str]) -> Action:
    """Return the work that the arguments behind ``graspd kit`` ask for."""
    import tyro

    stage.__annotations__["folder"] = tyro.conf.Positional[Path]
    return tyro.extras.subcommand_cli_from_dict(
        {"stage": stage},
        prog="graspd kit",
        description="The extension for Isaac Sim.",
        args=list(arguments),
    )


def _stage(folder: Path, console: Console) -> None:
    staged = stage_extension(folder)
    console.print(
        f"{staged.path}: {staged.file_count} files, {staged.byte_count / 1e6:.1f} MB, self-check passed\n"
        f"start Isaac Sim with: --ext-folder {folder.resolve()} --enable {EXTENSION_NAME}",
        soft_wrap=True,
        markup=False,
    )
