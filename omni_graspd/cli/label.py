# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The command ``graspd label``."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from omni_graspd.cli.console import Action, duration, first_names, progress_bar
from omni_graspd.dataset.labels.label_dataset import label_dataset
from omni_graspd.dataset.labels.view_labels import LabelSettings
from omni_graspd.plural import counted

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True, kw_only=True)
class LabelOptions:
    """Which labels to write, and on what."""

    hand: tuple[str, ...] = ()
    """Hands to label for; default: all of the dataset."""
    device: str = "cpu"
    """Device that compares pixels with contacts: cpu or cuda:0."""
    workers: int = 0
    """Worker processes; 0: one per core if there is enough to do."""
    settings: LabelSettings = field(default_factory=LabelSettings)
    """Labels."""


def label(
    path: Annotated[Path, tyro.conf.Positional],
    options: Annotated[LabelOptions, tyro.conf.arg(name="")],
) -> Action:
    """Label every view of a dataset with its usable grasps, for training networks on images.

    Writes a file beside the images of each eye, grasp_labels_HAND_0000.npz: how many grasps touch what a pixel shows,
    and which one nearest; a point cloud with the same labels; palm poses, joint positions and contacts before the
    camera, and which contacts it sees. Labels that are there and still true are kept.

    Args:
        path: Dataset folder.
        options: What to write.
    """
    return partial(_label, path, options)


def _label(path: Path, options: LabelOptions, console: Console) -> None:
    begin = time.perf_counter()
    with progress_bar(console, "label", "view") as progress:
        counts = label_dataset(
            path,
            options.settings,
            hands=options.hand,
            device=options.device,
            workers=options.workers or None,
            progress=progress,
        )
    if counts.without_grasps:
        names = first_names(counts.without_grasps)
        console.print(f"no usable grasp, so nothing to learn: {names}", style="yellow", soft_wrap=True, markup=False)
    kept = f", {counts.kept} kept" if counts.kept else ""
    took = duration(time.perf_counter() - begin)
    console.print(f"{counted(counts.written, 'label file')} written{kept} in {took}", soft_wrap=True)
