# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""One unit of length for files that are read together: they are one set more often than not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.geometry.mesh_file import load_mesh_file
from omni_graspd.library import is_in_library
from omni_graspd.objects.length_unit import SharedUnit, share_unit
from omni_graspd.objects.object_reader import ObjectReaderConfig

_SILENT = (".obj", ".ply", ".stl")
"""Formats that do not state their unit."""


def shared_units(paths: Sequence[Path], config: ObjectReaderConfig | None = None) -> dict[Path, SharedUnit]:
    """Guess one unit for all files of a kind among those that are read together.

    Args:
        paths: The files; those that cannot be read do not count.
        config: How they are read.

    Returns:
        The unit of each file that is one of several of a format without units; none if the user gives the unit. The
        first file of each format has the note.
    """
    config = config or ObjectReaderConfig()
    units: dict[Path, SharedUnit] = {}
    if config.unit != "auto":
        return units
    limits = (config.smallest_extent / config.scale, config.largest_extent / config.scale)
    for suffix in _SILENT:
        files = [path for path in paths if path.suffix.lower() == suffix and not is_in_library(path)]
        extents = {path: extent for path in files if len(files) > 1 and (extent := _extent(path)) is not None}
        if len(extents) < 2:
            continue
        shared = share_unit(list(extents.values()), suffix, *limits)
        units |= dict.fromkeys(extents, replace(shared, notes=()))
        units[next(iter(extents))] = shared
    return units


def _extent(path: Path) -> float | None:
    """Return the longest side of a file's bounding box [file's unit]; None if that cannot be had."""
    try:
        parts = load_mesh_file(path).parts
    except GraspdError:
        return None
    if not parts:
        return None
    corners = np.concatenate([np.asarray(part.bounds) for part in parts])
    extent = float(np.ptp(corners, axis=0).max())
    return extent if np.isfinite(extent) and extent > 0.0 else None
