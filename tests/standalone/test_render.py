# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The labels are held to embree rays whose origins and directions come from Gf.Frustum, and to closed forms."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
import trimesh
from pxr import Gf, Usd, UsdGeom

from omni_graspd.rendering.annotators import ANNOTATORS, DEFAULT_ANNOTATORS
from omni_graspd.rendering.boxes import box_3d_corners, mask_box
from omni_graspd.rendering.cameras import CameraConfig, author_cameras
from omni_graspd.rendering.frame import CameraRig, Frame, RenderConfig
from omni_graspd.rendering.pinhole_camera import read_pinhole_camera
from omni_graspd.standalone.render import render
from omni_graspd.usd.materials import Appearance, author_material, bind_material
from omni_graspd.usd.meshes import TriangleMesh, author_mesh
from omni_graspd.usd.semantics import apply_label
from omni_graspd.usd.stage import create_stage
from omni_graspd.usd.transforms import IDENTITY, author_pose, local_to_world

WIDTH, HEIGHT = 160, 120
FAST = RenderConfig(samples_per_pixel=1, denoise=False, max_depth=2)
POSES = {
    "table": [0, 0, -0.02, 0, 0, 0, 1],
    "torus": [0.1, 0.02, 0.02, 0, 0, 0, 1],
    "can": [0, 0, 0.06, 0, 0, 0, 1],
    "block": [-0.09, 0.08, 0.05, 0, 0, 0.3826834, 0.9238795],
}
SHAPES = {
    "table": trimesh.creation.box([0.5, 0.4, 0.04]),
    "torus": trimesh.creation.torus(0.06, 0.02, 24, 32),
    "can": trimesh.creation.cylinder(0.04, 0.12, sections=32),
    "block": trimesh.creation.box([0.06, 0.08, 0.1]),
}


def _render(stage: Usd.Stage, rigs: list[CameraRig], config: RenderConfig = FAST) -> list[Frame]:
    async def collect() -> list[Frame]:
        return [frame async for frame in render(stage, rigs, config)]

    return asyncio.run(collect())


def _add_mesh(stage: Usd.Stage, name: str, shape: trimesh.Trimesh, pose, label: str | None) -> Usd.Prim:
    prim = UsdGeom.Xform.Define(stage, f"/World/{name}").GetPrim()
    author_pose(prim, np.array(pose, dtype=float))
    author_mesh(stage, f"/World/{name}/mesh", TriangleMesh(np.array(shape.vertices), np.array(shape.faces)))
    if label:
        apply_label(prim, label)
    return prim


def _add_camera(stage: Usd.Stage, pose=IDENTITY, width: int = WIDTH, height: int = HEIGHT) -> CameraRig:
    """Add a camera that looks along -Z of the pose, with a focal length of one image width."""
    camera = UsdGeom.Camera.Define(stage, "/World/Camera")
    author_pose(camera.GetPrim(), np.array(pose, dtype=float))
    camera.CreateFocalLengthAttr(20.0)
    camera.CreateHorizontalApertureAttr(20.0)
    camera.CreateClippingRangeAttr(Gf.Vec2f(0.01, 100.0))
    return CameraRig("view", ("/World/Camera",), width, height)


@pytest.fixture(scope="module")
def scene() -> tuple[Usd.Stage, list[CameraRig], list[Frame]]:
    """A table that has no label and three labelled things on it, two of them of one class; two stereo pairs."""
    stage = create_stage("World")
    labels = {"table": None, "torus": "ring", "can": "can", "block": "can"}
    for name, shape in SHAPES.items():
        _add_mesh(stage, name, shape, POSES[name], labels[name])
    config = CameraConfig(views=2, width=WIDTH, height=HEIGHT)
    rigs = author_cameras(stage, np.array([0, 0, 0.04]), config, 5, "test")
    return stage, rigs, _render(stage, rigs)


def _embree(stage: Usd.Stage, camera_path: str) -> tuple[np.ndarray, np.ndarray]:
    """Return hit points [height, width, 3] in float64 (nan on a miss) and name indices [height, width] (-1)."""
    world, owner = [], []
    for index, (name, shape) in enumerate(SHAPES.items()):
        T_world_prim = local_to_world(stage.GetPrimAtPath(f"/World/{name}"))
        vertices = np.array(shape.vertices, dtype=np.float32).astype(float)
        world.append(trimesh.Trimesh(trimesh.transform_points(vertices, T_world_prim), shape.faces, process=False))
        owner += [index] * len(shape.faces)
    mesh = trimesh.util.concatenate(world)
    frustum = UsdGeom.Camera.Get(stage, camera_path).GetCamera().frustum
    v, u = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5
    ndc = np.stack([u / WIDTH * 2 - 1, 1 - v / HEIGHT * 2], axis=-1).reshape(-1, 2)
    rays = [frustum.ComputePickRay(Gf.Vec2d(*point)) for point in ndc.tolist()]
    origin = np.array(frustum.GetPosition())
    direction = np.array([ray.direction for ray in rays])
    triangle = mesh.ray.intersects_first(np.tile(origin, (len(direction), 1)), direction)
    corner, normal = mesh.triangles[triangle][:, 0], mesh.face_normals[triangle]
    reach = np.sum((corner - origin) * normal, axis=-1) / np.sum(direction * normal, axis=-1)
    points = origin + reach[:, None] * direction
    hit = triangle >= 0
    points[~hit] = np.nan
    return points.reshape(HEIGHT, WIDTH, 3), np.where(hit, np.array(owner)[triangle], -1).reshape(HEIGHT, WIDTH)


def test_every_channel_keeps_the_contract(scene):
    _, rigs, frames = scene
    assert [frame.camera_path for frame in frames] == [path for rig in rigs for path in rig.camera_paths]
    for frame in frames:
        assert list(frame.channels) == list(DEFAULT_ANNOTATORS)
        for name, channel in frame.channels.items():
            ANNOTATORS[name].check(channel, WIDTH, HEIGHT)
        assert (frame.channels["rgb"].data[..., 3] == 255).all()


@pytest.mark.slow
def test_distances_and_ids_agree_with_embree(scene):
    stage, _, frames = scene
    for frame in frames:
        points, owner = _embree(stage, frame.camera_path)
        ids = frame.channels["instance_segmentation"].data
        np.testing.assert_array_equal(ids, np.array([0, 1, 2, 3, 4])[owner + 1])
        hit = owner >= 0
        assert 0.1 < hit.mean() < 1.0
        camera = read_pinhole_camera(stage, frame.camera_path, WIDTH, HEIGHT)
        local = camera.to_camera(points)
        planar = frame.channels["distance_to_image_plane"].data
        ray = frame.channels["distance_to_camera"].data
        assert np.abs(planar + local[..., 2])[hit].max() < 1e-4
        assert np.abs(ray - np.linalg.norm(local, axis=-1))[hit].max() < 1e-4
        assert np.isposinf(planar[~hit]).all() and np.isposinf(ray[~hit]).all()


def test_labels_name_prims_and_classes(scene):
    _, _, frames = scene
    for frame in frames:
        instance, semantic = (frame.channels[f"{kind}_segmentation"] for kind in ("instance", "semantic"))
        assert instance.info["idToLabels"] == {
            "0": "BACKGROUND",
            "1": "UNLABELLED",
            "2": "/World/torus",
            "3": "/World/can",
            "4": "/World/block",
        }
        assert {key: value["class"] for key, value in semantic.info["idToLabels"].items()} == {
            "0": "BACKGROUND",
            "1": "UNLABELLED",
            "2": "ring",
            "3": "can",
        }
        np.testing.assert_array_equal(semantic.data, np.array([0, 1, 2, 3, 3])[instance.data])


def test_left_distances_reproject_into_the_right_image(scene):
    stage, _, frames = scene
    for left, right in (frames[:2], frames[2:]):
        cameras = [read_pinhole_camera(stage, frame.camera_path, WIDTH, HEIGHT) for frame in (left, right)]
        depth = left.channels["distance_to_image_plane"].data.astype(float)
        rows, columns = np.nonzero(np.isfinite(depth))
        center = np.stack([columns, rows], axis=-1) + 0.5 - cameras[0].principal_point
        z = depth[rows, columns]
        local = (
            np.concatenate([center / cameras[0].focal_pixels * [1, -1], -np.ones((len(z), 1))], axis=-1) * z[:, None]
        )
        world = local @ cameras[0].T_world_camera[:3, :3].T + cameras[0].T_world_camera[:3, 3]
        image, expected = cameras[1].project(world)
        disparity = columns + 0.5 - image[:, 0]
        np.testing.assert_allclose(disparity, cameras[1].focal_pixels * 0.06 / z, atol=1e-3)
        pixel = np.floor(image).astype(int)
        inside = ((pixel >= 0) & (pixel < [WIDTH, HEIGHT])).all(axis=-1)
        seen = right.channels["distance_to_image_plane"].data[pixel[inside, 1], pixel[inside, 0]]
        # What is hidden from the right eye, or moved by half a pixel on a slope, differs.
        assert (np.abs(seen - expected[inside]) < 0.004).mean() > 0.93


def test_tight_boxes_are_the_extents_of_the_masks(scene):
    _, _, frames = scene
    for frame in frames:
        ids = frame.channels["instance_segmentation"].data
        boxes = frame.channels["bounding_box_2d_tight"]
        assert len(boxes.data) == len(np.unique(ids[ids > 1]))
        for row, path, box_id in zip(boxes.data, boxes.info["primPaths"], boxes.info["bboxIds"], strict=True):
            rows, columns = np.nonzero(ids == box_id)
            extents = (columns.min(), rows.min(), columns.max(), rows.max())
            assert tuple(row[["x_min", "y_min", "x_max", "y_max"]]) == extents
            assert frame.channels["instance_segmentation"].info["idToLabels"][str(box_id)] == path


def test_loose_boxes_bound_the_projected_vertices(scene):
    stage, _, frames = scene
    for frame in frames:
        camera = read_pinhole_camera(stage, frame.camera_path, WIDTH, HEIGHT)
        boxes = frame.channels["bounding_box_2d_loose"]
        assert boxes.info["primPaths"] == ["/World/torus", "/World/can", "/World/block"]
        for row, path in zip(boxes.data, boxes.info["primPaths"], strict=True):
            T_world_prim = local_to_world(stage.GetPrimAtPath(path))
            image, _ = camera.project(trimesh.transform_points(SHAPES[path[7:]].vertices, T_world_prim))
            low = np.maximum(np.ceil(image.min(axis=0) - 0.5), 0)
            high = np.minimum(np.floor(image.max(axis=0) - 0.5), [WIDTH - 1, HEIGHT - 1])
            assert list(row[["x_min", "y_min", "x_max", "y_max"]]) == [*low, *high]


def test_3d_boxes_enclose_the_masks_through_camera_params(scene):
    _, _, frames = scene
    for frame in frames:
        params = frame.channels["camera_params"].info
        view = np.reshape(params["cameraViewTransform"], (4, 4))
        projection = np.reshape(params["cameraProjection"], (4, 4))
        boxes = frame.channels["bounding_box_3d"]
        for row, path, box_id in zip(boxes.data, boxes.info["primPaths"], boxes.info["bboxIds"], strict=True):
            np.testing.assert_allclose(
                [row["x_min"], row["y_min"], row["z_min"]], SHAPES[path[7:]].bounds[0], atol=1e-6
            )
            np.testing.assert_allclose(
                [row["x_max"], row["y_max"], row["z_max"]], SHAPES[path[7:]].bounds[1], atol=1e-6
            )
            clip = np.concatenate([box_3d_corners(row), np.ones((8, 1))], axis=-1) @ view @ projection
            image = (clip[:, :2] / clip[:, 3:] * [1, -1] + 1) / 2 * [WIDTH, HEIGHT]
            box = mask_box(frame.channels["instance_segmentation"].data == box_id)
            if box is not None:
                assert (image.min(axis=0) <= np.array(box[:2]) + 0.5).all()
                assert (image.max(axis=0) >= np.array(box[2:]) + 0.5).all()


@pytest.mark.slow
def test_same_seed_gives_the_same_bits_and_another_seed_other_noise(scene):
    stage, rigs, _ = scene
    config = RenderConfig(samples_per_pixel=4, max_depth=3, seed=7)
    one, two = (_render(stage, rigs[:1], config) for _ in range(2))
    for a, b in zip(one, two, strict=True):
        for name in DEFAULT_ANNOTATORS:
            np.testing.assert_array_equal(a.channels[name].data, b.channels[name].data, err_msg=name)
    other = _render(stage, rigs[:1], RenderConfig(samples_per_pixel=4, max_depth=3, seed=8))
    assert (one[0].channels["rgb"].data != other[0].channels["rgb"].data).any()
    for name in ("distance_to_camera", "instance_segmentation"):
        np.testing.assert_array_equal(one[0].channels[name].data, other[0].channels[name].data)


def test_scalar_variant_gives_the_same_labels(scene):
    stage, rigs, frames = scene
    config = RenderConfig(samples_per_pixel=1, denoise=False, max_depth=2, variant="scalar_rgb")
    scalar = _render(stage, rigs[:1], config)
    for a, b in zip(frames[:2], scalar, strict=True):
        for name in (
            "semantic_segmentation",
            "instance_segmentation",
            "bounding_box_2d_tight",
            "bounding_box_2d_loose",
        ):
            np.testing.assert_array_equal(a.channels[name].data, b.channels[name].data)
        for name in ("distance_to_camera", "distance_to_image_plane"):
            np.testing.assert_allclose(a.channels[name].data, b.channels[name].data, atol=1e-4)


def test_a_plane_at_one_metre_has_depth_one_metre():
    stage = create_stage("World")
    wall = UsdGeom.Plane.Define(stage, "/World/Wall").GetPrim()
    UsdGeom.Plane(wall).CreateWidthAttr(4.0)
    author_pose(wall, np.array([0, 0, -1.0, 0, 0, 0, 1]))
    (frame,) = _render(stage, [_add_camera(stage)])
    assert np.abs(frame.channels["distance_to_image_plane"].data - 1.0).max() < 1e-6
    v, u = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5
    expected = np.hypot(1.0, np.hypot(u - WIDTH / 2, v - HEIGHT / 2) / WIDTH)
    assert np.abs(frame.channels["distance_to_camera"].data - expected).max() < 1e-6
    np.testing.assert_allclose(
        frame.channels["normals"].data, np.broadcast_to([0, 0, 1, 1], (HEIGHT, WIDTH, 4)), atol=1e-6
    )
    assert (frame.channels["instance_segmentation"].data == 1).all()
    assert len(frame.channels["bounding_box_2d_tight"].data) == 0


@pytest.mark.slow
def test_few_rays_aimed_at_vertices_slip_between_triangles():
    stage = create_stage("World")
    # Vertices lie on the rays through the pixel centres, before a wall.
    u, v = np.meshgrid(np.arange(WIDTH + 2) - 0.5 - WIDTH / 2, np.arange(HEIGHT + 2) - 0.5 - HEIGHT / 2)
    depth = 1.0 + 0.01 * np.random.default_rng(0).random(u.shape)
    vertices = np.stack([u * depth / WIDTH, v * depth / WIDTH, -depth], axis=-1).reshape(-1, 3)
    first = (np.arange(HEIGHT + 1)[:, None] * (WIDTH + 2) + np.arange(WIDTH + 1)).ravel()
    quads = np.stack([first, first + 1, first + WIDTH + 3, first + WIDTH + 2], axis=-1)
    sheet = trimesh.Trimesh(vertices, np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]), process=False)
    _add_mesh(stage, "sheet", sheet, IDENTITY, "sheet")
    _add_mesh(stage, "wall", trimesh.creation.box([9.0, 9.0, 0.1]), [0, 0, -3.0, 0, 0, 0, 1], None)
    (frame,) = _render(stage, [_add_camera(stage)])
    # Every ray is aimed at where six triangles meet; without Embree's robust mode one in twelve slips through.
    assert (frame.channels["instance_segmentation"].data != 2).mean() < 0.005


def test_aperture_offsets_move_the_image():
    stage = create_stage("World")
    dot = UsdGeom.Sphere.Define(stage, "/World/Dot")
    dot.CreateRadiusAttr(0.02)
    author_pose(dot.GetPrim(), np.array([0.05, 0.03, -1.0, 0, 0, 0, 1]))
    apply_label(dot.GetPrim(), "dot")
    rig = _add_camera(stage)
    UsdGeom.Camera.Get(stage, "/World/Camera").CreateHorizontalApertureOffsetAttr(2.0)
    UsdGeom.Camera.Get(stage, "/World/Camera").CreateVerticalApertureOffsetAttr(-1.0)
    (frame,) = _render(stage, [rig])
    rows, columns = np.nonzero(frame.channels["instance_segmentation"].data == 2)
    # 160 px of 20 mm: 8 px a millimetre. Offset right moves the picture left, offset down moves it up.
    assert abs(columns.mean() + 0.5 - (80 + 0.05 * 160 - 16)) < 0.5
    assert abs(rows.mean() + 0.5 - (60 - 0.03 * 160 - 8)) < 0.5


@pytest.mark.slow
def test_boxes_of_a_cube_are_those_that_isaac_sim_expects():
    """A cube of 2 units at 10 units before USD's default camera, 1280x720: values of omni.syntheticdata's own test."""
    stage = create_stage("World")
    UsdGeom.Camera.Define(stage, "/World/Camera")
    cube = UsdGeom.Cube.Define(stage, "/World/Cube").GetPrim()
    author_pose(cube, np.array([0, 0, -10.0, 0, 0, 0, 1]))
    apply_label(cube, "cube")
    (frame,) = _render(stage, [CameraRig("view", ("/World/Camera",), 1280, 720)])
    for kind in ("tight", "loose"):
        (row,) = frame.channels[f"bounding_box_2d_{kind}"].data
        assert tuple(row[["x_min", "y_min", "x_max", "y_max"]]) == (301, 21, 978, 698)
        assert row["occlusionRatio"] == 0


def test_boxes_of_what_reaches_behind_the_camera_are_cut():
    stage = create_stage("World")
    floor = UsdGeom.Plane.Define(stage, "/World/Floor")
    floor.CreateAxisAttr("Y")
    floor.CreateWidthAttr(10.0)
    floor.CreateLengthAttr(10.0)
    author_pose(floor.GetPrim(), np.array([0, -0.5, 0, 0, 0, 0, 1.0]))
    apply_label(floor.GetPrim(), "floor")
    (frame,) = _render(stage, [_add_camera(stage)])
    (row,) = frame.channels["bounding_box_2d_loose"].data
    # The far edge is 0.5 below and 5 before the camera: 16 px under the middle of the image.
    assert tuple(row[["x_min", "y_min", "x_max", "y_max"]]) == (0, 76, WIDTH - 1, HEIGHT - 1)
    assert row == frame.channels["bounding_box_2d_tight"].data[0]


def _card(stage: Usd.Stage, name: str, half_width: float, x: float, z: float, label: str) -> None:
    corners = np.array([[-half_width, -0.1, 0], [half_width, -0.1, 0], [half_width, 0.1, 0], [-half_width, 0.1, 0]])
    shape = trimesh.Trimesh(corners, [[0, 1, 2], [0, 2, 3]], process=False)
    _add_mesh(stage, name, shape, [x, 0, z, 0, 0, 0, 1], label)


def test_occlusion_is_the_hidden_share_and_hidden_prims_have_no_tight_box():
    stage = create_stage("World")
    _card(stage, "half_hidden", 0.1, 0.0, -1.0, "a")
    _card(stage, "hidden", 0.02, 0.05, -1.1, "b")
    _card(stage, "front", 0.1, 0.1, -0.5, "c")
    _card(stage, "behind_the_camera", 0.1, 0.0, 1.0, "d")
    (frame,) = _render(stage, [_add_camera(stage)])
    loose, tight = (frame.channels[f"bounding_box_2d_{kind}"] for kind in ("loose", "tight"))
    assert loose.info["primPaths"] == ["/World/half_hidden", "/World/hidden", "/World/front"]
    assert tight.info["primPaths"] == ["/World/half_hidden", "/World/front"]
    # Off the centre, the front card covers 0 to 64 px, the half-hidden one -16 to 16 px.
    np.testing.assert_array_equal(loose.data["occlusionRatio"], np.float32([0.5, 1.0, 0.0]))
    np.testing.assert_array_equal(tight.data["occlusionRatio"], np.float32([0.5, 0.0]))
    assert list(tight.data[0][["x_min", "x_max"]]) == [64, 79]
    assert list(loose.data[0][["x_min", "x_max"]]) == [64, 95]


def test_instances_of_one_prototype_have_ids_of_their_own():
    stage = create_stage("World")
    stage.CreateClassPrim("/Prototype")
    prototype = UsdGeom.Cube.Define(stage, "/Prototype/cube")
    prototype.CreateSizeAttr(0.1)
    for index, x in enumerate((-0.2, 0.2)):
        prim = UsdGeom.Xform.Define(stage, f"/World/copy_{index}").GetPrim()
        prim.GetReferences().AddInternalReference("/Prototype")
        prim.SetInstanceable(True)
        author_pose(prim, np.array([x, 0, -1.0, 0, 0, 0, 1]))
        apply_label(prim, "cube")
    (frame,) = _render(stage, [_add_camera(stage)])
    ids = frame.channels["instance_segmentation"].data
    assert set(np.unique(ids)) == {0, 2, 3}
    assert ids[60, 80 - 32] == 2 and ids[60, 80 + 32] == 3


def test_3d_boxes_carry_the_scale_of_the_prim():
    stage = create_stage("World")
    cube = UsdGeom.Cube.Define(stage, "/World/Box")
    cube.AddTranslateOp().Set(Gf.Vec3d(0.0, 0.0, -1.0))
    cube.AddScaleOp().Set(Gf.Vec3f(0.1, 0.2, 0.3))
    apply_label(cube.GetPrim(), "box")
    (frame,) = _render(stage, [_add_camera(stage)])
    (row,) = frame.channels["bounding_box_3d"].data
    assert (row["x_min"], row["z_max"]) == (-1.0, 1.0)
    corners = box_3d_corners(row)
    np.testing.assert_allclose(corners.min(axis=0), [-0.1, -0.2, -1.3], atol=1e-6)
    np.testing.assert_allclose(corners.max(axis=0), [0.1, 0.2, -0.7], atol=1e-6)


def test_an_empty_stage_is_all_background():
    stage = create_stage("World")
    (frame,) = _render(stage, [_add_camera(stage)])
    assert np.isposinf(frame.channels["distance_to_camera"].data).all()
    assert (frame.channels["instance_segmentation"].data == 0).all()


def test_colours_of_subsets_reach_the_picture():
    stage = create_stage("World")
    shape = trimesh.Trimesh(
        [[-1, -1, 0], [0, -1, 0], [1, -1, 0], [-1, 1, 0], [0, 1, 0], [1, 1, 0]],
        [[0, 1, 4], [0, 4, 3], [1, 2, 5], [1, 5, 4]],
        process=False,
    )
    _add_mesh(stage, "wall", shape, [0, 0, -1.0, 0, 0, 0, 1], None)
    mesh = UsdGeom.Mesh.Get(stage, "/World/wall/mesh")
    for name, color, faces in (("red", (0.8, 0.0, 0.0), [0, 1]), ("green", (0.0, 0.8, 0.0), [2, 3])):
        material = author_material(stage, f"/World/{name}", Appearance(color))
        subset = UsdGeom.Subset.CreateGeomSubset(mesh, name, UsdGeom.Tokens.face, faces, "materialBind")
        bind_material(subset.GetPrim(), material)
    (frame,) = _render(stage, [_add_camera(stage)])
    left, right = frame.channels["rgb"].data[60, 40], frame.channels["rgb"].data[60, 120]
    assert left[0] > 2 * left[1] and right[1] > 2 * right[0]
