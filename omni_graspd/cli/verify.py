# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The command ``graspd verify``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from omni_graspd.cli.console import progress_bar
from omni_graspd.dataset.remote_folder import local_dataset
from omni_graspd.dataset.verification.verify import verify_dataset
from omni_graspd.dataset.verification.verify_recompute import recompute_grasps
from omni_graspd.errors import GraspdError

if TYPE_CHECKING:
    from rich.console import Console

Action = Callable[..., None]
"""Work that is done once the arguments are read; prints to the console it is given."""


def verify(path: Path, recompute: int = 0) -> Action:
    """Look a dataset over: checksums, rows, references between files, images. Nothing is changed.

    Ends with code 1 if something is wrong.

    Args:
        path: Dataset folder, or s3://bucket/name.
        recompute: Make so many grasps, drawn at random, again and compare bit by bit.
    """
    if recompute < 0:
        raise GraspdError(f"expected --recompute to be 0 or more, got {recompute}")
    return partial(_verify, path, recompute)


def parse_verify(arguments: Sequence[str]) -> Action:
    """Return the work that the arguments behind ``graspd verify`` ask for."""
    import tyro

    verify.__annotations__["path"] = tyro.conf.Positional[Path]
    return tyro.cli(verify, prog="graspd verify", args=list(arguments))


def _verify(path: Path, recompute: int, console: Console) -> None:
    root = local_dataset(path)
    with progress_bar(console, "verify", "files") as progress:
        found = verify_dataset(root, progress)
    faults = [(fault.file, fault.problem) for fault in found.faults]
    if recompute and not faults:
        with progress_bar(console, "recompute", "grasps") as progress:
            faults = recompute_grasps(root, recompute, progress=progress)
    for file, problem in faults:
        console.print(f"{file}: {problem}", soft_wrap=True, markup=False)
    if faults:
        console.print(f"{len(faults)} faults in {path}", soft_wrap=True, markup=False)
        sys.exit(1)
    console.print(f"{path}: {found.checked} files, nothing wrong", soft_wrap=True, markup=False)
