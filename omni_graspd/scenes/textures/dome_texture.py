# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Procedural surroundings for dome lights: studios with soft boxes and skies, as small Radiance files.

Radiance files (.hdr) keep the range from shadow to lamp that 8 bits do not; OpenUSD, Mitsuba and Kit read them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from omni_graspd.atomic import atomic_path
from omni_graspd.seeding import random_generator

Color = tuple[float, float, float]
"""Linear red, green, blue."""

_HEIGHT, _WIDTH = 128, 256


@dataclass(frozen=True)
class Surroundings:
    """What is all around a table, and the light that goes with it."""

    radiance: Callable[[np.ndarray], np.ndarray]
    """Linear colours seen in directions [..., 3], Z up."""
    sun_elevation: float | None = None
    """Height of the sun above the horizon, straight toward +X [degree]; None: a lamp stands by instead."""
    sun_angle: float = 0.53
    """Angle that the sun takes up [degree]; more is softer."""
    sun_share: float = 1.0
    """Light of the sun relative to that of a clear sky's."""
    sun_color: Color = (1.0, 1.0, 1.0)
    """Colour of the sun."""


def dome_pixels(name: str) -> np.ndarray:
    """Make the surroundings ``name`` of :data:`SURROUNDINGS` as a latitude-longitude image.

    The upper half lights a level surface as much as an even dome of radiance 1. Rows go from the zenith down. In the
    light's own frame, +Y is up, the middle column is +Z, and a quarter further left is +X.

    Returns:
        Linear radiance, shape [128, 256, 3], float32.
    """
    latitude = np.pi * (0.5 - (np.arange(_HEIGHT) + 0.5) / _HEIGHT)[:, None]
    longitude = np.pi * (1.0 - 2.0 * (np.arange(_WIDTH) + 0.5) / _WIDTH)[None, :]
    # The light is turned by a quarter about X, so that its Y is the world's Z and its Z the world's -Y.
    x = np.cos(latitude) * np.sin(longitude)
    y = -np.cos(latitude) * np.cos(longitude)
    directions = np.stack([x, y, np.sin(latitude) + 0.0 * longitude], axis=-1)
    radiance = SURROUNDINGS[name].radiance(directions)
    weight = np.clip(directions[..., 2], 0.0, None) * np.cos(latitude)
    return (radiance * (weight.sum() / (radiance.mean(axis=-1) * weight).sum())).astype(np.float32)


def write_dome_texture(name: str, folder: Path) -> Path:
    """Write surroundings to ``folder/<name>.hdr`` unless they are there; all or nothing.

    Returns:
        The file.
    """
    path = folder / f"{name}.hdr"
    if not path.is_file():
        header = f"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y {_HEIGHT} +X {_WIDTH}\n".encode()
        with atomic_path(path) as temporary:
            temporary.write_bytes(header + _rgbe(dome_pixels(name)).tobytes())
    return path


def _rgbe(pixels: np.ndarray) -> np.ndarray:
    """Return colours as three mantissas and a common exponent, shape [..., 4], uint8.

    Mantissas have 8 bits; rounded at random, not down, they show no bands in even gradients.
    """
    _, exponent = np.frexp(np.maximum(pixels.max(axis=-1), 1e-30))
    dither = random_generator(0, "dome").random(pixels.shape)
    coded = np.empty((*pixels.shape[:-1], 4), np.uint8)
    coded[..., :3] = np.clip(pixels * np.ldexp(256.0, -exponent)[..., None] + dither, 0.0, 255.0)
    coded[..., 3] = exponent + 128
    return coded


def _blend(low: Color | np.ndarray, high: Color | np.ndarray, share: np.ndarray) -> np.ndarray:
    weight = np.clip(share, 0.0, 1.0)[..., None]
    return np.asarray(low) * (1.0 - weight) + np.asarray(high) * weight


def _smooth_step(values: np.ndarray, low: float, high: float) -> np.ndarray:
    share = np.clip((values - low) / (high - low), 0.0, 1.0)
    return share * share * (3.0 - 2.0 * share)


def _soft_box(directions: np.ndarray, azimuth: float, elevation: float, half: tuple[float, float]) -> np.ndarray:
    """Return how much of a soft box is seen, 0 to 1; its half width and height are tangents of angles."""
    a, e = np.radians(azimuth), np.radians(elevation)
    toward = np.array([np.cos(a) * np.cos(e), np.sin(a) * np.cos(e), np.sin(e)])
    right = np.array([-np.sin(a), np.cos(a), 0.0])
    depth = directions @ toward
    ahead = np.maximum(depth, 1e-6)
    u, v = np.abs(directions @ right) / ahead, np.abs(directions @ np.cross(toward, right)) / ahead
    inside = (1.0 - _smooth_step(u, half[0] * 0.85, half[0])) * (1.0 - _smooth_step(v, half[1] * 0.85, half[1]))
    return np.where(depth > 0.0, inside, 0.0)


def _room(directions: np.ndarray, wall: Color, floor: Color, ceiling: Color) -> np.ndarray:
    """Return a room without corners: floor, wall and ceiling run into each other."""
    z = directions[..., 2]
    return _blend(_blend(floor, wall, _smooth_step(z, -0.75, -0.05)), ceiling, _smooth_step(z, 0.35, 0.95))


def _studio(directions: np.ndarray) -> np.ndarray:
    """Grey backdrop, a large soft box to the left, a smaller one to the right, a strip behind."""
    radiance = _room(directions, (0.46, 0.47, 0.49), (0.36, 0.36, 0.37), (0.40, 0.40, 0.41))
    for box, strength in (
        (_soft_box(directions, 40.0, 42.0, (0.42, 0.32)), 6.0),
        (_soft_box(directions, 165.0, 30.0, (0.22, 0.30)), 4.0),
        (_soft_box(directions, 275.0, 55.0, (0.60, 0.12)), 5.0),
    ):
        radiance = radiance + strength * box[..., None] * np.array([1.0, 0.98, 0.95])
    return radiance


def _loft(directions: np.ndarray) -> np.ndarray:
    """Warm room with a row of three windows."""
    radiance = _room(directions, (0.50, 0.46, 0.41), (0.30, 0.24, 0.19), (0.58, 0.56, 0.53))
    for azimuth in (-38.0, 0.0, 38.0):
        window = _soft_box(directions, azimuth, 20.0, (0.26, 0.30))
        radiance = radiance + 5.0 * window[..., None] * np.array([0.93, 0.98, 1.06])
    return radiance + 0.8 * _soft_box(directions, 180.0, 50.0, (0.5, 0.3))[..., None] * np.array([1.0, 0.9, 0.75])


def _sky(directions: np.ndarray, zenith: Color, horizon: Color, ground: Color, sun: Color, height: float) -> np.ndarray:
    """Return a sky from zenith to horizon with a glow around the sun, above even ground that fades into haze."""
    z = directions[..., 2]
    toward_sun = np.array([np.cos(np.radians(height)), 0.0, np.sin(np.radians(height))])
    cosine = np.clip(directions @ toward_sun, -1.0, 1.0)
    glow = 0.35 * np.exp(-(1.0 - cosine) / 0.12) + 1.8 * np.exp(-(1.0 - cosine) / 0.012)
    above = _blend(horizon, zenith, np.clip(z, 0.0, 1.0) ** 0.55) + glow[..., None] * np.asarray(sun)
    below = _blend(horizon, ground, _smooth_step(-z, 0.0, 0.30))
    return _blend(below, above, _smooth_step(z, -0.01, 0.02))


def _noon(directions: np.ndarray) -> np.ndarray:
    return _sky(directions, (0.38, 0.54, 0.84), (0.92, 0.96, 1.0), (0.40, 0.38, 0.34), (1.0, 0.95, 0.85), 52.0)


def _evening(directions: np.ndarray) -> np.ndarray:
    return _sky(directions, (0.30, 0.38, 0.58), (1.05, 0.80, 0.58), (0.36, 0.31, 0.27), (1.3, 0.85, 0.45), 24.0)


def _overcast(directions: np.ndarray) -> np.ndarray:
    """Brighter overhead than at the horizon, after the standard overcast sky of the CIE."""
    z = np.clip(directions[..., 2], 0.0, 1.0)
    above = ((1.0 + 2.0 * z) / 3.0)[..., None] * np.array([1.25, 1.29, 1.35])
    below = _blend((0.43, 0.44, 0.46), (0.38, 0.37, 0.36), _smooth_step(-directions[..., 2], 0.0, 0.30))
    return _blend(below, above, _smooth_step(directions[..., 2], -0.01, 0.02))


SURROUNDINGS = {
    "studio": Surroundings(_studio),
    "loft": Surroundings(_loft),
    "noon": Surroundings(_noon, 52.0, 2.0, 1.0, (1.0, 0.96, 0.90)),
    "evening": Surroundings(_evening, 24.0, 3.0, 0.9, (1.0, 0.78, 0.55)),
    "overcast": Surroundings(_overcast, 60.0, 40.0, 0.25),
}
"""Surroundings by name."""
