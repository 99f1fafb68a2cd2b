# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""``images.json``: all images of a folder, with their files, cameras, scene, view and eye."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pxr import Usd

from omni_graspd.atomic import atomic_path
from omni_graspd.rendering.frame import CameraRig
from omni_graspd.rendering.pinhole_camera import PinholeCamera, read_pinhole_camera
from omni_graspd.rendering.view_folder import eye_files, eye_folder, eye_names

INDEX_NAME = "images.json"
"""Name of the index below the folder whose images it lists."""


@dataclass(frozen=True)
class ImageRecord:
    """One image, that is what one eye sees in one view, and where its files are."""

    scene: str
    """USD file of the scene, relative to the index where it lies below it."""
    view: str
    """Name of the view."""
    eye: str
    """``mono``, ``left`` or ``right``."""
    folder: str
    """Folder of the files, relative to the index, with forward slashes."""
    files: dict[str, str]
    """Files relative to the index, by name without number: ``rgb``, ``semantic_segmentation_labels``, ..."""
    camera: PinholeCamera
    """The camera, in the units of the scene."""


def image_records(
    stage: Usd.Stage, rigs: Sequence[CameraRig], annotators: Sequence[str], scene: str, folder: str
) -> list[ImageRecord]:
    """List the images of a scene's views.

    Args:
        stage: The scene.
        rigs: Its views.
        annotators: The channels that were asked for.
        scene: What the scene is called.
        folder: The folder that holds the views' folders, relative to the index.

    Raises:
        GraspdError: If a camera is missing.
    """
    records = []
    for rig in rigs:
        count, names = len(rig.camera_paths), eye_files(rig, annotators)
        for path, eye in zip(rig.camera_paths, eye_names(count), strict=True):
            place = PurePosixPath(eye_folder(Path(folder) / rig.name, eye, count).as_posix())
            files = {stem: str(place / name) for stem, name in names.items()}
            camera = read_pinhole_camera(stage, path, rig.width, rig.height)
            records.append(ImageRecord(scene, rig.name, eye, str(place), files, camera))
    return records


def write_image_index(records: Sequence[ImageRecord], root: Path) -> Path:
    """Write ``images.json``, all or nothing; the same records make the same bytes.

    Args:
        records: The images, in the order in which they are listed.
        root: Folder of the index.

    Returns:
        The file.
    """
    path = root / INDEX_NAME
    lines = ",\n".join(json.dumps(_entry(record)) for record in records)
    with atomic_path(path) as temporary:
        temporary.write_text(f'{{"images": [\n{lines}\n]}}\n', encoding="utf-8")
    return path


def _entry(record: ImageRecord) -> dict[str, object]:
    camera = record.camera
    (x, y), focal = camera.principal_point.tolist(), camera.focal_pixels
    return {
        "scene": record.scene,
        "view": record.view,
        "eye": record.eye,
        "width": camera.width,
        "height": camera.height,
        "files": record.files,
        "camera": {
            "path": camera.path,
            "intrinsics": [[focal, 0.0, x], [0.0, focal, y], [0.0, 0.0, 1.0]],
            "T_world_camera": camera.T_world_camera.tolist(),
            "near_far": list(camera.near_far),
            "metres_per_unit": camera.metres_per_unit,
        },
    }
