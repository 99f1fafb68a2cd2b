# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Rows of the overview for grasps on a table: the best one from two sides, its way in, and another grasp."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from omni_graspd.backend import Backend
from omni_graspd.dataset.tables import GraspTable
from omni_graspd.hands.hand import Hand
from omni_graspd.inspection.picture_grid import Tile
from omni_graspd.inspection.table_pictures import TableStudio, View, way_moments
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.rendering.frame import RenderConfig

WAY_PICTURE_COUNT = 6
"""Pictures of the best grasp: two sides, and four of its way."""


@dataclass(frozen=True)
class TablePictures:
    """What is drawn of an object."""

    sides: tuple[Tile, ...]
    """The best grasp from both sides."""
    way: tuple[Tile, ...]
    """Its way: pregrasp, hover, grasp, lifted."""
    other: tuple[Tile, ...]
    """One more grasp, if there is one."""


def choose_on_table(table: GraspTable) -> list[int]:
    """Return the row of the grasp that ranks first, and of the first one in another rest pose, else of the second one.

    Usable grasps come before others; hands that are nowhere are left out.

    Args:
        table: Grasps with ways and rest poses.
    """
    order = np.lexsort((table.ranking, ~table.good))
    order = order[np.isfinite(table.grasps.T_object_palm[order]).all(axis=1)]
    if len(order) < 2 or table.rest_poses is None:
        return [int(row) for row in order[:2]]
    best, others = order[0], order[1:]
    elsewhere = others[(table.rest_poses[others] != table.rest_poses[best]) & table.good[others]]
    return [int(best), int(elsewhere[0] if len(elsewhere) else others[0])]


def table_figures(table: GraspTable) -> str:
    """Return one line on what was asked for and what came of it."""
    count = 1 if table.rest_poses is None else len(np.unique(table.rest_poses))
    area = table.metrics["contact_area"][table.good]
    contact = f" · contact {1e4 * np.nanmean(area):.1f} sq cm" if np.isfinite(area).any() else ""
    poses = f"{count} rest pose{'' if count == 1 else 's'}"
    return f"{len(table.indices)} asked · {int(table.good.sum())} usable · {poses}{contact}"


async def draw_on_table(
    backend: Backend,
    hand: Hand,
    obj: RigidObject,
    object_usd: Path,
    table: GraspTable,
    config: RenderConfig,
    *,
    size: int,
    aspect: float,
) -> TablePictures:
    """Draw the grasps of an object by a hand.

    Args:
        backend: What renders.
        hand: The hand.
        obj: The object.
        object_usd: The object's USD file.
        table: Grasps with postures and ways.
        config: Rendering.
        size: Width of the larger pictures [pixel]; those of the way have half of it.
        aspect: Width of the other grasp's picture by its height.
    """
    if not (rows := choose_on_table(table)):
        return TablePictures((), (), ())
    scene = (backend, hand, obj, object_usd)
    sides, way = await _draw_best(scene, table, rows[0], config, size)
    other: Sequence[Tile] = ()
    if len(rows) > 1:
        grasp, studio = way_moments(table.grasps, rows[1])["grasp"], _studio(scene, table, rows[1])
        view = View(studio.sides[0], (size, round(size / aspect)))
        other = [Tile(picture, _name(table, rows[1])) for picture in await studio.draw(grasp, [view], config)]
    return TablePictures(tuple(sides), tuple(way), tuple(other))


async def _draw_best(
    scene: tuple[Backend, Hand, RigidObject, Path], table: GraspTable, row: int, config: RenderConfig, size: int
) -> tuple[list[Tile], list[Tile]]:
    """Return tiles of both sides of a grasp, and of its way; all of one stage."""
    moments, studio = way_moments(table.grasps, row), _studio(scene, table, row)
    finite = {text: moment for text, moment in moments.items() if np.isfinite(moment.T_object_palm).all()}
    framed = np.concatenate([studio.points(moment) for moment in finite.values()])
    small = View(studio.sides[0], (size // 2, size // 2), framed)
    sides: list[Tile] = []
    way: list[Tile] = []
    for text, moment in finite.items():
        large = [View(side, (size, size)) for side in studio.sides] if text == "grasp" else []
        *pictures, last = await studio.draw(moment, [*large, small], config)
        captions = (f"best: {_name(table, row)}", f"other side · epsilon {table.metrics['epsilon'][row]:.2f}")
        sides += [Tile(picture, caption) for picture, caption in zip(pictures, captions, strict=False)]
        way.append(Tile(last, text))
    return sides, way


def _studio(scene: tuple[Backend, Hand, RigidObject, Path], table: GraspTable, row: int) -> TableStudio:
    way = table.grasps.way
    assert way is not None, "grasps on a table have an approach"
    return TableStudio(*scene, way.table_plane[row], way_moments(table.grasps, row)["grasp"])


def _name(table: GraspTable, row: int) -> str:
    name = f"grasp {table.indices[row]}"
    name = name if table.rest_poses is None else f"{name}, rest pose {table.rest_poses[row]}"
    return name if table.good[row] else f"{name}, not usable"
