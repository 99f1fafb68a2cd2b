# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Anything with grasps in it, opened to be looked at: a dataset of ours, or a grasp file of another project."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.selection import EVERYTHING, Selection, selected_rows
from omni_graspd.dataset.splits import split_by_object
from omni_graspd.dataset.tables import read_grasps
from omni_graspd.errors import GraspdError
from omni_graspd.formats.conversion import Conversion, ConvertConfig, convert
from omni_graspd.formats.object_files import file_name
from omni_graspd.formats.registry import DATASET
from omni_graspd.inspection.inspection import Inspection
from omni_graspd.progress import Progress, no_progress


def is_dataset(path: Path) -> bool:
    """Tell whether a path is one of our datasets, which is opened as it is."""
    return DatasetLayout(path).manifest.is_file()


def open_grasps(
    path: Path,
    *,
    hand: str = "",
    object_path: Path | None = None,
    device: str = "cpu",
    selection: Selection = EVERYTHING,
    progress: Progress = no_progress,
) -> tuple[Inspection, Conversion | None]:
    """Open a dataset, or read grasps of any format that ``graspd convert`` reads into one that lasts while it is open.

    Decisions about a grasp file are kept beside the file; nothing else is written there.

    Args:
        path: Dataset folder, grasp file, or folder of grasp files of one format.
        hand: Our hand, where the file does not say, by name or USD file.
        object_path: Mesh or USD file of the object, or a folder of objects, where the file does not say.
        device: Warp device.
        selection: Which grasps are shown.
        progress: Called with files read and in total.

    Returns:
        The session, and what was read, left out and guessed; None for a dataset.

    Raises:
        GraspdError: If there is nothing to look at, or decisions made before were about other grasps.
    """
    is_about_file = bool(hand) or object_path is not None
    if is_about_file and is_dataset(path):
        raise GraspdError(f"--hand and --object apply to grasp files only, and {path} is a dataset; leave them out")
    if not is_about_file and (not path.exists() or is_dataset(path)):
        return _taking(Inspection(path, device), selection), None
    folder = TemporaryDirectory(prefix="graspd_inspect_")
    try:
        root = Path(folder.name) / file_name(path.resolve().stem, "grasps")
        conversion = convert(path, root, ConvertConfig(to=DATASET, hand=hand, object_path=object_path), progress)
        return _taking(Inspection(root, device, source=path, made_in=folder), selection), conversion
    except BaseException:
        folder.cleanup()
        raise


def _taking(session: Inspection, selection: Selection) -> Inspection:
    """Let a session show what a selection leaves."""
    if selection.takes_all:
        return session
    split_of = split_by_object(session.catalog.manifest.objects)
    rows = [
        table.first
        + selected_rows(read_grasps(table.path), selection, split_of[table.object], DatasetLayout(session.catalog.root))
        for table in session.catalog.tables
    ]
    session.list.take_only(np.concatenate(rows))
    if not len(session.list.rows):
        session.close()
        raise GraspdError(f"expected grasps that meet {selection.where!r}, got none in {session.source}")
    return session
