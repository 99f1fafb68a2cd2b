# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Materials of foreign scenes in the terms of UsdPreviewSurface: numbers and textures.

UsdPreviewSurface is read in full but for clearcoat, displacement, occlusion and the specular colour. Of MDL materials
(OmniPBR, as in Isaac Sim's assets) and MaterialX surfaces the inputs of the same meaning are read by name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from pxr import Sdf, Usd, UsdGeom, UsdShade

from omni_graspd.errors import GraspdError
from omni_graspd.usd.materials import Appearance

Color = tuple[float, float, float]
"""Linear red, green, blue."""

_IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
_LINEAR_FORMATS = {".exr", ".hdr"}
_NAMES = {
    "color": (
        "diffuseColor",
        "diffuse_color_constant",
        "base_color",
        "baseColor",
        "base_color_factor",
        "diffuse_color",
        "diffuse_reflection_color",
        "glass_color",
    ),
    "roughness": ("roughness", "reflection_roughness_constant", "specular_roughness", "roughness_factor"),
    "metallic": ("metallic", "metallic_constant", "metalness", "base_metalness", "metallic_factor"),
    "emission": ("emissiveColor", "emissive_color", "emission_color"),
    "opacity": ("opacity", "opacity_constant"),
    "normal": ("normal",),
}
"""Inputs of shaders by what they mean here."""
_ASSETS = {
    "color": ("diffuse_texture", "base_color_texture", "base_color_image", "diffuse_reflection_color_image"),
    "roughness": ("reflectionroughness_texture",),
    "metallic": ("metallic_texture",),
    "normal": ("normalmap_texture",),
}
"""Inputs of MDL materials that name a texture directly."""
_TINTS = ("diffuse_tint",)
"""Inputs of MDL materials that the base colour is multiplied with."""
_MDL_GREY = (0.2, 0.2, 0.2)
"""Base colour of OmniPBR and its kin where nothing is said."""
_IMAGE_NODES = ("ND_image_", "ND_tiledimage_", "ND_UsdUVTexture")
"""Starts of the names of MaterialX nodes that look up an image."""


@dataclass(frozen=True)
class Texture:
    """An image that is looked up with texture coordinates."""

    path: str
    """Resolved path; may be within a package (``scene.usdz[0/a.png]``)."""
    output: str = "rgb"
    """``rgb``, or one of the channels ``r``, ``g``, ``b``, ``a``."""
    is_srgb: bool = True
    """Whether values are curved as in sRGB; linear otherwise."""
    wrap: str = "repeat"
    """``repeat``, ``mirror`` or ``clamp``."""
    scale: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    """Factor by channel, after the curve."""
    bias: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    """Summand by channel."""
    T_image_st: tuple[float, ...] = _IDENTITY
    """First two rows of the matrix that maps texture coordinates to the image's, both from the lower left."""


@dataclass(frozen=True)
class Look:
    """What a surface looks like."""

    color: Color | Texture = (0.5, 0.5, 0.5)
    """Base colour."""
    roughness: float | Texture = 0.5
    """0 mirror, 1 matt."""
    metallic: float | Texture = 0.0
    """0 dielectric, 1 metal."""
    emission: Color | Texture = (0.0, 0.0, 0.0)
    """Radiance of its own."""
    opacity: float | Texture = 1.0
    """Share of light that does not pass straight through."""
    opacity_threshold: float = 0.0
    """Above 0, opacity is cut: all below is a hole."""
    normal: Texture | None = None
    """Tangent-space normal map."""
    ior: float = 1.5
    """Index of refraction, for the strength of reflections."""
    uv_name: str = "st"
    """Primvar of the texture coordinates."""
    has_display_color: bool = False
    """Whether the base colour is the mesh's own display colour, point by point."""
    unknown: str = ""
    """Name of a material whose colour could not be read; empty where it could, or where there is none."""


def read_look(prim: Usd.Prim, time: Usd.TimeCode) -> Look:
    """Read the material bound to a prim or to its ancestors.

    Without a material the display colour is used, else mid grey.

    Args:
        prim: Geometry or a subset of it.
        time: When.

    Raises:
        GraspdError: If a texture consists of UDIM tiles, which cannot be read, or an input is of a kind that its
            meaning does not have.
    """
    try:
        return _bound_look(prim, time)
    # Inputs of shaders are of whatever type the file gives them.
    except (TypeError, ValueError) as error:
        raise GraspdError(f"inputs of the material of {prim.GetPath()} are no numbers, colours or textures") from error


def _bound_look(prim: Usd.Prim, time: Usd.TimeCode) -> Look:
    binding = UsdShade.MaterialBindingAPI(prim)
    material, _ = binding.ComputeBoundMaterial(UsdShade.Tokens.full)
    if not material:
        return _display_look(prim, time)
    for context in ("", "mdl", "mtlx"):
        surface, _, _ = material.ComputeSurfaceSource(context) if context else material.ComputeSurfaceSource()
        if surface:
            look = _ShaderReader(surface, time).look()
            return replace(look, unknown=material.GetPrim().GetName()) if look.unknown else look
    return Look(unknown=material.GetPrim().GetName())


def read_appearance(prim: Usd.Prim) -> Appearance:
    """Read what :func:`read_look` does at the default time, without textures but that of the colour.

    Texture paths come back resolved and absolute.
    """
    return plain_appearance(read_look(prim, Usd.TimeCode.Default()))


def plain_appearance(look: Look) -> Appearance:
    """Return a look without textures but that of the colour."""
    return Appearance(
        color=(0.18, 0.18, 0.18) if isinstance(look.color, Texture) else look.color,
        texture=look.color.path if isinstance(look.color, Texture) else None,
        roughness=0.5 if isinstance(look.roughness, Texture) else look.roughness,
        metallic=0.0 if isinstance(look.metallic, Texture) else look.metallic,
    )


def _display_look(prim: Usd.Prim, time: Usd.TimeCode) -> Look:
    primvar = UsdGeom.PrimvarsAPI(prim).FindPrimvarWithInheritance("displayColor")
    values = primvar.ComputeFlattened(time) if primvar and primvar.HasValue() else None
    if not values:
        return Look()
    colors = np.array(values, dtype=np.float64).reshape(-1, 3)
    red, green, blue = colors.mean(axis=0).tolist()
    return Look((red, green, blue), has_display_color=bool((colors != colors[0]).any()))


class _ShaderReader:
    def __init__(self, surface: UsdShade.Shader, time: Usd.TimeCode) -> None:
        self._surface, self._time = surface, time
        self._is_preview = surface.GetIdAttr().Get() == "UsdPreviewSurface"
        self._is_omni_pbr = "OmniPBR" in str(surface.GetSourceAssetSubIdentifier("mdl") or "")
        self._uv_name: str | None = None

    def look(self) -> Look:
        """Return all inputs as one look."""
        default = (0.18, 0.18, 0.18) if self._is_preview else _MDL_GREY if self._is_omni_pbr else (0.5, 0.5, 0.5)
        is_known = self._is_preview or self._is_omni_pbr or self._value("color") is not None
        color, has_display_color = self._color("color", default)
        color = self._tinted(color)
        emission, _ = self._color("emission", (0.0, 0.0, 0.0))
        if not self._is_preview and not self._number("enable_emission", 0.0):
            emission = (0.0, 0.0, 0.0)
        opacity = self._scalar("opacity", 1.0)
        if not self._is_preview and not self._number("enable_opacity", 0.0):
            opacity = 1.0
        normal = self._value("normal")
        return Look(
            color=color,
            roughness=self._scalar("roughness", 0.5),
            metallic=0.0 if self._number("useSpecularWorkflow", 0.0) else self._scalar("metallic", 0.0),
            emission=emission,
            opacity=opacity,
            opacity_threshold=self._number("opacityThreshold", 0.0),
            normal=replace(normal, is_srgb=False) if isinstance(normal, Texture) else None,
            ior=self._number("ior", 1.5),
            uv_name=self._uv_name or "st",
            has_display_color=has_display_color,
            unknown="" if is_known else str(self._surface.GetPrim().GetName()),
        )

    def _tinted(self, color: Color | Texture) -> Color | Texture:
        tint = next((value for name in _TINTS if (value := self._input(name)) is not None), None)
        if tint is None:
            return color
        red, green, blue = (float(value) for value in tint)
        if isinstance(color, Texture):
            return replace(color, scale=_four(np.multiply(color.scale, (red, green, blue, 1.0))))
        return color[0] * red, color[1] * green, color[2] * blue

    def _input(self, name: str) -> Any:
        source = self._surface.GetInput(name)
        return _produced(source, self._time) if source else None

    def _color(self, meaning: str, default: Color) -> tuple[Color | Texture, bool]:
        value = self._value(meaning)
        if isinstance(value, Texture):
            return value, False
        if value is None or isinstance(value, str):
            return default, value == "displayColor"
        red, green, blue = (np.ones(3) * np.array(value, dtype=np.float64)).tolist()
        return (red, green, blue), False

    def _scalar(self, meaning: str, default: float) -> float | Texture:
        value = self._value(meaning)
        if isinstance(value, Texture):
            output = "r" if value.output == "rgb" else value.output
            return replace(value, output=output, is_srgb=False)
        return default if value is None or isinstance(value, str) else float(np.mean(np.array(value)))

    def _number(self, name: str, default: float) -> float:
        value = self._input(name)
        return default if value is None else float(value)

    def _value(self, meaning: str) -> object:
        """Return a texture, the name of a primvar, the plain value of an input, or None."""
        for name in _ASSETS.get(meaning, ()):
            source = self._surface.GetInput(name)
            asset: Any = _produced(source, self._time) if source else None
            if isinstance(asset, Sdf.AssetPath) and asset.path:
                return Texture(_resolved(asset), T_image_st=self._mdl_transform())
        for name in _NAMES[meaning]:
            source = self._surface.GetInput(name)
            for attribute in UsdShade.Utils.GetValueProducingAttributes(source) if source else ():
                shader = UsdShade.Shader(attribute.GetPrim())
                kind = str(shader.GetIdAttr().Get() or "") if shader and shader.GetIdAttr() else ""
                if kind == "UsdUVTexture" or kind.startswith(_IMAGE_NODES):
                    return self._texture(shader, attribute.GetName().rsplit(":", 1)[-1], meaning)
                if kind.startswith("UsdPrimvarReader"):
                    return str(_produced(shader.GetInput("varname"), self._time))
                value = attribute.Get(self._time)
                if value is not None:
                    return value
        return None

    def _mdl_transform(self) -> tuple[float, ...]:
        scale = self._surface.GetInput("texture_scale")
        shift = self._surface.GetInput("texture_translate")
        sx, sy = (scale.Get(self._time) if scale else None) or (1.0, 1.0)
        tx, ty = (shift.Get(self._time) if shift else None) or (0.0, 0.0)
        return (float(sx), 0.0, float(tx), 0.0, float(sy), float(ty))

    def _texture(self, shader: UsdShade.Shader, output: str, meaning: str) -> object:
        def read(name: str, default: Any) -> Any:
            source = shader.GetInput(name)
            value = _produced(source, self._time) if source else None
            return default if value is None else value

        asset = read("file", None)
        if not isinstance(asset, Sdf.AssetPath) or not asset.path:
            return tuple(read("fallback", (0.0, 0.0, 0.0, 1.0)))[:3]
        path = _resolved(asset)
        space = str(read("sourceColorSpace", _color_space(shader.GetInput("file"))))
        is_linear = space == "raw" or PurePosixPath(path.rstrip("]")).suffix.lower() in _LINEAR_FORMATS
        wrap = str(read("wrapS", "useMetadata"))
        return Texture(
            path=path,
            output=output,
            is_srgb=not is_linear and (space == "sRGB" or meaning in ("color", "emission")),
            wrap=wrap if wrap in ("repeat", "mirror", "clamp") else "clamp" if wrap == "black" else "repeat",
            scale=_four(read("scale", (1.0, 1.0, 1.0, 1.0))),
            bias=_four(read("bias", (0.0, 0.0, 0.0, 0.0))),
            T_image_st=self._transform(shader.GetInput("st") or shader.GetInput("texcoord")),
        )

    def _transform(self, source: UsdShade.Input | None) -> tuple[float, ...]:
        """Follow texture coordinates upstream: note the primvar, return the transform on the way."""
        attributes = UsdShade.Utils.GetValueProducingAttributes(source) if source else ()
        shader = UsdShade.Shader(attributes[0].GetPrim()) if attributes else None
        kind = str(shader.GetIdAttr().Get()) if shader else ""
        if shader and kind.startswith(("UsdPrimvarReader", "ND_UsdPrimvarReader", "ND_geompropvalue")):
            name = _produced(shader.GetInput("varname") or shader.GetInput("geomprop"), self._time)
            self._uv_name = self._uv_name or (str(name) if name else None)
        if not shader or kind != "UsdTransform2d":
            return _IDENTITY
        inner = np.vstack([np.reshape(self._transform(shader.GetInput("in")), (2, 3)), [0.0, 0.0, 1.0]])
        names = ("scale", "rotation", "translation")
        values = {name: shader.GetInput(name).Get(self._time) for name in names if shader.GetInput(name)}
        angle = np.radians(values.get("rotation") or 0.0)
        rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        outer = np.eye(3)
        outer[:2, :2] = rotation @ np.diag(values.get("scale") or (1.0, 1.0))
        outer[:2, 2] = values.get("translation") or (0.0, 0.0)
        return tuple((outer @ inner)[:2].ravel().tolist())


def _produced(source: UsdShade.Input, time: Usd.TimeCode) -> Any:
    """Return the value of an input, followed through the interfaces of materials and node graphs."""
    attributes = UsdShade.Utils.GetValueProducingAttributes(source)
    return attributes[0].Get(time) if attributes else None


def _color_space(source: UsdShade.Input) -> str:
    """Return what MaterialX says about a file's values, in UsdUVTexture's words."""
    space = source.GetAttr().GetColorSpace()
    return "raw" if space.startswith(("lin", "raw")) else "sRGB" if "srgb" in space.lower() else "auto"


def _resolved(asset: Sdf.AssetPath) -> str:
    path = str(asset.resolvedPath or asset.path)
    if "<UDIM>" in path:
        raise GraspdError(f"UDIM textures are not supported, got {path}; bake the tiles into one texture")
    return path


def _four(value: Iterable[float]) -> tuple[float, float, float, float]:
    one, two, three, four = (float(v) for v in value)
    return one, two, three, four
