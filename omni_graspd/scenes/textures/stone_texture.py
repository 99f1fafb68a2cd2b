# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Procedural stone: veined marble, granite of three minerals, cleft slate, concrete."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from omni_graspd.scenes.textures.periodic_noise import fractal_noise, slopes, smooth_noise
from omni_graspd.scenes.textures.surface_texture import SurfaceTexture, mix

STONE_EXTENT = 0.6
"""Width and height of what a texture of stone shows [m]."""


def stone_texture(name: str, random: np.random.Generator, size: int) -> SurfaceTexture:
    """Make the texture of a stone of ``STONES``.

    Args:
        name: A stone.
        random: Random generator.
        size: Edge of the texture [pixel].
    """
    return STONES[name](random, size)


def _marble(random: np.random.Generator, size: int) -> SurfaceTexture:
    """White with grey veins: where smooth fields pass zero, thin there and wide here."""
    cloud = fractal_noise(random, size, 1.6, 0.7)
    veins = np.zeros((size, size), np.float32)
    for width, strength in ((0.05, 0.8), (0.03, 0.6), (0.02, 0.4)):
        field = fractal_noise(random, size, 2.3, 0.6)
        here = np.clip(0.5 + 0.6 * smooth_noise(random, size, size / 14), 0.0, 1.0)
        veins = np.maximum(veins, strength * here * np.exp(-((field / (width * (0.4 + 1.8 * here))) ** 2)))
    color = mix((0.91, 0.90, 0.88), (0.76, 0.77, 0.78), 0.40 + 0.20 * cloud)
    color = mix(color, (0.46, 0.47, 0.49), veins)
    return SurfaceTexture(color, roughness=0.22 + 0.02 * cloud + 0.08 * veins)


def _granite(random: np.random.Generator, size: int) -> SurfaceTexture:
    """Feldspar, quartz and mica, each where its own field is the largest; mica is rare."""
    grains = [smooth_noise(random, size, size / 640) + 0.3 * fractal_noise(random, size, 1.0, 0.2) for _ in range(4)]
    kind = np.argmax(np.stack([grains[0], grains[1], grains[2], 0.75 * grains[3] - 0.35]), axis=0)
    minerals = np.array([(0.64, 0.60, 0.56), (0.55, 0.54, 0.53), (0.44, 0.42, 0.42), (0.17, 0.17, 0.18)], np.float32)
    shade = 1.0 + 0.05 * smooth_noise(random, size, 0.8) + 0.02 * fractal_noise(random, size, 1.2)
    return SurfaceTexture(minerals[kind] * shade[..., None], roughness=np.array([0.25, 0.2, 0.25, 0.35])[kind])


def _slate(random: np.random.Generator, size: int) -> SurfaceTexture:
    """Dark, split along its layers: plateaus with edges."""
    raw = 2.2 * fractal_noise(random, size, 1.9, 0.4)
    step = raw % 1.0
    layers = np.floor(raw) + np.clip((step - 0.8) / 0.2, 0.0, 1.0) ** 2
    fine = fractal_noise(random, size, 1.3, 0.1)
    height = 0.0005 * layers + 0.00010 * fine
    grey = 0.35 + 0.14 * fractal_noise(random, size, 1.2, 0.5) + 0.10 * fine
    color = mix((0.19, 0.21, 0.23), (0.36, 0.38, 0.39), grey)
    return SurfaceTexture(color, 0.55 + 0.06 * fine, slopes(height, STONE_EXTENT / size))


def _concrete(random: np.random.Generator, size: int) -> SurfaceTexture:
    """Light grey and clouded, with small pores."""
    cloud = fractal_noise(random, size, 1.3, 0.6)
    fine = smooth_noise(random, size, 0.9)
    pores = np.clip(smooth_noise(random, size, 1.6) - 2.9, 0.0, 0.6) / 0.6
    color = mix((0.56, 0.55, 0.53), (0.70, 0.69, 0.67), 0.5 + 0.18 * cloud + 0.05 * fine)
    color = mix(color, (0.30, 0.29, 0.28), pores)
    return SurfaceTexture(color, 0.75 + 0.05 * cloud, slopes(-0.0006 * pores, STONE_EXTENT / size))


STONES: dict[str, Callable[[np.random.Generator, int], SurfaceTexture]] = {
    "marble": _marble,
    "granite": _granite,
    "slate": _slate,
    "concrete": _concrete,
}
"""Stones by name."""
