# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""One picture of predictions: what the camera sees, and the best hands at the object."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from omni_graspd.atomic import atomic_path
from omni_graspd.backend import Backend
from omni_graspd.inspection.annotations import color_distances
from omni_graspd.inspection.grasp_pictures import render_grasp
from omni_graspd.inspection.object_pictures import write_drawn_object
from omni_graspd.inspection.picture_grid import Column, Tile, compose_columns
from omni_graspd.prediction.predict_grasps import PredictedGrasps
from omni_graspd.progress import Progress, no_progress
from omni_graspd.rendering.frame import RenderConfig

_RENDER = RenderConfig(samples_per_pixel=9, max_depth=4)
_SIZE = 298
_OUTLINE = (20, 28, 40)


async def draw_predictions(
    backend: Backend,
    predictions: Sequence[PredictedGrasps],
    path: Path,
    *,
    title: str,
    most: int = 3,
    progress: Progress = no_progress,
) -> None:
    """Draw predictions, a column each: the depth image with the outline of the object, below it the best grasps.

    Args:
        backend: What renders.
        predictions: Predicted grasps.
        path: PNG file.
        title: Title of the picture.
        most: How many grasps of each are drawn.
        progress: Called with grasps drawn and in total.
    """
    from PIL import Image

    total = sum(min(most, len(each.score)) for each in predictions)
    columns, done = [], 0
    progress(0, total)
    for each in predictions:
        rows: list[tuple[Tile, ...]] = [
            (Tile(_depth_picture(each), "what the camera sees: near is red; the object's outline"),)
        ]
        with tempfile.TemporaryDirectory() as scratch:
            usd = Path(scratch) / "object.usdc"
            write_drawn_object(each.obj, usd)
            for row in range(min(most, len(each.score))):
                rows.append(await _grasp_row(backend, each, row, usd))
                done += 1
                progress(done, total)
        free = int(each.batch.usable.sum())
        columns.append(Column(each.obj.name, f"{len(each.score)} predicted · {free} clear of the table", tuple(rows)))
    picture = compose_columns(title, "the best grasps by predicted score, each from both sides of the palm", columns)
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        Image.fromarray(picture).save(file, format="PNG", compress_level=6)


async def _grasp_row(backend: Backend, each: PredictedGrasps, row: int, usd: Path) -> tuple[Tile, ...]:
    batch = each.batch
    assert batch.way is not None
    pictures = await render_grasp(
        backend,
        each.hand,
        each.obj,
        usd,
        batch.T_object_palm[row],
        batch.joint_positions[row],
        size=_SIZE,
        config=_RENDER,
        table_plane=batch.way.table_plane[row],
    )
    way = "clear of the table" if batch.usable[row] else "in the table on its way"
    state = way if batch.status[row] == "ok" else batch.status[row]
    captions = f"{row + 1}. score {each.score[row]:.2f}", state
    return tuple(Tile(picture, caption) for picture, caption in zip(pictures, captions, strict=True))


def _depth_picture(each: PredictedGrasps) -> np.ndarray:
    """Paint distances, and the outline of the mask in dark."""
    image = each.image
    mask = np.asarray(image.mask, dtype=bool)
    picture = color_distances(np.where(image.measured, image.depth, np.inf))
    inner = mask.copy()
    for axis in (0, 1):
        for step in (-1, 1):
            inner &= np.roll(mask, step, axis=axis)
    picture[mask & ~inner] = _OUTLINE
    return np.repeat(np.repeat(picture, 2, axis=0), 2, axis=1) if picture.shape[1] < 400 else picture
