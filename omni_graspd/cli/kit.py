# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The command ``graspd kit``: the extension for Isaac Sim and other applications made with Omniverse Kit."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from omni_graspd.cli.console import Action
from omni_graspd.cli.kit_stage import EXTENSION_NAME, stage_extension

if TYPE_CHECKING:
    from rich.console import Console


def stage(folder: Annotated[Path, tyro.conf.Positional]) -> Action:
    """Check the extension and write it to FOLDER/omni.graspd, where Isaac Sim finds it.

    Args:
        folder: Folder of extensions, for example Isaac Sim's extsUser; other extensions in it are left alone.
    """
    return partial(_stage, folder)


def _stage(folder: Path, console: Console) -> None:
    staged = stage_extension(folder)
    console.print(
        f"{staged.path}: {staged.file_count} files, {staged.byte_count / 1e6:.1f} MB, self-check passed\n"
        f"start Isaac Sim with: --ext-folder {folder.resolve()} --enable {EXTENSION_NAME}",
        soft_wrap=True,
        markup=False,
    )
