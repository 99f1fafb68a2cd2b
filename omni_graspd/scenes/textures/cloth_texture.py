# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Procedural cloth: woven yarns of uneven thickness and shade, and felt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omni_graspd.scenes.textures.periodic_noise import fractal_noise, slopes, smooth_noise
from omni_graspd.scenes.textures.surface_texture import Color, SurfaceTexture, mix

CLOTH_EXTENT = 0.18
"""Width and height of what a texture of cloth shows [m]."""

_CREASE_HEIGHT = 0.0004


@dataclass(frozen=True)
class Weave:
    """A woven cloth."""

    warp: Color
    """sRGB colour of the yarns along the image's y axis."""
    weft: Color
    """sRGB colour of those across."""
    yarns: int
    """Yarns over the texture in either direction; a multiple of 12."""
    over: tuple[int, ...] = (1, 0)
    """Whether a warp yarn lies on top, yarn by yarn; the next row is one further."""
    checks: int = 0
    """Bands over the texture in which the second colour takes turns with the first, in both directions; 0: none."""


WEAVES = {
    "linen": Weave((0.80, 0.75, 0.66), (0.74, 0.69, 0.60), 192),
    "denim": Weave((0.20, 0.28, 0.42), (0.60, 0.63, 0.67), 240, over=(1, 1, 0)),
    "gingham": Weave((0.90, 0.88, 0.84), (0.38, 0.50, 0.60), 192, checks=8),
}
"""Woven cloths by name."""

_FELT = ((0.24, 0.30, 0.27), (0.36, 0.43, 0.39))


def cloth_texture(name: str, random: np.random.Generator, size: int) -> SurfaceTexture:
    """Make the texture of a weave of ``WEAVES``, or of felt.

    Args:
        name: A weave, or ``felt``.
        random: Random generator.
        size: Edge of the texture [pixel].
    """
    color = _felt(random, size) if name == "felt" else _woven(WEAVES[name], random, size)
    creases = _CREASE_HEIGHT * smooth_noise(random, size, size / 16)
    return SurfaceTexture(color, slopes=slopes(creases, CLOTH_EXTENT / size))


def _woven(weave: Weave, random: np.random.Generator, size: int) -> np.ndarray:
    pixels = (np.arange(size) + 0.5) * (weave.yarns / size)
    # Yarns wander by a third of their width, so that no camera's pixels beat with them.
    x = pixels[None, :] + 0.3 * smooth_noise(random, size, size / 24, size / 200)
    y = pixels[:, None] + 0.3 * smooth_noise(random, size, size / 200, size / 24)
    column, row = (np.floor(axis).astype(int) % weave.yarns for axis in (x, y))
    is_warp = np.array(weave.over)[(column + row) % len(weave.over)].astype(bool)
    across, along = np.where(is_warp, x % 1.0, y % 1.0), np.where(is_warp, y % 1.0, x % 1.0)
    height = np.sqrt(np.clip(1.0 - (2.0 * across - 1.0) ** 2, 0.0, 1.0)) * (0.75 + 0.25 * np.sin(np.pi * along))
    second = ~is_warp
    if weave.checks:
        band = weave.yarns // weave.checks
        second = np.where(is_warp, column, row) // band % 2 == 1
    yarn = 0.05 * random.standard_normal((2, weave.yarns))
    shade = np.where(is_warp, yarn[0][column], yarn[1][row])
    shade = shade + 0.04 * np.where(
        is_warp, smooth_noise(random, size, size / 60, 1.0), smooth_noise(random, size, 1.0, size / 60)
    )
    color = mix(weave.warp, weave.weft, second.astype(np.float32))
    return color * ((0.72 + 0.30 * height) * (1.0 + shade))[..., None]


def _felt(random: np.random.Generator, size: int) -> np.ndarray:
    fibres = np.abs(smooth_noise(random, size, 0.7, 6.0)) + np.abs(smooth_noise(random, size, 6.0, 0.7))
    mottle = 0.35 * smooth_noise(random, size, 5.0) + 0.3 * fractal_noise(random, size, 1.2, 0.25)
    return mix(*_FELT, 0.25 * fibres + 0.16 * mottle + 0.1 + 0.05 * smooth_noise(random, size, 0.6))
