# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Looks as Mitsuba's principled materials, with textures from files, packages and vertex colours."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from omni_graspd.rendering.surfaces import Surface
from omni_graspd.standalone.mitsuba_images import read_bitmap
from omni_graspd.usd.looks import Color, Look, Texture

VERTEX_COLOR = "vertex_color"
"""Name of the mesh attribute that holds display colours."""

_FLIP = np.array([[1.0, 0.0, 0.0], [0.0, -1.0, 1.0], [0.0, 0.0, 1.0]])
_CHANNELS = "rgba"


class MaterialLibrary:
    """Materials of one scene; equal looks share one material, equal files one image in memory."""

    def __init__(self, mi: ModuleType) -> None:
        """Start empty.

        Args:
            mi: Mitsuba with its variant set.
        """
        self._mi = mi
        self._bsdfs: dict[tuple[Look, bool, bool], Any] = {}
        self._images: dict[str, Any] = {}

    def glows(self, surface: Surface) -> bool:
        """Tell whether a surface sends out light of its own."""
        emission = surface.look.emission
        return surface.uvs is not None if isinstance(emission, Texture) else any(emission)

    def bsdf(self, surface: Surface) -> Any:
        """Return the material of a surface.

        Raises:
            GraspdError: If a texture is missing or cannot be read.
        """
        key = (surface.look, surface.uvs is not None, surface.colors is not None)
        if key not in self._bsdfs:
            self._bsdfs[key] = self._mi.load_dict(self._principled(*key))
        return self._bsdfs[key]

    def emitter(self, surface: Surface) -> Any:
        """Return the light that a surface sends out."""
        radiance = self._color(surface.look.emission, has_uvs=surface.uvs is not None, unbounded=True)
        return self._mi.load_dict({"type": "area", "radiance": radiance})

    def _principled(self, look: Look, has_uvs: bool, has_colors: bool) -> dict[str, Any]:
        color = self._color(look.color, has_uvs=has_uvs)
        if has_colors:
            color = {"type": "mesh_attribute", "name": VERTEX_COLOR}
        bsdf: dict[str, Any] = {
            "type": "principled",
            "base_color": color,
            "roughness": self._number(look.roughness, has_uvs, least=0.03),
            "metallic": self._number(look.metallic, has_uvs),
        }
        if look.ior != 1.5:
            bsdf["eta"] = min(max(look.ior, 1.01), 3.0)
        if look.normal is not None and has_uvs:
            bsdf = {"type": "normalmap", "normalmap": self._map(look.normal), "bsdf": bsdf}
        bsdf = {"type": "twosided", "bsdf": bsdf}
        if look.opacity == 1.0 or (isinstance(look.opacity, Texture) and not has_uvs):
            return bsdf
        opacity = look.opacity
        if isinstance(opacity, Texture):
            return {"type": "mask", "bsdf": bsdf, "opacity": self._map(opacity, look.opacity_threshold)}
        if look.opacity_threshold > 0.0:
            opacity = float(opacity >= look.opacity_threshold)
        return {"type": "mask", "bsdf": bsdf, "opacity": opacity}

    def _color(self, value: Color | Texture, *, has_uvs: bool, unbounded: bool = False) -> dict[str, Any]:
        if isinstance(value, Texture):
            return self._map(value) if has_uvs else {"type": "rgb", "value": [0.18] * 3}
        most = np.inf if unbounded else 1.0
        return {"type": "rgb", "value": [min(max(float(c), 0.0), most) for c in value]}

    def _number(self, value: float | Texture, has_uvs: bool, least: float = 0.0) -> Any:
        if isinstance(value, Texture):
            return self._map(value) if has_uvs else 0.5
        return min(max(value, least), 1.0)

    def _map(self, texture: Texture, threshold: float = 0.0) -> dict[str, Any]:
        image, raw = self._image(texture.path), not texture.is_srgb
        if not _is_plain(texture):
            image, raw = self._computed(image, texture, threshold), True
        T_image_st = np.vstack([np.reshape(texture.T_image_st, (2, 3)), [0.0, 0.0, 1.0]])
        entry = {"type": "bitmap", "bitmap": image, "raw": raw, "wrap_mode": texture.wrap}
        if not np.array_equal(T_image_st, np.eye(3)):
            # Mitsuba counts image rows from the top, USD from the bottom.
            entry["to_uv"] = self._mi.ScalarTransform3f(_FLIP @ T_image_st @ _FLIP)
        return entry

    def _computed(self, image: Any, texture: Texture, threshold: float) -> Any:
        """Return the channels that a texture puts out, scaled, in linear values."""
        mi = self._mi
        pixels = np.array(
            image.convert(mi.Bitmap.PixelFormat.RGBA, mi.Struct.Type.Float32, srgb_gamma=False)
            if texture.is_srgb
            else _without_curve(mi, image)
        )
        pixels = pixels * np.array(texture.scale, np.float32) + np.array(texture.bias, np.float32)
        channels = slice(3) if texture.output == "rgb" else [_CHANNELS.index(texture.output)]
        picked = pixels[..., channels]
        if threshold > 0.0:
            picked = (picked >= threshold).astype(np.float32)
        return mi.Bitmap(np.ascontiguousarray(np.clip(picked, 0.0, None), dtype=np.float32))

    def _image(self, path: str) -> Any:
        if path not in self._images:
            self._images[path] = read_bitmap(self._mi, path)
        return self._images[path]


def _is_plain(texture: Texture) -> bool:
    """Tell whether Mitsuba can take an image as it is stored."""
    # It applies a normal map's usual scale and bias itself.
    changes = (texture.scale[:3], texture.bias[:3])
    return texture.output == "rgb" and changes in (((1.0,) * 3, (0.0,) * 3), ((2.0,) * 3, (-1.0,) * 3))


def _without_curve(mi: ModuleType, image: Any) -> Any:
    """Return the image's numbers as they are stored, from 0 to 1."""
    linear = mi.Bitmap(image)
    linear.set_srgb_gamma(False)
    return linear.convert(mi.Bitmap.PixelFormat.RGBA, mi.Struct.Type.Float32, srgb_gamma=False)
