# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A scene seen by a pinhole camera, numbers to learn from, and a dataset whose grasps all count as usable."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from small_dataset import small_config

from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.stages.pipeline import generate
from omni_graspd.dataset.tables import read_grasps, read_scene_grasps, write_grasps, write_scene_grasps
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.prediction.crop import Crop
from omni_graspd.prediction.depth_image import DepthImage
from omni_graspd.prediction.network_config import NetworkConfig
from omni_graspd.prediction.shape_grid import DEEP, GridPlace
from omni_graspd.prediction.train_config import TrainConfig
from omni_graspd.prediction.training_set import SceneRows, TrainingSet
from omni_graspd.rendering.cameras import CameraConfig
from omni_graspd.usd.transforms import IDENTITY

SMALL = TrainConfig(
    network=NetworkConfig(width=32, blocks=1, basis=64, near_basis=32, channels=2),
    steps=20,
    views=2,
    grasps=8,
    check_every=5,
    points=64,
    cast=3,
)
"""Settings of a network that is trained in a second."""


@pytest.fixture(scope="session")
def hand() -> Hand:
    """The Barrett hand: joints that are coupled, four that are actuated."""
    return load_hand("barrett")


@pytest.fixture(scope="session")
def config() -> TrainConfig:
    """Settings of a network that is trained in a second."""
    return SMALL


def block_image(azimuth: float = 0.3, elevation: float = 0.7, distance: float = 0.5) -> DepthImage:
    """Return an exact depth image of a block of 6 x 6 x 4 cm on the table z = 0, at x = 10 cm, by slabs."""
    intrinsics = np.array([[220.0, 0.0, 80.0], [0.0, 220.0, 60.0], [0.0, 0.0, 1.0]])
    target = np.array([0.1, 0.0, 0.02])
    back = np.array([np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)])
    right = np.cross([0.0, 0.0, 1.0], back)
    right /= np.linalg.norm(right)
    T_world_camera = np.eye(4)
    T_world_camera[:3, :3] = np.stack([right, -np.cross(back, right), -back], axis=1)
    T_world_camera[:3, 3] = target + distance * back
    rows, columns = np.indices((120, 160))
    rays = np.stack([columns + 0.5, rows + 0.5, np.ones((120, 160))], axis=-1) @ np.linalg.inv(intrinsics).T
    rays = rays @ T_world_camera[:3, :3].T
    eye = T_world_camera[:3, 3]
    table = -eye[2] / rays[..., 2]
    half = np.array([0.03, 0.03, 0.02])
    low, high = target - half, target + half
    with np.errstate(divide="ignore"):
        slabs = np.stack([(low - eye) / rays, (high - eye) / rays])
    enter, leave = slabs.min(axis=0).max(axis=-1), slabs.max(axis=0).min(axis=-1)
    hit = (enter < leave) & (enter > 0.0)
    return DepthImage(np.where(hit, enter, table), intrinsics, hit, T_world_camera)


@pytest.fixture(scope="session")
def image() -> DepthImage:
    """The block as a camera sees it."""
    return block_image()


@pytest.fixture(scope="session")
def sets(hand: Hand) -> dict[str, TrainingSet]:
    """Blobs with grasps that all come from one side; the held-out ones are of the same kind."""
    return {"train": _blobs(hand, 0, 6), "validation": _blobs(hand, 1, 3)}


def _blobs(hand: Hand, seed: int, count: int) -> TrainingSet:
    random, grasps = np.random.default_rng(seed), 12
    points = 0.03 * random.standard_normal((count, 64, 3)) + [0.0, 0.0, 0.05]
    place = GridPlace(np.array([-0.12, -0.12, 0.0]), 0.01)
    ball = (np.linalg.norm(place.points - [0.0, 0.0, 0.05], axis=-1) - 0.04) / place.spacing
    shapes = np.tile(np.clip(ball, -DEEP, DEEP), (count, 1, 1, 1))
    behind = np.where(place.points[..., 0] > 0.0, -DEEP, np.clip(ball, -DEEP, DEEP))
    seen = np.tile(np.stack([behind, ball < 0.0]), (count, 1, 1, 1, 1))
    cameras = np.tile([-0.8, 0.0, 0.6], (count, 1))
    rows = count * grasps
    joints = 0.2 + 0.05 * random.standard_normal((rows, hand.actuated_count))
    numbers = SceneRows(
        positions=np.array([0.0, 0.0, 0.15]) + 0.01 * random.standard_normal((rows, 3)),
        rotations=Rotation.from_rotvec([np.pi, 0.0, 0.0] + 0.1 * random.standard_normal((rows, 3))).as_matrix(),
        joints=joints,
        opened=joints - 0.4,
        squeezed=joints + 0.1,
        hover=np.tile([0.0, 0.0, -0.03], (rows, 1)),
        pregrasp=np.tile([0.0, 0.0, -0.05], (rows, 1)),
    )
    single = {name: values.astype(np.float32) for name, values in numbers.columns().items()}
    return TrainingSet(
        points=points.astype(np.float32),
        cameras=cameras.astype(np.float32),
        seen=seen.astype(np.float16),
        shapes=shapes.astype(np.float16),
        places=np.tile(np.append(place.origin, place.spacing), (count, 1)).astype(np.float32),
        T_crop_world=np.tile(np.eye(4, dtype=np.float32), (count, 1, 1)),
        first=np.arange(count) * grasps,
        count=np.full(count, grasps),
        rows=SceneRows(**single),
        objects=tuple(f"blob_{seed}_{number}" for number in range(count)),
    )


def crop_of(data: TrainingSet, view: int = 0) -> Crop:
    """Return a view of a set as what the predictor takes."""
    place = GridPlace(data.places[view, :3].astype(float), float(data.places[view, 3]))
    seen = data.seen[view].astype(np.float32)
    return Crop(data.points[view], data.cameras[view], IDENTITY, place, seen)


@pytest.fixture(scope="session")
def crop(sets: dict[str, TrainingSet]) -> Crop:
    """A held-out blob as the predictor sees it."""
    return crop_of(sets["validation"])


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four grasps of a block on a table, one scene, two views; what the optimiser says of them does not count."""
    config = small_config(
        tmp_path_factory.mktemp("predict"),
        grasps=4,
        camera=CameraConfig(views=2, width=64, height=48, stereo=False),
    )
    asyncio.run(generate(config))
    layout = DatasetLayout(config.out)
    table = read_grasps(layout.grasps("barrett", "block"))
    way = replace(table.grasps.way, usable=np.ones(4, dtype=bool))
    write_grasps(
        replace(table, grasps=replace(table.grasps, status=("ok",) * 4, way=way)), layout.grasps("barrett", "block")
    )
    path = layout.scene_grasps("block", 0)
    placed = read_scene_grasps(path)
    usable = replace(placed.grasps, usable=np.array([True, True, False, True]))
    write_scene_grasps(replace(placed, status=("ok",) * 4, grasps=usable), path)
    return config.out
