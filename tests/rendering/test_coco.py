# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""coco.json and images.json of written views, read by COCO's own tools and by torchvision."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import numpy as np
import pytest
from pxr import UsdGeom

from omni_graspd.errors import GraspdError
from omni_graspd.rendering.annotators import LABEL_ANNOTATORS
from omni_graspd.rendering.coco import write_coco
from omni_graspd.rendering.frame import CameraRig, RenderConfig
from omni_graspd.rendering.image_index import image_records, write_image_index
from omni_graspd.rendering.pinhole_camera import read_pinhole_camera
from omni_graspd.rendering.view_folder import write_view
from omni_graspd.usd.stage import create_stage

ANNOTATORS = ("rgb", "distance_to_camera", "instance_segmentation", "bounding_box_2d_tight")
WIDTH, HEIGHT = 32, 24
PLACES = [("view_0000/left", 0), ("view_0000/right", 1), ("view_0001/left", 2), ("view_0001/right", 3), ("alone", 4)]


@pytest.fixture
def records(tmp_path, make_frame):
    """Two stereo views and a mono one, written below ``renders``."""
    stage = create_stage("World")
    for index, name in enumerate(("left", "right", "Camera")):
        UsdGeom.Camera.Define(stage, f"/World/{name}").AddTranslateOp().Set((0.1 * index, 0.0, 2.0))
    pair = ("/World/left", "/World/right")
    rigs = [CameraRig(f"view_000{view}", pair, WIDTH, HEIGHT) for view in range(2)]
    rigs.append(CameraRig("alone", ("/World/Camera",), WIDTH, HEIGHT))
    seed = 0
    for rig in rigs:
        eyes = [make_frame(seed + number, HEIGHT, WIDTH, path) for number, path in enumerate(rig.camera_paths)]
        write_view(eyes, tmp_path / "renders" / rig.name)
        seed += len(eyes)
    return image_records(stage, rigs, ANNOTATORS, "scenes/scene.usda", "renders"), stage


def _write(records, root: Path) -> dict:
    return json.loads(asyncio.run(write_coco(records[0], root)).read_text())


def test_images_annotations_and_categories_refer_to_each_other(records, tmp_path):
    content = _write(records, tmp_path)
    assert [image["file_name"] for image in content["images"]] == [
        f"renders/{place}/rgb_0000.png" for place, _ in PLACES
    ]
    assert [image["id"] for image in content["images"]] == [1, 2, 3, 4, 5]
    assert [image["eye"] for image in content["images"]] == ["left", "right", "left", "right", "mono"]
    assert {image["scene"] for image in content["images"]} == {"scenes/scene.usda"}
    names = {category["id"]: category["name"] for category in content["categories"]}
    assert names == {1: "banana", 2: "mug", 3: "never_seen"}
    assert [entry["id"] for entry in content["annotations"]] == list(range(1, len(content["annotations"]) + 1))
    classes = {"/World/Thing_2": "mug", "/World/Thing_3": "banana", "/World/Thing_4": "mug"}
    assert all(names[entry["category_id"]] == classes[entry["prim_path"]] for entry in content["annotations"])


def test_the_same_images_make_the_same_bytes(records, tmp_path):
    written = []
    for _ in range(2):
        paths = asyncio.run(write_coco(records[0], tmp_path)), write_image_index(records[0], tmp_path)
        written.append([path.read_bytes() for path in paths])
    assert written[0] == written[1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["coco.json", "images.json", "renders"]


def test_masks_and_boxes_read_by_pycocotools_equal_ours(records, tmp_path, make_frame):
    coco = pytest.importorskip("pycocotools.coco", reason="needs pycocotools (pip install '.[dev]')")
    mask = pytest.importorskip("pycocotools.mask")
    data = coco.COCO(str(asyncio.run(write_coco(records[0], tmp_path))))
    for image_id, (_, seed) in enumerate(PLACES, start=1):
        channels = make_frame(seed, HEIGHT, WIDTH).channels
        ids, tight = channels["instance_segmentation"].data, channels["bounding_box_2d_tight"]
        annotations = data.imgToAnns[image_id]
        assert [entry["prim_path"] for entry in annotations] == tight.info["primPaths"]
        for entry, row in zip(annotations, tight.data, strict=True):
            ours = ids == int(entry["prim_path"].rsplit("_", 1)[1])
            np.testing.assert_array_equal(data.annToMask(entry), ours)
            x, y, width, height = entry["bbox"]
            assert (x, y, x + width - 1, y + height - 1) == tuple(row.item()[1:5])
            assert entry["bbox"] == mask.toBbox(entry["segmentation"]).tolist()
            assert entry["area"] == mask.area(entry["segmentation"]) == ours.sum()


def test_torchvision_reads_the_folder_as_it_is(records, tmp_path, make_frame):
    pytest.importorskip("pycocotools", reason="needs pycocotools (pip install '.[dev]')")
    datasets = pytest.importorskip("torchvision.datasets", reason="needs torchvision (pip install torchvision)")
    path = asyncio.run(write_coco(records[0], tmp_path))
    dataset = datasets.CocoDetection(str(tmp_path), str(path))
    assert len(dataset) == 5
    for (picture, targets), (_, seed) in zip((dataset[index] for index in range(5)), PLACES, strict=True):
        channels = make_frame(seed, HEIGHT, WIDTH).channels
        np.testing.assert_array_equal(np.asarray(picture), channels["rgb"].data[..., :3])
        assert len(targets) == len(channels["bounding_box_2d_tight"].data)


def test_the_index_lists_files_that_are_there_and_cameras_that_project_alike(records, tmp_path):
    images = json.loads(write_image_index(records[0], tmp_path).read_text())["images"]
    assert len(images) == 5
    listed = {file for image in images for file in image["files"].values()}
    assert listed == {str(path.relative_to(tmp_path)) for path in (tmp_path / "renders").rglob("*") if path.is_file()}
    points = np.random.default_rng(0).uniform(-0.3, 0.3, (20, 3))
    for image in images:
        T_world_camera, intrinsics = (np.array(image["camera"][key]) for key in ("T_world_camera", "intrinsics"))
        local = (points - T_world_camera[:3, 3]) @ T_world_camera[:3, :3] * [1.0, -1.0, -1.0]
        projected = local @ intrinsics.T
        expected, _ = read_pinhole_camera(records[1], image["camera"]["path"], WIDTH, HEIGHT).project(points)
        np.testing.assert_allclose(projected[:, :2] / projected[:, 2:], expected, atol=1e-9)


def test_coco_without_its_channels_is_refused_in_one_line():
    with pytest.raises(GraspdError, match=r"has no rgb; add them, or drop --render\.coco"):
        RenderConfig(annotators=LABEL_ANNOTATORS, coco=True)
    with pytest.raises(GraspdError, match="has no instance_segmentation"):
        RenderConfig(annotators=("rgb",), coco=True)
