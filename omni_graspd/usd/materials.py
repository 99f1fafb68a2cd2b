# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""UsdPreviewSurface materials: writing and binding."""

from __future__ import annotations

from dataclasses import dataclass

from pxr import Gf, Sdf, Usd, UsdShade


@dataclass(frozen=True)
class Appearance:
    """What a surface looks like, in the terms of UsdPreviewSurface."""

    color: tuple[float, float, float] = (0.5, 0.5, 0.5)
    """Linear diffuse colour; used where there is no texture."""
    texture: str | None = None
    """sRGB colour texture; a path relative to the USD file that carries it, or absolute. Needs texture coordinates."""
    roughness: float = 0.5
    """0 mirror, 1 matt."""
    metallic: float = 0.0
    """0 dielectric, 1 metal."""
    roughness_texture: str | None = None
    """Texture whose red channel is the roughness; a path like that of the colours."""
    normal_texture: str | None = None
    """Tangent-space normals with 8 bits per channel, 0 to 255 for -1 to 1; a path like that of the colours."""


def author_material(stage: Usd.Stage, path: str, appearance: Appearance) -> UsdShade.Material:
    """Define a UsdPreviewSurface material; textures are read through the primvar ``st``."""
    material = UsdShade.Material.Define(stage, path)
    surface = UsdShade.Shader.Define(stage, f"{path}/Surface")
    surface.CreateIdAttr("UsdPreviewSurface")
    roughness = surface.CreateInput("roughness", Sdf.ValueTypeNames.Float)
    surface.CreateInput("metallic", Sdf.ValueTypeNames.Float).Set(appearance.metallic)
    color = surface.CreateInput("diffuseColor", Sdf.ValueTypeNames.Color3f)
    if appearance.texture is None:
        color.Set(Gf.Vec3f(*appearance.color))
    else:
        texture = _author_texture(stage, path, "Color", appearance.texture)
        texture.CreateInput("sourceColorSpace", Sdf.ValueTypeNames.Token).Set("sRGB")
        color.ConnectToSource(texture.CreateOutput("rgb", Sdf.ValueTypeNames.Float3))
    if appearance.roughness_texture is None:
        roughness.Set(appearance.roughness)
    else:
        texture = _author_texture(stage, path, "Roughness", appearance.roughness_texture)
        texture.CreateInput("sourceColorSpace", Sdf.ValueTypeNames.Token).Set("raw")
        roughness.ConnectToSource(texture.CreateOutput("r", Sdf.ValueTypeNames.Float))
    if appearance.normal_texture is not None:
        texture = _author_texture(stage, path, "Normal", appearance.normal_texture)
        texture.CreateInput("sourceColorSpace", Sdf.ValueTypeNames.Token).Set("raw")
        texture.CreateInput("scale", Sdf.ValueTypeNames.Float4).Set(Gf.Vec4f(2.0, 2.0, 2.0, 1.0))
        texture.CreateInput("bias", Sdf.ValueTypeNames.Float4).Set(Gf.Vec4f(-1.0, -1.0, -1.0, 0.0))
        normal = surface.CreateInput("normal", Sdf.ValueTypeNames.Normal3f)
        normal.ConnectToSource(texture.CreateOutput("rgb", Sdf.ValueTypeNames.Float3))
    material.CreateSurfaceOutput().ConnectToSource(surface.ConnectableAPI(), "surface")
    return material


def _author_texture(stage: Usd.Stage, path: str, name: str, file: str) -> UsdShade.Shader:
    reader = UsdShade.Shader.Define(stage, f"{path}/StReader")
    reader.CreateIdAttr("UsdPrimvarReader_float2")
    reader.CreateInput("varname", Sdf.ValueTypeNames.String).Set("st")
    reader.CreateOutput("result", Sdf.ValueTypeNames.Float2)
    shader = UsdShade.Shader.Define(stage, f"{path}/{name}Texture")
    shader.CreateIdAttr("UsdUVTexture")
    shader.CreateInput("file", Sdf.ValueTypeNames.Asset).Set(file)
    shader.CreateInput("wrapS", Sdf.ValueTypeNames.Token).Set("repeat")
    shader.CreateInput("wrapT", Sdf.ValueTypeNames.Token).Set("repeat")
    shader.CreateInput("st", Sdf.ValueTypeNames.Float2).ConnectToSource(reader.ConnectableAPI(), "result")
    return shader


def bind_material(prim: Usd.Prim, material: UsdShade.Material) -> None:
    """Bind a material to a prim and everything below it."""
    UsdShade.MaterialBindingAPI.Apply(prim).Bind(material)
