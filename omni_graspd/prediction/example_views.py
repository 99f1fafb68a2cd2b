# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Which views the picture of a new model shows: of held-out objects first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.loader import open as open_dataset
from omni_graspd.dataset.tables import read_grasps
from omni_graspd.objects.object_library import load_object
from omni_graspd.prediction.cast_view import RestingObject, cast_view
from omni_graspd.prediction.view_input import DatasetView
from omni_graspd.seeding import random_generator


def example_views(paths: Sequence[Path], hand: str, most: int = 3) -> list[DatasetView]:
    """Look at each object once in the rest pose in which it has usable grasps, test and validation objects first.

    Args:
        paths: Dataset folders.
        hand: Name of the hand.
        most: How many.

    Raises:
        GraspdError: If a dataset cannot be read.
    """
    found: list[DatasetView] = []
    for dataset in map(open_dataset, paths):
        layout, splits = DatasetLayout(dataset.root), dataset.splits()
        for name in (*splits["test"], *splits["validation"], *splits["train"]):
            if len(found) < most and layout.grasps(hand, name).is_file():
                found += _look(layout, hand, name)
    return found


def _look(layout: DatasetLayout, hand: str, name: str) -> list[DatasetView]:
    table = read_grasps(layout.grasps(hand, name))
    rows = np.flatnonzero(table.grasps.usable)
    if not len(rows) or table.grasps.way is None:
        return []
    resting = RestingObject.on(load_object(str(layout.object(name))), table.grasps.way.table_plane[rows[0]])
    image = cast_view(resting, random_generator(0, "example", name), 0.0)
    return [DatasetView(layout, name, 0, "cast", image, resting.T_world_object)]
