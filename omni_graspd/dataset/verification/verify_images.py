# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Whether the images of a scene are those of its cameras."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.errors import GraspdError
from omni_graspd.plain_text import shortened
from omni_graspd.rendering.camera_file import read_camera_file
from omni_graspd.rendering.cameras import read_camera_rigs
from omni_graspd.rendering.channel_files import read_picture
from omni_graspd.rendering.frame import CameraRig
from omni_graspd.rendering.view_folder import eye_folder, eye_names
from omni_graspd.usd.stage import open_stage
from omni_graspd.usd.transforms import local_to_world

_TOLERANCE = 1e-4


def check_scene_images(
    layout: DatasetLayout, object_name: str, scene_index: int, broken: set[str]
) -> Iterator[tuple[str, str]]:
    """Check the views of a scene that were rendered: all eyes, all alike, each from where its camera stands.

    Args:
        layout: Paths of the dataset.
        object_name: The object of the scene.
        scene_index: Number of the scene.
        broken: Files that are known to be damaged or missing; they are not read.

    Yields:
        File or folder, relative to the dataset, and what is wrong with it.
    """
    folder = layout.renders(object_name, scene_index)
    if not folder.is_dir():
        return
    try:
        stage = open_stage(layout.scene(object_name, scene_index))
    except GraspdError:
        return  # the check of the tables has said so
    reference: set[str] | None = None
    for rig in read_camera_rigs(stage):
        for eye, camera in zip(eye_names(len(rig.camera_paths)), rig.camera_paths, strict=True):
            path = eye_folder(folder / rig.name, eye, len(rig.camera_paths))
            where = path.relative_to(layout.root).as_posix()
            if not path.is_dir():
                yield where, "the images of this camera are missing"
                continue
            names = {file.name for file in path.iterdir() if file.is_file()}
            reference = reference or names
            for missing in sorted(reference - names):
                if f"{where}/{missing}" not in broken:
                    yield f"{where}/{missing}", "this file is missing, though other views have one"
            for name, problem in _eye_problems(path, rig, local_to_world(stage.GetPrimAtPath(camera)), where, broken):
                yield f"{where}/{name}", problem


def _eye_problems(
    folder: Path, rig: CameraRig, T_world_camera: np.ndarray, where: str, broken: set[str]
) -> Iterator[tuple[str, str]]:
    name = "camera_params_0000.json"
    if (folder / name).is_file() and f"{where}/{name}" not in broken:
        try:
            camera = read_camera_file(folder / name)
        except GraspdError as error:
            yield name, str(error)
            return
        if not np.abs(camera.T_world_camera - T_world_camera).max() <= _TOLERANCE:
            yield name, "the camera's pose differs from the scene's; were the eyes swapped?"
    for path in sorted(folder.glob("*.png")):
        if f"{where}/{path.name}" in broken:
            continue
        try:
            height, width = read_picture(path).shape[:2]
        except (OSError, ValueError) as error:
            yield path.name, f"the image is damaged ({shortened(str(error))})"
            continue
        if (width, height) != (rig.width, rig.height):
            yield path.name, f"expected {rig.width} x {rig.height} pixels, got {width} x {height}"
