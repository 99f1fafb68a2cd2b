# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Views of datasets as depth images: the object's mask and the camera's pose are in their files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.scene_files import read_rest_pose
from omni_graspd.dataset.view_images import read_eye
from omni_graspd.errors import GraspdError
from omni_graspd.prediction.depth_image import DepthImage
from omni_graspd.rendering.depth_points import DEPTHS, image_plane_distances
from omni_graspd.rendering.image_writer import file_names
from omni_graspd.scenes.scene_writer import OBJECT_PATH

_INSTANCES = "instance_segmentation"
_EYES = ("left", "mono", "right")


@dataclass(frozen=True, eq=False)
class DatasetView:
    """A view of a dataset and where its object lies."""

    layout: DatasetLayout
    """The dataset."""
    object: str
    """Name of the object."""
    scene_index: int
    """Number of the scene."""
    name: str
    """Name of the view."""
    image: DepthImage
    """What its first eye sees; its world is that of the scene."""
    T_world_object: np.ndarray
    """Where the object lies, shape [7]."""


def read_view_image(folder: Path) -> DepthImage:
    """Read the depth image of one eye of a view, with the mask of the scene's object.

    Args:
        folder: Where the eye's files are.

    Raises:
        GraspdError: If there is no distance or no instance segmentation, or a file is damaged.
    """
    depth = next((name for name in DEPTHS if (folder / file_names([name])[name]).is_file()), None)
    if depth is None:
        raise GraspdError(
            f"expected {' or '.join(DEPTHS)} in {folder}, got neither; add one with `graspd render "
            f"--render.annotators +{DEPTHS[0]}`"
        )
    eye = read_eye(folder, (depth, _INSTANCES))
    numbers = [number for number, prim in eye[f"{_INSTANCES}_prims"].items() if prim.startswith(OBJECT_PATH)]
    return DepthImage(
        depth=image_plane_distances(depth, eye[depth], eye["intrinsics"]),
        intrinsics=eye["intrinsics"],
        mask=np.isin(eye[_INSTANCES], numbers),
        T_world_camera=eye["T_world_camera"],
    )


def is_view(path: Path) -> bool:
    """Tell whether a path is the folder of a view, or of one of its eyes."""
    return path.is_dir() and _view_folder(path) is not None


def read_view(path: Path) -> DatasetView:
    """Read a view of a dataset.

    Args:
        path: ``renders/mug/scene_0000/view_0000`` of a dataset, or the folder of an eye below it.

    Raises:
        GraspdError: If it is no such folder, or a file is missing or damaged.
    """
    view = _view_folder(path)
    if view is None:
        raise GraspdError(
            f"expected the folder of a dataset's view, such as graspd_out/renders/mug/scene_0000/view_0000, got {path}"
        )
    layout = DatasetLayout(view.parents[3])
    eyes = [path] if path.absolute() != view else [view / eye for eye in _EYES if (view / eye).is_dir()] or [view]
    name, scene_index = view.parents[1].name, int(view.parent.name.removeprefix("scene_"))
    image, pose = read_view_image(eyes[0]), read_rest_pose(layout.scene(name, scene_index))
    return DatasetView(layout, name, scene_index, view.name, image, pose)


def _view_folder(path: Path) -> Path | None:
    """Return the view's folder that a path is or lies in; None where it is none of a dataset."""
    for folder in (path.absolute(), path.absolute().parent):
        numbered = folder.name.startswith("view_") and folder.parent.name.removeprefix("scene_").isdecimal()
        if numbered and len(folder.parents) > 3 and DatasetLayout(folder.parents[3]).manifest.is_file():
            return folder
    return None
