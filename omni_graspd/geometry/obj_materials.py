# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The materials of an OBJ file: its material files in one text, and its colour textures where they really lie."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath

from omni_graspd.geometry.obj_text import plain_text

_MATERIAL_FILE = re.compile(r"^mtllib (.+)$", re.MULTILINE)
_TEXTURE_FOLDERS = (".", "textures", "texture", "maps", "../textures", "../texture", "../maps", "../materials/textures")
"""Where textures lie that are not where the material says; the last one is that of Gazebo's models (Google's scans)."""
_OPTIONS = {
    "-blendu": 1, "-blendv": 1, "-bm": 1, "-boost": 1, "-cc": 1, "-clamp": 1, "-imfchan": 1, "-mm": 2, "-o": 3, "-s": 3,
    "-t": 3, "-texres": 1, "-type": 1,
}  # fmt: skip
"""Options of a texture and how many values they take; of those with three, the last two may be missing."""
_HARMLESS = ("-blendu", "-blendv", "-bm", "-boost", "-cc", "-o", "-s", "-texres", "-type")
"""Options that are applied, or that show in no colour."""


@dataclass(frozen=True)
class TextureUse:
    """A colour texture as a material uses it."""

    name: str
    """Name as the material file has it."""
    file: Path | None
    """Where it lies; None if it is nowhere."""
    scale: tuple[float, float] = (1.0, 1.0)
    """Factor on texture coordinates."""
    offset: tuple[float, float] = (0.0, 0.0)
    """Added to texture coordinates after that."""


@dataclass
class ObjMaterials:
    """What an OBJ file's material files say."""

    text: str = ""
    """All of them; colour textures are named by their position in ``textures``."""
    textures: list[TextureUse] = field(default_factory=list)
    """Colour textures."""
    by_material: dict[str, TextureUse] = field(default_factory=dict)
    """Colour texture of each material that has one, by the material's name."""
    names: set[str] = field(default_factory=set)
    """Names of all materials."""
    is_found: bool = False
    """Whether any material file is there."""
    notes: list[str] = field(default_factory=list)
    """What is lost or found elsewhere, a sentence each."""


def read_obj_materials(path: Path, text: str) -> ObjMaterials:
    """Follow an OBJ file's material files to its colour textures.

    Args:
        path: The OBJ file.
        text: Its text, as :func:`omni_graspd.geometry.obj_text.plain_text` gives it.
    """
    materials = ObjMaterials()
    lines: list[str] = []
    for named in dict.fromkeys(_MATERIAL_FILE.findall(text)):
        whole = _find(path.parent, named)
        for name, file in [(named, whole)] if whole else [(one, _find(path.parent, one)) for one in named.split()]:
            if file is None:
                materials.notes.append(
                    f"lost its materials and textures: {PureWindowsPath(name).name} is not beside it"
                )
                continue
            materials.is_found = True
            lines += _read_materials(path, file, materials)
    materials.text = "\n".join(lines)
    used = dict.fromkeys(re.findall(r"^usemtl (.+)$", text, re.MULTILINE)) if materials.is_found else {}
    unknown = [name for name in used if name not in materials.names]
    if unknown:
        materials.notes.append(f"lost the look of its material {', '.join(unknown[:3])}: in no material file")
    return materials


def _read_materials(path: Path, file: Path, materials: ObjMaterials) -> list[str]:
    lines, current = [], ""
    for line in plain_text(file.read_bytes()).split("\n"):
        keyword, _, rest = line.partition(" ")
        if keyword.lower() == "newmtl":
            current = rest
            materials.names.add(current)
        if keyword.lower() == "map_kd" and rest:
            use = _texture_use((file.parent, path.parent), rest, materials.notes)
            lines.append(f"map_Kd {len(materials.textures)}")
            materials.textures.append(use)
            materials.by_material[current] = use
        else:
            lines.append(line)
    return lines


def _texture_use(folders: tuple[Path, ...], words: str, notes: list[str]) -> TextureUse:
    """Read what follows ``map_Kd``: options, then the name, which may have blanks."""
    tokens = words.split(" ")
    options: dict[str, list[str]] = {}
    while len(tokens) > 1 and tokens[0] in _OPTIONS:
        option = tokens.pop(0)
        options[option] = [tokens.pop(0)] if len(tokens) > 1 else []
        while len(options[option]) < _OPTIONS[option] and len(tokens) > 1 and _is_number(tokens[0]):
            options[option].append(tokens.pop(0))
    name = " ".join(tokens).strip('"')
    ignored = [name for name in options if name not in _HARMLESS and options[name] != ["off"]]
    notes += [f"drawn without the option {option} of its texture {name}" for option in ignored]
    file, is_elsewhere = _find_texture(folders, name)
    if file is not None and is_elsewhere:
        notes.append(f"found its texture {name} in {file.parent}")
    return TextureUse(name, file, _pair(options.get("-s"), 1.0), _pair(options.get("-o"), 0.0))


def _pair(values: list[str] | None, default: float) -> tuple[float, float]:
    numbers = [float(value) for value in values or () if _is_number(value)]
    first, second, *_ = (*numbers, default, default)
    return first, second


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _find_texture(folders: tuple[Path, ...], name: str) -> tuple[Path | None, bool]:
    """Return where a texture lies, and whether that is elsewhere than the material says."""
    for folder in folders:
        if found := _find(folder, name):
            return found, False
    bare = PureWindowsPath(name).name
    for folder in folders:
        for below in _TEXTURE_FOLDERS:
            if found := _find(folder / below, bare):
                return found.resolve(), True
    return None, False


def _find(folder: Path, name: str) -> Path | None:
    """Return a file by its name in a folder, whatever the slashes and capitals; None if it is not there."""
    file = folder / name.replace("\\", "/")
    try:
        if file.is_file():
            return file
        beside = file.parent.iterdir() if file.parent.is_dir() else ()
        return next((other for other in beside if other.name.lower() == file.name.lower() and other.is_file()), None)
    except (OSError, ValueError):  # Names that no file can have.
        return None
