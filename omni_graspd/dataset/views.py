# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The rendered views of a scene and where the files of their eyes lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from omni_graspd.dataset.layout import DatasetLayout


@dataclass(frozen=True)
class View:
    """One rendered view."""

    object: str
    """Name of the object."""
    scene_index: int
    """Number of the scene."""
    name: str
    """Name of the view, for example ``view_0000``."""
    eyes: tuple[str, ...]
    """``left`` and ``right``; empty for a single camera."""

    def eye_folders(self, layout: DatasetLayout) -> dict[str, Path]:
        """Return where the files of each eye lie, by its name; a single camera is called ``mono``."""
        folder = layout.renders(self.object, self.scene_index) / self.name
        return {eye: folder / eye for eye in self.eyes} or {"mono": folder}


def scene_views(layout: DatasetLayout, object_name: str, scene_index: int) -> tuple[View, ...]:
    """List the views of a scene that were rendered, by name.

    Args:
        layout: Paths of the dataset.
        object_name: The object of the scene.
        scene_index: Number of the scene.
    """
    folders = sorted(path for path in layout.renders(object_name, scene_index).glob("view_*") if path.is_dir())
    return tuple(
        View(object_name, scene_index, path.name, tuple(eye for eye in ("left", "right") if (path / eye).is_dir()))
        for path in folders
    )
