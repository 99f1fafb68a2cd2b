# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The picture of a dataset: grasps from two sides, and rendered views with their annotations drawn in."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np

from omni_graspd.atomic import atomic_path
from omni_graspd.dataset.run import Run
from omni_graspd.dataset.table_files import row_count, true_count
from omni_graspd.dataset.table_kinds import GRASPS
from omni_graspd.dataset.tables import GraspTable, read_grasps
from omni_graspd.hands.hand import Hand
from omni_graspd.inspection.grasp_pictures import render_grasp
from omni_graspd.inspection.overview_table import (
    WAY_PICTURE_COUNT,
    choose_on_table,
    draw_on_table,
    table_figures,
)
from omni_graspd.inspection.overview_views import overview_views
from omni_graspd.inspection.picture_grid import Column, Tile, compose_columns
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.plural import counted
from omni_graspd.progress import Progress, no_progress
from omni_graspd.rendering.frame import RenderConfig

_LARGEST_COLUMN_COUNT = 6
_LARGEST_GRASP_SIZE = 300
# Shown at 298 pixels: outlines of what is drawn 1.2 times as large are smooth enough, and denoising takes a third of
# the time that twice the size takes.
_LARGEST_TABLE_SIZE = 360
# The highest level and Pillow's search for better settings take seconds for a few per cent.
_COMPRESSION = 6


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
    counts = [_picture_count(table) for table in tables]
    done, total = 0, sum(counts)
    progress(0, total)
    columns = []
    for (hand, obj), table, count in zip(pairs, tables, counts, strict=True):
        rows = await _pair_rows(run, hand, obj, table)
        done += count
        progress(done, total)
        heading = obj.name if len(run.hands) == 1 else f"{obj.name} · {hand.name}"
        columns.append(Column(heading, _figures(table), rows))
    title = ", ".join(hand.name for hand in run.hands[:3])
    _save(compose_columns(title, _subtitle(run, len(pairs)), columns), run)


def _subtitle(run: Run, shown: int) -> str:
    objects, total = len(run.objects), len(run.objects) * len(run.hands)
    names = [hand.name for hand in run.hands], [obj.name for obj in run.objects]
    tables = list(run.layout.grasp_tables(*names))
    grasps = counted(sum(row_count(path, GRASPS) for _, _, path in tables), "grasp")
    if run.config.around != "nothing":
        grasps += f", {sum(true_count(path, 'usable') for _, _, path in tables)} usable"
    scenes = counted(sum(len(run.layout.scene_tables(obj.name)) for obj in run.objects), "scene")
    images = counted(sum(len(run.layout.image_folders(obj.name)) for obj in run.objects), "image")
    text = f"{counted(objects, 'object')} · {grasps} · {scenes} · {images} · seed {run.config.seed}"
    return text if shown == total else f"{text} · showing the first {shown} of {total} hand-object pairs"


def _is_on_table(table: GraspTable) -> bool:
    return table.grasps.way is not None and table.grasps.postures is not None


def _picture_count(table: GraspTable) -> int:
    if not _is_on_table(table):
        return 2 * len(_choose_grasps(table))
    chosen = len(choose_on_table(table))
    return chosen and WAY_PICTURE_COUNT + chosen - 1


async def _pair_rows(run: Run, hand: Hand, obj: RigidObject, table: GraspTable) -> tuple[tuple[Tile, ...], ...]:
    """Return what is shown of an object with a hand."""
    views = overview_views(run.layout, obj)
    if not _is_on_table(table):
        rows = [await _grasp_row(run, hand, obj, table, row, caption) for row, caption in _choose_grasps(table)]
        return (*rows, views.large, (*views.distance, *views.other))
    camera = run.config.camera
    pictures = await draw_on_table(
        run.backend,
        replace(hand, source=run.layout.hand(hand.name)),
        obj,
        run.layout.object(obj.name),
        table,
        _few_samples(run),
        size=min(_LARGEST_TABLE_SIZE, 9 * camera.width // 16),
        aspect=camera.width / camera.height,
    )
    return (
        pictures.sides,
        pictures.way,
        (*pictures.other, *views.other),
        views.large,
        (*views.distance, *views.normals),
    )


def _figures(table: GraspTable) -> str:
    if _is_on_table(table):
        return table_figures(table)
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
    pictures = await render_grasp(
        run.backend,
        replace(hand, source=run.layout.hand(hand.name)),
        obj,
        run.layout.object(obj.name),
        table.grasps.T_object_palm[row],
        table.grasps.joint_positions[row],
        size=min(_LARGEST_GRASP_SIZE, run.config.camera.width // 2),
        config=_few_samples(run),
    )
    captions = (f"grasp {table.indices[row]}: {caption}", "from the other side")
    return tuple(Tile(picture, text) for picture, text in zip(pictures, captions, strict=True))


def _few_samples(run: Run) -> RenderConfig:
    """Return how pictures are rendered that are shown smaller than they are drawn: few samples suffice."""
    render = run.config.render
    return replace(render, samples_per_pixel=min(4, render.samples_per_pixel), max_depth=min(3, render.max_depth))


def _save(picture: np.ndarray, run: Run) -> None:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG", compress_level=_COMPRESSION)
    with atomic_path(run.layout.overview) as temporary:
        temporary.write_bytes(buffer.getvalue())
