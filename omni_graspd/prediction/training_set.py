# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What a predictor learns from, as arrays: crops of views, and the usable grasps of their scenes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from omni_graspd.dataset.camera_grasps import camera_grasps
from omni_graspd.dataset.content_hash import content_hash
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.loader import Dataset
from omni_graspd.dataset.loader import open as open_dataset
from omni_graspd.dataset.views import View
from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.prediction.crop import Crop, crop_object
from omni_graspd.prediction.grasp_code import to_unit
from omni_graspd.prediction.view_input import read_view_image
from omni_graspd.progress import Progress, no_progress
from omni_graspd.seeding import random_generator
from omni_graspd.usd.transforms import IDENTITY, compose, invert, matrix_to_pose, pose_to_matrix

_WAY = ("T_camera_hover_palm", "T_camera_pregrasp_palm", "pregrasp_joint_positions", "squeeze_joint_positions")


@dataclass(frozen=True, eq=False)
class SceneRows:
    """Usable grasps of scenes, one row each, in the world of their scene. Joints are from -1 to 1."""

    positions: np.ndarray
    """Palms [m], shape [row_count, 3]."""
    rotations: np.ndarray
    """Palms, shape [row_count, 3, 3]."""
    joints: np.ndarray
    """Actuated joints in the grasp, shape [row_count, actuated_count]."""
    opened: np.ndarray
    """The same of the open hand."""
    squeezed: np.ndarray
    """The same when it presses."""
    hover: np.ndarray
    """From the grasp to hover, in the palm's frame [m], shape [row_count, 3]."""
    pregrasp: np.ndarray
    """From hover to the pregrasp, in the palm's frame [m], shape [row_count, 3]."""

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self.positions)

    def columns(self) -> dict[str, np.ndarray]:
        """Return all arrays by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """Views with at least one usable grasp, of one split."""

    points: np.ndarray
    """Crops [m], shape [view_count, point_count, 3], float32."""
    cameras: np.ndarray
    """Unit directions to the cameras, shape [view_count, 3], float32."""
    T_crop_world: np.ndarray
    """The world in each crop frame, shape [view_count, 4, 4], float32."""
    first: np.ndarray
    """First row of the grasps of each view's scene, int64, shape [view_count]."""
    count: np.ndarray
    """Number of these rows, int64, shape [view_count]."""
    rows: SceneRows
    """Grasps of all scenes, float32."""
    objects: tuple[str, ...]
    """Names of the objects."""

    def __len__(self) -> int:
        """Return how many views there are."""
        return len(self.points)

    @property
    def digest(self) -> str:
        """Hash of all numbers: the same data, the same training."""
        digest = hashlib.sha256()
        for array in (self.points, self.T_crop_world, self.first, self.count, *self.rows.columns().values()):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def crop_positions(self) -> np.ndarray:
        """Return the palms of all views in their crop frames [m], shape [palm_count, 3]."""
        parts = [
            self.rows.positions[first : first + count] @ matrix[:3, :3].T + matrix[:3, 3]
            for first, count, matrix in zip(self.first, self.count, self.T_crop_world, strict=True)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, 3))


def read_training_sets(
    paths: Sequence[Path], hand_name: str = "", *, point_count: int, seed: int, progress: Progress = no_progress
) -> tuple[Hand, dict[str, TrainingSet]]:
    """Read the views of datasets and the grasps of their scenes that are usable there.

    Args:
        paths: Dataset folders.
        hand_name: Whose grasps; needed if a dataset has several hands.
        point_count: Points of each crop.
        seed: Draws the pixels.
        progress: Called with views read and in total.

    Returns:
        The hand, and the sets ``train`` and ``validation``, by the splits of the objects; test objects are in none.

    Raises:
        GraspdError: If a dataset cannot be read, has another hand or no grasps with ways, or there is nothing to learn.
    """
    datasets = [open_dataset(path) for path in paths]
    hand = _common_hand(datasets, hand_name)
    todo = {split: [(each, view) for each in datasets for view in _views(each, split)] for split in _SPLITS}
    total, done = sum(len(views) for views in todo.values()), 0
    sets = {}
    for split, views in todo.items():
        parts = _Parts(hand)
        for dataset, view in views:
            parts.add(dataset, view, point_count, seed)
            done += 1
            progress(done, total)
        sets[split] = parts.joined(point_count)
    if not len(sets["train"]):
        raise GraspdError(
            f"expected views of scenes with usable grasps by {hand.name} in {', '.join(map(str, paths))}, got none; "
            "make some with `graspd generate`"
        )
    return hand, sets


_SPLITS = ("train", "validation")


def _views(dataset: Dataset, split: str) -> Sequence[View]:
    return dataset.views(split) if dataset.splits()[split] else ()


def _common_hand(datasets: Sequence[Dataset], name: str) -> Hand:
    """Return the hand of all datasets."""
    names = sorted({hand for dataset in datasets for hand in dataset.hands})
    if not name and len(names) == 1:
        (name,) = names
    lacking = [dataset.root for dataset in datasets if name not in dataset.hands]
    if not name or lacking:
        got = f"{lacking[0]} has {', '.join(datasets[0].hands)}" if name else f"there are {', '.join(names)}"
        raise GraspdError(f"expected a hand that all datasets have, got {name or 'none'}; {got}; name one with --hand")
    hands = [load_hand(str(DatasetLayout(dataset.root).hand(name))) for dataset in datasets]
    if len({content_hash(hand) for hand in hands}) > 1:
        raise GraspdError(f"expected the same hand in all datasets, got several that are called {name}")
    return hands[0]


class _Parts:
    """Gathers views and, once for each scene, grasps."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand
        self._scenes: dict[tuple[Path, str, int], tuple[int, int]] = {}
        self._rows: list[SceneRows] = []
        self._crops: list[Crop] = []
        self._worlds: list[np.ndarray] = []
        self._ranges: list[tuple[int, int]] = []
        self._objects: dict[str, None] = {}

    def add(self, dataset: Dataset, view: View, point_count: int, seed: int) -> None:
        """Add a view, unless its scene has no usable grasps or it hardly sees the object."""
        first, count = self._scene(dataset, view)
        if not count:
            return
        for eye, folder in view.eye_folders(DatasetLayout(dataset.root)).items():
            image = read_view_image(folder)
            random = random_generator(seed, "crop", view.object, view.scene_index, view.name, eye)
            try:
                crop = crop_object(image, random, point_count)
            except GraspdError:
                continue  # hidden, or out of the picture
            assert image.T_world_camera is not None
            T_crop_world = compose(invert(crop.T_camera_crop), invert(matrix_to_pose(image.T_world_camera)))
            self._crops.append(crop)
            self._worlds.append(pose_to_matrix(T_crop_world))
            self._ranges.append((first, count))
            self._objects[view.object] = None

    def _scene(self, dataset: Dataset, view: View) -> tuple[int, int]:
        key = (dataset.root, view.object, view.scene_index)
        if key not in self._scenes:
            rows = _scene_rows(dataset, view, self._hand)
            self._scenes[key] = (sum(len(part) for part in self._rows), len(rows))
            self._rows.append(rows)
        return self._scenes[key]

    def joined(self, point_count: int) -> TrainingSet:
        """Return all that was added."""
        empty = _empty_rows(self._hand.actuated_count)
        columns = {name: [values] for name, values in empty.columns().items()}
        for part in self._rows:
            for name, values in part.columns().items():
                columns[name].append(values)
        joined = {name: np.concatenate(parts).astype(np.float32) for name, parts in columns.items()}
        count = len(self._crops)
        ranges = np.array(self._ranges, dtype=np.int64).reshape(-1, 2)
        return TrainingSet(
            points=np.array([crop.points for crop in self._crops], dtype=np.float32).reshape(count, point_count, 3),
            cameras=np.array([crop.camera for crop in self._crops], dtype=np.float32).reshape(count, 3),
            T_crop_world=np.array(self._worlds, dtype=np.float32).reshape(count, 4, 4),
            first=ranges[:, 0],
            count=ranges[:, 1],
            rows=SceneRows(**joined),
            objects=tuple(self._objects),
        )


def _scene_rows(dataset: Dataset, view: View, hand: Hand) -> SceneRows:
    """Return the grasps that can be carried out in a scene, in its world."""
    columns = camera_grasps(DatasetLayout(dataset.root), view.object, view.scene_index, hand.name, IDENTITY)
    if "usable" not in columns or any(name not in columns for name in _WAY):
        raise GraspdError(
            f"expected grasps made on a table, with their ways, in {dataset.root}, got grasps of floating objects; "
            "make them with --around table"
        )
    rows = np.flatnonzero(columns["usable"])
    palms, hover, pregrasp = (columns[name][rows] for name in ("T_camera_palm", *_WAY[:2]))
    rotations = pose_to_matrix(palms)[:, :3, :3]

    def joints(name: str) -> np.ndarray:
        return to_unit(hand, columns[name][rows][:, hand.actuated])

    def in_palm(vectors: np.ndarray) -> np.ndarray:
        return np.einsum("gij,gi->gj", rotations, vectors)

    return SceneRows(
        positions=palms[:, :3],
        rotations=rotations,
        joints=joints("joint_positions"),
        opened=joints(_WAY[2]),
        squeezed=joints(_WAY[3]),
        hover=in_palm(hover[:, :3] - palms[:, :3]),
        pregrasp=in_palm(pregrasp[:, :3] - hover[:, :3]),
    )


def _empty_rows(actuated_count: int) -> SceneRows:
    vectors, joints = np.zeros((0, 3)), np.zeros((0, actuated_count))
    return SceneRows(vectors, np.zeros((0, 3, 3)), joints, joints, joints, vectors, vectors)
