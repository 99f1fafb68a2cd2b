# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Parts that look different become one surface with one texture: their textures and colours side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from omni_graspd.objects.source_surface import merge_looks, surface_area
from omni_graspd.objects.texture_cache import keep_image
from omni_graspd.usd.materials import Appearance
from omni_graspd.usd.meshes import TriangleMesh, merge_meshes

if TYPE_CHECKING:
    from PIL.Image import Image

_SWATCH = 16
_MARGIN = 8
"""Pixels around each tile that repeat its border, so that filtering does not mix tiles."""
_LARGEST_TILE = 2048
_MOST_TILES = 64


@dataclass(frozen=True)
class _Tile:
    """A picture and where it lies in the atlas."""

    image: Image
    left: int
    top: int


def join_parts(meshes: list[TriangleMesh], looks: list[Appearance]) -> tuple[TriangleMesh, Appearance, tuple[str, ...]]:
    """Join the parts of an object into one surface with one look.

    Where looks differ, their colours and textures are painted into one texture, which goes to the user's cache folder;
    roughness and metalness become their means by area. Where a texture repeats over a part (texture coordinates span
    more than 0 to 1) that cannot be done: then the look of the largest area is taken for all.

    Args:
        meshes: Surface of each part.
        looks: Look of each part; textures are readable files.

    Returns:
        The surface, its look, and notes on what was changed.
    """
    areas = [surface_area(mesh) for mesh in meshes]
    looks = [
        replace(look, texture=None) if mesh.uvs is None else look for look, mesh in zip(looks, meshes, strict=True)
    ]
    pictures = list(dict.fromkeys(_picture_key(look) for look in looks))
    if len(set(looks)) == 1:
        return merge_meshes(meshes), looks[0], ()
    placed = [_within_one_tile(mesh) if look.texture else mesh for mesh, look in zip(meshes, looks, strict=True)]
    if len(pictures) > _MOST_TILES or any(mesh is None for mesh in placed):
        look, notes = merge_looks(looks, areas)
        return merge_meshes(meshes), look, notes
    tiles, width, height = _arranged([_picture(key) for key in pictures])
    size = np.array([width, height], dtype=np.float64)
    parts = [
        replace(mesh, uvs=_moved(mesh, look, tiles[pictures.index(_picture_key(look))], size))
        for mesh, look in zip(placed, looks, strict=True)
        if mesh is not None
    ]
    weights = np.array(areas) / max(sum(areas), 1e-300)
    joined = Appearance(
        texture=str(keep_image(_painted(tiles, width, height))),
        roughness=float(weights @ [look.roughness for look in looks]),
        metallic=float(weights @ [look.metallic for look in looks]),
    )
    return merge_meshes(parts), joined, (f"painted its {len(set(looks))} materials into one texture",)


def _picture_key(look: Appearance) -> str | tuple[float, float, float]:
    return look.texture or look.color


def _picture(key: str | tuple[float, float, float]) -> Image:
    import PIL.Image

    if isinstance(key, tuple):
        linear = np.clip(key, 0.0, 1.0)
        srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1.0 / 2.4) - 0.055)
        return PIL.Image.new("RGB", (_SWATCH, _SWATCH), tuple(round(255.0 * float(value)) for value in srgb))
    image = PIL.Image.open(key).convert("RGB")
    image.thumbnail((_LARGEST_TILE, _LARGEST_TILE))
    return image


def _within_one_tile(mesh: TriangleMesh) -> TriangleMesh | None:
    """Shift texture coordinates by whole tiles so that they lie in 0 to 1; None if they span more."""
    if mesh.uvs is None:
        return None
    shifted = mesh.uvs - np.floor(mesh.uvs.min(axis=(0, 1)) + 1e-3)
    return replace(mesh, uvs=np.clip(shifted, 0.0, 1.0)) if shifted.max() <= 1.0 + 1e-3 else None


def _arranged(images: list[Image]) -> tuple[list[_Tile], int, int]:
    """Place pictures in rows, high ones first; return their tiles in the given order, and the atlas's size [pixel]."""
    order = sorted(range(len(images)), key=lambda index: -images[index].height)
    total = sum((image.width + 2 * _MARGIN) * (image.height + 2 * _MARGIN) for image in images)
    width = max(*(image.width + 2 * _MARGIN for image in images), int(np.ceil(np.sqrt(total))))
    tiles: dict[int, _Tile] = {}
    left = top = row = 0
    for index in order:
        image = images[index]
        if left + image.width + 2 * _MARGIN > width:
            left, top, row = 0, top + row, 0
        tiles[index] = _Tile(image, left + _MARGIN, top + _MARGIN)
        left, row = left + image.width + 2 * _MARGIN, max(row, image.height + 2 * _MARGIN)
    return [tiles[index] for index in range(len(images))], width, top + row


def _moved(mesh: TriangleMesh, look: Appearance, tile: _Tile, size: np.ndarray) -> np.ndarray:
    """Return texture coordinates of a part within the atlas, shape [face_count, 3, 2]; a plain part gets one point."""
    uvs = np.full((len(mesh.faces), 3, 2), 0.5) if look.texture is None or mesh.uvs is None else mesh.uvs
    pixels = np.array([tile.left, tile.top]) + np.array([tile.image.width, tile.image.height]) * (
        uvs * [1.0, -1.0] + [0.0, 1.0]
    )
    return pixels / size * [1.0, -1.0] + [0.0, 1.0]


def _painted(tiles: list[_Tile], width: int, height: int) -> Image:
    import PIL.Image

    atlas = np.full((height, width, 3), 128, dtype=np.uint8)
    for tile in tiles:
        padded = np.pad(np.asarray(tile.image), ((_MARGIN, _MARGIN), (_MARGIN, _MARGIN), (0, 0)), mode="edge")
        top, left = tile.top - _MARGIN, tile.left - _MARGIN
        atlas[top : top + padded.shape[0], left : left + padded.shape[1]] = padded
    return PIL.Image.fromarray(atlas)
