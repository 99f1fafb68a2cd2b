# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What a camera sees as points over the table, with the camera's pose and without."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from omni_graspd.errors import GraspdError
from omni_graspd.prediction.crop import crop_object
from omni_graspd.prediction.depth_image import DepthImage
from omni_graspd.prediction.predictor import GuessedShape
from omni_graspd.prediction.seen_object import guessed_object
from omni_graspd.prediction.shape_grid import DEEP, SIDE, GridPlace
from omni_graspd.prediction.table_search import find_table, placed_image
from omni_graspd.usd.transforms import IDENTITY, pose_to_matrix, transform_points


def _crop(image: DepthImage, seed: int = 0, count: int = 256):
    return crop_object(image, np.random.default_rng(seed), count)


def test_points_lie_on_the_block_over_the_table(image):
    crop = _crop(image)
    assert crop.points.shape == (256, 3) and crop.points.dtype == np.float32
    assert crop.points[:, 2].min() > -1e-6 and abs(crop.points[:, 2].max() - 0.04) < 1e-6
    assert np.ptp(crop.points[:, :2], axis=0).max() < 0.06 * 2**0.5 + 1e-6


def test_the_frame_looks_from_the_camera_and_stands_on_the_table(image):
    crop = _crop(image)
    T_world_crop = image.T_world_camera @ pose_to_matrix(crop.T_camera_crop)
    np.testing.assert_allclose(T_world_crop[:3, 2], [0, 0, 1], atol=1e-9)
    assert abs(T_world_crop[2, 3]) < 1e-9
    away = T_world_crop[:2, 3] - image.T_world_camera[:2, 3]
    np.testing.assert_allclose(T_world_crop[:2, 0], away / np.linalg.norm(away), atol=1e-9)
    np.testing.assert_allclose(crop.camera[1], 0.0, atol=1e-6)
    assert crop.camera[0] < 0.0 < crop.camera[2]


def test_points_are_those_before_the_camera(image):
    """In the camera's frame each point projects into the mask, at its depth."""
    crop = _crop(image, count=100)
    before = transform_points(crop.T_camera_crop, crop.points)
    pixels = (before @ image.intrinsics.T)[:, :2] / before[:, 2:]
    columns, rows = np.floor(pixels).astype(int).T
    assert image.mask[rows, columns].all()
    np.testing.assert_allclose(image.depth[rows, columns], before[:, 2], rtol=1e-5)


def test_a_scene_turned_about_the_vertical_gives_the_same_points(image):
    turn = np.eye(4)
    turn[:2, :2] = [[0.0, -1.0], [1.0, 0.0]]
    turn[:2, 3] = [0.4, -2.0]
    turned = replace(image, T_world_camera=turn @ image.T_world_camera)
    np.testing.assert_allclose(_crop(turned).points, _crop(image).points, atol=1e-6)


def test_the_table_is_found_where_the_pose_is_not_known(image):
    """The same points, nearly: where the block meets the table, its sides count as table."""
    alone = DepthImage(image.depth, image.intrinsics)
    found = find_table(alone)
    np.testing.assert_allclose(found[2], image.T_world_camera[2], atol=1e-4)
    placed = placed_image(alone)
    assert (placed.mask & ~image.mask).sum() == 0
    assert placed.mask.sum() > 0.7 * image.mask.sum()
    masked = replace(placed, mask=image.mask)
    np.testing.assert_allclose(_crop(masked).points, _crop(image).points, atol=1e-4)


def test_noise_hardly_moves_the_table(image):
    noisy = image.depth + 0.002 * np.random.default_rng(0).standard_normal(image.depth.shape)
    found = find_table(DepthImage(noisy, image.intrinsics))
    assert np.degrees(np.arccos(found[2, :3] @ image.T_world_camera[2, :3])) < 0.5
    assert abs(found[2, 3] - image.T_world_camera[2, 3]) < 0.002


def test_what_is_not_seen_is_told_in_a_line(image):
    with pytest.raises(GraspdError, match="no plane on which a quarter of the pixels lie"):
        find_table(DepthImage(np.random.default_rng(0).uniform(0.2, 2.0, (60, 80)), image.intrinsics))
    with pytest.raises(GraspdError, match="at least 32 pixels with a distance in the mask"):
        _crop(replace(image, mask=np.zeros(image.depth.shape, dtype=bool)))
    with pytest.raises(GraspdError, match="expected an object on the table in the image, got none"):
        table = replace(image, depth=np.where(image.mask, np.inf, image.depth), mask=None)
        placed_image(table)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"depth": np.zeros(7)}, "expected a depth image of shape"),
        ({"depth": np.zeros((4, 4), dtype=int)}, "in metres, got shape .4, 4. of int64"),
        ({"intrinsics": np.zeros((3, 3))}, "expected a camera matrix"),
        ({"mask": np.zeros((2, 2), dtype=bool)}, "expected a mask as large as the image"),
        ({"T_world_camera": 2.0 * np.eye(4)}, "rigid 4 x 4 matrix"),
        ({"T_world_camera": np.diag([1.0, 1.0, -1.0, 1.0])}, "rigid 4 x 4 matrix"),
    ],
)
def test_images_that_are_none_are_refused(image, change, message):
    with pytest.raises(GraspdError, match=message):
        replace(image, **change)


def test_voxels_hold_the_block_and_know_what_is_seen_through(image):
    crop = _crop(image)
    T_world_crop = image.T_world_camera @ pose_to_matrix(crop.T_camera_crop)
    world = crop.place.points @ T_world_crop[:3, :3].T + T_world_crop[:3, 3]
    outside = np.abs(world - [0.1, 0.0, 0.02]) - [0.03, 0.03, 0.02]
    inside = (outside < -3e-3).all(axis=-1)  # a pixel is 2.5 mm there
    assert inside.sum() > 500 and not inside[[0, -1]].any() and not inside[:, [0, -1]].any()
    ahead, on_object = crop.seen
    assert (ahead[inside] <= 0.0).all() and on_object[inside].all()
    above = world[..., 2] > 0.06
    assert (ahead[above] > 0.0).mean() > 0.9


def test_the_stand_in_is_the_guessed_shape():
    """A ball of 4 cm, cut by the table 1 cm below its middle."""
    place = GridPlace(np.array([-0.092, -0.092, 0.0]), 0.008)
    values = (np.linalg.norm(place.points - [0.0, 0.0, 0.01], axis=-1) - 0.04) / place.spacing
    obj = guessed_object(GuessedShape(np.clip(values, -DEEP, DEEP), place), IDENTITY)
    radii = np.linalg.norm(obj.mesh.vertices - [0.0, 0.0, 0.01], axis=-1)
    assert abs(radii.max() - 0.04) < 1e-3 and abs(obj.mesh.vertices[:, 2].min()) < 1e-6
    height = 0.04 + 0.01
    exact = 300.0 * np.pi * height**2 * (3.0 * 0.04 - height) / 3.0
    assert abs(obj.mass / exact - 1.0) < 0.03
    grown = guessed_object(GuessedShape(np.clip(values, -DEEP, DEEP), place), IDENTITY, grown=0.003)
    radii = np.linalg.norm(grown.mesh.vertices - [0.0, 0.0, 0.01], axis=-1)
    assert abs(radii.max() - 0.043) < 1e-3 and abs(grown.mesh.vertices[:, 2].min()) < 1e-6
    nothing = guessed_object(GuessedShape(np.full((SIDE, SIDE, SIDE), DEEP), place), IDENTITY)
    assert nothing.mass > 0.0
