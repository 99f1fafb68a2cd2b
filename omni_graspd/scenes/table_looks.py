# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What tables look like: wood, cloth, stone, metal, or a plain coat of one colour."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.scenes.named_choices import draw_name, require_known
from omni_graspd.scenes.textures.cloth_texture import CLOTH_EXTENT, WEAVES, cloth_texture
from omni_graspd.scenes.textures.metal_texture import METAL_EXTENT, METALS, metal_texture
from omni_graspd.scenes.textures.stone_texture import STONE_EXTENT, STONES, stone_texture
from omni_graspd.scenes.textures.surface_texture import SurfaceTexture, TextureFiles, texture_files, write_texture
from omni_graspd.scenes.textures.wood_texture import WOOD_EXTENT, WOODS, wood_texture
from omni_graspd.seeding import random_generator
from omni_graspd.usd.materials import Appearance

_SIZE = 1024


@dataclass(frozen=True)
class Material:
    """What several looks have in common."""

    looks: tuple[str, ...]
    """Names of the looks."""
    make: Callable[[str, np.random.Generator, int], SurfaceTexture]
    """Makes the texture of a look, given random numbers and its size [pixel]."""
    extent: float
    """Width and height of what a texture shows [m]."""
    roughness: float
    """Roughness of looks that have no texture of it."""
    metallic: float = 0.0
    """1 for metals."""
    rough: bool = False
    """Whether there are textures of roughness."""
    bumpy: tuple[str, ...] = ()
    """Looks with a texture of normals."""


MATERIALS = {
    "wood": Material(tuple(WOODS), wood_texture, WOOD_EXTENT, 0.45),
    "cloth": Material((*WEAVES, "felt"), cloth_texture, CLOTH_EXTENT, 0.9, bumpy=(*WEAVES, "felt")),
    "stone": Material(tuple(STONES), stone_texture, STONE_EXTENT, 0.5, rough=True, bumpy=("slate", "concrete")),
    "metal": Material(tuple(METALS), metal_texture, METAL_EXTENT, 0.4, 1.0, rough=True, bumpy=("steel", "brass")),
}
"""Materials with textures, by name."""

PLAIN = {
    "white": Appearance((0.72, 0.72, 0.70), roughness=0.35),
    "blue": Appearance((0.07, 0.13, 0.22), roughness=0.5),
    "green": Appearance((0.10, 0.18, 0.13), roughness=0.5),
}
"""Looks of one colour, by name."""

_GROUPS = {name: material.looks for name, material in MATERIALS.items()} | {"plain": tuple(PLAIN)}


def require_table_looks(names: Sequence[str]) -> None:
    """Check names of looks and materials.

    Raises:
        GraspdError: If there is none, or one that is not known.
    """
    require_known("table looks", names, [*_GROUPS, *(look for looks in _GROUPS.values() for look in looks)])


def draw_table_look(names: Sequence[str], random: np.random.Generator) -> str:
    """Draw one of several looks and materials, all alike; of a material, one of its looks."""
    return draw_name(names, _GROUPS, random)


def texture_extent(look: str) -> float:
    """Return width and height of what the texture of a look shows [m]; 1 for looks of one colour."""
    material = _material(look)
    return 1.0 if material is None else material.extent


def write_table_look(look: str, folder: Path) -> Appearance:
    """Write the textures of a look to a folder unless they are there.

    Args:
        look: Name of the look.
        folder: Where the textures go.

    Returns:
        The look; paths of its textures begin with ``folder``.
    """
    material = _material(look)
    if material is None:
        return PLAIN[look]
    files = texture_files(look, folder, rough=material.rough, bumpy=look in material.bumpy)
    if not files.color.is_file():
        write_texture(make_texture(look, _SIZE), files)
    return _appearance(material, files)


def make_texture(look: str, size: int) -> SurfaceTexture:
    """Make the texture of a look; always the same for the same name and size.

    Args:
        look: Name of a look that has a texture.
        size: Edge of the texture [pixel].
    """
    material = _material(look)
    if material is None:
        raise GraspdError(f"expected a textured look, got {look!r}; {', '.join(PLAIN)} have no texture")
    return material.make(look, random_generator(0, "texture", look), size)


def _material(look: str) -> Material | None:
    return next((material for material in MATERIALS.values() if look in material.looks), None)


def _appearance(material: Material, files: TextureFiles) -> Appearance:
    return Appearance(
        texture=files.color.as_posix(),
        roughness=material.roughness,
        metallic=material.metallic,
        roughness_texture=files.roughness and files.roughness.as_posix(),
        normal_texture=files.normal and files.normal.as_posix(),
    )
