# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The settings with which a dataset was made, so that a later stage need not be told them again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.manifest import read_manifest
from omni_graspd.dataset.restored_config import restore_config
from omni_graspd.library import Kind, list_all_names

_NO_SETTINGS = ("renderer",)
"""What a manifest says of a run besides its settings."""
_RUNS_ANYWHERE = "scalar_rgb"
"""The one renderer that a later stage can take on any machine, whatever it would choose by itself."""


def kept_settings(root: Path) -> GenerateConfig:
    """Return the settings of a dataset.

    Hands and objects of the library go by name. Others are taken from the dataset's own copies: their meshes are the
    same, masses are rounded to the seven digits of a USD file.

    Args:
        root: The dataset folder.

    Raises:
        GraspdError: If the folder is no dataset of this version.
    """
    layout, manifest = DatasetLayout(root), read_manifest(root)
    values = {name: value for name, value in manifest.config.items() if name not in _NO_SETTINGS}
    config = restore_config(GenerateConfig, values | {"hand": [], "object": []})
    if manifest.config.get("renderer") == _RUNS_ANYWHERE:
        config = replace(config, render=replace(config.render, variant=_RUNS_ANYWHERE))
    return replace(
        config,
        hand=tuple(_source("hands", name, layout.hand(name)) for name in manifest.hands),
        object=tuple(_source("objects", name, layout.object(name)) for name in manifest.objects),
        out=root,
    )


def _source(kind: Kind, name: str, copy: Path) -> str:
    return name if name in list_all_names(kind) or not copy.is_file() else str(copy)
