# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Procedural wood: glued boards with growth rings, fibres and pores."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from omni_graspd.scenes.surface_texture import SurfaceTexture

WOOD_EXTENT = 0.8
"""Width and height of what a texture of wood shows [m]."""


@dataclass(frozen=True)
class Wood:
    """A kind of wood."""

    early: tuple[float, float, float]
    """sRGB colour of the light part of a growth ring."""
    late: tuple[float, float, float]
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
    rows = [_board(wood, stop - start, size, random) for start, stop in itertools.pairwise(edges)]
    # Boards end where the texture would repeat; moved along, they end at different places.
    return SurfaceTexture(np.concatenate([np.roll(row, int(random.integers(size)), axis=1) for row in rows]))


def _board(wood: Wood, height: int, width: int, random: np.random.Generator) -> np.ndarray:
    """Make one board, shape [height, width, 3], values 0 to 1."""
    across = np.linspace(0.0, 1.0, height)[:, None] - random.uniform(-0.6, 1.6)
    along = np.linspace(-1.0, 1.0, width)[None, :] - random.uniform(-0.8, 0.8)
    # Rings are cut at a shallow angle: parabolas along the board, bent by slow noise.
    rings = random.uniform(8.0, 13.0) * (across + random.uniform(-0.5, 0.5) * along**2 * across)
    rings = rings + 0.9 * _noise(random, height, width, 2, 3) + 0.12 * _noise(random, height, width, 12, 8)
    phase = rings % 1.0
    late = np.clip(phase / 0.85, 0.0, 1.0) ** 2.5 * np.clip((1.0 - phase) / 0.15, 0.0, 1.0)
    fibre = _noise(random, height, width, height // 2, 24)
    pores = np.clip(_noise(random, height, width, height, 90) - 1.1, 0.0, 1.0) * (0.4 + late)
    mix = np.clip(wood.contrast * late + 0.10 * fibre + 0.35 * pores, 0.0, 1.3)[..., None]
    color = np.array(wood.early) * (1.0 - mix) + np.array(wood.late) * mix
    shade = random.uniform(0.92, 1.05) * (1.0 + 0.02 * _noise(random, height, width, 3, 4))
    shade[[0, -1]] *= 0.8
    shade[:, [0, -1]] *= 0.8
    return color * shade[..., None]


def _noise(random: np.random.Generator, height: int, width: int, rows: int, columns: int) -> np.ndarray:
    """Make smooth noise with unit variance on its grid of ``rows`` by ``columns`` cells, shape [height, width]."""
    from scipy.ndimage import map_coordinates

    grid = random.standard_normal((rows + 3, columns + 3))
    y = np.linspace(1.0, rows + 1.0, height)
    x = np.linspace(1.0, columns + 1.0, width)
    return map_coordinates(grid, np.meshgrid(y, x, indexing="ij"), order=3, mode="nearest")
