# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Bounding boxes of labelled prims: tight and loose in the image, and in the prim's own frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from omni_graspd.rendering.annotator_data import BOX_2D_DTYPE, BOX_3D_DTYPE, AnnotatorData

if TYPE_CHECKING:
    from omni_graspd.rendering.instances import Instance
    from omni_graspd.rendering.pinhole_camera import PinholeCamera

_PIXEL_ROUNDING = 1e-3
"""Rays are single precision: a centre this close to the rim [pixel] may be hit."""

PixelBox = tuple[int, int, int, int]
"""x_min, y_min, x_max, y_max; both corners inclusive."""


def mask_box(mask: np.ndarray) -> PixelBox | None:
    """Return the box of the true pixels of a mask [height, width], or None where there is none."""
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    if not len(columns):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1])


def projected_box(corners: np.ndarray, camera: PinholeCamera) -> PixelBox | None:
    """Return the box of the pixel centres between the extremes of projected triangles, cut at the image's border.

    What is not occluded and has no holes at its rim thus has equal tight and loose boxes, as in Kit.

    Args:
        corners: Triangles in the world, shape [face_count, 3, 3].
        camera: The camera.

    Returns:
        The box, or None if there is no pixel centre of the image in it, or all is behind the camera.
    """
    image, _ = camera.project(_in_front(corners, camera))
    if not len(image):
        return None
    low = np.ceil(image.min(axis=0) - 0.5 - _PIXEL_ROUNDING).astype(np.int64)
    high = np.floor(image.max(axis=0) - 0.5 + _PIXEL_ROUNDING).astype(np.int64)
    limit = np.array([camera.width, camera.height]) - 1
    low, high = np.maximum(low, 0), np.minimum(high, limit)
    if (high < low).any():
        return None
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _in_front(corners: np.ndarray, camera: PinholeCamera) -> np.ndarray:
    """Return the corners beyond the near plane, and where edges pierce it, in the world, shape [point_count, 3]."""
    near = camera.near_far[0]
    depth = -camera.to_camera(corners)[..., 2]
    points = corners[depth >= near]
    ends, end_depth = np.roll(corners, -1, axis=1), np.roll(depth, -1, axis=1)
    pierced = (depth < near) != (end_depth < near)
    if not pierced.any():
        return points
    start, start_depth = corners[pierced], depth[pierced]
    weight = ((near - start_depth) / (end_depth[pierced] - start_depth))[:, None]
    # Rounding must not put the cut behind the plane, hence the small step beyond it.
    cut = start + weight * (ends[pierced] - start) - 1e-9 * camera.T_world_camera[:3, 2]
    return np.concatenate([points, cut])


def occlusion_ratio(visible: int, unoccluded: int) -> float:
    """Return 1 - visible / unoccluded pixels; 1 where the prim covers no pixel centre at all."""
    return 1.0 - visible / unoccluded if unoccluded else 1.0


def box_channels(
    instances: Sequence[Instance],
    camera: PinholeCamera,
    instance_image: np.ndarray,
    loose: Mapping[int, PixelBox],
    occlusion: Mapping[int, float],
) -> dict[str, AnnotatorData]:
    """Make the three box channels.

    Tight boxes hold the visible pixels of prims seen in the image. Loose and 3D boxes are given for every prim whose
    projection meets the image, hidden or not.

    Args:
        instances: All labelled prims of the stage.
        camera: The camera.
        instance_image: Instance ids, shape [height, width].
        loose: Projected box by instance id; prims outside the image have none.
        occlusion: Occlusion ratio by instance id.
    """
    in_image = [instance for instance in instances if instance.instance_id in loose]
    tight = [(instance, mask_box(instance_image == instance.instance_id)) for instance in in_image]
    seen = [(instance, box) for instance, box in tight if box is not None]
    ratio = {instance.instance_id: occlusion[instance.instance_id] for instance in in_image}
    tight_rows = [(i.semantic_id, *box, ratio[i.instance_id]) for i, box in seen]
    loose_rows = [(i.semantic_id, *loose[i.instance_id], ratio[i.instance_id]) for i in in_image]
    solid_rows = [_box_3d(i, ratio[i.instance_id]) for i in in_image]
    return {
        "bounding_box_2d_tight": _channel(np.array(tight_rows, BOX_2D_DTYPE), [i for i, _ in seen]),
        "bounding_box_2d_loose": _channel(np.array(loose_rows, BOX_2D_DTYPE), in_image),
        "bounding_box_3d": _channel(np.array(solid_rows, BOX_3D_DTYPE), in_image),
    }


def _box_3d(instance: Instance, occlusion: float) -> tuple:
    T_prim_world = np.linalg.inv(instance.T_world_prim)
    local = instance.corners.reshape(-1, 3) @ T_prim_world[:3, :3].T + T_prim_world[:3, 3]
    return (instance.semantic_id, *local.min(axis=0), *local.max(axis=0), instance.T_world_prim.T, occlusion)


def box_3d_corners(row: np.ndarray) -> np.ndarray:
    """Return the eight corners of one row of ``bounding_box_3d`` in the world, shape [8, 3]."""
    low = np.array([row["x_min"], row["y_min"], row["z_min"]], dtype=np.float64)
    high = np.array([row["x_max"], row["y_max"], row["z_max"]], dtype=np.float64)
    pick = np.array([[i >> axis & 1 for axis in range(3)] for i in range(8)])
    local = np.where(pick, high, low)
    return np.concatenate([local, np.ones((8, 1))], axis=-1) @ row["transform"].astype(np.float64)[:, :3]


def _channel(rows: np.ndarray, instances: Sequence[Instance]) -> AnnotatorData:
    info = {
        "idToLabels": {str(i.semantic_id): {"class": i.label} for i in instances},
        "bboxIds": np.array([i.instance_id for i in instances], dtype=np.uint32),
        "primPaths": [i.prim_path for i in instances],
    }
    return AnnotatorData(rows, info)
