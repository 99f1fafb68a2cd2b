# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What one eye of a view sees, as a sample has it: images, classes of their ids, camera."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from omni_graspd.errors import GraspdError
from omni_graspd.plain_text import shortened
from omni_graspd.rendering.camera_file import CameraFile, read_camera_file
from omni_graspd.rendering.depth_points import DEPTHS, depth_points
from omni_graspd.rendering.frame import Frame
from omni_graspd.rendering.image_writer import read_frame
from omni_graspd.usd.camera_axes import to_opencv

_POINTS, _INSTANCES = "pointcloud", "instance_segmentation"


def read_eye(folder: Path, channels: Sequence[str]) -> dict[str, Any]:
    """Read the images and the camera of one eye.

    Args:
        folder: Where its files are.
        channels: Channels to read. A point cloud that was not rendered is computed from a distance.

    Returns:
        Arrays by channel; ``<channel>_classes``, the class of each id, and ``<channel>_prims``, the prim path of each
        instance or box, where the channel has such; ``intrinsics`` and ``T_world_camera`` in OpenCV's axes.

    Raises:
        GraspdError: If a channel is not there, or a file is damaged.
    """
    wanted = (*channels, *DEPTHS, _INSTANCES) if _POINTS in channels else channels
    frame = read_frame(folder, annotators=tuple(dict.fromkeys(wanted)))
    camera = read_camera_file(folder / "camera_params_0000.json")
    sample: dict[str, Any] = {}
    for name in channels:
        if name in frame.channels:
            sample[name] = frame.channels[name].data
            sample |= _labels(name, frame.channels[name].info, folder)
        elif name == _POINTS and any(depth in frame.channels for depth in DEPTHS):
            sample[name] = _points(frame, camera)
        else:
            raise GraspdError(
                f"expected the channel {name} in {folder}, got {', '.join(frame.channels)}; choose one of these, "
                "or render it with --render.annotators"
            )
    return sample | {"intrinsics": camera.intrinsics, "T_world_camera": to_opencv(camera.T_world_camera)}


def _points(frame: Frame, camera: CameraFile) -> Any:
    images = {name: channel.data for name, channel in frame.channels.items()}
    return depth_points(images, camera.intrinsics, to_opencv(camera.T_world_camera))


def _labels(name: str, info: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return what the ids of a channel stand for."""
    prims = info.get("primPaths") if "idToSemantics" not in info else info["idToLabels"]
    classes = info.get("idToSemantics", info.get("idToLabels"))
    found: dict[str, Any] = {}
    try:
        if classes is not None:
            found[f"{name}_classes"] = {int(key): str(value["class"]) for key, value in classes.items()}
        if prims is not None:
            by_id = isinstance(prims, dict)
            found[f"{name}_prims"] = {int(key): str(path) for key, path in prims.items()} if by_id else list(prims)
    except (ValueError, KeyError, TypeError) as error:
        raise GraspdError(
            f"the labels of {name} in {folder} are damaged ({shortened(str(error), 160)}); render the view again"
        ) from error
    return found
