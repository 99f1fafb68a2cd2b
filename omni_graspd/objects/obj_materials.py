# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What an OBJ file's materials promise and do not keep: material files and textures that are not there."""

from __future__ import annotations

import re
from pathlib import Path

from omni_graspd.objects.texture_cache import open_image

_MATERIAL_FILE = re.compile(rb"^[ \t]*mtllib[ \t]+(.+?)[ \t\r]*$", re.MULTILINE)
_COLOR_TEXTURE = re.compile(r"^[ \t]*map_Kd[ \t]+(.+?)[ \t\r]*$", re.MULTILINE | re.IGNORECASE)


def follow_materials(path: Path) -> tuple[bool, tuple[str, ...]]:
    """Follow an OBJ file's material files to its colour textures, and note which of them cannot be read.

    Args:
        path: OBJ file.

    Returns:
        Whether there is any material file, and one sentence for each missing one and each missing or broken texture.
    """
    found, notes = False, []
    for name in dict.fromkeys(_MATERIAL_FILE.findall(path.read_bytes())):
        materials = path.parent / name.decode(errors="replace")
        if not materials.is_file():
            notes.append(f"lost its materials and textures: {materials.name} is not beside it")
            continue
        found = True
        text = materials.read_text(errors="replace")
        notes += [note for texture in dict.fromkeys(_COLOR_TEXTURE.findall(text)) if (note := _fault(path, texture))]
    return found, tuple(notes)


def _fault(path: Path, texture: str) -> str | None:
    # Options such as "-s 1 1 1" come before the name.
    name = texture.replace("\\", "/")
    file = path.parent / name
    if not file.is_file():
        file = path.parent / name.split()[-1]
    image = open_image(file) if file.is_file() else "missing"
    return f"lost its texture {file.name}: {image}" if isinstance(image, str) else None
