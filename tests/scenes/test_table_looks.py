# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Textures of tables: seamless, at the right scale, the same each time, and written so that a renderer reads them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from omni_graspd.errors import GraspdError
from omni_graspd.scenes.table_looks import (
    MATERIALS,
    PLAIN,
    draw_table_look,
    make_texture,
    require_table_looks,
    texture_extent,
    write_table_look,
)
from omni_graspd.scenes.textures.periodic_noise import fractal_noise, slopes, smooth_noise
from omni_graspd.seeding import random_generator

_TEXTURED = [look for material in MATERIALS.values() for look in material.looks]


def _grey(look: str, size: int) -> np.ndarray:
    return make_texture(look, size).color.astype(np.float64).mean(axis=-1)


@pytest.mark.parametrize("look", _TEXTURED)
def test_texture_goes_on_without_a_seam_where_it_repeats(look: str):
    grey = _grey(look, 256)
    for axis in (0, 1):
        steps = np.abs(np.diff(grey, axis=axis, append=grey[:1] if axis == 0 else grey[:, :1])).mean(axis=1 - axis)
        # Joints between boards are seams on purpose, and lie within the texture, too.
        assert steps[-1] <= 1.3 * steps[:-1].max()
        assert look in MATERIALS["wood"].looks or steps[-1] < 1.6 * np.median(steps)


@pytest.mark.parametrize("look", _TEXTURED)
def test_colours_are_those_of_real_surfaces(look: str):
    texture = make_texture(look, 256)
    assert np.array_equal(texture.color, make_texture(look, 256).color)
    assert 0.15 < texture.color.mean() < 0.92
    # Little is cut off, neither at black nor at white.
    assert ((texture.color <= 0.02) | (texture.color > 1.0)).mean() < 0.01
    if texture.roughness is not None:
        assert 0.1 < texture.roughness.min() <= texture.roughness.max() <= 1.0
    if texture.slopes is not None:
        # A steep table would catch light from where it cannot see it.
        assert max(np.abs(rise).mean() for rise in texture.slopes) < np.tan(np.radians(12))


def test_checks_of_gingham_are_as_wide_as_said():
    rows = _grey("gingham", 1024).mean(axis=0)
    spectrum = np.abs(np.fft.rfft(rows - rows.mean()))
    # Eight bands, four of each colour, over 18 cm: one check every 4.5 cm.
    assert np.argmax(spectrum) == 4
    assert texture_extent("gingham") / 4 == pytest.approx(0.045)


def test_yarns_of_linen_are_as_thick_as_said():
    grey = _grey("linen", 1024)
    power = np.abs(np.fft.rfft2(grey - grey.mean())) ** 2
    across = power[:3].sum(axis=0)
    # 192 yarns over 18 cm, 0.94 mm each; they wander, which spreads the peak.
    assert abs(np.argmax(across[60:]) + 60 - 192) < 12


def test_boards_of_wood_run_along_x():
    for look in MATERIALS["wood"].looks:
        grey = _grey(look, 256)
        along, across = np.abs(np.diff(grey, axis=1)).mean(), np.abs(np.diff(grey, axis=0)).mean()
        assert across > 2 * along > 0


def test_noise_has_the_width_it_is_asked_for():
    field = smooth_noise(random_generator(0, "test"), 256, 6.0, 3.0).astype(np.float64)
    assert field.mean() == pytest.approx(0.0, abs=1e-5)
    assert field.std() == pytest.approx(1.0, abs=1e-3)
    # White noise blurred with a standard deviation s has the correlation exp(-d^2 / 4 s^2).
    for axis, width in ((0, 6.0), (1, 3.0)):
        correlation = (field * np.roll(field, 6, axis=axis)).mean()
        assert correlation == pytest.approx(np.exp(-36.0 / (4.0 * width**2)), abs=0.08)


def test_fractal_noise_falls_with_frequency_as_asked():
    field = fractal_noise(random_generator(0, "test"), 512, 1.5)
    power = np.abs(np.fft.rfft2(field)) ** 2
    radius = np.hypot(np.fft.fftfreq(512)[:, None] * 512, np.arange(257)[None, :])
    low, high = (power[(radius > r) & (radius < 1.2 * r)].mean() for r in (10.0, 80.0))
    assert np.log(low / high) / np.log(8.0) == pytest.approx(3.0, abs=0.25)


def test_slopes_are_those_of_a_known_wave():
    phase = 2.0 * np.pi * np.arange(64) / 64
    height = 0.01 * np.sin(phase)[None, :] + 0.02 * np.cos(phase)[:, None]
    rise_x, rise_y = slopes(height, 0.5 / 64)
    np.testing.assert_allclose(
        rise_x, np.broadcast_to(0.01 * 4 * np.pi * np.cos(phase)[None, :], (64, 64)), rtol=2e-3, atol=1e-9
    )
    # Image rows go down, heights are seen from below to above.
    expected = 0.02 * 4 * np.pi * np.sin(phase)[:, None]
    np.testing.assert_allclose(rise_y, np.broadcast_to(expected, (64, 64)), rtol=2e-3, atol=1e-9)


@pytest.mark.slow
def test_files_hold_colours_roughness_and_normals(tmp_path: Path):
    appearance = write_table_look("slate", tmp_path)
    assert appearance.texture and appearance.roughness_texture and appearance.normal_texture
    names = (appearance.texture, appearance.roughness_texture, appearance.normal_texture)
    images = [Image.open(name) for name in names]
    assert [image.mode for image in images] == ["RGB", "L", "RGB"]
    assert {image.size for image in images} == {(1024, 1024)}
    normals = np.asarray(images[2], dtype=np.float64) / 255.0 * 2.0 - 1.0
    np.testing.assert_allclose(np.linalg.norm(normals, axis=-1), 1.0, atol=0.02)
    np.testing.assert_allclose(normals.mean(axis=(0, 1))[:2], 0.0, atol=0.01)
    assert normals[..., 2].min() > 0.5
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert write_table_look("slate", tmp_path) == appearance
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


def test_materials_come_up_evenly_whatever_their_number_of_looks():
    names = (*MATERIALS, "plain")
    random = random_generator(0, "draw")
    drawn = Counter(draw_table_look(names, random) for _ in range(4000))
    assert set(drawn) == {*_TEXTURED, *PLAIN}
    for material in MATERIALS.values():
        assert sum(drawn[look] for look in material.looks) == pytest.approx(800, abs=120)
    assert {draw_table_look(("oak",), random) for _ in range(10)} == {"oak"}


@pytest.mark.parametrize("names", [("chocolate",), ()])
def test_unknown_looks_are_refused_with_the_valid_ones(names: tuple[str, ...]):
    with pytest.raises(GraspdError, match=r"among wood, cloth, stone, metal, plain, oak, .*, got (chocolate|none)"):
        require_table_looks(names)
