# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Domes and suns: closed forms, and what Mitsuba's own reader and our converter make of the files."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
from pxr import Gf, Usd, UsdGeom

from omni_graspd.errors import GraspdError
from omni_graspd.rendering.frame import CameraRig, RenderConfig
from omni_graspd.scenes.scene_lights import LightConfig, author_lights
from omni_graspd.scenes.textures.dome_texture import SURROUNDINGS, dome_pixels, write_dome_texture
from omni_graspd.seeding import random_generator
from omni_graspd.standalone.mitsuba_variant import load_mitsuba
from omni_graspd.standalone.render import render
from omni_graspd.usd.stage import create_stage
from omni_graspd.usd.transforms import author_pose, local_to_world, matrix_to_pose


def _stage(folder: Path, name: str, seed: int = 0, reach: float = 0.1) -> Usd.Stage:
    path = folder / "scenes" / "box" / "scene.usda"
    stage = create_stage("World", path)
    config = LightConfig(surroundings=(name,))
    author_lights(stage, path, folder / "scenes" / "textures", config, random_generator(seed, "test"), reach)
    return stage


@pytest.mark.parametrize("name", sorted(SURROUNDINGS))
def test_surroundings_light_a_table_like_an_even_dome(name: str):
    pixels = dome_pixels(name).astype(np.float64)
    latitude = np.pi * (0.5 - (np.arange(128) + 0.5) / 128)
    weight = np.cos(latitude) * np.clip(np.sin(latitude), 0.0, None) * (np.pi / 128) * (2.0 * np.pi / 256)
    irradiance = (pixels.mean(axis=-1) * weight[:, None]).sum()
    assert irradiance == pytest.approx(np.pi, rel=1e-3)
    assert pixels.min() > 0.02
    # The two ends of the image are one and the same meridian.
    seam = np.abs(pixels[:, 0] - pixels[:, -1]).max()
    assert seam <= 2.0 * np.abs(np.diff(pixels, axis=1)).max()


@pytest.mark.parametrize("name", ["studio", "evening"])
def test_files_are_read_by_mitsuba_to_one_part_in_a_hundred(tmp_path: Path, name: str):
    mi = load_mitsuba("scalar_rgb")
    path = write_dome_texture(name, tmp_path)
    assert path.stat().st_size < 150_000
    read = np.array(mi.Bitmap(str(path)), dtype=np.float64)[..., :3]
    pixels = dome_pixels(name)
    assert read.shape == pixels.shape
    # 8 bits of the largest channel, rounded at random.
    assert (np.abs(read - pixels) / pixels.max(axis=-1, keepdims=True)).max() < 0.012
    assert np.abs((read - pixels).mean()) < 1e-3 * pixels.mean()


def test_the_sun_stands_where_the_sky_glows(tmp_path: Path):
    for seed in range(2):
        stage = _stage(tmp_path, "evening", seed)
        toward_sun = local_to_world(stage.GetPrimAtPath("/World/Lights/Key"))[:3, 2]
        assert np.degrees(np.arcsin(toward_sun[2])) == pytest.approx(SURROUNDINGS["evening"].sun_elevation)
        stage.RemovePrim("/World/Lights/Key")
        picture = _look_along(stage, toward_sun).mean(axis=-1)
        rows, columns = np.nonzero(picture >= np.quantile(picture, 0.98))
        # One pixel is a degree.
        assert abs(rows.mean() - 31.5) < 3.0
        assert abs(columns.mean() - 31.5) < 3.0


def test_the_sky_is_above_and_the_ground_below(tmp_path: Path):
    stage = _stage(tmp_path, "overcast")
    stage.RemovePrim("/World/Lights/Key")
    rows = _look_along(stage, np.array([1.0, 0.5, 0.0])).mean(axis=(1, 2))
    assert rows[:20].mean() > 1.1 * rows[44:].mean()


def _look_along(stage: Usd.Stage, direction: np.ndarray) -> np.ndarray:
    """Return what a camera in the dome sees, sRGB values [64, 64, 3]."""
    back = -direction / np.linalg.norm(direction)
    side = np.cross([0.0, 0.0, 1.0], back)
    side /= np.linalg.norm(side)
    matrix = np.eye(4)
    matrix[:3, :3] = np.column_stack([side, np.cross(back, side), back])
    camera = UsdGeom.Camera.Define(stage, "/World/Camera")
    author_pose(camera.GetPrim(), matrix_to_pose(matrix))
    camera.CreateHorizontalApertureAttr(20.0)
    camera.CreateFocalLengthAttr(10.0 / np.tan(np.radians(32.0)))
    camera.CreateClippingRangeAttr(Gf.Vec2f(0.01, 100.0))
    # The world's only surface hides far below.
    cube = UsdGeom.Cube.Define(stage, "/World/Cube")
    cube.CreateSizeAttr(0.001)
    author_pose(cube.GetPrim(), np.array([0.0, 0.0, -50.0, 0.0, 0.0, 0.0, 1.0]))

    async def picture() -> np.ndarray:
        config = RenderConfig(annotators=("rgb",), samples_per_pixel=4, denoise=False)
        rig = CameraRig("view", ("/World/Camera",), 64, 64)
        (frame,) = [frame async for frame in render(stage, [rig], config)]
        return frame.channels["rgb"].data[..., :3].astype(np.float64)

    return asyncio.run(picture())


def test_sun_and_sky_are_of_the_strengths_asked_for(tmp_path: Path):
    config = LightConfig()
    for seed in range(5):
        stage = _stage(tmp_path, "noon", seed)
        dome, sun = (stage.GetPrimAtPath(f"/World/Lights/{name}") for name in ("Dome", "Key"))
        radiance = dome.GetAttribute("inputs:intensity").Get()
        assert config.dome_intensity[0] <= radiance <= config.dome_intensity[1]
        ratio = sun.GetAttribute("inputs:intensity").Get() / (np.pi * radiance)
        assert config.sun_ratio[0] <= ratio <= config.sun_ratio[1]


def test_lamps_stand_clear_of_cameras_that_see_a_large_object(tmp_path: Path):
    near, far = (
        local_to_world(_stage(tmp_path, "studio", 0, reach).GetPrimAtPath("/World/Lights/Key")) for reach in (0.1, 0.6)
    )
    assert np.linalg.norm(near[:3, 3]) < 1.8
    assert np.linalg.norm(far[:3, 3]) == pytest.approx(4.0 * np.linalg.norm(near[:3, 3]))


def test_even_surroundings_have_no_texture(tmp_path: Path):
    stage = _stage(tmp_path, "even")
    assert stage.GetPrimAtPath("/World/Lights/Dome").GetAttribute("inputs:texture:file").Get() is None
    assert not (tmp_path / "scenes" / "textures").exists()


def test_unknown_surroundings_are_refused():
    with pytest.raises(
        GraspdError, match=r"among indoors, outdoors, studio, loft, noon, evening, overcast, even, got moon"
    ):
        LightConfig(surroundings=("moon",))
