# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The command ``graspd verify``."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from omni_graspd.cli.console import Action, progress_bar
from omni_graspd.dataset.remote_folder import local_dataset
from omni_graspd.dataset.verification.verify import verify_dataset
from omni_graspd.dataset.verification.verify_recompute import recompute_grasps
from omni_graspd.errors import GraspdError
from omni_graspd.plural import counted

if TYPE_CHECKING:
    from rich.console import Console


def verify(path: Annotated[Path, tyro.conf.Positional], recompute: int = 0) -> Action:
    """Check a dataset's checksums, rows, references between files, and images; nothing is changed.

    Exits with code 1 if something is wrong.

    Args:
        path: Dataset folder, or s3://bucket/name.
        recompute: Number of random grasps to recompute and compare bit for bit.
    """
    if recompute < 0:
        raise GraspdError(f"expected --recompute to be 0 or more, got {recompute}")
    return partial(_verify, path, recompute)


def _verify(path: Path, recompute: int, console: Console) -> None:
    root = local_dataset(path)
    with progress_bar(console, "verify", "file") as progress:
        found = verify_dataset(root, progress)
    faults = [(fault.file, fault.problem) for fault in found.faults]
    if recompute and not faults:
        with progress_bar(console, "recompute", "grasp") as progress:
            faults = recompute_grasps(root, recompute, progress=progress)
    for file, problem in faults:
        console.print(f"{file}: {problem}", soft_wrap=True, markup=False)
    if faults:
        console.print(f"{counted(len(faults), 'fault')} in {path}", soft_wrap=True, markup=False)
        sys.exit(1)
    console.print(f"{path}: {counted(found.checked, 'file')}, nothing wrong", soft_wrap=True, markup=False)
