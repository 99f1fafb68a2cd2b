# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The same cameras and cubes as in outputs that NVIDIA recorded in Isaac Sim: our numbers are theirs.

The recordings lie in isaac-sim/IsaacSim v6.0.1 (commit 045ca8b) below source/; here are numbers out of them, by hand:

- PoseWriter: extensions/isaacsim.replicator.writers/python/tests/data/golden/_out_test_pose_writer_pinhole
- points: deprecated/isaacsim.sensors.camera/isaacsim/sensors/camera/tests/data/golden/camera_pointcloud
- boxes: extensions/isaacsim.ros2.nodes/python/tests/data/golden/bbox
- depth: extensions/isaacsim.replicator.behavior/.../golden/_out_behaviors_sdg
- labels: extensions/isaacsim.replicator.examples/python/tests/data/golden/_out_deformable_drop

What is on each stage is in the tests beside them. Pictures there are pointers to Git LFS, and not compared.
"""

from __future__ import annotations

import asyncio
import json

import numpy as np
import pytest
from pxr import Gf, Usd, UsdGeom

from omni_graspd.rendering.annotators import ANNOTATORS
from omni_graspd.rendering.boxes import box_3d_corners
from omni_graspd.rendering.camera_file import read_camera_file
from omni_graspd.rendering.channel_files import label_colors
from omni_graspd.rendering.depth_points import depth_points
from omni_graspd.rendering.frame import CameraRig, Frame, RenderConfig
from omni_graspd.rendering.pinhole_camera import PinholeCamera, read_pinhole_camera
from omni_graspd.standalone.render import render
from omni_graspd.usd.semantics import apply_label
from omni_graspd.usd.stage import create_stage

_POSE_CUBES = {
    "cube": ((0, 0, 0), (0, 0, 0), (1, 1, 1)),
    "cube_rotated": ((-1, -1, 0), (0, 0, 45), (1, 1, 1)),
    "cube_scaled": ((1, 1, 0), (75, 65, 0), (1.5, 0.5, 1)),
}
"""Position, rotation about X, Y, Z [degree] and size of the PoseWriter test's cubes."""
_POSE_CAMERAS = {"rp1": (0.0, 0.0, 10.0), "rp2": (-4.0, -4.0, 8.0)}
"""Where its cameras stand; they look at the origin."""
_VIEWS = {
    "rp1": [[0.0, -1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, -10.0, 1.0]],
    "rp2": [
        [0.70711, 0.57735, -0.40825, 0.0],
        [-0.70711, 0.57735, -0.40825, 0.0],
        [0.0, 0.57735, 0.8165, 0.0],
        [0.0, 0.0, -9.79796, 1.0],
    ],
}
"""camera_view_matrix."""
_SCALED = [
    [0.6339274048805237, 0.0, -1.3594616651535034, 0.0],
    [0.43771305680274963, 0.129409521818161, 0.20410895347595215, 0.0],
    [0.23456971347332, -0.9659258127212524, 0.10938165336847305, 0.0],
    [1.0, 1.0, 0.0, 1.0],
]
"""local_to_world_transform of cube_scaled."""
_PROJECTED = {
    "cube": [[256, 308], [256, 275], [215, 273], [212, 238], [297, 273], [300, 238], [256, 240], [256, 204]],
    "cube_rotated": [[288, 375], [291, 346], [224, 375], [221, 346], [286, 319], [289, 286], [226, 319], [223, 286]],
    "cube_scaled": [[212, 179], [262, 198], [225, 154], [275, 172], [240, 210], [285, 227], [251, 187], [296, 204]],
}
"""cuboid_keypoints_projected of rp2 without the middle: x outermost, z innermost."""
_VISIBILITY = {"cube": 0.906, "cube_rotated": 1.0, "cube_scaled": 0.927}
"""Of rp2; one minus Replicator's occlusion ratio."""
_POINTS = [
    *([0.57525, 2.14688, 0.0], [1.09913, 1.2395, 0.0], [1.623, 0.33212, 0.0], [2.14688, -0.57525, 0.0]),
    *([-0.33212, 1.623, 0.0], [0.19175, 0.71563, 0.0], [0.71563, -0.19175, 0.0], [1.19612, -1.06066, 0.35]),
    *([-1.2395, 1.09913, 0.0], [-0.71563, 0.19175, 0.0], [-0.19175, -0.71563, 0.0], [0.33212, -1.623, 0.0]),
    *([-2.14688, 0.57525, 0.0], [-1.623, -0.33212, 0.0], [-1.07165, -1.20851, 0.25], [-0.57525, -2.14688, 0.0]),
]
"""pointcloud_data_world_from_depth_res_4_4, row by row."""
_BOX_CUBES = {"Cube0": ((0, -4, 0.5), (1.55, 0.4, 1.0)), "Cube1": ((1.45, -1.9, 0.52), (0.55, 0.55, 0.55))}
"""Position and size of the cubes of golden_bbox_two_cubes_occlusion_1280x720."""
_PERSPECTIVE_FOCAL_LENGTH = 18.14756
"""Of Kit's own camera, /OmniverseKit_Persp [mm]."""


def _cube(stage: Usd.Stage, name: str, position, size, *, label: bool = True) -> UsdGeom.Cube:
    cube = UsdGeom.Cube.Define(stage, f"/World/{name}")
    cube.CreateSizeAttr(1.0)
    cube.AddTranslateOp().Set(Gf.Vec3d(*position))
    if label:
        apply_label(cube.GetPrim(), name)
    return cube


def _scale(cube: UsdGeom.Cube, size) -> None:
    cube.AddScaleOp().Set(Gf.Vec3f(*size))


def _camera(stage: Usd.Stage, name: str, to_world: Gf.Matrix4d, focal_length: float = 24.0) -> str:
    camera = UsdGeom.Camera.Define(stage, f"/World/{name}")
    camera.CreateFocalLengthAttr(focal_length)
    camera.CreateClippingRangeAttr(Gf.Vec2f(0.01, 1e6))
    camera.AddTransformOp().Set(to_world)
    return str(camera.GetPath())


def _looking(eye, target, up=(0, 0, 1)) -> Gf.Matrix4d:
    return Gf.Matrix4d().SetLookAt(Gf.Vec3d(*eye), Gf.Vec3d(*target), Gf.Vec3d(*up)).GetInverse()


def _seen(stage: Usd.Stage, path: str, size: tuple[int, int], *annotators: str) -> tuple[Frame, PinholeCamera]:
    async def collect() -> list[Frame]:
        rig = CameraRig("view_0000", (path,), *size)
        return [frame async for frame in render(stage, [rig], RenderConfig(annotators=annotators))]

    (frame,) = asyncio.run(collect())
    return frame, read_pinhole_camera(stage, path, *size)


@pytest.fixture(scope="module")
def pose_stage() -> Usd.Stage:
    stage = create_stage("World")
    for name, (position, rotation, size) in _POSE_CUBES.items():
        cube = _cube(stage, name, position, size)
        cube.AddRotateXYZOp().Set(Gf.Vec3f(*rotation))
        _scale(cube, size)
    for name, eye in _POSE_CAMERAS.items():
        # Straight down there is no up; the recorded camera's is -X there.
        _camera(stage, name, _looking(eye, (0, 0, 0), (0, 0, 1) if eye[0] else (-1, 0, 0)))
    return stage


@pytest.mark.parametrize("name", list(_POSE_CAMERAS))
def test_matrices_and_intrinsics_of_a_camera(pose_stage, name):
    camera = read_pinhole_camera(pose_stage, f"/World/{name}", 512, 512)
    params = camera.camera_params()
    np.testing.assert_allclose(np.reshape(params["cameraViewTransform"], (4, 4)), _VIEWS[name], atol=1e-5)
    projection = np.reshape(params["cameraProjection"], (4, 4))
    np.testing.assert_allclose(projection[:2], [[2.29062, 0.0, 0.0, 0.0], [0.0, 2.29062, 0.0, 0.0]], atol=1e-5)
    assert camera.focal_pixels == pytest.approx(586.3994294792998, rel=1e-6)
    assert camera.principal_point.tolist() == [256.0, 256.0]
    assert params["cameraAperture"] == pytest.approx([20.954999923706055, 15.290800094604492], rel=1e-6)
    assert params["cameraFocalLength"] == 24.0 and params["metersPerSceneUnit"] == 1.0


def test_intrinsics_are_read_from_a_file_of_replicator(pose_stage, tmp_path):
    """Its vertical aperture is the one on the prim, which does not fit the image."""
    params = read_pinhole_camera(pose_stage, "/World/rp1", 512, 512).camera_params()
    path = tmp_path / "camera_params_0000.json"
    path.write_text(json.dumps(params | {"cameraAperture": [20.954999923706055, 15.290800094604492]}))
    expected = [[586.3994294792998, 0.0, 256.0], [0.0, 586.3994294792998, 256.0], [0.0, 0.0, 1.0]]
    np.testing.assert_allclose(read_camera_file(path).intrinsics, expected, rtol=1e-6)


def test_a_shifted_aperture_is_read_as_it_is_projected(pose_stage, tmp_path):
    """Held to Gf: a point straight ahead is where the file says."""
    path = _camera(pose_stage, "shifted", _looking((0, -5, 0), (0, 0, 0)))
    camera = UsdGeom.Camera(pose_stage.GetPrimAtPath(path))
    camera.CreateHorizontalApertureOffsetAttr(2.0)
    camera.CreateVerticalApertureAttr(20.955 * 480 / 640)
    camera.CreateVerticalApertureOffsetAttr(-1.0)
    file = tmp_path / "camera_params_0000.json"
    file.write_text(json.dumps(read_pinhole_camera(pose_stage, path, 640, 480).camera_params()))
    frustum = camera.GetCamera(Usd.TimeCode.Default()).frustum
    clip = frustum.ComputeProjectionMatrix().Transform(frustum.ComputeViewMatrix().Transform(Gf.Vec3d(0, 0, 0)))
    expected = [(clip[0] + 1) / 2 * 640, (1 - clip[1]) / 2 * 480]
    np.testing.assert_allclose(read_camera_file(file).intrinsics[:2, 2], expected, atol=1e-3)


@pytest.mark.parametrize("label", list(_POSE_CUBES))
def test_boxes_in_space_and_their_corners_in_the_image(pose_stage, label):
    frame, camera = _seen(pose_stage, "/World/rp2", (512, 512), "bounding_box_3d", "instance_segmentation")
    channel = frame.channels["bounding_box_3d"]
    row = channel.data[channel.info["primPaths"].index(f"/World/{label}")]
    size = [row[f"{axis}_max"] - row[f"{axis}_min"] for axis in "xyz"]
    lengths = np.linalg.norm(row["transform"][:3, :3], axis=1)
    np.testing.assert_allclose(size * lengths, _POSE_CUBES[label][2], rtol=1e-5)
    if label == "cube_scaled":
        np.testing.assert_allclose(row["transform"], _SCALED, atol=1e-5)
    # Their corners have z innermost, ours x.
    corners = box_3d_corners(row).reshape(2, 2, 2, 3).transpose(2, 1, 0, 3).reshape(8, 3)
    image, _ = camera.project(corners)
    assert np.abs(image - _PROJECTED[label]).max() <= 0.5 + 1e-3
    assert 1.0 - row["occlusionRatio"] == pytest.approx(_VISIBILITY[label], abs=0.005)


def test_points_of_depth():
    """Ground, two cubes, a plate, and a camera of 50 mm that looks down, turned by 30 degrees."""
    stage = create_stage("World")
    ground = _cube(stage, "ground", (0, 0, -5), (10, 10, 10), label=False)
    _scale(ground, (10, 10, 10))
    plate = _cube(stage, "cube_1", (0.1, 0.15, 0.25), (1.2, 0.8, 0.1))
    plate.AddRotateZYXOp().Set(Gf.Vec3f(15, -10, 0))  # first about Y, then about X
    _scale(plate, (1.2, 0.8, 0.1))
    _scale(_cube(stage, "cube_2", (1, -1, 0), (0.5, 0.6, 0.7)), (0.5, 0.6, 0.7))
    _cube(stage, "cube_3", (-1, -1, -0.25), (1, 1, 1))
    half = np.sqrt(3) / 2
    to_world = Gf.Matrix4d(0.5, -half, 0, 0, half, 0.5, 0, 0, 0, 0, 1, 0, 0, 0, 10, 1)
    frame, camera = _seen(stage, _camera(stage, "camera", to_world, 50.0), (4, 4), "distance_to_image_plane")
    depth = frame.channels["distance_to_image_plane"].data
    focal, (x, y) = camera.focal_pixels, camera.principal_point
    intrinsics = np.array([[focal, 0.0, x], [0.0, focal, y], [0.0, 0.0, 1.0]])
    forward = camera.T_world_camera @ np.diag([1.0, -1.0, -1.0, 1.0])
    points = depth_points({"distance_to_image_plane": depth}, intrinsics, forward)
    np.testing.assert_allclose(points, _POINTS, atol=2e-5)


def test_boxes_in_the_image_tight_and_loose():
    """One cube hides most of the other; corners are the centres of pixels, both ends inside."""
    stage = create_stage("World")
    for name, (position, size) in _BOX_CUBES.items():
        _scale(_cube(stage, name, position, size), size)
    path = _camera(stage, "Perspective", _looking((0, -6, 0.5), (0, 0, 0.5)), _PERSPECTIVE_FOCAL_LENGTH)
    names = ("bounding_box_2d_tight", "bounding_box_2d_loose")
    frame, _ = _seen(stage, path, (1280, 720), *names)
    boxes = {
        name: {
            frame.channels[name].info["primPaths"][k]: [int(row[key]) for key in ("x_min", "y_min", "x_max", "y_max")]
            for k, row in enumerate(frame.channels[name].data)
        }
        for name in names
    }
    front = [163, 52, 1116, 667]
    assert boxes["bounding_box_2d_loose"] == {"/World/Cube0": front, "/World/Cube1": [938, 275, 1139, 433]}
    assert boxes["bounding_box_2d_tight"] == {"/World/Cube0": front, "/World/Cube1": [1117, 275, 1139, 433]}


def test_depth_is_kept_as_theirs():
    """512 x 512, float32; all their pixels hit something."""
    depth = ANNOTATORS["distance_to_image_plane"]
    assert (depth.dtype, len(depth.shape)) == (np.dtype(np.float32), 2)


def test_labels_of_coloured_segmentation_are_written_as_theirs():
    """Keys are colours as text; background is transparent black, what has no label opaque black."""
    colors = label_colors([0, 1, 2])
    assert [str(colors[number]) for number in (0, 1)] == ["(0, 0, 0, 0)", "(0, 0, 0, 255)"]
    assert colors[2][3] == 255
