# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures with captions in columns, as one large picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

_INK, _GREY, _PAPER = (24, 32, 44), (96, 106, 120), (255, 255, 255)
_MARGIN, _COLUMN_GAP, _GAP, _CORNER = 48, 40, 12, 10
_COLUMN_WIDTH = 608
_TITLE_SIZE, _HEADING_SIZE, _CAPTION_SIZE = 40, 30, 18
_COLUMNS_ABREAST = 3


@dataclass(frozen=True)
class Tile:
    """A picture and what it shows."""

    picture: np.ndarray
    """sRGB, shape [height, width, 3], uint8; scaled to the width at hand."""
    caption: str
    """One short line below it."""


@dataclass(frozen=True)
class Column:
    """What is shown of one object."""

    heading: str
    """Name."""
    subheading: str
    """One line of figures."""
    rows: tuple[tuple[Tile, ...], ...]
    """Pictures; those of a row share its width evenly and have the same aspect; empty rows take no room."""


def compose_columns(title: str, subtitle: str, columns: Sequence[Column]) -> np.ndarray:
    """Lay columns side by side, three abreast, below a title.

    Returns:
        sRGB image, shape [height, width, 3], uint8; 2000 pixels wide for three columns.
    """
    from PIL import Image

    drawn = [_draw_column(column) for column in columns]
    bands = [drawn[start : start + _COLUMNS_ABREAST] for start in range(0, len(drawn), _COLUMNS_ABREAST)]
    abreast = max((len(band) for band in bands), default=1)
    header = _MARGIN + _TITLE_SIZE + _CAPTION_SIZE + 3 * _GAP
    width = 2 * _MARGIN + abreast * _COLUMN_WIDTH + (abreast - 1) * _COLUMN_GAP
    height = header + sum(max(image.height for image in band) + _MARGIN for band in bands)
    page = Image.new("RGB", (width, height), _PAPER)
    _write(page, (_MARGIN, _MARGIN // 2 + _GAP), title, _TITLE_SIZE, _INK)
    _write(page, (_MARGIN, _MARGIN // 2 + 2 * _GAP + _TITLE_SIZE), subtitle, _CAPTION_SIZE, _GREY)
    y = header
    for band in bands:
        for position, image in enumerate(band):
            page.paste(image, (_MARGIN + position * (_COLUMN_WIDTH + _COLUMN_GAP), y))
        y += max(image.height for image in band) + _MARGIN
    return np.asarray(page)


def _draw_column(column: Column) -> Image.Image:
    from PIL import Image

    filled = [row for row in column.rows if row]
    rows = [[_fit(tile.picture, len(row)) for tile in row] for row in filled]
    caption_height = _CAPTION_SIZE + 2 * _GAP
    header = _HEADING_SIZE + _CAPTION_SIZE + 4 * _GAP
    height = header + sum(max(image.height for image in row) + caption_height for row in rows)
    page = Image.new("RGB", (_COLUMN_WIDTH, height), _PAPER)
    _write(page, (0, _GAP), column.heading, _HEADING_SIZE, _INK)
    _write(page, (0, 2 * _GAP + _HEADING_SIZE), column.subheading, _CAPTION_SIZE, _GREY)
    y = header
    for images, tiles in zip(rows, filled, strict=True):
        x = 0
        for image, tile in zip(images, tiles, strict=True):
            page.paste(image, (x, y), _rounded(image.size))
            _write(page, (x, y + image.height + _GAP // 2), tile.caption, _CAPTION_SIZE, _GREY)
            x += image.width + _GAP
        y += max(image.height for image in images) + caption_height
    return page


def _fit(picture: np.ndarray, abreast: int) -> Image.Image:
    from PIL import Image

    width = (_COLUMN_WIDTH - (abreast - 1) * _GAP) // abreast
    height = round(width * picture.shape[0] / picture.shape[1])
    return Image.fromarray(picture).resize((width, height), Image.Resampling.LANCZOS)


def _rounded(size: tuple[int, int]) -> Image.Image:
    from PIL import Image, ImageDraw

    factor = 4
    mask = Image.new("L", (size[0] * factor, size[1] * factor), 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, mask.width - 1, mask.height - 1), _CORNER * factor, fill=255)
    return mask.resize(size, Image.Resampling.LANCZOS)


def _write(page: Image.Image, position: tuple[int, int], text: str, size: int, color: tuple[int, int, int]) -> None:
    from PIL import ImageDraw, ImageFont

    draw: ImageDraw.ImageDraw = ImageDraw.Draw(page)
    draw.text(position, text, fill=color, font=ImageFont.load_default(size))
