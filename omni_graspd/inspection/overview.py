# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The picture of a dataset: grasps from two sides, and rendered views with their annotations drawn in."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np

from omni_graspd.atomic import atomic_path
from omni_graspd.dataset.run import Run
from omni_graspd.dataset.table_files import row_count
from omni_graspd.dataset.tables import GraspTable, read_grasps
from omni_graspd.hands.hand import Hand
from omni_graspd.inspection.annotations import color_distances, draw_annotations
from omni_graspd.inspection.grasp_pictures import render_grasp
from omni_graspd.inspection.picture_grid import Column, Tile, compose_columns
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.progress import Progress, no_progress
from omni_graspd.rendering.frame import Frame
from omni_graspd.rendering.image_writer import read_frame

_LARGEST_COLUMN_COUNT = 6
_LARGEST_GRASP_SIZE = 300
_LARGEST_VIEW_COUNT = 8


async def write_overview(run: Run, progress: Progress = no_progress) -> None:
    """Make ``overview.png`` of a whole dataset, for the first six pairs of object and hand; a present one is kept.

    Without grasps there is none.

    Args:
        run: An open run whose stages are done.
        progress: Called with pictures of grasps done and in total.
    """
    if run.layout.overview.is_file():
        return
    pairs = [(hand, obj) for obj in run.objects for hand in run.hands][:_LARGEST_COLUMN_COUNT]
    paths = [run.layout.grasps(hand.name, obj.name) for hand, obj in pairs]
    if not all(path.is_file() for path in paths):
        return
    tables = [read_grasps(path) for path in paths]
    chosen = [_choose_grasps(table) for table in tables]
    done, total = 0, 2 * sum(len(rows) for rows in chosen)
    progress(0, total)
    columns = []
    for (hand, obj), table, rows in zip(pairs, tables, chosen, strict=True):
        tiles = []
        for row, caption in rows:
            tiles.append(await _grasp_row(run, hand, obj, table, row, caption))
            done += 2
            progress(done, total)
        heading = obj.name if len(run.hands) == 1 else f"{obj.name} · {hand.name}"
        columns.append(Column(heading, _figures(table), (*tiles, *_view_rows(run, obj))))
    title = ", ".join(hand.name for hand in run.hands[:3])
    _save(compose_columns(title, _subtitle(run, len(pairs)), columns), run)


def _subtitle(run: Run, shown: int) -> str:
    objects, total = len(run.objects), len(run.objects) * len(run.hands)
    tables = run.layout.grasp_tables([hand.name for hand in run.hands], [obj.name for obj in run.objects])
    grasps = sum(row_count(path) for _, _, path in tables)
    scenes = sum(len(run.layout.scene_tables(obj.name)) for obj in run.objects)
    images = sum(len(run.layout.images(obj.name)) for obj in run.objects)
    text = f"{objects} objects · {grasps} grasps · {scenes} scenes · {images} images · seed {run.config.seed}"
    return text if shown == total else f"{text} · here the first {shown} of {total} pairs of hand and object"


def _figures(table: GraspTable) -> str:
    metrics = table.metrics
    return (
        f"{len(table.indices)} grasps · {100 * metrics['force_closure'].mean():.0f} % force closure"
        f" · contact {1e4 * np.nanmean(metrics['contact_area']):.1f} sq cm"
    )


def _choose_grasps(table: GraspTable) -> list[tuple[int, str]]:
    """Return rows of the best two grasps and of the median one by epsilon, usable ones first, and what to say."""
    order = np.lexsort((-np.nan_to_num(table.metrics["epsilon"], nan=-1.0), ~table.good))
    ranks = {0: "best", 1: "second", len(order) // 2: "median"}
    return [
        (int(order[rank]), f"{name}, epsilon {table.metrics['epsilon'][order[rank]]:.2f}")
        for rank, name in sorted(ranks.items())
        if rank < len(order)
    ]


async def _grasp_row(
    run: Run, hand: Hand, obj: RigidObject, table: GraspTable, row: int, caption: str
) -> tuple[Tile, ...]:
    render = run.config.render
    pictures = await render_grasp(
        run.backend,
        replace(hand, source=run.layout.hand(hand.name)),
        obj,
        run.layout.object(obj.name),
        table.grasps.T_object_palm[row],
        table.grasps.joint_positions[row],
        size=min(_LARGEST_GRASP_SIZE, run.config.camera.width // 2),
        # Drawn at twice the size and halved: few samples suffice.
        config=replace(render, samples_per_pixel=min(4, render.samples_per_pixel), max_depth=min(3, render.max_depth)),
    )
    captions = (f"grasp {table.indices[row]}: {caption}", "from the other side")
    return tuple(Tile(picture, text) for picture, text in zip(pictures, captions, strict=True))


def _view_rows(run: Run, obj: RigidObject) -> list[tuple[Tile, ...]]:
    """Return the view that shows the object largest, with annotations; below it its distances and another view."""
    folders = [image.parent for image in run.layout.images(obj.name) if image.parent.name != "right"]
    frames = [read_frame(folder) for folder in folders[:_LARGEST_VIEW_COUNT]]
    if not frames:
        return []
    order = sorted(range(len(frames)), key=lambda index: -_box_area(frames[index], obj.label))
    best, other = frames[order[0]], frames[order[1 % len(order)]]
    return [
        (Tile(draw_annotations(best, {obj.label}), "mask, 2D box, 3D box"),),
        (
            Tile(color_distances(best.channels["distance_to_camera"].data), "distance_to_camera"),
            Tile(other.channels["rgb"].data[..., :3], "rgb, another view"),
        ),
    ]


def _box_area(frame: Frame, label: str) -> int:
    """Return the area of the largest tight box of a semantic class [pixel]."""
    boxes = frame.channels["bounding_box_2d_tight"]
    classes = {int(key): entry["class"] for key, entry in boxes.info["idToLabels"].items()}
    rows = boxes.data[[classes[int(row["semanticId"])] == label for row in boxes.data]]
    areas = (rows["x_max"] - rows["x_min"] + 1) * (rows["y_max"] - rows["y_min"] + 1)
    return int(areas.max(initial=0))


def _save(picture: np.ndarray, run: Run) -> None:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG", optimize=True)
    with atomic_path(run.layout.overview) as temporary:
        temporary.write_bytes(buffer.getvalue())
