# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The label files of one scene and hand: a pure function of the dataset's files, for worker processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from omni_graspd.dataset.camera_grasps import camera_grasps
from omni_graspd.dataset.labels.label_file import label_path, read_labels, write_labels
from omni_graspd.dataset.labels.touched_points import touched_points
from omni_graspd.dataset.labels.view_labels import FRAME, LabelSettings, SceneGrasps, label_eye
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.view_images import read_eye
from omni_graspd.dataset.views import View
from omni_graspd.errors import GraspdError
from omni_graspd.geometry.signed_distance import SignedDistance
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.surface_points import HandPoints, sample_surface_points
from omni_graspd.metrics.contacts import exact_distance
from omni_graspd.objects.object_library import load_object
from omni_graspd.rendering.depth_points import DEPTHS, image_plane_distances
from omni_graspd.rendering.image_writer import file_names
from omni_graspd.seeding import random_generator
from omni_graspd.usd.transforms import IDENTITY, compose, invert, matrix_to_pose

_HAND_POINTS = 4000
"""As in contact metrics."""
_IN_FILE = (
    *("T_camera_palm", "T_camera_pregrasp_palm", "T_camera_hover_palm", "lift_direction"),
    *("joint_positions", "pregrasp_joint_positions", "squeeze_joint_positions"),
)
"""Columns of the grasps before the camera that a label file has, where the dataset does."""


@dataclass(frozen=True)
class SceneToLabel:
    """A scene, a hand, and how its views are labelled."""

    root: Path
    """The dataset folder."""
    hand: str
    """Name of the hand."""
    object: str
    """The object of the scene."""
    scene_index: int
    """Number of the scene."""
    views: tuple[View, ...]
    """Its views."""
    settings: LabelSettings
    """Radius, threshold, number of points."""
    device: str
    """Warp device."""


@dataclass(frozen=True)
class LabelledScene:
    """What became of a scene."""

    written: int
    """Files that were written."""
    kept: int
    """Files that were there and are still true."""
    grasps: int
    """Usable grasps."""


def label_scene(scene: SceneToLabel) -> LabelledScene:
    """Write the label files of a scene for one hand, but for those that are there and would come out the same.

    Raises:
        GraspdError: If the scene, a table, an asset or an image is missing or damaged.
    """
    layout = DatasetLayout(scene.root)
    in_world = _usable(camera_grasps(layout, scene.object, scene.scene_index, scene.hand, IDENTITY))
    numbers = in_world["grasp_index"]
    header = _header(scene, numbers)
    eyes = [(view, eye, folder) for view in scene.views for eye, folder in view.eye_folders(layout).items()]
    todo = [each for each in eyes if not _is_current(label_path(each[2], scene.hand), header)]
    if not todo:
        return LabelledScene(0, len(eyes), len(numbers))
    distance = _distance(layout.object(scene.object), scene.device)
    T_object_palm = compose(invert(in_world["T_camera_object"]), in_world["T_camera_palm"])
    hand, points = _hand(layout.hand(scene.hand))
    touched = touched_points(
        hand, points, distance, T_object_palm, in_world["joint_positions"], scene.settings.threshold
    )
    grasps = SceneGrasps(numbers, touched, distance)
    for view, eye, folder in todo:
        seen = _read_depth(folder)
        before = _usable(
            camera_grasps(
                layout, scene.object, scene.scene_index, scene.hand, invert(matrix_to_pose(seen["T_world_camera"]))
            )
        )
        random = random_generator(0, "label points", scene.object, scene.scene_index, view.name, eye)
        labels = label_eye(seen, before["T_camera_object"], grasps, scene.settings, random, scene.device)
        known = {name: before[name] for name in ("T_camera_object", *_IN_FILE) if name in before}
        write_labels(header | known | labels.columns(), label_path(folder, scene.hand))
    return LabelledScene(len(todo), len(eyes) - len(todo), len(numbers))


def _usable(grasps: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the grasps that can be carried out in the scene; of floating ones those that are clear of the table."""
    rows = np.flatnonzero(grasps["usable"] if "usable" in grasps else ~grasps["collides"])
    return {name: values if name == "T_camera_object" else values[rows] for name, values in grasps.items()}


def _header(scene: SceneToLabel, numbers: np.ndarray) -> dict[str, np.ndarray]:
    """Return what a file says of itself; if that changes, its labels do."""
    return {
        "frame": np.array(FRAME),
        "hand": np.array(scene.hand),
        "object": np.array(scene.object),
        "radius": np.array(scene.settings.radius),
        "threshold": np.array(scene.settings.threshold),
        "point_count": np.array(scene.settings.points),
        "grasp_index": numbers.astype(np.int64),
    }


def _is_current(path: Path, header: Mapping[str, np.ndarray]) -> bool:
    if not path.is_file():
        return False
    try:
        there = read_labels(path)
    except GraspdError:
        return False  # it is written anew
    return all(name in there and np.array_equal(there[name], value) for name, value in header.items())


def _read_depth(folder: Path) -> dict[str, np.ndarray]:
    """Read an eye's camera and its distances to the image plane."""
    for name in DEPTHS:
        if (folder / file_names([name])[name]).is_file():
            eye = read_eye(folder, (name,))
            return eye | {"depth": image_plane_distances(name, eye[name], eye["intrinsics"])}
    raise GraspdError(
        f"expected {' or '.join(DEPTHS)} in {folder}, which labels are made from, got neither; add one with "
        f"`graspd render --render.annotators +{DEPTHS[0]}`"
    )


@lru_cache(maxsize=2)
def _hand(path: Path) -> tuple[Hand, HandPoints]:
    hand = load_hand(str(path))
    return hand, sample_surface_points(hand, _HAND_POINTS)


@lru_cache(maxsize=2)
def _distance(path: Path, device: str) -> SignedDistance:
    return exact_distance(load_object(str(path)), device)
