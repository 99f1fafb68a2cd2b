# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Cut the icon and the preview of the extension from the documentation's picture of three hands."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

_SOURCE = Path(__file__).parent.parent / "docs" / "images" / "three_hands.jpg"
_TILE = 290
"""Side of a square cut from the middle of a tile [px]."""
_MIDDLES = {"allegro": (196, 727), "shadow": (844, 727), "barrett": (1492, 727)}
"""Middles of the tiles with the mug [px]."""
_ICON_SIDE = 256
_PREVIEW_SIZE = (1200, 480)
_MARGIN = 45
"""Between the tiles of the preview [px]."""


def tile(picture: Image.Image, hand: str, side: int) -> Image.Image:
    """Return the mug in a hand as a square picture with ``side`` pixels."""
    x, y = _MIDDLES[hand]
    half = _TILE // 2
    return picture.crop((x - half, y - half, x + half, y + half)).resize((side, side), Image.Resampling.LANCZOS)


def icon(picture: Image.Image) -> Image.Image:
    """Return the extension manager's icon: one hand on a tile with round corners."""
    mask = Image.new("L", (4 * _ICON_SIDE, 4 * _ICON_SIDE), 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, *mask.size), radius=_ICON_SIDE // 2, fill=255)
    result = tile(picture, "shadow", _ICON_SIDE).convert("RGBA")
    result.putalpha(mask.resize(result.size, Image.Resampling.LANCZOS))
    return result


def preview(picture: Image.Image) -> Image.Image:
    """Return the extension manager's preview: the mug in three hands."""
    x, y = _MIDDLES["allegro"]
    result = Image.new("RGB", _PREVIEW_SIZE, picture.getpixel((x - _TILE // 2, y - _TILE // 2)))
    width, height = _PREVIEW_SIZE
    side = (width - 4 * _MARGIN) // 3
    for position, hand in enumerate(_MIDDLES):
        result.paste(tile(picture, hand, side), (_MARGIN + position * (side + _MARGIN), (height - side) // 2))
    return result


if __name__ == "__main__":
    with Image.open(_SOURCE) as source:
        icon(source).save(Path(__file__).parent / "icon.png", optimize=True)
        preview(source).save(Path(__file__).parent / "preview.png", optimize=True)
