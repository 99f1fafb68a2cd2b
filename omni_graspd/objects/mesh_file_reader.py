# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Mesh files (OBJ, PLY, STL, glTF) through trimesh."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import trimesh

from omni_graspd.errors import GraspdError
from omni_graspd.geometry.mesh_file import load_mesh_file
from omni_graspd.geometry.obj_materials import ObjMaterials
from omni_graspd.geometry.picture import loaded_picture
from omni_graspd.objects.source_surface import SourceSurface
from omni_graspd.objects.texture_atlas import join_parts
from omni_graspd.objects.texture_cache import keep_image, open_image
from omni_graspd.usd.materials import Appearance
from omni_graspd.usd.meshes import TriangleMesh

MESH_SUFFIXES = (".obj", ".ply", ".stl", ".glb", ".gltf")


def read_mesh_file(path: Path) -> SourceSurface:
    """Read all triangles of a mesh file with their look; parts of a scene are placed and joined.

    Raises:
        GraspdError: If the file cannot be parsed or has no faces.
    """
    file = load_mesh_file(path)
    if not file.parts:
        raise GraspdError(f"expected a mesh with faces, got {path}, which has none; export it as triangles")
    meshes = [_triangle_mesh(part) for part in file.parts]
    has_materials = file.materials is None or file.materials.is_found
    looks, look_notes = zip(*(_appearance(part, has_materials) for part in file.parts), strict=True)
    mesh, appearance, notes = join_parts(meshes, list(looks))
    lost = () if file.materials is None else _texture_faults(file.materials)
    notes += (*dict.fromkeys((*file.notes, *lost, *(note for part in look_notes for note in part))),)
    metres_per_unit = None
    if path.suffix.lower() in (".glb", ".gltf"):
        x, y, z = mesh.vertices.T
        mesh = TriangleMesh(np.stack([x, -z, y], axis=-1), mesh.faces, mesh.uvs)
        metres_per_unit = 1.0  # by glTF 2.0, section 3.4
        notes += ("turned from Y up, as glTF has it, to Z up",)
    return SourceSurface(mesh=mesh, appearance=appearance, metres_per_unit=metres_per_unit, notes=notes)


def _texture_faults(materials: ObjMaterials) -> tuple[str, ...]:
    """Return a note on each texture of an OBJ file that is missing or no picture."""
    faults = []
    for use in materials.textures:
        image = "missing" if use.file is None else open_image(use.file)
        if isinstance(image, str):
            faults.append(f"lost its texture {use.name.replace(chr(92), '/').rpartition('/')[2]}: {image}")
    return tuple(dict.fromkeys(faults))


def _triangle_mesh(part: trimesh.Trimesh) -> TriangleMesh:
    faces, uvs = np.array(part.faces, dtype=np.int32), _uvs(part)
    return TriangleMesh(np.array(part.vertices, dtype=np.float64), faces, None if uvs is None else uvs[faces])


def _uvs(part: trimesh.Trimesh) -> np.ndarray | None:
    """Return texture coordinates by vertex, shape [vertex_count, 2]; None where there are none that can be used."""
    uv = getattr(part.visual, "uv", None)
    uvs = np.zeros(0) if uv is None else np.array(uv, dtype=np.float64)
    return uvs if uvs.shape == (len(part.vertices), 2) and np.isfinite(uvs).all() else None


def _appearance(part: trimesh.Trimesh, has_materials: bool) -> tuple[Appearance, tuple[str, ...]]:
    """Return a part's look, and notes on what is not kept of it."""
    visual: Any = part.visual
    material = getattr(visual, "material", None)
    if material is None:
        if getattr(visual, "kind", None) not in ("vertex", "face"):
            return Appearance(), ()
        colors = visual.face_colors[:, :3] / 255.0
        notes = () if (colors == colors[0]).all() else ("drawn in the mean of its vertex or face colours",)
        return Appearance(color=_color(_linear(colors.mean(axis=0)))), notes
    roughness, metallic = getattr(material, "roughnessFactor", None), getattr(material, "metallicFactor", None)
    # glTF's own default is 1 for both; without a metallic-roughness map that would be a rough mirror.
    roughness = 0.5 if roughness is None else float(roughness)
    metallic = 0.0 if metallic is None else float(metallic)
    color = _color(np.asarray(material.main_color)[:3] / 255.0)
    plain = Appearance(color=color, roughness=roughness, metallic=metallic)
    image = getattr(material, "baseColorTexture", None) or getattr(material, "image", None)
    # Where an OBJ's materials are missing, trimesh paints a grey texture of its own.
    if image is None or not has_materials or getattr(visual, "uv", None) is None:
        return plain, ()
    if _uvs(part) is None:
        return plain, ("lost its texture: its texture coordinates are no numbers, or not one pair for each vertex",)
    image = loaded_picture(image)
    if isinstance(image, str):
        return plain, (f"lost its texture: {image}",)
    return Appearance(texture=str(keep_image(image)), roughness=roughness, metallic=metallic), ()


def _color(rgb: np.ndarray) -> tuple[float, float, float]:
    red, green, blue = (round(float(value), 6) for value in rgb)
    return red, green, blue


def _linear(srgb: np.ndarray) -> np.ndarray:
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
