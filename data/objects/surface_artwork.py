# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Computed textures: the skin of fruit, wood grain, the leather and stitches of a ball."""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy.spatial import cKDTree

WOOD_SIZE = (85.0, 85.0, 200.0)
"""Size of the block [mm]."""
BALL_RADIUS = 36.8
"""Radius of the ball beside its seam [mm]."""
_MARGIN = 0.004
WOOD_PANELS = {
    (0, -1): ((0.0 + _MARGIN, _MARGIN, 0.2 - _MARGIN, 1.0 - _MARGIN), (1, 2)),
    (0, 1): ((0.2 + _MARGIN, _MARGIN, 0.4 - _MARGIN, 1.0 - _MARGIN), (1, 2)),
    (1, -1): ((0.4 + _MARGIN, _MARGIN, 0.6 - _MARGIN, 1.0 - _MARGIN), (0, 2)),
    (1, 1): ((0.6 + _MARGIN, _MARGIN, 0.8 - _MARGIN, 1.0 - _MARGIN), (0, 2)),
    (2, -1): ((0.8 + _MARGIN, _MARGIN, 1.0 - _MARGIN, 0.5 - _MARGIN), (0, 1)),
    (2, 1): ((0.8 + _MARGIN, 0.5 + _MARGIN, 1.0 - _MARGIN, 1.0 - _MARGIN), (0, 1)),
}
"""Place in the texture (left, bottom, right, top) and axes to the right and up of each side (axis, sign)."""


def wave_noise(points: np.ndarray, frequency: float, seed: int) -> np.ndarray:
    """Sum waves of random directions: smooth noise of mean 0 and variance 1 at points [..., 3]."""
    random = np.random.default_rng(seed)
    count = 20
    directions = random.normal(size=(count, 3))
    directions *= frequency * random.uniform(0.6, 1.6, (count, 1)) / np.linalg.norm(directions, axis=1, keepdims=True)
    phases = random.uniform(0.0, 2.0 * np.pi, count)
    total = np.zeros(points.shape[:-1])
    for direction, phase in zip(directions, phases, strict=True):
        total += np.sin(points @ direction + phase)
    return total * np.sqrt(2.0 / count)


def _pixels(width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Return texture coordinates of pixel centres, each [height, width]; the first row is the top."""
    return np.meshgrid((np.arange(width) + 0.5) / width, 1.0 - (np.arange(height) + 0.5) / height)


def _step(values: np.ndarray, start: float, end: float) -> np.ndarray:
    """Rise smoothly from 0 at ``start`` to 1 at ``end``."""
    t = np.clip((values - start) / (end - start), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def _mix(first: np.ndarray, second: tuple[float, float, float], amount: np.ndarray) -> np.ndarray:
    return first + (np.array(second, dtype=np.float64) - first) * np.clip(amount, 0.0, 1.0)[..., None]


def _picture(colors: np.ndarray) -> Image.Image:
    return Image.fromarray(np.clip(np.rint(colors), 0, 255).astype(np.uint8))


def apple_skin() -> Image.Image:
    """Draw the apple: red over yellow with streaks from stem to blossom; below it a stripe for the stem."""
    u, v = _pixels(768, 512)
    t, turn = (v - 0.1) / 0.9, 2.0 * np.pi * u
    girth = np.sin(np.pi * np.clip(t, 0.0, 1.0)) ** 0.7
    around = np.stack([girth * np.cos(turn), girth * np.sin(turn), 1.6 * t], axis=-1)
    streaks = wave_noise(np.stack([np.cos(turn), np.sin(turn), 0.12 * t], axis=-1), 26.0, 1)
    patches = wave_noise(around, 2.4, 2)
    ground = _mix(np.broadcast_to((222.0, 186.0, 84.0), (*u.shape, 3)), (186.0, 176.0, 74.0), _step(t, 0.75, 1.0))
    ripeness = 1.55 + 0.35 * patches + 0.30 * streaks - 2.3 * _step(t, 0.72, 0.98) - 1.3 * _step(-t, -0.26, -0.04)
    colors = _mix(ground, (188.0, 36.0, 34.0), _step(ripeness, 0.1, 1.0))
    deep = _step(patches + 0.6 * streaks, 0.1, 2.0) * _step(ripeness, 0.8, 1.4)
    colors = _mix(colors, (126.0, 14.0, 26.0), 0.65 * deep)
    dots = wave_noise(around, 62.0, 3)
    colors = _mix(colors, (236.0, 196.0, 140.0), 0.5 * _step(dots, 2.1, 2.5))
    colors = _mix(colors, (112.0, 84.0, 44.0), 0.8 * _step(t, 0.945, 0.985) + 0.8 * _step(-t, -0.05, -0.015))
    bark = wave_noise(np.stack([3.0 * np.cos(turn), 3.0 * np.sin(turn), 6.0 * v], axis=-1), 4.0, 4)
    colors[v < 0.09] = (np.array([92.0, 62.0, 34.0]) + 12.0 * bark[..., None])[v < 0.09]
    return _picture(colors)


def banana_skin() -> Image.Image:
    """Draw the banana from its stem (bottom) to its tip (top), with ridges and freckles."""
    u, t = _pixels(512, 1024)
    turn = 2.0 * np.pi * u
    around = np.stack([np.cos(turn), np.sin(turn), 10.0 * t], axis=-1)
    slow, fine = wave_noise(around, 1.6, 11), wave_noise(around * [1.0, 1.0, 0.25], 14.0, 12)
    colors = np.broadcast_to((240.0, 200.0, 52.0), (*u.shape, 3)) + 5.0 * (slow + 0.6 * fine)[..., None] * [1, 1, 0.6]
    colors = _mix(colors, (176.0, 182.0, 70.0), 0.8 * _step(-t, -0.2, -0.02) + 0.5 * _step(t, 0.88, 0.97))
    ridge = np.abs((5.0 * u + 0.5) % 1.0 - 0.5)
    colors = _mix(colors, (170.0, 128.0, 36.0), 0.35 * _step(-ridge, -0.07, 0.0) * (0.7 + 0.3 * slow))
    freckles = wave_noise(around * [1.0, 1.0, 1.1], 17.0, 13) + 0.5 * slow
    colors = _mix(colors, (104.0, 66.0, 26.0), 0.8 * _step(freckles, 1.75, 2.35))
    bruises = wave_noise(around, 3.4, 14) + 0.25 * fine
    colors = _mix(colors, (122.0, 82.0, 30.0), 0.55 * _step(bruises, 1.7, 2.6))
    ends = _step(-t + 0.006 * fine, -0.035, -0.012) + _step(t + 0.006 * fine, 0.955, 0.978)
    return _picture(_mix(colors, (62.0, 44.0, 26.0), ends))


def wood_grain() -> Image.Image:
    """Cut a block from a trunk along z: yearly rings on the ends run on as grain along the sides."""
    u, v = _pixels(960, 480)
    points = np.zeros((*u.shape, 3))
    for (axis, side), ((left, bottom, right, top), (first, second)) in WOOD_PANELS.items():
        here = (np.abs(u - 0.5 * (left + right)) <= 0.1) & (v > bottom - _MARGIN) & (v < top + _MARGIN)
        spot = np.zeros((int(here.sum()), 3))
        spot[:, axis] = 0.5 * side
        spot[:, first] = (u[here] - left) / (right - left) - 0.5
        spot[:, second] = (v[here] - bottom) / (top - bottom) - 0.5
        points[here] = spot * WOOD_SIZE
    bend = 5.0 * wave_noise(points * [1.0, 1.0, 0.25], 0.03, 21)
    radius = np.hypot(points[..., 0] + 62.0 + bend + 0.05 * points[..., 2], points[..., 1] - 26.0 + 0.6 * bend)
    year = (radius + 1.1 * wave_noise(points * [1.0, 1.0, 0.1], 0.22, 22)) / 7.5
    late = (year % 1.0) ** 3 * _step(-(year % 1.0), -1.0, -0.93)
    fibres = wave_noise(points * [1.0, 1.0, 0.035], 2.6, 23)
    colors = np.broadcast_to((214.0, 170.0, 114.0), (*u.shape, 3))
    colors = _mix(colors, (150.0, 96.0, 50.0), 0.75 * late + 0.1)
    colors = colors + 5.0 * fibres[..., None] * [1.0, 0.9, 0.7]
    pores = wave_noise(points * [1.0, 1.0, 0.05], 3.4, 24)
    return _picture(_mix(colors, (116.0, 70.0, 38.0), 0.5 * _step(pores, 1.7, 2.4)))


def seam_distance(directions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Locate points of the unit sphere, shape [..., 3], relative to the seam of a ball.

    Returns:
        Distance to the seam [rad], signed by its side; place along it, from 0 to 1 around; each shape [...]. Third, the
        length of the seam [rad].
    """
    t = 2.0 * np.pi * np.arange(4000) / 4000
    # On the sphere, since (a cos t + b cos 3t)^2 + (a sin t - b sin 3t)^2 + 4 a b sin(2t)^2 = (a + b)^2.
    a, b = 0.72, 0.28
    seam = np.stack(
        [a * np.cos(t) + b * np.cos(3 * t), a * np.sin(t) - b * np.sin(3 * t), 2 * np.sqrt(a * b) * np.sin(2 * t)], -1
    )
    following = np.roll(seam, -1, axis=0)
    lengths = np.linalg.norm(following - seam, axis=1)
    along = np.concatenate([[0.0], np.cumsum(lengths)[:-1]]) / lengths.sum()
    distance, nearest = cKDTree(seam).query(directions)
    normal = np.cross(seam, following - seam)
    side = np.sign(np.einsum("...k,...k->...", normal[nearest], directions - seam[nearest]))
    return distance * side, along[nearest], lengths.sum()


def ball_leather() -> Image.Image:
    """Draw the ball: white leather, red stitches across the seam."""
    u, v = _pixels(1024, 512)
    turn, rise = 2.0 * np.pi * (u - 0.5), np.pi * (v - 0.5)
    directions = np.stack([np.cos(rise) * np.cos(turn), np.cos(rise) * np.sin(turn), np.sin(rise)], axis=-1)
    distance, along, length = seam_distance(directions)
    slow, fine = wave_noise(directions, 3.0, 31), wave_noise(directions, 60.0, 32)
    colors = np.broadcast_to((238.0, 233.0, 222.0), (*u.shape, 3)) + (3.0 * slow + 2.0 * fine)[..., None]
    colors = _mix(colors, (204.0, 192.0, 172.0), 0.5 * _step(-np.abs(distance), -0.13, -0.03))
    stitch = 108.0 * along - 0.34 * np.abs(distance) * 108.0 / length
    thread = _step(-np.abs(stitch % 1.0 - 0.5), -0.24, -0.15)
    thread *= _step(np.abs(distance), 0.008, 0.018) * _step(-np.abs(distance), -0.115, -0.1)
    colors = _mix(colors, (96.0, 70.0, 56.0), 0.8 * _step(-np.abs(distance), -0.016, -0.006))
    holes = _step(-np.hypot((stitch % 1.0 - 0.5) * length / 108.0, np.abs(distance) - 0.11), -0.02, -0.012)
    colors = _mix(colors, (92.0, 60.0, 48.0), 0.6 * holes)
    return _picture(_mix(colors, (186.0, 26.0, 34.0), thread))
