# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""USD geometry in parts of one look each: surface, colour, texture and its coordinates."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pxr import Usd, UsdShade

from omni_graspd.errors import GraspdError
from omni_graspd.objects.texture_cache import keep_image, open_image
from omni_graspd.usd.asset_content import read_asset
from omni_graspd.usd.looks import Look, Texture, plain_appearance, read_look
from omni_graspd.usd.materials import Appearance
from omni_graspd.usd.meshes import UV_NAMES, PolygonMesh, TriangleMesh, select_faces
from omni_graspd.usd.shapes import is_shape, read_surface

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class SurfacePart:
    """A part of a surface that looks the same all over."""

    mesh: TriangleMesh
    """Its triangles."""
    appearance: Appearance
    """Its look; textures are readable files."""
    notes: tuple[str, ...]
    """What of its look is lost or changed."""


def surface_parts(prim: Usd.Prim, T_object_prim: np.ndarray) -> list[SurfacePart]:
    """Read a mesh or shape in parts: one for each of its subsets with a material, and what is left.

    Args:
        prim: The mesh or shape.
        T_object_prim: Where it stands in the object, shape [4, 4]; may hold scale and mirror.
    """
    if is_shape(prim):
        appearance, notes, _ = _appearance(prim, None)
        return [SurfacePart(placed_mesh(read_surface(prim), T_object_prim), appearance, notes)]
    mesh = PolygonMesh(prim)
    parts, rest = [], np.ones(len(mesh.faces), dtype=bool)
    for subset in UsdShade.MaterialBindingAPI(prim).GetMaterialBindSubsets():
        chosen = np.isin(mesh.polygons, np.array(subset.GetIndicesAttr().Get() or [], dtype=np.int64)) & rest
        rest &= ~chosen
        if chosen.any():
            parts.append(_part(mesh, subset.GetPrim(), np.flatnonzero(chosen), T_object_prim))
    if rest.any() or not parts:
        parts.append(_part(mesh, prim, np.flatnonzero(rest), T_object_prim))
    return parts


def _part(mesh: PolygonMesh, owner: Usd.Prim, faces: np.ndarray, T_object_prim: np.ndarray) -> SurfacePart:
    appearance, notes, uvs = _appearance(owner, mesh)
    whole = placed_mesh(TriangleMesh(mesh.vertices, mesh.faces, uvs), T_object_prim)
    part = whole if len(faces) == len(mesh.faces) else select_faces(whole, faces)
    return SurfacePart(part, appearance, notes)


def placed_mesh(mesh: TriangleMesh, T_object_mesh: np.ndarray) -> TriangleMesh:
    """Move a mesh, faces outward also where the matrix [4, 4] mirrors."""
    vertices = mesh.vertices @ T_object_mesh[:3, :3].T + T_object_mesh[:3, 3]
    if np.linalg.det(T_object_mesh[:3, :3]) > 0:
        return TriangleMesh(vertices, mesh.faces, mesh.uvs)
    uvs = None if mesh.uvs is None else mesh.uvs[:, ::-1]
    return TriangleMesh(vertices, np.ascontiguousarray(mesh.faces[:, ::-1]), uvs)


def _appearance(owner: Usd.Prim, mesh: PolygonMesh | None) -> tuple[Appearance, tuple[str, ...], np.ndarray | None]:
    """Return the look of a prim or subset, what of it is lost, and the texture coordinates that it asks for."""
    try:
        look = read_look(owner, Usd.TimeCode.Default())
    except GraspdError as error:
        return Appearance(), (f"lost its look: {error}",), None
    notes: list[str] = []
    if look.unknown:
        notes.append(
            f"lost the look of its material {look.unknown}: not UsdPreviewSurface, nor MDL or MaterialX with a colour "
            "as OmniPBR has it"
        )
    if look.has_display_color:
        notes.append("drawn in the mean of its display colours")
    appearance = plain_appearance(look)
    if not isinstance(look.color, Texture):
        return appearance, tuple(notes), None
    uvs = _uvs(mesh, look, look.color, notes)
    if uvs is None:
        return replace(appearance, texture=None), tuple(notes), None
    return replace(appearance, texture=_texture_file(look.color, notes)), tuple(notes), uvs


def _uvs(mesh: PolygonMesh | None, look: Look, texture: Texture, notes: list[str]) -> np.ndarray | None:
    """Return the texture coordinates that a look asks for, as the image is looked up, shape [face_count, 3, 2]."""
    for name in dict.fromkeys((look.uv_name, *UV_NAMES)):
        uvs = None if mesh is None else mesh.uvs(name)
        if uvs is None:
            continue
        if name != look.uv_name:
            notes.append(f"drawn with the texture coordinates {name}, since it has no {look.uv_name}")
        matrix = np.array(texture.T_image_st).reshape(2, 3)
        return uvs @ matrix[:, :2].T + matrix[:, 2]
    notes.append(f"lost its texture {_file_name(texture)}: it has no texture coordinates {look.uv_name}")
    return None


def _texture_file(texture: Texture, notes: list[str]) -> str | None:
    """Return a file with what a texture shows, or None where it cannot be read, with a note."""
    content = read_asset(texture.path)
    image = "missing" if content is None else open_image(content)
    if isinstance(image, str):
        notes.append(f"lost its texture {_file_name(texture)}: {image}")
        return None
    is_changed = texture.output != "rgb" or texture.scale[:3] != (1.0, 1.0, 1.0) or any(texture.bias[:3])
    if not is_changed and texture.is_srgb and Path(texture.path).is_file():
        return texture.path
    return str(keep_image(_shown(image, texture) if is_changed or not texture.is_srgb else image))


def _shown(image: Image, texture: Texture) -> Image:
    """Return an sRGB picture of what a texture's channel, scale and bias make of an image."""
    import PIL.Image

    channels = np.asarray(image.convert("RGBA"), dtype=np.float64) / 255.0
    if texture.output in ("r", "g", "b", "a"):
        one = "rgba".index(texture.output)
        channels = np.concatenate([channels[..., [one, one, one]], channels[..., 3:]], axis=-1)
    values = channels[..., :3]
    if texture.is_srgb and texture.output != "a":
        values = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    values = np.clip(values * texture.scale[:3] + np.array(texture.bias[:3]), 0.0, 1.0)
    srgb = np.where(values <= 0.0031308, 12.92 * values, 1.055 * values ** (1.0 / 2.4) - 0.055)
    return PIL.Image.fromarray(np.round(255.0 * srgb).astype(np.uint8))


def _file_name(texture: Texture) -> str:
    return re.sub(r".*[/\\\\[]", "", texture.path).rstrip("]")
