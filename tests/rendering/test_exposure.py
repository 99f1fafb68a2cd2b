# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from omni_graspd.rendering.exposure import Exposure, auto_exposure, develop


def test_srgb_curve_at_known_values():
    linear = np.array([[[0.0, 0.0021, 0.2140]], [[0.5, 0.3, 0.1]]])
    np.testing.assert_array_equal(develop(linear, Exposure())[..., :3], [[[0, 7, 127]], [[188, 149, 89]]])
    assert (develop(linear, Exposure())[..., 3] == 255).all()


def test_highlights_are_compressed_and_keep_their_hue():
    ramp = np.linspace(0.0, 3.0, 400)[None, :, None] * np.array([1.0, 0.5, 0.25])
    picture = develop(ramp, Exposure(white=2.5))[0, :, :3].astype(float)
    assert (np.diff(picture, axis=0) >= 0).all()
    half = develop(np.full((1, 1, 3), 0.5), Exposure())[0, 0, 0]
    assert picture[-1, 0] == 255 and abs(picture[-1, 1] - half) <= 1
    # White is just below 255, and the bend has no corner.
    at_white = np.argmin(np.abs(ramp[0, :, 0] - 2.5))
    assert 250 <= picture[at_white, 0] < 255
    steps = np.diff(develop(np.linspace(0.55, 0.65, 60)[None, :, None] * np.ones(3), Exposure())[0, :, 0].astype(int))
    assert steps.min() >= 0 and steps.max() <= 1


@pytest.mark.parametrize("brightness", [1e-4, 1.0, 3e4])
def test_pictures_of_any_brightness_are_well_exposed(brightness):
    rng = np.random.default_rng(0)
    image = brightness * rng.lognormal(0.0, 1.0, (200, 200, 1)) * np.array([1.0, 0.8, 0.6])
    picture = develop(image, auto_exposure([image]))[..., :3]
    assert (picture == 255).any(axis=-1).mean() < 0.01
    assert 60 < picture.mean() < 160


def test_exposure_spares_the_brighter_of_two_eyes():
    left = np.full((50, 50, 3), 0.2)
    right = left.copy()
    right[:5] = 40.0
    exposure = auto_exposure([left, right])
    assert (develop(right, exposure)[..., :3] == 255).mean() < 0.01


def test_black_pictures_stay_black():
    black = np.zeros((4, 4, 3))
    assert develop(black, auto_exposure([black]))[..., :3].max() == 0


@pytest.mark.parametrize("lamp", [1e1, 1e3, 1e5])
@pytest.mark.parametrize("share", [0.002, 0.02, 0.2, 0.6])
@pytest.mark.parametrize("dark", [0.01, 0.3])
def test_lamps_in_the_picture_neither_burn_nor_darken_it(lamp: float, share: float, dark: float):
    rng = np.random.default_rng(0)
    image = dark * rng.lognormal(0.0, 0.7, (200, 200, 1)) * np.array([1.0, 0.8, 0.6])
    lit = rng.random((200, 200)) < share
    image[lit] = lamp * rng.lognormal(0.0, 0.5, (int(lit.sum()), 1))
    picture = develop(image, auto_exposure([image]))[..., :3]
    assert (picture == 255).any(axis=-1).mean() < 0.01
    assert 60 < picture.mean() < 230
    # What is not the lamp still shows, unless it is the lesser part of the picture.
    assert share > 0.5 or np.median(picture[~lit].max(axis=-1)) > 40


def test_a_light_object_on_a_dark_table_keeps_its_colours():
    image = np.full((100, 100, 3), 0.01) * np.random.default_rng(0).lognormal(0.0, 0.3, (100, 100, 1))
    image[30:70, 30:70] = [0.5, 0.05, 0.05]
    exposure = auto_exposure([image])
    red = develop(image, exposure)[50, 50]
    assert red[0] < 255 and red[1] < 0.65 * red[0]
    assert develop(image, exposure)[..., :3].mean() > 60
