# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Which views the picture of a new model shows: of held-out objects first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.loader import open as open_dataset
from omni_graspd.prediction.view_input import DatasetView, read_view


def example_views(paths: Sequence[Path], most: int = 3) -> list[DatasetView]:
    """Return the first view of each object, those of test and validation objects first.

    Args:
        paths: Dataset folders.
        most: How many.

    Raises:
        GraspdError: If a dataset cannot be read.
    """
    found: list[DatasetView] = []
    for dataset in map(open_dataset, paths):
        layout, splits = DatasetLayout(dataset.root), dataset.splits()
        for name in (*splits["test"], *splits["validation"], *splits["train"]):
            views = dataset.views(objects=[name])
            if views and len(found) < most:
                found.append(read_view(layout.renders(name, views[0].scene_index) / views[0].name))
    return found
