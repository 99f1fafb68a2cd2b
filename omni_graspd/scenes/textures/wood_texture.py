# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Procedural wood: glued boards with growth rings, fibres and pores."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from omni_graspd.scenes.textures.periodic_noise import smooth_noise
from omni_graspd.scenes.textures.surface_texture import Color, SurfaceTexture, mix

WOOD_EXTENT = 0.8
"""Width and height of what a texture of wood shows [m]."""


@dataclass(frozen=True)
class Wood:
    """A kind of wood."""

    early: Color
    """sRGB colour of the light part of a growth ring."""
    late: Color
    """sRGB colour of the dark part."""
    contrast: float
    """How much the rings stand out, 0 to 1."""
    board_count: int
    """Boards across the texture."""


WOODS = {
    "oak": Wood((0.80, 0.66, 0.47), (0.60, 0.44, 0.27), 0.75, 6),
    "walnut": Wood((0.50, 0.35, 0.24), (0.29, 0.18, 0.11), 0.7, 5),
    "maple": Wood((0.90, 0.79, 0.62), (0.79, 0.63, 0.43), 0.55, 8),
}
"""Woods by name."""


def wood_texture(name: str, random: np.random.Generator, size: int) -> SurfaceTexture:
    """Make the texture of a wood of ``WOODS``; boards run along the image's x axis, each jointed somewhere.

    Args:
        name: A wood.
        random: Random generator.
        size: Edge of the texture [pixel].
    """
    wood = WOODS[name]
    edges = np.linspace(0, size, wood.board_count + 1).astype(int)
    bends = smooth_noise(random, size, size / 26, size / 5), smooth_noise(random, size, size / 130, size / 14)
    fibre = smooth_noise(random, size, 0.6, size / 30)
    pores = np.clip(smooth_noise(random, size, 0.5, size / 110) - 1.3, 0.0, 1.0)
    boards = []
    for start, stop in itertools.pairwise(edges):
        rows = slice(start, stop)
        board = _board(wood, bends[0][rows] + 0.16 * bends[1][rows], fibre[rows], pores[rows], random)
        # Boards end where the texture would repeat; moved along, they end at different places.
        boards.append(np.roll(board, int(random.integers(size)), axis=1))
    return SurfaceTexture(np.concatenate(boards))


def _board(
    wood: Wood, bend: np.ndarray, fibre: np.ndarray, pores: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """Make one board, shape [height, width, 3], values 0 to 1, from its pieces of the noise fields [height, width]."""
    height, width = bend.shape
    across = np.linspace(0.0, 1.0, height)[:, None] - random.uniform(-0.6, 1.6)
    along = np.linspace(-1.0, 1.0, width)[None, :] - random.uniform(-0.8, 0.8)
    # Rings are cut at a shallow angle: parabolas along the board, bent by slow noise.
    rings = random.uniform(11.0, 20.0) * (across + random.uniform(-0.5, 0.5) * along**2 * across) + 0.7 * bend
    phase = rings % 1.0
    late = np.clip(phase / 0.85, 0.0, 1.0) ** 2.5 * np.clip((1.0 - phase) / 0.15, 0.0, 1.0)
    late *= 0.75 + 0.25 * np.sin(2.0 * np.pi * (rings / 5.0 + random.uniform()))
    mix_share = wood.contrast * late + 0.09 * fibre + 0.45 * pores * (0.4 + late)
    shade = random.uniform(0.90, 1.06) * (1.0 + 0.02 * bend)
    shade[[0, -1]] *= 0.8
    shade[:, [0, -1]] *= 0.8
    return mix(wood.early, wood.late, mix_share) * shade[..., None]
