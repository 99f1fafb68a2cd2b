# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Where the built-in hands and objects lie, and how a name given by a user is resolved to a file."""

from __future__ import annotations

import difflib
import fnmatch
from pathlib import Path
from typing import Literal

from omni_graspd.errors import GraspdError

Kind = Literal["hands", "objects"]


def data_folder() -> Path:
    """Return the folder of the built-in assets: ``data/`` beside the package, in a checkout and in a wheel alike.

    Raises:
        GraspdError: If the installation has no such folder.
    """
    package = Path(__file__).resolve().parent
    for folder in (package / "data", package.parent / "data"):
        if (folder / "hands").is_dir():
            return folder
    raise GraspdError(f"expected built-in assets in {package / 'data'}, found none; reinstall omni-graspd")


def list_names(kind: Kind) -> list[str]:
    """Return the names of the built-in hands or objects, sorted."""
    return sorted(path.parent.name for path in (data_folder() / kind).glob("*/*.usda") if path.stem == path.parent.name)


def resolve(kind: Kind, pattern: str) -> list[Path]:
    """Turn what a user typed into files: a built-in name, a glob over names, a path, or a glob over paths.

    Args:
        kind: ``"hands"`` or ``"objects"``.
        pattern: For example ``"mug"``, ``"*"``, ``"scan.obj"``, ``"meshes/*.ply"``.

    Returns:
        The files, sorted; at least one.

    Raises:
        GraspdError: If nothing matches; the message lists the valid names.
    """
    names = [name for name in list_names(kind) if fnmatch.fnmatchcase(name, pattern)]
    if names:
        return [data_folder() / kind / name / f"{name}.usda" for name in names]
    path = Path(pattern).expanduser()
    if path.is_file():
        return [path]
    if any(character in pattern for character in "*?["):
        root = Path(path.anchor) if path.is_absolute() else Path()
        files = sorted(p for p in root.glob(str(path.relative_to(root))) if p.is_file())
        if files:
            return files
    close = difflib.get_close_matches(pattern, list_names(kind), n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise GraspdError(
        f"expected {kind[:-1]} to be a built-in name or an existing file, got {pattern!r}{hint} "
        f"(built-in: {', '.join(list_names(kind))})"
    )
