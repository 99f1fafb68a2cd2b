# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The file that describes a robot: finding it, what kind it is, and the licences beside it."""

from __future__ import annotations

import re
from pathlib import Path

from omni_graspd.atomic import require_inside
from omni_graspd.errors import GraspdError
from omni_graspd.hands.importing.xml_file import parse_xml

USD_SUFFIXES = (".usd", ".usda", ".usdc", ".usdz")
"""How names of USD files end."""


def find_description(path: Path) -> Path:
    """Return a URDF, MJCF or USD file: the one given, or the only one in a folder.

    Raises:
        GraspdError: If there is none, or several.
    """
    if path.is_dir():
        files = [file for file in sorted(path.rglob("*")) if file.suffix.lower() in (".urdf", ".xml", *USD_SUFFIXES)]
        if len(files) != 1:
            names = ", ".join(str(file.relative_to(path)) for file in files[:8]) or "none"
            raise GraspdError(f"expected one URDF, MJCF or USD file in {path}, got {names}; name the file")
        return files[0]
    if not path.is_file():
        raise GraspdError(f"expected a URDF, MJCF or USD file, got {path}, which does not exist; check the path")
    return path


def source_kind(file: Path) -> str:
    """Return ``robot`` for URDF, ``mujoco`` for MJCF.

    Raises:
        GraspdError: If it is neither.
    """
    tag = parse_xml(file).tag
    if file.suffix.lower() == ".xacro":
        raise GraspdError(f"expected URDF, got the macro file {file}; expand it first: xacro {file.name} > hand.urdf")
    if tag not in ("robot", "mujoco"):
        raise GraspdError(f"expected URDF (<robot>), MJCF (<mujoco>) or USD, got {tag} in {file}; re-export the hand")
    return tag


def license_files(file: Path) -> dict[str, Path]:
    """Return the licences beside a file by where they go, those in a folder LICENSES too; links that lead out are none.

    Raises:
        GraspdError: If one is a link that leads elsewhere.
    """
    folder = file.resolve().parent
    found: dict[str, Path] = {}
    for path in sorted(path for path in folder.iterdir() if re.match(r"(?i)(licen[cs]e|copying)", path.name)):
        require_inside(path, folder, "the licence")
        for text in sorted(path.iterdir()) if path.is_dir() else [path]:
            require_inside(text, folder, "the licence")
            if text.is_file():
                found[text.relative_to(folder).as_posix()] = text
    return found
