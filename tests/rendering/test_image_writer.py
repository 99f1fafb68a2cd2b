# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from omni_graspd.errors import GraspdError
from omni_graspd.rendering.annotator_data import BOX_2D_DTYPE, BOX_3D_DTYPE, OCCLUSION_DTYPE, AnnotatorData
from omni_graspd.rendering.annotators import ANNOTATORS
from omni_graspd.rendering.channel_files import label_colors
from omni_graspd.rendering.frame import Frame
from omni_graspd.rendering.image_writer import file_names, read_frame, write_frame

HEIGHT, WIDTH = 6, 8


def _frame() -> Frame:
    rng = np.random.default_rng(0)
    distance = rng.uniform(0.1, 2.0, (HEIGHT, WIDTH)).astype(np.float32)
    distance[0] = np.inf
    semantic = {"0": {"class": "BACKGROUND"}, "1": {"class": "UNLABELLED"}, "2": {"class": "mug"}}
    paths = {"0": "BACKGROUND", "1": "UNLABELLED", "2": "/World/A", "3": "/World/B"}
    classes = {key: {"class": "mug" if int(key) > 1 else value} for key, value in paths.items()}
    box_info = {
        "idToLabels": {"2": {"class": "mug"}},
        "bboxIds": np.arange(2, dtype=np.uint32),
        "primPaths": ["/World/A", "/World/B"],
    }
    flat = np.array([(2, 0, 1, 3, 4, 0.25), (2, 1, 1, 2, 2, 0.0)], BOX_2D_DTYPE)
    solid = np.array([(2, -1, -2, -3, 1, 2, 3, np.eye(4), 0.5), (2, 0, 0, 0, 1, 1, 1, np.eye(4), 0.0)], BOX_3D_DTYPE)
    camera = {key: [1.0, 2.0] for key in ANNOTATORS["camera_params"].info_keys}
    images = {
        "rgb": rng.integers(0, 256, (HEIGHT, WIDTH, 4)).astype(np.uint8),
        "distance_to_camera": distance,
        "distance_to_image_plane": distance * np.float32(0.9),
        "normals": rng.uniform(-1, 1, (HEIGHT, WIDTH, 4)).astype(np.float32),
    }
    channels = {name: AnnotatorData(image, {}) for name, image in images.items()}
    ids = rng.integers(0, 3, (HEIGHT, WIDTH)).astype(np.uint32)
    channels["semantic_segmentation"] = AnnotatorData(ids, {"idToLabels": semantic})
    ids = rng.integers(0, 4, (HEIGHT, WIDTH)).astype(np.uint32)
    channels["instance_segmentation"] = AnnotatorData(ids, {"idToLabels": paths, "idToSemantics": classes})
    channels["bounding_box_2d_tight"] = AnnotatorData(flat, box_info)
    channels["bounding_box_2d_loose"] = AnnotatorData(flat, box_info)
    channels["bounding_box_3d"] = AnnotatorData(solid, box_info)
    occlusion = np.array([(2, 2, 0.25), (3, 2, 1.0)], OCCLUSION_DTYPE)
    channels["occlusion"] = AnnotatorData(occlusion, {})
    channels["camera_params"] = AnnotatorData(np.zeros(0, dtype=np.float32), camera)
    points = {
        "pointRgb": rng.integers(0, 256, 20).astype(np.uint8),
        "pointNormals": rng.uniform(-1, 1, 20).astype(np.float32),
        "pointSemantic": np.full(5, 2, dtype=np.uint32),
        "pointInstance": np.full(5, 3, dtype=np.uint32),
    }
    channels["pointcloud"] = AnnotatorData(rng.uniform(-1, 1, (5, 3)).astype(np.float32), points)
    channels["stereo_disparity"] = AnnotatorData(np.float32(3.0) / distance, {})
    return Frame("/World/Camera", channels)


def test_files_have_the_names_of_basic_writer(tmp_path):
    paths = write_frame(_frame(), tmp_path, frame_index=7)
    boxes = [
        f"bounding_box_{kind}{part}" for kind in ("2d_tight", "2d_loose", "3d") for part in ("_labels", "_prim_paths")
    ]
    expected = {
        *(f"{name}_0007.png" for name in ("rgb", "normals", "semantic_segmentation", "instance_segmentation")),
        *(f"{name}_0007.npy" for name in ("distance_to_camera", "distance_to_image_plane", "bounding_box_3d")),
        *(f"{name}_0007.npy" for name in ("bounding_box_2d_tight", "bounding_box_2d_loose")),
        *(f"{name}_0007.npy" for name in ("occlusion", "stereo_disparity", "pointcloud")),
        *(f"pointcloud_{part}_0007.npy" for part in ("rgb", "normals", "semantic", "instance")),
        *(f"{name}_0007.json" for name in (*boxes, "camera_params", "semantic_segmentation_labels")),
        *(f"instance_segmentation{part}_0007.json" for part in ("_mapping", "_semantics_mapping")),
    }
    assert {path.name for path in paths} == expected
    assert {path.name for path in tmp_path.iterdir()} == expected


def test_the_names_of_files_are_known_before_they_are_written(tmp_path):
    frame = _frame()
    paths = write_frame(frame, tmp_path, frame_index=7)
    assert list(file_names(list(frame.channels), 7).values()) == [path.name for path in paths]
    assert file_names(["camera_params", "semantic_segmentation"]) == {
        "camera_params": "camera_params_0000.json",
        "semantic_segmentation": "semantic_segmentation_0000.png",
        "semantic_segmentation_labels": "semantic_segmentation_labels_0000.json",
    }


def test_arrays_have_the_dtype_and_layout_of_basic_writer(tmp_path):
    semantic, ratio = ("semanticId", "<u4"), ("occlusionRatio", "<f4")
    flat = [semantic, *((name, "<i4") for name in ("x_min", "y_min", "x_max", "y_max")), ratio]
    extent = [(name, "<f4") for name in ("x_min", "y_min", "z_min", "x_max", "y_max", "z_max")]
    solid = [semantic, *extent, ("transform", "<f4", (4, 4)), ratio]
    expected = {
        "distance_to_camera": ("<f4", (HEIGHT, WIDTH)),
        "distance_to_image_plane": ("<f4", (HEIGHT, WIDTH)),
        "bounding_box_2d_tight": (flat, (2,)),
        "bounding_box_2d_loose": (flat, (2,)),
        "bounding_box_3d": (solid, (2,)),
        "occlusion": ([("instanceId", "<u4"), semantic, ratio], (2,)),
        "pointcloud": ("<f4", (5, 3)),
        "pointcloud_rgb": ("|u1", (5, 4)),
        "pointcloud_normals": ("<f4", (5, 4)),
        "pointcloud_semantic": ("<u4", (5,)),
        "pointcloud_instance": ("<u4", (5,)),
    }
    write_frame(_frame(), tmp_path)
    for name, (dtype, shape) in expected.items():
        array = np.load(tmp_path / f"{name}_0000.npy")
        assert (array.dtype, array.shape) == (np.dtype(dtype), shape), name
    for name in ("rgb", "normals", "semantic_segmentation", "instance_segmentation"):
        with Image.open(tmp_path / f"{name}_0000.png") as picture:
            assert (picture.mode, picture.size) == ("RGBA", (WIDTH, HEIGHT)), name
    paths = json.loads((tmp_path / "bounding_box_3d_prim_paths_0000.json").read_text())
    labels = json.loads((tmp_path / "bounding_box_3d_labels_0000.json").read_text())
    assert (paths, labels) == (["/World/A", "/World/B"], {"2": {"class": "mug"}})


def test_written_channels_read_back_equal(tmp_path):
    frame = _frame()
    write_frame(frame, tmp_path)
    back = read_frame(tmp_path)
    assert list(back.channels) == list(ANNOTATORS)
    for name, channel in back.channels.items():
        ANNOTATORS[name].check(channel, WIDTH, HEIGHT)
        original = frame.channels[name]
        if name == "normals":
            np.testing.assert_allclose(channel.data, original.data, atol=1.01 / 255)
        else:
            np.testing.assert_array_equal(channel.data, original.data)
        for key, value in original.info.items():
            np.testing.assert_equal(channel.info[key], value)


def test_segmentation_colours_map_to_labels_as_in_replicator(tmp_path):
    frame = _frame()
    write_frame(frame, tmp_path)
    labels = json.loads((tmp_path / "semantic_segmentation_labels_0000.json").read_text())
    assert labels["(0, 0, 0, 0)"] == {"class": "BACKGROUND"}
    assert labels["(0, 0, 0, 255)"] == {"class": "UNLABELLED"}
    pixels = np.array(Image.open(tmp_path / "semantic_segmentation_0000.png"))
    ids = frame.channels["semantic_segmentation"].data
    names = [labels[str(tuple(int(v) for v in pixel))]["class"] for pixel in pixels.reshape(-1, 4)]
    assert names == [["BACKGROUND", "UNLABELLED", "mug"][i] for i in ids.ravel()]


def test_no_two_ids_share_a_colour():
    colors = label_colors(list(range(100_000)))
    assert len(set(colors.values())) == 100_000


def test_an_empty_folder_is_a_user_error(tmp_path):
    with pytest.raises(GraspdError, match="there are no images of frame 0000"):
        read_frame(tmp_path)


def test_an_unknown_channel_is_refused(tmp_path):
    with pytest.raises(ValueError, match="depth"):
        write_frame(Frame("", {"depth": AnnotatorData(np.zeros(1), {})}), tmp_path)
    assert list(tmp_path.iterdir()) == []
