# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Mesh files of any origin through trimesh, made plain before and completed after it."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import trimesh

from omni_graspd.errors import GraspdError
from omni_graspd.geometry.gltf_content import GltfContent, UnreadableGltfError
from omni_graspd.geometry.obj_materials import ObjMaterials, read_obj_materials
from omni_graspd.geometry.obj_text import plain_text, triangle_text
from omni_graspd.geometry.picture import loaded_picture
from omni_graspd.geometry.ply_text import plain_ply, text_ply, with_cut_polygons, with_strips
from omni_graspd.git_lfs import check_no_lfs_pointer
from omni_graspd.plain_text import shortened
from omni_graspd.usd.mesh_soundness import MOST_MESHES, check_surface

_STL_HEADER, _STL_FACE = 84, 50
"""Bytes before the faces of a binary STL, which end with their number, and bytes per face."""
_COLOR_TEXTURES = ("image", "baseColorTexture")
_UNUSED_TEXTURES = ("emissiveTexture", "normalTexture", "occlusionTexture", "metallicRoughnessTexture")
_UNEVEN = "PLY is unexpected length"
"""What trimesh says of binary PLY that is cut short, or has lists of several lengths, which it does not read."""
_MOST_FACES = 20_000_000
"""Faces that the parts of a scene may have together: a few bytes place a mesh once more."""
_STL_WORDS = r" ?\b(facet|outer|vertex|endloop|endfacet|endsolid)\b"


@dataclass
class MeshFile:
    """What a mesh file has."""

    parts: list[trimesh.Trimesh]
    """Its meshes, placed, in the file's axes and unit of length."""
    materials: ObjMaterials | None = None
    """Materials of an OBJ file."""
    notes: list[str] = field(default_factory=list)
    """What is lost or found elsewhere, a sentence each."""


def load_mesh_file(path: Path) -> MeshFile:
    """Read all triangles of a mesh file, concave polygons cut properly.

    Raises:
        GraspdError: If the file cannot be parsed, is a pointer of Git LFS, or needs an extension or a package that is
            missing.
    """
    try:
        check_no_lfs_pointer(path)
        with _quiet_libraries():
            file = _load(path)
            for part in file.parts:
                check_surface(np.asarray(part.vertices), np.asarray(part.faces), path)
            return file
    except GraspdError:
        raise
    except UnreadableGltfError as error:
        raise GraspdError(f"expected a readable mesh, got {path}: {error}") from error
    except Exception as error:  # Parsers of six formats raise whatever they like on broken files.
        raise GraspdError(f"expected a readable mesh, got {path} ({_reason(error)}); export it again") from error


def _reason(error: Exception) -> str:
    """Return what is wrong with a file in a few words; what Python says of its own objects helps nobody."""
    if isinstance(error, MemoryError):
        return "it asks for more memory than there is"
    if isinstance(error, RecursionError):
        return "it is nested too deep"
    if not isinstance(error, ValueError | OSError | NotImplementedError):
        return "it is damaged, or not laid out as its format has it"
    lines = [line for line in str(error).splitlines() if line.strip()]
    return shortened(lines[-1], 160) if lines else "it is damaged"


@contextmanager
def _quiet_libraries() -> Iterator[None]:
    """Keep what trimesh and NumPy have to say about a file from the user: our notes and errors say it."""
    logger = logging.getLogger("trimesh")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _load(path: Path) -> MeshFile:
    suffix = path.suffix.lower()
    if suffix == ".obj":
        return _load_obj(path)
    if suffix in (".glb", ".gltf"):
        content = GltfContent(path.read_bytes(), lambda name: _content(path.parent / name))
        loaded = trimesh.load(BytesIO(content.plain()), file_type="glb", process=False, resolver=_Files(path))
        content.notes += [f"lost its texture: {reason}" for reason in _drop_damaged_textures(loaded)]
        return MeshFile(_placed(loaded), notes=list(dict.fromkeys(content.notes)))
    if suffix == ".ply":
        return MeshFile([with_cut_polygons(part) for part in _placed(with_strips(_load_ply(path)))])
    if suffix == ".stl":
        return MeshFile(_placed(trimesh.load(BytesIO(_plain_stl(path)), file_type="stl", process=False)))
    if suffix == ".dae":
        return _load_collada(path)
    return MeshFile(_placed(trimesh.load(path, process=False)))


def _load_ply(path: Path) -> Any:
    content = plain_ply(path.read_bytes())
    try:
        return trimesh.load(BytesIO(content), file_type="ply", process=False, resolver=_Files(path))
    except ValueError as error:
        if _UNEVEN not in str(error):
            raise
    return trimesh.load(BytesIO(text_ply(content)), file_type="ply", process=False, resolver=_Files(path))


def _content(file: Path) -> bytes:
    check_no_lfs_pointer(file)
    return file.read_bytes()


def _load_collada(path: Path) -> MeshFile:
    """Read COLLADA in metres, whatever unit the file states; its up axis is left, as RViz does for URDF."""
    try:
        import collada  # noqa: F401 # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise GraspdError(
            f"expected the package pycollada to read {path}, got none; pip install 'omni-graspd[import]'"
        ) from error
    parts = _placed(trimesh.load(path, process=False))
    stated = re.search(rb"<unit\b[^>]*\bmeter\s*=\s*[\"']\s*([^\"'\s]+)", path.read_bytes())
    if stated is not None:
        for part in parts:
            part.apply_scale(float(stated[1]))
    return MeshFile(parts)


def _placed(loaded: Any) -> list[trimesh.Trimesh]:
    if isinstance(loaded, trimesh.Scene):
        placed = loaded.graph.nodes_geometry
        if len(placed) > MOST_MESHES:
            raise ValueError(f"it places {len(placed)} meshes, more than {MOST_MESHES}")
        count = sum(len(getattr(loaded.geometry[loaded.graph[node][1]], "faces", ())) for node in placed)
        if count > _MOST_FACES:
            raise ValueError(f"its meshes have {count} faces in all, more than {_MOST_FACES}")
    parts = loaded.dump() if isinstance(loaded, trimesh.Scene) else [loaded]
    return [part for part in parts if isinstance(part, trimesh.Trimesh) and len(part.faces)]


def _drop_damaged_textures(loaded: Any) -> list[str]:
    """Take textures that cannot be loaded from materials, and those that are of no use; return why, in a few words.

    trimesh copies textures where it places meshes, and fails as a whole on one that is damaged.
    """
    reasons = []
    for part in loaded.geometry.values() if isinstance(loaded, trimesh.Scene) else [loaded]:
        material = getattr(getattr(part, "visual", None), "material", None)
        for name in _UNUSED_TEXTURES:
            if getattr(material, name, None) is not None:
                setattr(material, name, None)
        for name in _COLOR_TEXTURES:
            image = getattr(material, name, None)
            found = image if image is None else loaded_picture(image)
            if isinstance(found, str):
                setattr(material, name, None)
                reasons.append(found)
    return reasons


def _load_obj(path: Path) -> MeshFile:
    text = triangle_text(path.read_bytes())
    materials = read_obj_materials(path, text)
    lines = [line for line in text.split("\n") if not line.startswith(("#", "mtllib"))]
    head = ["mtllib materials"] if materials.is_found else []
    content = BytesIO("\n".join([*head, *lines]).encode())
    loaded = trimesh.load(content, file_type="obj", process=False, resolver=_ObjFiles(materials))
    _drop_damaged_textures(loaded)
    parts = _placed(loaded)
    for part in parts:
        _place_texture(part, materials)
    return MeshFile(parts, materials, materials.notes)


def _place_texture(part: trimesh.Trimesh, materials: ObjMaterials) -> None:
    """Apply the scale and offset of a material's texture to a part's texture coordinates."""
    visual: Any = part.visual
    use = materials.by_material.get(getattr(getattr(visual, "material", None), "name", None) or "")
    if use is not None and getattr(visual, "uv", None) is not None:
        visual.uv = np.asarray(visual.uv) * use.scale + use.offset


class _Files(trimesh.resolvers.Resolver):
    """Files beside a mesh file, by name."""

    def __init__(self, path: Path) -> None:
        self._folder = path.parent

    def get(self, key: str) -> bytes:
        return (self._folder / key).read_bytes()

    def write(self, name: str, data: Any) -> None:
        raise NotImplementedError

    def namespaced(self, namespace: str) -> _Files:
        return _Files(self._folder / namespace / "any")

    def keys(self) -> list[str]:
        return []


class _ObjFiles(_Files):
    """The material text and the textures of an OBJ file."""

    def __init__(self, materials: ObjMaterials) -> None:
        super().__init__(Path())
        self._materials = materials

    def get(self, key: str) -> bytes:
        if key == "materials":
            return self._materials.text.encode()
        file = self._materials.textures[int(key)].file
        if file is None:
            raise FileNotFoundError(key)
        return file.read_bytes()


def _plain_stl(path: Path) -> bytes:
    """Return an STL file that trimesh can take: text with line ends of its own.

    Raises:
        ValueError: If a binary file is cut off: some versions of trimesh read it as a mesh without faces.
    """
    content = path.read_bytes()
    declared = _STL_HEADER + _STL_FACE * int.from_bytes(content[80:84], "little")
    if len(content) >= _STL_HEADER and len(content) == declared:
        return content
    start = plain_text(content[:1024]).lower()
    if (start.startswith("solid") and "facet" in start) or len(content) < _STL_HEADER:
        return re.sub(_STL_WORDS, r"\n\1", plain_text(content), flags=re.IGNORECASE).encode()
    if len(content) < declared:
        raise ValueError(f"it ends after {len(content)} of {declared} bytes")
    # Some exporters put something behind the faces.
    return content[:declared]
