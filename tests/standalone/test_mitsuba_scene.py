# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Light and colour: where textures, domes and shadows land."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from PIL import Image
from pxr import Gf, Sdf, Usd, UsdGeom, UsdLux

from omni_graspd.errors import GraspdError
from omni_graspd.rendering.frame import CameraRig, RenderConfig
from omni_graspd.standalone.render import render
from omni_graspd.usd.materials import Appearance, author_material, bind_material
from omni_graspd.usd.meshes import TriangleMesh, author_mesh
from omni_graspd.usd.stage import create_stage
from omni_graspd.usd.transforms import author_pose

SIZE = 64


def _picture(stage: Usd.Stage, samples: int = 4) -> np.ndarray:
    """Render a square picture and return it as float [SIZE, SIZE, 3]."""

    async def first() -> np.ndarray:
        config = RenderConfig(samples_per_pixel=samples, denoise=False, max_depth=2)
        async for frame in render(stage, [CameraRig("view", ("/World/Camera",), SIZE, SIZE)], config):
            return frame.channels["rgb"].data[..., :3].astype(float)
        raise AssertionError

    return asyncio.run(first())


def _stage_with_camera(pose=(0, 0, 1, 0, 0, 0, 1)) -> Usd.Stage:
    stage = create_stage("World")
    camera = UsdGeom.Camera.Define(stage, "/World/Camera")
    camera.CreateFocalLengthAttr(20.0)
    camera.CreateHorizontalApertureAttr(20.0)
    camera.CreateClippingRangeAttr(Gf.Vec2f(0.01, 1000.0))
    author_pose(camera.GetPrim(), np.array(pose, dtype=float))
    return stage


def _square(stage: Usd.Stage, half: float, appearance: Appearance) -> None:
    vertices = np.array([[-half, -half, 0], [half, -half, 0], [half, half, 0], [-half, half, 0]])
    uvs = np.array([[[0, 0], [1, 0], [1, 1]], [[0, 0], [1, 1], [0, 1]]], dtype=float)
    mesh = author_mesh(stage, "/World/square", TriangleMesh(vertices, np.array([[0, 1, 2], [0, 2, 3]]), uvs))
    bind_material(mesh.GetPrim(), author_material(stage, "/World/Look", appearance))


def _quadrants(path, upper_left, upper_right, lower_left, lower_right) -> str:
    pixels = np.zeros((16, 16, 3), dtype=np.uint8)
    pixels[:8, :8], pixels[:8, 8:], pixels[8:, :8], pixels[8:, 8:] = upper_left, upper_right, lower_left, lower_right
    Image.fromarray(pixels).save(path)
    return str(path)


RED, GREEN, BLUE, WHITE = (220, 20, 20), (20, 220, 20), (20, 20, 220), (220, 220, 220)


def test_a_texture_stands_upright(tmp_path):
    stage = _stage_with_camera()
    _square(stage, 0.5, Appearance(texture=_quadrants(tmp_path / "t.png", RED, GREEN, BLUE, WHITE), roughness=1.0))
    picture = _picture(stage)
    assert picture[16, 16].argmax() == 0 and picture[16, 48].argmax() == 1 and picture[48, 16].argmax() == 2
    assert np.ptp(picture[48, 48]) < 30


def test_a_missing_texture_is_a_user_error(tmp_path):
    stage = _stage_with_camera()
    _square(stage, 0.5, Appearance(texture=str(tmp_path / "gone.png")))
    with pytest.raises(GraspdError, match=r"gone\.png"):
        _picture(stage)


def test_an_unreadable_texture_is_a_user_error(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    stage = _stage_with_camera()
    _square(stage, 0.5, Appearance(texture=str(tmp_path / "broken.png")))
    with pytest.raises(GraspdError, match=r"broken\.png"):
        _picture(stage)


@pytest.mark.parametrize(
    ("turn", "channel"), [(0, 1), (-90, 0), (90, 2)], ids=["minus_z_at_the_edges", "x_at_a_quarter", "minus_x_at_three"]
)
def test_a_dome_texture_lies_as_usdlux_says(tmp_path, turn, channel):
    # From left to right: -Z, +X, +Z in the middle, -X, -Z.
    columns = np.zeros((8, 64, 3), dtype=np.uint8)
    for start, color in ((0, GREEN), (8, RED), (24, WHITE), (40, BLUE), (56, GREEN)):
        columns[:, start:] = color
    Image.fromarray(columns).save(tmp_path / "dome.png")
    half = np.radians(turn) / 2
    stage = _stage_with_camera([0, 0, 0, 0, np.sin(half), 0, np.cos(half)])
    dome = UsdLux.DomeLight.Define(stage, "/World/Dome")
    dome.CreateTextureFileAttr(Sdf.AssetPath(str(tmp_path / "dome.png")))
    center = _picture(stage)[32, 32]
    assert center.argmax() == channel and center.max() > 3 * np.sort(center)[1]


def test_a_distant_light_casts_its_shadow_away_from_itself():
    stage = _stage_with_camera((0, 0, 3, 0, 0, 0, 1))
    _square(stage, 1.5, Appearance((0.7, 0.7, 0.7), roughness=1.0))
    pole = UsdGeom.Cube.Define(stage, "/World/Pole")
    pole.CreateSizeAttr(0.3)
    author_pose(pole.GetPrim(), np.array([0, 0, 0.15, 0, 0, 0, 1]))
    sun = UsdLux.DistantLight.Define(stage, "/World/Sun")
    sun.CreateIntensityAttr(3.0)
    # -Z turned toward +X and down: light comes from -X, the shadow falls to +X.
    author_pose(sun.GetPrim(), np.array([0, 0, 0, 0, -np.sin(np.pi / 8), 0, np.cos(np.pi / 8)]))
    picture = _picture(stage, 16)
    assert picture[32, 32 + 6].mean() < 10 < 60 < picture[32, 32 - 6].mean()


def test_a_rectangle_light_shines_along_minus_z():
    stage = _stage_with_camera((0, 0, 3, 0, 0, 0, 1))
    _square(stage, 1.5, Appearance((0.7, 0.7, 0.7), roughness=1.0))
    lamp = UsdLux.RectLight.Define(stage, "/World/Lamp")
    author_pose(lamp.GetPrim(), np.array([0.8, 0, 0.5, 0, 0, 0, 1]))
    lamp.CreateWidthAttr(0.2)
    lamp.CreateHeightAttr(0.2)
    # The radiance that is shown; highlights are bent, so that it was more.
    lit, aside = (((_picture(stage, 16)[32, x] / 255.0 + 0.055) / 1.055) ** 2.4 for x in (44, 20))
    assert lit.mean() > 8 * aside.mean() > 0
    author_pose(lamp.GetPrim(), np.array([0.8, 0, 0.5, 1, 0, 0, 0]))
    assert _picture(stage, 16)[32, 44].mean() == 0


def test_twice_the_area_under_normalize_is_as_bright():
    pictures = []
    for radius in (0.1, 0.2):
        stage = _stage_with_camera((0, 0, 3, 0, 0, 0, 1))
        _square(stage, 1.0, Appearance((0.5, 0.5, 0.5), roughness=1.0))
        fill = UsdLux.DomeLight.Define(stage, "/World/Fill")
        fill.CreateIntensityAttr(1.0)
        bulb = UsdLux.SphereLight.Define(stage, "/World/Bulb")
        author_pose(bulb.GetPrim(), np.array([0, 0, 8.0, 0, 0, 0, 1]))
        bulb.CreateRadiusAttr(radius)
        bulb.CreateNormalizeAttr(True)
        bulb.CreateIntensityAttr(100.0)
        pictures.append(_picture(stage, 64)[32, 32])
    np.testing.assert_allclose(pictures[0], pictures[1], atol=3)
