# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from pxr import Gf, Usd, UsdGeom, UsdValidation

from omni_graspd.errors import GraspdError
from omni_graspd.rendering.cameras import CameraConfig, author_cameras, read_camera_rigs
from omni_graspd.rendering.pinhole_camera import read_pinhole_camera
from omni_graspd.usd.stage import create_stage, open_stage, save_stage

TARGET = np.array([0.1, -0.2, 0.05])


def _stage_with_cameras(config: CameraConfig, seed: int = 3, radius: float = 0.1) -> tuple[Usd.Stage, list]:
    stage = create_stage("World")
    return stage, author_cameras(stage, TARGET, config, seed, "mug", 0, target_radius=radius)


def _all_cameras(stage: Usd.Stage, rigs: list) -> list:
    return [read_pinhole_camera(stage, path, rig.width, rig.height) for rig in rigs for path in rig.camera_paths]


def test_every_eye_sees_the_whole_target_ball():
    for radius in (0.05, 0.3):
        stage, rigs = _stage_with_cameras(CameraConfig(views=40), radius=radius)
        directions = np.random.default_rng(0).normal(size=(500, 3))
        ball = TARGET + radius * directions / np.linalg.norm(directions, axis=-1, keepdims=True)
        for camera in _all_cameras(stage, rigs):
            image, depth = camera.project(ball)
            assert (depth > 0).all()
            assert (image >= 0).all() and (image <= [640, 480]).all(), camera.path


def test_distances_and_elevations_stay_in_range():
    config = CameraConfig(views=60, stereo=False, distance=(0.6, 0.7), elevation=(30.0, 40.0), max_target_offset=0.0)
    stage, rigs = _stage_with_cameras(config, radius=0.0)
    eyes = np.array([camera.T_world_camera[:3, 3] for camera in _all_cameras(stage, rigs)]) - TARGET
    distance = np.linalg.norm(eyes, axis=-1)
    elevation = np.degrees(np.arcsin(eyes[:, 2] / distance))
    assert 0.6 <= distance.min() < 0.62 and 0.68 < distance.max() <= 0.7
    assert 30.0 <= elevation.min() < 32.0 and 38.0 < elevation.max() <= 40.0


def test_target_fills_the_part_of_the_image_that_is_asked_for():
    for fill, radius in (((0.48, 0.72), 0.08), ((0.3, 0.4), 0.2)):
        config = CameraConfig(views=40, stereo=False, fill=fill, max_target_offset=0.0, max_roll=0.0)
        stage, rigs = _stage_with_cameras(config, radius=radius)
        directions = np.random.default_rng(0).normal(size=(4000, 3))
        ball = TARGET + radius * directions / np.linalg.norm(directions, axis=-1, keepdims=True)
        heights = [np.ptp(camera.project(ball)[0][:, 1]) / 480 for camera in _all_cameras(stage, rigs)]
        width = fill[1] - fill[0]
        assert fill[0] - 0.01 < min(heights) < fill[0] + 0.15 * width
        assert fill[1] - 0.15 * width < max(heights) < fill[1] + 0.001


def test_upright_images_are_filled_by_their_width():
    config = CameraConfig(views=10, stereo=False, width=300, height=600, fill=(0.5, 0.5), max_target_offset=0.0)
    stage, rigs = _stage_with_cameras(config, radius=0.1)
    directions = np.random.default_rng(0).normal(size=(4000, 3))
    ball = TARGET + 0.1 * directions / np.linalg.norm(directions, axis=-1, keepdims=True)
    for camera in _all_cameras(stage, rigs):
        assert np.ptp(camera.project(ball)[0][:, 0]) / 300 == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("fill", [(0.0, 0.5), (0.6, 0.5), (0.5, 1.2)])
def test_fills_out_of_range_are_refused(fill):
    with pytest.raises(GraspdError, match=r"camera\.fill"):
        CameraConfig(fill=fill)


def test_eyes_differ_by_the_baseline_along_their_own_x_only():
    stage, rigs = _stage_with_cameras(CameraConfig(views=3, baseline=0.08))
    for rig in rigs:
        left, right = (stage.GetPrimAtPath(path) for path in rig.camera_paths)
        assert [UsdGeom.Camera(eye).GetStereoRoleAttr().Get() for eye in (left, right)] == ["left", "right"]
        cameras = [read_pinhole_camera(stage, path, rig.width, rig.height) for path in rig.camera_paths]
        T_left_right = np.linalg.inv(cameras[0].T_world_camera) @ cameras[1].T_world_camera
        expected = np.eye(4)
        expected[0, 3] = 0.08
        np.testing.assert_allclose(T_left_right, expected, atol=1e-12)
        assert cameras[0].focal_pixels == cameras[1].focal_pixels


def test_a_view_depends_on_seed_and_index_only():
    few, _ = _stage_with_cameras(CameraConfig(views=1))
    many, _ = _stage_with_cameras(CameraConfig(views=5))
    other, _ = _stage_with_cameras(CameraConfig(views=1), seed=4)
    poses = [
        np.array(UsdGeom.XformCache().GetLocalToWorldTransform(stage.GetPrimAtPath("/World/Cameras/view_0000")))
        for stage in (few, many, other)
    ]
    np.testing.assert_array_equal(poses[0], poses[1])
    assert np.abs(poses[0] - poses[2]).max() > 0.01


@pytest.mark.parametrize("stereo", [True, False])
def test_rigs_are_read_back_from_the_file(tmp_path, stereo):
    path = tmp_path / "scene.usda"
    stage = create_stage("World", path)
    rigs = author_cameras(stage, TARGET, CameraConfig(views=2, stereo=stereo, width=320, height=200), 0, "mug")
    save_stage(stage, path)
    reopened = open_stage(path)
    assert read_camera_rigs(reopened) == rigs
    assert [len(rig.camera_paths) for rig in rigs] == [2 if stereo else 1] * 2
    registry = UsdValidation.ValidationRegistry()
    errors = UsdValidation.ValidationContext(registry.GetOrLoadAllValidators()).Validate(reopened)
    assert [error.GetErrorAsString() for error in errors] == []


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("rel camera = </", "string camera = </", "expected a readable USD file"),
        ("rel camera = <", "token camera (\n)\n rel other = <", "expected a readable USD file, got .*wrong.usda"),
        ("int2 resolution = (320, 200)", "int2 resolution = (0, 200)", r"two whole numbers .* got '\(0, 200\)'"),
        ("float focalLength = ", 'string focalLength = "x" #', "1 finite number in .*focalLength of .*wrong.usda"),
        ("float2 clippingRange = ", "float2 clippingRange = (nan, 1) #", "2 finite numbers in .*clippingRange"),
    ],
)
def test_cameras_that_are_none_are_refused_with_the_file(tmp_path, right, wrong, message):
    stage = create_stage("World")
    author_cameras(stage, TARGET, CameraConfig(views=1, stereo=False, width=320, height=200), 0, "mug")
    text = stage.GetRootLayer().ExportToString()
    assert right in text
    path = tmp_path / "wrong.usda"
    path.write_text(text.replace(right, wrong))
    with pytest.raises(GraspdError, match=message):
        stage = open_stage(path)
        _all_cameras(stage, read_camera_rigs(stage))


def test_a_stage_without_render_products_has_no_rigs():
    stage = create_stage("World")
    UsdGeom.Camera.Define(stage, "/World/Camera")
    assert read_camera_rigs(stage) == []


def test_projection_agrees_with_gf_camera():
    stage, rigs = _stage_with_cameras(CameraConfig(views=2))
    points = TARGET + np.random.default_rng(1).uniform(-0.1, 0.1, (20, 3))
    for rig in rigs:
        for path in rig.camera_paths:
            usd_camera = UsdGeom.Camera.Get(stage, path)
            usd_camera.CreateHorizontalApertureOffsetAttr(1.5)
            usd_camera.CreateVerticalApertureOffsetAttr(-0.7)
            camera = read_pinhole_camera(stage, path, rig.width, rig.height)
            frustum = usd_camera.GetCamera().frustum
            params = camera.camera_params()
            view = np.reshape(params["cameraViewTransform"], (4, 4))
            projection = np.reshape(params["cameraProjection"], (4, 4))
            np.testing.assert_allclose(view, np.array(frustum.ComputeViewMatrix()), atol=1e-9)
            np.testing.assert_allclose(projection, np.array(frustum.ComputeProjectionMatrix()), atol=1e-5)
            clip = np.concatenate([points, np.ones((20, 1))], axis=-1) @ view @ projection
            ndc = clip[:, :2] / clip[:, 3:]
            image, depth = camera.project(points)
            np.testing.assert_allclose(image, (ndc * [1, -1] + 1) / 2 * [640, 480], atol=1e-6)
            gf_depth = [-frustum.ComputeViewMatrix().Transform(Gf.Vec3d(*p))[2] for p in points.tolist()]
            np.testing.assert_allclose(depth, gf_depth, atol=1e-9)
