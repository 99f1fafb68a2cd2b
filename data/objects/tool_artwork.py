# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Drawn textures of the tools: painted housings, rubber, steel. Invented goods, no brands."""

from __future__ import annotations

import math

import numpy as np
from object_artwork import Canvas
from PIL import Image

ORANGE, RUST, AMBER = (226, 92, 34), (178, 62, 22), (230, 150, 30)
COAL, SOOT, STEEL, WHITE = (44, 46, 50), (26, 27, 30), (168, 172, 178), (240, 240, 240)


def drill_paint() -> Image.Image:
    """Draw the drill: housing at the upper left, chuck and trigger right of it, handle and battery below."""
    canvas = Canvas(1024, 1024, SOOT)
    canvas.rectangle((0, 512, 500, 834), ORANGE)
    _handle(canvas)
    _battery(canvas)
    _chuck(canvas)
    canvas.rectangle((780, 360, 1024, 500), RUST)
    picture = canvas.image()
    picture.paste(_housing_side(front_left=False).transpose(Image.Transpose.ROTATE_90), (384, 0))
    picture.paste(_housing_side(front_left=True).transpose(Image.Transpose.ROTATE_270), (0, 0))
    return picture


def _housing_side(front_left: bool) -> Image.Image:
    """Draw a side of the housing as it is seen: 512 pixels along, 384 from the ridge (top) to the bottom."""
    canvas = Canvas(512, 384, ORANGE)

    def across(start: float, end: float) -> tuple[float, float]:
        return (512 - end, 512 - start) if front_left else (start, end)

    def band(start: float, end: float, top: float, bottom: float, color: tuple[int, int, int]) -> None:
        left, right = across(start, end)
        canvas.rectangle((left, top, right, bottom), color)

    band(0, 96, 0, 384, COAL)
    band(96, 104, 0, 384, SOOT)
    for k in range(6):
        band(22, 82, 130 + 22 * k, 141 + 22 * k, SOOT)
    band(430, 512, 0, 384, COAL)
    band(424, 430, 0, 384, SOOT)
    for k in range(4):
        band(444 + 16 * k, 450 + 16 * k, 0, 384, SOOT)
    band(104, 424, 0, 26, RUST)
    band(130, 404, 140, 236, COAL)
    band(130, 404, 244, 252, WHITE)
    canvas.text((512 - 267 if front_left else 267, 174), "TORQUE", 50, WHITE)
    canvas.text((512 - 267 if front_left else 267, 214), "drill  ·  2 speeds", 24, AMBER)
    for x in (118, 414):
        for y in (110, 290):
            canvas.ellipse((512 - x if front_left else x, y), (8, 8), SOOT)
            canvas.ellipse((512 - x if front_left else x, y), (5, 5), STEEL)
    return canvas.image()


def _handle(canvas: Canvas) -> None:
    """Draw the handle, its back at the left and right border: rubber there, paint at the sides."""
    for left, right in ((0, 150), (342, 500)):
        canvas.rectangle((left, 512, right, 830), COAL)
    canvas.rectangle((0, 770, 500, 830), COAL)
    for row in range(18):
        y = 530 + 13 * row
        for left in (0, 360):
            for k in range(8):
                canvas.ellipse((left + 8 + 17 * k + (8 if row % 2 else 0), y), (5, 4), SOOT)
    canvas.rectangle((150, 512, 156, 770), RUST)
    canvas.rectangle((336, 512, 342, 770), RUST)


def _battery(canvas: Canvas) -> None:
    """Draw the battery: dark, a bright band, its voltage on both long sides."""
    canvas.rectangle((0, 834, 1024, 1024), COAL)
    canvas.rectangle((0, 905, 1024, 912), ORANGE)
    for u in (256, 768):
        canvas.rectangle((u - 124, 922, u + 124, 976), SOOT)
        canvas.text((u - 50, 949), "18 V", 46, WHITE)
        canvas.text((u + 62, 950), "4.0 Ah", 30, AMBER)


def _chuck(canvas: Canvas) -> None:
    """Draw the chuck from the housing (below) to the tip of its shank (above)."""
    canvas.rectangle((780, 0, 1024, 360), COAL)
    for k in range(24):
        x = 788 + 226 * k / 24
        canvas.rectangle((x, 246, x + 4, 322), SOOT)
    canvas.rectangle((780, 0, 1024, 178), STEEL)
    canvas.rectangle((780, 174, 1024, 180), SOOT)


def screwdriver_paint() -> Image.Image:
    """Draw the screwdriver from the end of its handle (bottom) to its tip (top)."""
    canvas = Canvas(384, 1024, STEEL)
    canvas.rectangle((0, 524, 384, 1024), AMBER)
    for k in range(7):
        x = 64 * k
        canvas.rectangle((x - 15, 672, x + 15, 944), SOOT)
        canvas.ellipse((x, 672), (15, 20), SOOT)
        canvas.ellipse((x, 944), (15, 20), SOOT)
    canvas.rectangle((0, 984, 384, 1024), SOOT)
    canvas.rectangle((0, 560, 384, 618), SOOT)
    canvas.rectangle((0, 524, 384, 536), SOOT)
    picture = np.array(canvas.image()).astype(np.float64)
    shaft = picture[:524]
    brushed = 5.0 * np.sin(2.0 * math.pi * 17.0 * np.arange(384) / 384.0)
    picture[:524] = shaft + brushed[None, :, None]
    picture[:52] = (78.0, 80.0, 86.0)
    return Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))
