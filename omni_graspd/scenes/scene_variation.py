# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What differs from scene to scene besides looks and lights: size and height of the table, paint of the object."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

from pxr import Usd, UsdShade

from omni_graspd.errors import GraspdError
from omni_graspd.geometry.corner_normals import corner_normals
from omni_graspd.seeding import random_generator
from omni_graspd.usd.materials import Appearance, author_material, bind_material
from omni_graspd.usd.meshes import TriangleMesh, author_mesh
from omni_graspd.usd.physics import apply_collider
from omni_graspd.usd.semantics import apply_label

FLOOR_PATH = "/World/Floor"
"""Prim of the floor, where there is one."""

_FLOOR_LOOK = Appearance((0.35, 0.35, 0.36), roughness=0.8)
_ROUGHNESS = (0.3, 0.8)


@dataclass(frozen=True, kw_only=True)
class VariationConfig:
    """Ranges to draw from; by default nothing differs."""

    table_scale: tuple[float, float] = (1.0, 1.0)
    """Range of the scale factors of the table's length and width, drawn separately."""
    table_height: tuple[float, float] = (0.0, 0.0)
    """Range of the table's height above a floor [m]; 0: no floor."""
    painted: float = 0.0
    """Fraction of scenes in which the object gets one random colour instead of its own look."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not 0.0 < self.table_scale[0] <= self.table_scale[1]:
            raise GraspdError(
                f"expected scene.variation.table_scale to be an increasing range above 0, got {self.table_scale}"
            )
        if not 0.0 <= self.table_height[0] <= self.table_height[1]:
            raise GraspdError(
                "expected scene.variation.table_height to be an increasing range from 0 or more, got "
                f"{self.table_height}"
            )
        if not 0.0 <= self.painted <= 1.0:
            raise GraspdError(f"expected scene.variation.painted to be from 0 to 1, got {self.painted}")


@dataclass(frozen=True)
class SceneVariation:
    """What one scene is like."""

    table_scale: tuple[float, float]
    """Factors on length and width of the table."""
    table_height: float
    """Height of the table top over the floor [m]; 0: no floor."""
    paint: Appearance | None
    """Look of the object; None: its own."""


def draw_variation(config: VariationConfig, seed: int, object_name: str, index: int) -> SceneVariation:
    """Draw what a scene is like; it depends on the seed, the object's name and the index only."""
    random = random_generator(seed, "variation", object_name, index)
    scale = (float(random.uniform(*config.table_scale)), float(random.uniform(*config.table_scale)))
    height = float(random.uniform(*config.table_height))
    painted = bool(random.uniform() < config.painted)
    hue, saturation, value, roughness = random.uniform((0.0, 0.2, 0.1, _ROUGHNESS[0]), (1.0, 0.9, 0.8, _ROUGHNESS[1]))
    paint = Appearance(colorsys.hsv_to_rgb(hue, saturation, value), roughness=float(roughness))
    return SceneVariation(scale, height, paint if painted else None)


def author_variation(stage: Usd.Stage, variation: SceneVariation, floor: TriangleMesh, object_prim: Usd.Prim) -> None:
    """Add the floor below the table and paint the object.

    Args:
        stage: A scene with ``/World/Looks``.
        variation: What the scene is like.
        floor: Surface of the floor around z = 0 [m]; it is lowered.
        object_prim: The object that is painted.
    """
    if variation.table_height > 0.0:
        mesh = TriangleMesh(floor.vertices - [0.0, 0.0, variation.table_height], floor.faces, floor.uvs)
        normals = corner_normals(mesh, crease_angle=0.5)
        prim = author_mesh(stage, FLOOR_PATH, mesh, normals=normals).GetPrim()
        bind_material(prim, author_material(stage, "/World/Looks/Floor", _FLOOR_LOOK))
        apply_label(prim, "floor")
        apply_collider(prim)
    if variation.paint is not None:
        material = author_material(stage, "/World/Looks/Paint", variation.paint)
        binding = UsdShade.MaterialBindingAPI.Apply(object_prim)
        binding.Bind(material, UsdShade.Tokens.strongerThanDescendants)
