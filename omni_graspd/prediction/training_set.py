# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What a predictor learns from, as arrays: views of objects at rest, cast from their meshes, and the grasps there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from omni_graspd.dataset.content_hash import content_hash
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.loader import Dataset
from omni_graspd.dataset.loader import open as open_dataset
from omni_graspd.dataset.tables import GraspTable, read_grasps
from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.objects.object_library import load_object
from omni_graspd.prediction.cast_view import RestingObject, cast_view
from omni_graspd.prediction.crop import Crop, crop_object
from omni_graspd.prediction.grasp_code import to_unit
from omni_graspd.prediction.shape_grid import DEEP, SIDE
from omni_graspd.prediction.train_config import TrainConfig
from omni_graspd.progress import Progress, no_progress
from omni_graspd.seeding import random_generator
from omni_graspd.usd.transforms import compose, invert, matrix_to_pose, pose_to_matrix


@dataclass(frozen=True, eq=False)
class SceneRows:
    """Usable grasps of objects at rest, one row each, in a world whose table top is z = 0. Joints are from -1 to 1."""

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
    seen: np.ndarray
    """What cameras know of the voxels around objects, shape [view_count, 2, SIDE, SIDE, SIDE], float16."""
    shapes: np.ndarray
    """Signed distances to the whole objects there, in voxels, shape [view_count, SIDE, SIDE, SIDE], float16."""
    places: np.ndarray
    """Origin and edge of the voxels in the crop frames [m], shape [view_count, 4], float32."""
    T_crop_world: np.ndarray
    """The world in each crop frame, shape [view_count, 4, 4], float32."""
    first: np.ndarray
    """First row of the grasps of each view's rest pose, int64, shape [view_count]."""
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
        views = self.points, self.seen, self.shapes, self.T_crop_world, self.first, self.count
        for array in (*views, *self.rows.columns().values()):
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
    paths: Sequence[Path], hand_name: str = "", *, config: TrainConfig, seed: int, progress: Progress = no_progress
) -> tuple[Hand, dict[str, TrainingSet]]:
    """Read the usable grasps of datasets, and look at their objects in each rest pose from many sides.

    Args:
        paths: Dataset folders; images are not needed.
        hand_name: Whose grasps; needed if a dataset has several hands.
        config: How many views there are, and what they are like.
        seed: Draws cameras, errors of the sensor, and pixels.
        progress: Called with rest poses done and in total.

    Returns:
        The hand, and the sets ``train`` and ``validation``, by the splits of the objects; test objects are in none.

    Raises:
        GraspdError: If a dataset cannot be read, has another hand or no grasps with ways, or there is nothing to learn.
    """
    datasets = [open_dataset(path) for path in paths]
    hand = _common_hand(datasets, hand_name)
    found = {split: list(_objects(datasets, hand, split)) for split in _SPLITS}
    total, done = sum(len(objects) for objects in found.values()), 0
    sets = {}
    for split, objects in found.items():
        parts = _Parts(hand, config, seed)
        for dataset, name in objects:
            parts.add(dataset, name)
            done += 1
            progress(done, total)
        sets[split] = parts.joined()
    if not len(sets["train"]):
        raise GraspdError(
            f"expected usable grasps by {hand.name} in {', '.join(map(str, paths))}, got none; make some with "
            "`graspd generate`"
        )
    return hand, sets


_SPLITS = ("train", "validation")


def _objects(datasets: Sequence[Dataset], hand: Hand, split: str) -> Iterator[tuple[Dataset, str]]:
    """Yield the objects of a split that have grasps."""
    for dataset in datasets:
        for name in dataset.splits()[split]:
            if DatasetLayout(dataset.root).grasps(hand.name, name).is_file():
                yield dataset, name


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
    """Gathers the rest poses of objects: grasps once, views as many as are wanted."""

    def __init__(self, hand: Hand, config: TrainConfig, seed: int) -> None:
        self._hand, self._config, self._seed = hand, config, seed
        self._rows: list[SceneRows] = []
        self._crops: list[Crop] = []
        self._shapes: list[np.ndarray] = []
        self._worlds: list[np.ndarray] = []
        self._ranges: list[tuple[int, int]] = []
        self._objects: dict[str, None] = {}

    def add(self, dataset: Dataset, name: str) -> None:
        """Add an object in all rest poses in which it has usable grasps."""
        layout = DatasetLayout(dataset.root)
        table, obj = read_grasps(layout.grasps(self._hand.name, name)), load_object(str(layout.object(name)))
        if table.grasps.way is None or table.grasps.postures is None or table.rest_poses is None:
            raise GraspdError(
                f"expected grasps made on a table, with their ways, in {dataset.root}, got grasps of floating objects; "
                "make them with --around table"
            )
        for rest_pose in np.unique(table.rest_poses):
            own = table.take(np.flatnonzero((table.rest_poses == rest_pose) & table.grasps.usable))
            if not len(own.indices):
                continue
            assert own.grasps.way is not None
            resting = RestingObject.on(obj, own.grasps.way.table_plane[0])
            rows = _rest_rows(own, resting, self._hand)
            first = sum(len(part) for part in self._rows)
            self._rows.append(rows)
            for view in range(self._config.cast):
                self._look(resting, (first, len(rows)), (dataset.root.name, name, int(rest_pose), view))
            self._objects[name] = None

    def _look(self, resting: RestingObject, rows: tuple[int, int], key: tuple[str | int, ...]) -> None:
        random = random_generator(self._seed, "cast", *key)
        image = cast_view(resting, random, self._config.depth_noise)
        try:
            crop = crop_object(image, random, self._config.points)
        except GraspdError:
            return  # it is too small in the picture
        assert image.T_world_camera is not None
        T_crop_world = compose(invert(crop.T_camera_crop), invert(matrix_to_pose(image.T_world_camera)))
        world = pose_to_matrix(T_crop_world)
        voxels = (crop.place.points.reshape(-1, 3) - world[:3, 3]) @ world[:3, :3]
        distances, _ = resting.distance.query(voxels, DEEP * crop.place.spacing)
        shape = np.clip(distances / crop.place.spacing, -DEEP, DEEP).astype(np.float16)
        self._crops.append(crop)
        self._shapes.append(shape.reshape(SIDE, SIDE, SIDE))
        self._worlds.append(world)
        self._ranges.append(rows)

    def joined(self) -> TrainingSet:
        """Return all that was added."""
        empty = _empty_rows(self._hand.actuated_count)
        columns = {name: [values] for name, values in empty.columns().items()}
        for part in self._rows:
            for name, values in part.columns().items():
                columns[name].append(values)
        joined = {name: np.concatenate(parts).astype(np.float32) for name, parts in columns.items()}
        crops, voxels = self._crops, (SIDE, SIDE, SIDE)
        ranges = np.array(self._ranges, dtype=np.int64).reshape(-1, 2)
        places = [np.append(crop.place.origin, crop.place.spacing) for crop in crops]

        def array(parts: Sequence[np.ndarray], shape: tuple[int, ...], dtype: type = np.float32) -> np.ndarray:
            return np.array(parts, dtype=dtype).reshape(len(parts), *shape)

        return TrainingSet(
            points=array([crop.points for crop in crops], (self._config.points, 3)),
            cameras=array([crop.camera for crop in crops], (3,)),
            seen=array([crop.seen.astype(np.float16) for crop in crops], (2, *voxels), np.float16),
            shapes=array(self._shapes, voxels, np.float16),
            places=array(places, (4,)),
            T_crop_world=array(self._worlds, (4, 4)),
            first=ranges[:, 0],
            count=ranges[:, 1],
            rows=SceneRows(**joined),
            objects=tuple(self._objects),
        )


def _rest_rows(table: GraspTable, resting: RestingObject, hand: Hand) -> SceneRows:
    """Return usable grasps in the world in which their object rests."""
    batch = table.grasps
    assert batch.way is not None and batch.postures is not None
    palms, hover, pregrasp = (
        compose(resting.T_world_object[None], poses)
        for poses in (batch.T_object_palm, batch.way.T_object_hover_palm, batch.postures.T_object_pregrasp_palm)
    )
    rotations = pose_to_matrix(palms)[:, :3, :3]

    def in_palm(vectors: np.ndarray) -> np.ndarray:
        return np.einsum("gij,gi->gj", rotations, vectors)

    return SceneRows(
        positions=palms[:, :3],
        rotations=rotations,
        joints=to_unit(hand, batch.joint_positions[:, hand.actuated]),
        opened=to_unit(hand, batch.postures.pregrasp_joint_positions[:, hand.actuated]),
        squeezed=to_unit(hand, batch.postures.squeeze_joint_positions[:, hand.actuated]),
        hover=in_palm(hover[:, :3] - palms[:, :3]),
        pregrasp=in_palm(pregrasp[:, :3] - hover[:, :3]),
    )


def _empty_rows(actuated_count: int) -> SceneRows:
    vectors, joints = np.zeros((0, 3)), np.zeros((0, actuated_count))
    return SceneRows(vectors, np.zeros((0, 3, 3)), joints, joints, joints, vectors, vectors)
