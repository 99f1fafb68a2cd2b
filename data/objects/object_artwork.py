# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Drawn textures: a can's label, a mug's glaze, a carton's print. Invented goods, no brands."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageDraw, ImageFont

CREAM, RED, DARK, GOLD, GREEN = (244, 235, 214), (178, 34, 38), (58, 24, 20), (214, 164, 66), (62, 107, 55)
GLAZE, COBALT, SAND = (238, 234, 224), (31, 66, 122), (205, 178, 138)
TEAL, NIGHT, PEACH, COCOA = (25, 112, 116), (18, 44, 58), (244, 178, 122), (84, 48, 32)

# Pictures are drawn this many times larger and reduced, for smooth edges.
_OVERSAMPLING = 3


class Canvas:
    """A picture to draw on in its final pixels."""

    def __init__(self, width: int, height: int, color: tuple[int, int, int]) -> None:
        """Begin with one colour."""
        self.size = (width, height)
        self._image = Image.new("RGB", (width * _OVERSAMPLING, height * _OVERSAMPLING), color)
        self._draw = ImageDraw.Draw(self._image)

    def rectangle(self, box: tuple[float, float, float, float], color: tuple[int, int, int]) -> None:
        """Fill a rectangle: left, top, right, bottom."""
        left, top, right, bottom = (round(v * _OVERSAMPLING) for v in box)
        self._draw.rectangle((left, top, right - 1, bottom - 1), fill=color)

    def ellipse(self, center: tuple[float, float], radii: tuple[float, float], color: tuple[int, int, int]) -> None:
        """Fill an ellipse."""
        (x, y), (a, b) = center, radii
        self._draw.ellipse([v * _OVERSAMPLING for v in (x - a, y - b, x + a, y + b)], fill=color)

    def polygon(self, points: list[tuple[float, float]], color: tuple[int, int, int]) -> None:
        """Fill a polygon."""
        self._draw.polygon([(x * _OVERSAMPLING, y * _OVERSAMPLING) for x, y in points], fill=color)

    def text(self, center: tuple[float, float], words: str, height: float, color: tuple[int, int, int]) -> None:
        """Write words around a point."""
        font = ImageFont.load_default(size=height * _OVERSAMPLING)
        x, y = center
        self._draw.text(
            (x * _OVERSAMPLING, y * _OVERSAMPLING), words, font=font, fill=color, anchor="mm", stroke_width=1
        )

    def image(self) -> Image.Image:
        """Return the finished picture."""
        return self._image.resize(self.size, Image.Resampling.BOX)


def soup_label() -> Image.Image:
    """Draw the can: label in the upper 3/4, tin for rims and lids in the lowest quarter."""
    canvas = Canvas(1024, 640, RED)
    for u in (256, 768):
        _soup_front(canvas, u)
    for u in (0, 512, 1024):
        canvas.rectangle((u - 74, 70, u + 74, 410), CREAM)
        for k in range(14):
            width = 54 if k % 5 else 36
            canvas.rectangle((u - 58, 92 + 22 * k, u - 58 + 2 * width, 98 + 22 * k), DARK)
    for top, bottom, color in ((0, 14, GOLD), (14, 22, DARK), (458, 466, DARK), (466, 480, GOLD)):
        canvas.rectangle((0, top, 1024, bottom), color)
    rows = np.linspace(0.0, 1.0, 160)
    tin = 168.0 + 26.0 * np.sin(2.0 * math.pi * 3.0 * rows) ** 2
    picture = np.array(canvas.image())
    picture[480:] = np.clip(tin[:, None, None] + np.array([0.0, 1.0, 4.0]), 0, 255).astype(np.uint8)
    return Image.fromarray(picture)


def _soup_front(canvas: Canvas, u: float) -> None:
    canvas.ellipse((u, 232), (150, 196), GOLD)
    canvas.ellipse((u, 232), (142, 188), CREAM)
    canvas.text((u, 106), "Garden", 46, DARK)
    canvas.ellipse((u - 34, 232), (62, 58), RED)
    canvas.ellipse((u + 44, 246), (52, 49), (206, 62, 46))
    canvas.ellipse((u - 52, 212), (15, 10), (236, 150, 128))
    canvas.ellipse((u + 30, 230), (12, 8), (244, 170, 140))
    for x, y in ((u - 34, 180), (u + 44, 202)):
        for k in range(5):
            angle = math.radians(-90 + 36 * (k - 2))
            tip = (x + 34 * math.cos(angle), y + 8 + 22 * math.sin(angle))
            canvas.polygon([(x - 7, y), (x + 7, y), tip], GREEN)
    canvas.text((u, 338), "TOMATO", 48, RED)
    canvas.text((u, 388), "soup", 34, DARK)


def mug_glaze() -> Image.Image:
    """Draw the mug: outside in the upper 3/4, then stripes of colour for the inside, the handle and the foot."""
    canvas = Canvas(1024, 512, GLAZE)
    canvas.rectangle((0, 0, 1024, 16), COBALT)
    canvas.rectangle((0, 318, 1024, 384), COBALT)
    canvas.rectangle((0, 304, 1024, 310), COBALT)
    for k in range(16):
        x = 64 * k + 32
        canvas.polygon([(x, 326), (x + 22, 351), (x, 376), (x - 22, 351)], GLAZE)
        canvas.polygon([(x, 338), (x + 11, 351), (x, 364), (x - 11, 351)], SAND)
    for k in range(8):
        _flower(canvas, 128 * k + 64, 170 + (26 if k % 2 else -26), 46)
        canvas.ellipse((128 * k, 170), (7, 7), SAND)
    canvas.rectangle((0, 384, 1024, 428), GLAZE)
    canvas.rectangle((0, 428, 1024, 470), COBALT)
    canvas.rectangle((0, 470, 1024, 512), SAND)
    return canvas.image()


def _flower(canvas: Canvas, x: float, y: float, radius: float) -> None:
    for k in range(8):
        angle = math.radians(45 * k)
        canvas.ellipse((x + 0.62 * radius * math.cos(angle), y + 0.62 * radius * math.sin(angle)), (15, 15), COBALT)
    canvas.ellipse((x, y), (19, 19), GLAZE)
    canvas.ellipse((x, y), (12, 12), SAND)


def carton_print() -> Image.Image:
    """Draw the carton: front and back side by side above, the four narrow sides below."""
    canvas = Canvas(1280, 576, TEAL)
    for left in (0, 640):
        _carton_front(canvas, left)
    canvas.rectangle((0, 360, 1280, 576), TEAL)
    for x, width in ((0, 640), (640, 640)):
        canvas.rectangle((x, 360, x + width, 366), PEACH)
        canvas.text((x + width / 2, 408), "COCOA CRISPS", 40, CREAM)
        canvas.rectangle((x, 442, x + width, 448), PEACH)
    for k, x in enumerate((0, 360)):
        canvas.rectangle((x, 464, x + 360, 552), NIGHT)
        canvas.text((x + 180, 508), "150 g" if k else "12 pieces", 40, PEACH)
    return canvas.image()


def _carton_front(canvas: Canvas, left: float) -> None:
    canvas.polygon([(left, 250), (left, 360), (left + 640, 360), (left + 640, 150)], NIGHT)
    canvas.polygon([(left, 236), (left, 250), (left + 640, 150), (left + 640, 136)], PEACH)
    canvas.text((left + 236, 82), "COCOA", 92, CREAM)
    canvas.text((left + 236, 160), "crisps", 52, PEACH)
    for k in range(5):
        x, y = left + 430 + 36 * k, 218 + (16 if k % 2 else -10)
        canvas.ellipse((x, y + 6), (52, 40), (44, 24, 16))
        canvas.ellipse((x, y), (52, 40), COCOA)
        canvas.ellipse((x - 10, y - 10), (30, 20), (112, 68, 46))
        for dx, dy in ((-20, 4), (2, -16), (22, 6), (4, 18)):
            canvas.ellipse((x + dx, y + dy), (5, 4), (52, 28, 20))
    canvas.ellipse((left + 92, 296), (44, 44), PEACH)
    canvas.text((left + 92, 288), "12", 40, NIGHT)
    canvas.text((left + 92, 316), "pieces", 18, NIGHT)


def tuna_label() -> Image.Image:
    """Draw the low can: label in the upper 3/4, tin for rims and lids in the lowest quarter."""
    sea, foam = (24, 84, 140), (214, 234, 240)
    canvas = Canvas(1024, 320, sea)
    for k in range(65):
        canvas.ellipse((16 * k, 214), (11, 9), foam)
    canvas.rectangle((0, 216, 1024, 232), foam)
    for u in (0, 256, 512, 768, 1024):
        if u in (256, 768):
            canvas.text((u, 62), "TUNA", 80, CREAM)
            canvas.text((u, 130), "in olive oil", 36, GOLD)
            continue
        _fish(canvas, u, 104)
    canvas.text((256, 180), "142 g", 26, foam)
    canvas.text((768, 180), "142 g", 26, foam)
    canvas.rectangle((0, 0, 1024, 10), GOLD)
    canvas.rectangle((0, 232, 1024, 240), GOLD)
    rows = np.linspace(0.0, 1.0, 80)
    tin = 186.0 + 22.0 * np.sin(2.0 * math.pi * 4.0 * rows) ** 2
    picture = np.array(canvas.image())
    picture[240:] = np.clip(tin[:, None, None] + np.array([6.0, 3.0, -6.0]), 0, 255).astype(np.uint8)
    return Image.fromarray(picture)


def _fish(canvas: Canvas, u: float, v: float) -> None:
    """Draw a fish that swims to the left."""
    silver, back = (202, 212, 220), (60, 78, 104)
    canvas.polygon([(u + 66, v), (u + 116, v - 44), (u + 104, v), (u + 116, v + 44)], back)
    canvas.polygon([(u - 10, v - 28), (u + 34, v - 62), (u + 38, v - 22)], back)
    canvas.polygon([(u - 4, v + 26), (u + 28, v + 54), (u + 34, v + 20)], back)
    canvas.ellipse((u - 6, v), (88, 38), back)
    canvas.ellipse((u - 8, v + 8), (84, 30), silver)
    canvas.ellipse((u - 62, v - 4), (9, 9), CREAM)
    canvas.ellipse((u - 63, v - 4), (5, 5), DARK)
    for k in range(4):
        canvas.ellipse((u - 28 + 24 * k, v + 8), (6, 4), (164, 178, 192))


def mustard_print() -> Image.Image:
    """Draw the bottle: body in the upper 0.78, cap in the lower 0.2."""
    yellow, leaf = (240, 188, 30), (52, 96, 44)
    canvas = Canvas(1024, 896, yellow)
    for u in (256, 768):
        canvas.ellipse((u, 400), (170, 232), DARK)
        canvas.ellipse((u, 400), (162, 224), CREAM)
        canvas.rectangle((u - 186, 330, u + 186, 424), RED)
        canvas.polygon([(u - 186, 330), (u - 216, 377), (u - 186, 424)], RED)
        canvas.polygon([(u + 186, 330), (u + 216, 377), (u + 186, 424)], RED)
        canvas.text((u, 376), "MUSTARD", 70, CREAM)
        canvas.text((u, 286), "Old mill", 44, DARK)
        for k in range(7):
            x, y = u + 26 * (k - 3), 480 + (14 if k % 2 else 0)
            canvas.ellipse((x, y), (11, 11), (196, 140, 24))
            canvas.ellipse((x - 3, y - 3), (4, 4), (236, 200, 96))
        canvas.polygon([(u - 46, 236), (u, 200), (u, 240)], leaf)
        canvas.polygon([(u + 46, 236), (u, 200), (u, 240)], leaf)
        canvas.text((u, 540), "mild", 40, leaf)
        canvas.text((u, 584), "250 ml", 24, DARK)
    canvas.rectangle((0, 700, 1024, 896), RED)
    return canvas.image()


def bowl_glaze() -> Image.Image:
    """Draw the bowl: outside in the upper half, inside from rim to middle below it, the foot in the lowest stripe."""
    green, mist, clay = (38, 104, 98), (226, 234, 226), (176, 128, 92)
    canvas = Canvas(1024, 512, mist)
    canvas.rectangle((0, 0, 1024, 12), clay)
    canvas.rectangle((0, 30, 1024, 38), green)
    canvas.rectangle((0, 132, 1024, 140), green)
    for k in range(20):
        x = 51.2 * k + 25.6
        canvas.polygon([(x - 22, 126), (x, 46), (x + 22, 126)], green)
        canvas.polygon([(x - 11, 126), (x, 84), (x + 11, 126)], clay)
    canvas.rectangle((0, 140, 1024, 256), green)
    canvas.rectangle((0, 266, 1024, 280), clay)
    canvas.rectangle((0, 290, 1024, 296), green)
    for k in range(32):
        canvas.ellipse((32 * k + 16, 316), (7, 9), green)
    canvas.rectangle((0, 440, 1024, 448), green)
    canvas.rectangle((0, 456, 1024, 480), green)
    canvas.rectangle((0, 480, 1024, 512), clay)
    return canvas.image()
