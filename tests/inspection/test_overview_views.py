# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Views in the picture of a dataset: what was rendered is shown, and captions say what it is."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.inspection.overview_views import OverviewViews, overview_views
from omni_graspd.rendering.annotator_data import AnnotatorData
from omni_graspd.rendering.frame import Frame
from omni_graspd.rendering.image_writer import write_frame

_OBJECT: Any = SimpleNamespace(name="mug", label="mug")


def _write_views(root: Path, count: int, *names: str) -> DatasetLayout:
    channels = {
        "rgb": AnnotatorData(np.zeros((8, 8, 4), dtype=np.uint8), {}),
        "distance_to_camera": AnnotatorData(np.ones((8, 8), dtype=np.float32), {}),
    }
    for view in range(count):
        frame = Frame("/c", {name: channels[name] for name in names})
        write_frame(frame, root / "renders" / "mug" / "scene_0000" / f"view_{view:04d}")
    return DatasetLayout(root)


def _captions(views: OverviewViews) -> list[str]:
    return [tile.caption for row in (views.large, views.distance, views.normals, views.other) for tile in row]


@pytest.mark.parametrize(
    ("count", "names", "captions"),
    [
        (1, ("rgb",), ["rgb"]),
        (2, ("rgb",), ["rgb", "rgb, another view"]),
        (1, ("rgb", "distance_to_camera"), ["rgb", "distance_to_camera"]),
        (1, ("distance_to_camera",), []),
        (0, (), []),
    ],
)
def test_channels_that_were_not_rendered_are_left_out(tmp_path, count, names, captions):
    assert _captions(overview_views(_write_views(tmp_path, count, *names), _OBJECT)) == captions
