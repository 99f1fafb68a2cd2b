# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of grasps, side by side."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from omni_graspd.api.grasps import Grasps
from omni_graspd.backend import load_backend
from omni_graspd.errors import GraspdError
from omni_graspd.inspection.grasp_pictures import render_grasp
from omni_graspd.inspection.object_pictures import write_drawn_object
from omni_graspd.inspection.picture_grid import Column, Tile, compose_columns
from omni_graspd.rendering.frame import RenderConfig

if TYPE_CHECKING:
    from PIL import Image

_RENDER = RenderConfig(samples_per_pixel=9, max_depth=4)
_FIGURES = (
    ("epsilon", 1.0, "epsilon {:.2f}"),
    ("contact_area", 1e4, "contact {:.0f} cm2"),
    ("held", 1e2, "held {:.0f} %"),
)


async def draw_batch(grasps: Grasps, most: int, size: int) -> Image.Image:
    """Draw grasps of one batch, each from both sides of the palm, with its figures.

    Args:
        grasps: The grasps.
        most: How many are drawn, the first ones.
        size: Edge of each picture [pixel].

    Raises:
        GraspdError: If there are none.
    """
    from PIL import Image

    drawn = grasps[:most]
    rows = await _draw_rows(drawn, size)
    columns = [
        Column(f"grasp {index}", _figures(drawn, row), (tiles,))
        for row, (index, tiles) in enumerate(zip(drawn.indices, rows, strict=True))
    ]
    shown = "" if most >= len(grasps) else f", the first {most} drawn"
    title = f"{grasps.object.name} by {grasps.hand.name}"
    return Image.fromarray(compose_columns(title, f"{repr(grasps).strip('<>')}{shown}", columns))


async def draw_batches(batches: Sequence[Grasps], title: str, size: int) -> Image.Image:
    """Draw grasps of several batches: a column for each hand, a row for each grasp.

    Args:
        batches: The grasps.
        title: Title of the picture.
        size: Edge of each picture [pixel].

    Raises:
        GraspdError: If there are none.
    """
    from PIL import Image

    columns: dict[str, list[tuple[Tile, ...]]] = {}
    for grasps in batches:
        for row, tiles in enumerate(await _draw_rows(grasps, size)):
            captions = f"{grasps.object.name} · {_figures(grasps, row)}", tiles[1].caption
            named = tuple(replace(tile, caption=text) for tile, text in zip(tiles, captions, strict=True))
            columns.setdefault(grasps.hand.name, []).append(named)
    if not columns:
        raise GraspdError("there are no grasps to draw")
    headed = [Column(name, f"{len(rows)} shown", tuple(rows)) for name, rows in columns.items()]
    return Image.fromarray(compose_columns(title, "each from both sides of the palm", headed))


async def _draw_rows(grasps: Grasps, size: int) -> list[tuple[Tile, ...]]:
    """Draw all grasps, two pictures each."""
    rigid = grasps.object
    if not len(grasps):
        raise GraspdError(f"there are no grasps of {rigid.name} by {grasps.hand.name} to draw")
    with tempfile.TemporaryDirectory() as scratch:
        usd = Path(scratch) / "object.usdc"
        write_drawn_object(rigid, usd)
        return [await _draw_grasp(grasps, row, usd, size) for row in range(len(grasps))]


async def _draw_grasp(grasps: Grasps, row: int, usd: Path, size: int) -> tuple[Tile, ...]:
    batch = grasps.batch
    plane = None if batch.way is None else batch.way.table_plane[row]
    grasp = batch.T_object_palm[row], batch.joint_positions[row]
    shown = load_backend("auto"), grasps.hand, grasps.object, usd
    pictures = await render_grasp(*shown, *grasp, size=size, config=_RENDER, table_plane=plane)
    return tuple(
        Tile(picture, side) for picture, side in zip(pictures, ("from the left", "from the right"), strict=True)
    )


def _figures(grasps: Grasps, row: int) -> str:
    """Say what is known of a grasp in one line."""
    parts = [grasps.status[row].split(":")[0]]
    if grasps.batch.way is not None and parts[0] == "ok":
        parts = ["usable" if grasps.usable[row] else "not usable on the table"]
    for name, scale, text in _FIGURES:
        value = grasps.metrics.get(name)
        if value is not None and np.isfinite(value[row]):
            parts.append(text.format(scale * value[row]))
    if "lifted" in grasps.metrics:
        parts.append("lifted" if grasps.metrics["lifted"][row] else "not lifted")
    return " · ".join(parts)
