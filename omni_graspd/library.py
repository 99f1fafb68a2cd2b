# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Where the built-in assets and the user's own lie, and how a name given by a user is resolved to a file."""

from __future__ import annotations

import difflib
import fnmatch
import re
import shutil
from pathlib import Path
from typing import Literal

from omni_graspd.addresses import server_address, unreachable_file
from omni_graspd.errors import GraspdError
from omni_graspd.user_folders import user_folder

Kind = Literal["hands", "objects", "arms"]


def data_folder() -> Path:
    """Return the folder of the built-in assets: ``data/`` beside the package, in a checkout and in a wheel alike.

    Raises:
        GraspdError: If the installation has no such folder.
    """
    package = Path(__file__).resolve().parent
    for folder in (package / "data", package.parent / "data"):
        if (folder / "hands").is_dir():
            return folder
    raise GraspdError(f"the built-in assets are missing from {package / 'data'}; reinstall omni-graspd")


def list_names(kind: Kind) -> list[str]:
    """Return the names of the built-in hands or objects, sorted."""
    return sorted(path.parent.name for path in (data_folder() / kind).glob("*/*.usda") if path.stem == path.parent.name)


def list_user_names(kind: Kind) -> list[str]:
    """Return the names of the user's own hands or objects, sorted."""
    return sorted(_user_files(kind))


def list_all_names(kind: Kind) -> list[str]:
    """Return the names of all hands or objects there are: the built-in ones, then the user's own."""
    return list(dict.fromkeys([*list_names(kind), *list_user_names(kind)]))


def _user_files(kind: Kind) -> dict[str, Path]:
    """Return the main file of each of the user's assets by name.

    It is ``<kind>/NAME/NAME.usd`` (``.usda``, ``.usdc``), or ``<kind>/NAME/simready/NAME.usda`` in SimReady packages.
    """
    folder = user_folder() / kind
    files = {path.stem: path for path in sorted(folder.glob("[!.]*/*.usd*")) if path.stem == path.parent.name}
    packages = sorted(folder.glob("[!.]*/simready/*.usd*"))
    return files | {path.stem: path for path in packages if path.stem == path.parent.parent.name}


def check_name(name: str) -> None:
    """Refuse a name that is no identifier.

    Raises:
        GraspdError: If it is none.
    """
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise GraspdError(f"expected a name of letters, digits and _, not a digit first, got {name!r}; rename it")


def remove_own(kind: Kind, name: str) -> Path:
    """Delete one of the user's own assets and return the folder it was in.

    Raises:
        GraspdError: If there is none of that name.
    """
    if name not in list_user_names(kind):
        names = ", ".join(list_user_names(kind)) or "none yet"
        raise GraspdError(f"expected one of your {kind}, got {name!r}; yours: {names}")
    folder = user_folder() / kind / name
    shutil.rmtree(folder)
    return folder


def is_in_library(path: Path) -> bool:
    """Tell whether a file is a built-in asset or one of the user's own."""
    return any(path.resolve().is_relative_to(folder.resolve()) for folder in (data_folder(), user_folder()))


def resolve(kind: Kind, pattern: str) -> list[Path]:
    """Turn what a user typed into files: a name, a glob over names, a path, or a glob over paths.

    Built-in names come first, then those in the user's folder.

    Args:
        kind: ``"hands"``, ``"objects"`` or ``"arms"``.
        pattern: For example ``"mug"``, ``"*"``, ``"scan.obj"``, ``"meshes/*.ply"``.

    Returns:
        The files, sorted; at least one.

    Raises:
        GraspdError: If nothing matches; the message lists the valid names.
    """
    address = server_address(pattern)
    if address is not None:
        raise unreachable_file(address)
    known = {name: data_folder() / kind / name / f"{name}.usda" for name in list_names(kind)}
    own = {name: path for name, path in _user_files(kind).items() if name not in known}
    named = [path for name, path in (known | own).items() if fnmatch.fnmatchcase(name, pattern)]
    if named:
        return named
    path = Path(pattern).expanduser()
    if path.is_file():
        return [path]
    if any(character in pattern for character in "*?["):
        root = Path(path.anchor) if path.is_absolute() else Path()
        files = sorted(p for p in root.glob(str(path.relative_to(root))) if p.is_file())
        if files:
            return files
    close = difflib.get_close_matches(pattern, [*known, *own], n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    there = [f"{title}: {', '.join(names)}" for title, names in (("built-in", known), ("yours", own)) if names]
    raise GraspdError(
        f"expected {kind[:-1]} to be a built-in name or an existing file, got {pattern!r}{hint} "
        f"({'; '.join(there) or 'you have none yet'})"
    )
