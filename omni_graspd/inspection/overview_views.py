# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The rendered views in the picture of a dataset: annotations drawn in, distances, normals; what was rendered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.inspection.annotations import color_distances, color_normals, draw_annotations
from omni_graspd.inspection.picture_grid import Tile
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.rendering.frame import Frame
from omni_graspd.rendering.image_writer import read_frame

_LARGEST_VIEW_COUNT = 8
_DRAWN = {"rgb", "instance_segmentation", "bounding_box_2d_tight", "bounding_box_3d", "camera_params"}
"""What a picture with annotations is made of."""


@dataclass(frozen=True)
class OverviewViews:
    """Tiles of the rendered views of an object; none of channels that were not rendered."""

    large: tuple[Tile, ...] = ()
    """The view that shows the object largest, with its annotations where there are any."""
    distance: tuple[Tile, ...] = ()
    """Distances in the same view."""
    normals: tuple[Tile, ...] = ()
    """Normals in the same view."""
    other: tuple[Tile, ...] = ()
    """The colours of another view, or those below the annotations where there is only one."""


def overview_views(layout: DatasetLayout, obj: RigidObject) -> OverviewViews:
    """Read the first views of an object's scenes and return what is shown of them.

    Args:
        layout: Files of the dataset.
        obj: The object.

    Returns:
        The tiles; none at all where there are no images.
    """
    eyes = [folder for folder in layout.image_folders(obj.name) if folder.name != "right"]
    folders = [folder for folder in eyes if any(folder.glob("rgb_*.png"))]
    frames = [read_frame(folder) for folder in folders[:_LARGEST_VIEW_COUNT]]
    frames.sort(key=lambda frame: -_box_area(frame, obj.label))
    if not frames:
        return OverviewViews()
    best, annotated = frames[0], frames[0].channels.keys() >= _DRAWN
    large = (Tile(draw_annotations(best, {obj.label}), "mask, 2D box, 3D box"),) if annotated else _colors(best, "rgb")
    other = _colors(frames[1], "rgb, another view") if len(frames) > 1 else _colors(best, "rgb") if annotated else ()
    return OverviewViews(
        large,
        _painted(best, "distance_to_camera", color_distances),
        _painted(best, "normals", color_normals),
        other,
    )


def _colors(frame: Frame, caption: str) -> tuple[Tile, ...]:
    return _painted(frame, "rgb", lambda data: data[..., :3], caption)


def _painted(
    frame: Frame, name: str, paint: Callable[[np.ndarray], np.ndarray], caption: str | None = None
) -> tuple[Tile, ...]:
    """Return the tile of a channel, by default with its name; none if it was not rendered."""
    channel = frame.channels.get(name)
    return () if channel is None else (Tile(paint(channel.data), caption or name),)


def _box_area(frame: Frame, label: str) -> int:
    """Return the area of the largest tight box of a semantic class [pixel]; 0 without boxes."""
    boxes = frame.channels.get("bounding_box_2d_tight")
    if boxes is None:
        return 0
    classes = {int(key): entry["class"] for key, entry in boxes.info["idToLabels"].items()}
    rows = boxes.data[[classes[int(row["semanticId"])] == label for row in boxes.data]]
    areas = (rows["x_max"] - rows["x_min"] + 1) * (rows["y_max"] - rows["y_min"] + 1)
    return int(areas.max(initial=0))
