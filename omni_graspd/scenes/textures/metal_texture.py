# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Procedural metal: brushed steel and brass, blasted aluminium, blackened iron."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omni_graspd.scenes.textures.periodic_noise import fractal_noise, smooth_noise
from omni_graspd.scenes.textures.surface_texture import Color, SurfaceTexture, mix

METAL_EXTENT = 0.4
"""Width and height of what a texture of metal shows [m]."""


@dataclass(frozen=True)
class Metal:
    """A metal and how it was worked."""

    dark: Color
    """sRGB colour of its darker places."""
    light: Color
    """sRGB colour of its lighter places."""
    roughness: float
    """Mean roughness."""
    brushed: float
    """Slope of the grooves along the image's x axis; 0: no grooves."""
    stains: float
    """How much roughness and colour change over centimetres, 0 to 1."""


METALS = {
    "steel": Metal((0.66, 0.66, 0.67), (0.80, 0.80, 0.80), 0.32, 0.03, 0.25),
    "brass": Metal((0.70, 0.56, 0.34), (0.82, 0.69, 0.46), 0.34, 0.03, 0.4),
    "aluminium": Metal((0.78, 0.78, 0.79), (0.88, 0.88, 0.89), 0.45, 0.0, 0.2),
    "iron": Metal((0.24, 0.23, 0.23), (0.34, 0.33, 0.32), 0.46, 0.0, 0.6),
}
"""Metals by name."""


def metal_texture(name: str, random: np.random.Generator, size: int) -> SurfaceTexture:
    """Make the texture of a metal of ``METALS``.

    Args:
        name: A metal.
        random: Random generator.
        size: Edge of the texture [pixel].
    """
    metal = METALS[name]
    stains = fractal_noise(random, size, 1.4, 0.5)
    fine = smooth_noise(random, size, 0.5, size / 12) if metal.brushed else smooth_noise(random, size, 0.6)
    color = mix(metal.dark, metal.light, 0.5 + 0.10 * fine + 0.18 * metal.stains * stains)
    roughness = np.clip(metal.roughness + 0.03 * fine + 0.10 * metal.stains * stains, 0.15, 0.9)
    if not metal.brushed:
        return SurfaceTexture(color, roughness)
    grooves = metal.brushed * smooth_noise(random, size, 0.6, size / 8)
    return SurfaceTexture(color, roughness, (np.zeros_like(grooves), grooves))
