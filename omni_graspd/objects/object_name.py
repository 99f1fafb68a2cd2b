# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Names and labels from paths."""

from __future__ import annotations

import re
from pathlib import Path

_SAYS_NOTHING = {
    *("textured", "textured_simple", "textured_mesh", "nontextured", "model", "model_normalized", "mesh", "visual"),
    *("collision", "object", "obj", "scene", "base", "asset", "untitled", "meshes", "visuals", "models", "objects"),
    *("google_16k", "google_64k", "google_512k", "poisson", "tsdf"),
}


def name_from_path(path: Path) -> str:
    """Return a name that is a valid file name: the stem, or the nearest folder where the stem says nothing.

    For example ``ycb/025_mug/google_16k/textured.obj`` -> ``025_mug``.
    """
    path = path.absolute()
    candidates = [path.stem, *(folder.name for folder in path.parents if folder.name)]
    stem = next((name for name in candidates if name.lower() not in _SAYS_NOTHING), path.stem)
    return re.sub(r"[^\w.-]+", "_", stem, flags=re.ASCII).strip("._") or "object"


def label_from_name(name: str) -> str:
    """Return a semantic class: the name without leading numbers, in lower case, for example ``025_mug`` -> ``mug``."""
    label = re.sub(r"^\d+[\W_]+", "", name).lower()
    return re.sub(r"[^a-z0-9]+", "_", label).strip("_") or "object"
