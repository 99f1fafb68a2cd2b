# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures for a report: the best, the median and the worst grasp of some objects."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from omni_graspd.backend import load_backend
from omni_graspd.dataset.evaluation.measured_grasps import MeasuredGrasps
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.tables import GraspTable
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.inspection.grasp_pictures import render_grasp
from omni_graspd.objects.object_library import load_object
from omni_graspd.rendering.frame import RenderConfig

_SIZE = 240
# Drawn at twice the size and halved: few samples suffice.
_RENDER = RenderConfig(samples_per_pixel=4, max_depth=3)


@dataclass(frozen=True)
class Shown:
    """A grasp of the gallery."""

    measured: MeasuredGrasps
    """The table it is in."""
    row: int
    """Its row there."""
    caption: str
    """What to say of it."""


def choose_shown(measured: Sequence[MeasuredGrasps], count: int) -> list[Shown]:
    """Choose the best, the median and the worst grasp by epsilon of objects spread over the dataset, hands in turn."""
    per_hand: dict[str, list[MeasuredGrasps]] = {}
    for table in measured:
        if len(table.best(None)):
            per_hand.setdefault(table.table.hand, []).append(table)
    tables = []
    for group in per_hand.values():
        wanted = min(len(group), max(1, count // 3 // len(per_hand)))
        tables += [group[index * len(group) // wanted] for index in range(wanted)]
    shown = []
    for table in tables:
        rows = table.best(None)
        ranks = {0: "best", len(rows) // 2: "median", len(rows) - 1: "worst"}
        shown += [Shown(table, int(rows[rank]), _caption(table, int(rows[rank]), name)) for rank, name in ranks.items()]
    return shown[:count]


def _caption(table: MeasuredGrasps, row: int, rank: str) -> str:
    metrics = table.table.metrics
    text = (
        f"{table.table.hand}, {table.table.object}, grasp {table.table.indices[row]} ({rank}): "
        f"ε {metrics['epsilon'][row]:.2f}, CA {1e4 * metrics['contact_area'][row]:.0f} cm²"
    )
    return f"{text}, held {metrics['held'][row]:.0%}" if "held" in metrics else text


def draw_shown(shown: Shown) -> list[bytes]:
    """Draw a grasp of the gallery from both sides of the palm, as two JPEG files."""
    from PIL import Image

    files = []
    for picture in draw_grasp(DatasetLayout(shown.measured.root), shown.measured.table, shown.row, _SIZE):
        buffer = io.BytesIO()
        Image.fromarray(picture).save(buffer, format="JPEG", quality=88)
        files.append(buffer.getvalue())
    return files


def draw_grasp(layout: DatasetLayout, table: GraspTable, row: int, size: int) -> list[np.ndarray]:
    """Draw a grasp of a dataset from both sides of the palm.

    Args:
        layout: Paths of the dataset.
        table: The grasps.
        row: Which of them.
        size: Edge of the pictures [pixel].

    Returns:
        Two sRGB pictures, each [size, size, 3], uint8.
    """
    hand, usd, way = load_hand(str(layout.hand(table.hand))), layout.object(table.object), table.grasps.way
    return asyncio.run(
        render_grasp(
            load_backend("auto"),
            hand,
            load_object(str(usd)),
            usd,
            table.grasps.T_object_palm[row],
            table.grasps.joint_positions[row],
            size=size,
            config=_RENDER,
            table_plane=None if way is None else way.table_plane[row],
        )
    )
