# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The rules for opening an output folder: begin a dataset, go on with it, or let it grow."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from omni_graspd.atomic import PARTIAL_PREFIX, remove_leftovers
from omni_graspd.dataset.growth import grow_manifest
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.manifest import Manifest, read_manifest, write_manifest
from omni_graspd.errors import GraspdError

_LATER_INTAKE = {"scale": 1.0}
"""Settings of the intake that older datasets do not have, as if they had been given."""


def open_dataset(root: Path, manifest: Manifest) -> Manifest:
    """Begin a dataset in a folder, or go on with the one that is there.

    A new or empty folder gets its ``dataset.json``. A folder that holds a dataset with the same configuration, hands,
    objects and package versions is gone on with, also with more grasps, scenes, views, hands or objects than before;
    what a killed run left half-written is deleted.

    Args:
        root: The dataset folder.
        manifest: What this run would make; counts do not matter.

    Returns:
        The manifest as it lies in the folder, hands and objects in its order.

    Raises:
        GraspdError: If the folder holds something else, or a dataset made with other settings; the message names them.
    """
    if root.exists() and not root.is_dir():
        raise GraspdError(f"expected --out to be a folder, got the file {root}; choose another name with --out")
    if not DatasetLayout(root).manifest.exists():
        if root.exists() and any(not path.name.startswith(PARTIAL_PREFIX) for path in root.iterdir()):
            raise GraspdError(
                f"expected --out to be a new or empty folder or a dataset, got {root}, which holds other files; choose "
                "another folder with --out"
            )
        remove_leftovers(root)
        write_manifest(manifest, root)
        return manifest
    present = _with_later_settings(read_manifest(root))
    grown = grow_manifest(present, manifest)
    differences = _differences(_identity(grown), _identity(manifest))
    if differences:
        raise GraspdError(
            f"expected the settings {root} was started with, got others: {', '.join(differences)}; choose another "
            "folder with --out, or use the same settings to continue"
        )
    remove_leftovers(root)
    if grown != present:
        write_manifest(grown, root)
    return grown


def _with_later_settings(manifest: Manifest) -> Manifest:
    """Return a manifest with the settings that came after it, at what was done when they were not there."""
    intake = manifest.config.get("intake")
    if not isinstance(intake, dict):
        return manifest
    later = {name: value for name, value in _LATER_INTAKE.items() if name not in intake}
    # At the end: what is there keeps its order, and the file its bytes.
    return replace(manifest, config={**manifest.config, "intake": {**intake, **later}})


def _identity(manifest: Manifest) -> dict[str, Any]:
    content = json.loads(json.dumps(asdict(manifest)))
    del content["counts"], content["evaluation"]
    for kind in ("hand", "object"):
        if isinstance(content["config"].get(kind), list):
            content["config"][kind].sort()
    return content


def _differences(present: Any, wanted: Any, name: str = "") -> list[str]:
    if isinstance(present, dict) and isinstance(wanted, dict):
        found = []
        for key in dict.fromkeys([*present, *wanted]):
            path = key if name in ("", "config") else f"{name}.{key}"
            found += _differences(present.get(key), wanted.get(key), path)
        return found
    if present == wanted:
        return []
    return [f"{name} (there {_short(present)}, now {_short(wanted)})"]


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
