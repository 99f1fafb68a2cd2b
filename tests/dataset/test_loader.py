# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Reading datasets for training: splits, tables, samples whose geometry agrees with the images."""

from __future__ import annotations

import pickle
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import omni_graspd.dataset as graspd_dataset
from omni_graspd.dataset.splits import split_objects
from omni_graspd.dataset.tables import read_grasps, read_scene_grasps, write_grasps
from omni_graspd.errors import GraspdError
from omni_graspd.hands.usd.hand_reader import read_hand
from omni_graspd.objects.object_library import load_object
from omni_graspd.rendering.depth_points import depth_points
from omni_graspd.rendering.image_writer import read_frame
from omni_graspd.usd.camera_axes import to_opencv
from omni_graspd.usd.transforms import pose_to_matrix, transform_points


@pytest.fixture
def opened(block_dataset):
    return graspd_dataset.open(block_dataset)


def test_splits_do_not_overlap_and_depend_on_names_and_seed_only():
    names = [f"object_{index}" for index in range(37)]
    splits = split_objects(names)
    assert [len(splits[name]) for name in ("train", "validation", "test")] == [29, 4, 4]
    assert sorted(name for part in splits.values() for name in part) == sorted(names)
    assert split_objects(reversed(names)) == splits
    assert split_objects(names, seed=1) != splits
    # A fixed point: the same splits on every machine.
    assert split_objects(["apple", "banana", "mug", "drill", "box"]) == {
        "train": ("banana", "apple", "mug"),
        "validation": ("drill",),
        "test": ("box",),
    }


@pytest.mark.parametrize(("count", "sizes"), [(0, [0, 0, 0]), (1, [1, 0, 0]), (2, [2, 0, 0]), (3, [1, 1, 1])])
def test_few_objects_are_shared_out_too(count, sizes):
    splits = split_objects([f"o{index}" for index in range(count)])
    assert [len(part) for part in splits.values()] == sizes


def test_shares_must_sum_to_one():
    with pytest.raises(GraspdError, match="sum to 1"):
        split_objects(["a"], shares=(0.8, 0.1, 0.2))


def test_grasps_come_as_one_table(opened, block_dataset):
    table = opened.grasps("barrett", columns=["epsilon", "T_object_palm"])
    there = read_grasps(block_dataset / "grasps" / "barrett" / "block.parquet")
    ok = [status == "ok" for status in there.grasps.status]
    assert table.column_names == ["epsilon", "T_object_palm", "object"]
    np.testing.assert_array_equal(table["epsilon"].to_numpy(), there.metrics["epsilon"][ok])
    assert opened.grasps("barrett", only_ok=False).num_rows == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"hand": "claw"}, "expected hand to be one of barrett, got 'claw'"),
        ({"hand": "barrett", "split": "val"}, "expected split to be one of train, validation, test, got 'val'"),
        ({"hand": "barrett", "objects": ["mug"]}, "expected object to be one of block, got 'mug'"),
        ({"hand": "barrett", "columns": ["quality"]}, "expected column to be one of index, seed, .* got 'quality'"),
    ],
)
def test_unknown_names_are_answered_with_the_known_ones(opened, arguments, message):
    with pytest.raises(GraspdError, match=message):
        opened.grasps(**arguments)


def test_samples_have_images_cameras_and_grasps(opened, block_dataset):
    samples = opened.samples(channels=("rgb", "distance_to_image_plane"))
    assert len(samples) == 2
    sample = samples[1]
    frame = read_frame(block_dataset / "renders" / "block" / "scene_0000" / "view_0001" / "right")
    np.testing.assert_array_equal(sample["right/rgb"], frame.channels["rgb"].data)
    assert sample["T_camera_palm"].shape == (3, 7) and sample["joint_positions"].shape == (3, 8)
    # Palm before the camera = object before the camera, then palm in the object.
    base = read_grasps(block_dataset / "grasps" / "barrett" / "block.parquet").grasps.T_object_palm
    expected = pose_to_matrix(sample["T_camera_object"]) @ pose_to_matrix(base[sample["grasp_index"]])
    np.testing.assert_allclose(pose_to_matrix(sample["T_camera_palm"]), expected, atol=1e-9)


def test_samples_have_the_ways_to_the_grasps_of_their_scene(resting_dataset):
    opened = graspd_dataset.open(resting_dataset)
    table = read_grasps(resting_dataset / "grasps" / "barrett" / "block.parquet")
    rows = {int(index): row for row, index in enumerate(table.indices)}
    seen = set()
    for sample in opened.samples(channels=("rgb",)):
        placed = read_scene_grasps(
            resting_dataset / "scenes" / "block" / f"scene_{sample['scene_index']:04d}.grasps.parquet"
        )
        chosen = [rows[int(index)] for index in sample["grasp_index"]]
        seen |= set(chosen)
        np.testing.assert_array_equal(sample["usable"], placed.grasps.usable)
        T_camera_object = pose_to_matrix(sample["T_camera_object"])
        for name, poses in (
            ("T_camera_palm", table.grasps.T_object_palm),
            ("T_camera_pregrasp_palm", table.grasps.postures.T_object_pregrasp_palm),
            ("T_camera_hover_palm", table.grasps.way.T_object_hover_palm),
        ):
            expected = T_camera_object @ pose_to_matrix(poses[chosen])
            np.testing.assert_allclose(pose_to_matrix(sample[name]), expected, atol=1e-9)
        lift = table.grasps.way.lift_direction[chosen] @ T_camera_object[:3, :3].T
        np.testing.assert_allclose(sample["lift_direction"], lift, atol=1e-12)
        np.testing.assert_array_equal(sample["joint_positions"], table.grasps.joint_positions[chosen])
        for name in ("pregrasp_joint_positions", "squeeze_joint_positions"):
            np.testing.assert_array_equal(sample[name], getattr(table.grasps.postures, name)[chosen])
    assert seen == set(range(9))


def test_ways_are_padded_like_the_rest(resting_dataset):
    sample = graspd_dataset.open(resting_dataset).samples(channels=("rgb",), grasp_slots=5)[0]
    for name in ("usable", "T_camera_hover_palm", "lift_direction", "squeeze_joint_positions"):
        assert len(sample[name]) == 5 and not sample[name][3:].any()


def test_the_object_projects_onto_its_box(opened, block_dataset):
    vertices = load_object(str(block_dataset / "objects" / "block.usd")).mesh.vertices
    for sample in opened.samples(channels=("rgb", "bounding_box_2d_loose", "distance_to_image_plane")):
        seen = transform_points(sample["T_camera_object"], vertices)
        pixels = seen @ sample["left/intrinsics"].T
        pixels = pixels[:, :2] / pixels[:, 2:]
        boxes = sample["left/bounding_box_2d_loose"]
        corners = [(box["x_min"], box["y_min"], box["x_max"] + 1, box["y_max"] + 1) for box in boxes]
        low, high = np.clip(pixels.min(axis=0), 0, [48, 36]), np.clip(pixels.max(axis=0), 0, [48, 36])
        assert min(np.abs(np.array(corner) - [*low, *high]).max() for corner in corners) <= 1.01
        # What is nearest of the object is no farther than what the depth image sees there.
        assert sample["left/distance_to_image_plane"].min() <= seen[:, 2].min() + 0.01


def test_samples_are_shown_in_one_line(opened):
    samples = opened.samples("train", channels=("rgb", "distance_to_camera"))
    (line,) = repr(samples).splitlines()
    assert line.startswith("<Samples of ") and line.endswith(
        f": {samples.hand}, {len(samples)} views of 1 object; rgb, distance_to_camera>"
    )


def test_padding_fills_and_cuts(opened):
    padded, cut = opened.samples(grasp_slots=5)[0], opened.samples(grasp_slots=2)[0]
    assert padded["grasp_count"] == cut["grasp_count"] == 3
    assert padded["grasp_mask"].tolist() == [True, True, True, False, False]
    assert padded["T_camera_palm"].shape == (5, 7) and not padded["T_camera_palm"][3:].any()
    np.testing.assert_array_equal(cut["T_camera_palm"], padded["T_camera_palm"][:2])


def test_samples_travel_to_other_processes_and_are_the_same_there(opened):
    samples = opened.samples()
    again = pickle.loads(pickle.dumps(samples))[1]
    for name, value in samples[1].items():
        np.testing.assert_array_equal(again[name], value)


def test_a_channel_that_was_not_rendered_is_named(block_dataset, tmp_path):
    copy = Path(shutil.copytree(block_dataset, tmp_path / "copy"))
    for file in copy.rglob("distance_to_*.npy"):
        file.unlink()
    for name in ("pointcloud", "distance_to_camera"):
        with pytest.raises(GraspdError, match=f"expected the channel {name} in .*, got rgb"):
            graspd_dataset.open(copy).samples(channels=("rgb", name))[0]


def test_joints_have_names_and_the_actuated_ones_are_told(opened, block_dataset):
    joints = opened.joints("barrett")
    hand = read_hand(block_dataset / "hands" / "barrett.usd")
    assert joints.names == read_grasps(block_dataset / "grasps" / "barrett" / "block.parquet").joint_names
    assert len(joints.actuated) == 8 and np.flatnonzero(joints.actuated).tolist() == hand.actuated.tolist()
    assert opened.samples().joints.names == joints.names
    # Those that are not actuated follow: from the actuated ones alone come all.
    positions = opened.samples(channels=("rgb",))[0]["joint_positions"]
    np.testing.assert_allclose(hand.joint_positions(positions[:, joints.actuated]), positions, atol=1e-9)


def test_samples_have_all_columns_of_the_scene(resting_dataset):
    sample = graspd_dataset.open(resting_dataset).samples(channels=("rgb",))[0]
    placed = read_scene_grasps(resting_dataset / "scenes" / "block" / "scene_0000.grasps.parquet").grasps
    for name in ("collides", "table_clearance", "approach_angle", "approach_clearance", "from_above", "usable"):
        np.testing.assert_array_equal(sample[name], getattr(placed, name))
    assert "neighbour_clearance" not in sample


def test_floating_grasps_have_pregrasp_and_squeeze_in_samples(opened, block_dataset):
    sample = opened.samples(channels=("rgb",))[0]
    postures = read_grasps(block_dataset / "grasps" / "barrett" / "block.parquet").grasps.postures
    rows = sample["grasp_index"]
    np.testing.assert_array_equal(sample["squeeze_joint_positions"], postures.squeeze_joint_positions[rows])
    expected = pose_to_matrix(sample["T_camera_object"]) @ pose_to_matrix(postures.T_object_pregrasp_palm[rows])
    np.testing.assert_allclose(pose_to_matrix(sample["T_camera_pregrasp_palm"]), expected, atol=1e-9)
    assert "usable" not in sample and "T_camera_hover_palm" not in sample


def test_ids_come_with_their_classes_and_prims(opened):
    channels = ("semantic_segmentation", "instance_segmentation", "bounding_box_2d_tight")
    sample = opened.samples(channels=channels)[0]
    semantic, classes = sample["left/semantic_segmentation"], sample["left/semantic_segmentation_classes"]
    instance, prims = sample["left/instance_segmentation"], sample["left/instance_segmentation_prims"]
    block = [number for number, name in classes.items() if name == "block"]
    assert len(block) == 1 and (semantic == block[0]).any()
    np.testing.assert_array_equal(semantic == block[0], instance == {p: n for n, p in prims.items()}["/World/Object"])
    boxes = sample["left/bounding_box_2d_tight"]
    seen = [sample["left/bounding_box_2d_tight_classes"][int(box["semanticId"])] for box in boxes]
    row = seen.index("block")
    assert sample["left/bounding_box_2d_tight_prims"][row] == "/World/Object"
    rows, columns = np.nonzero(semantic == block[0])
    assert [boxes[row][name] for name in ("x_min", "y_min")] == [columns.min(), rows.min()]


def test_points_are_computed_on_the_surfaces_that_are_seen(opened, block_dataset):
    """All lie on the block, whose faces are known, or on the table, whose top is z = 0 and which ends below."""
    table = []
    for sample in opened.samples(channels=("pointcloud", "instance_segmentation", "distance_to_camera")):
        for eye in ("left", "right"):
            points = sample[f"{eye}/pointcloud"]
            assert len(points) == (sample[f"{eye}/instance_segmentation"] > 1).sum() > 500
            T_world_object = sample["left/T_world_camera"] @ pose_to_matrix(sample["T_camera_object"])
            local = (points - T_world_object[:3, 3]) @ T_world_object[:3, :3]
            from_block = np.abs((np.abs(local) - [0.025, 0.03, 0.035]).max(axis=1))
            is_block = from_block < 1e-5
            assert 20 < is_block.sum() < len(points)
            table.append(np.abs(points[~is_block, 2]).min())
            assert (points[~is_block, 2] < 1e-5).all()
            images = {name: sample[f"{eye}/{name}"] for name in ("distance_to_camera", "instance_segmentation")}
            again = depth_points(images, sample[f"{eye}/intrinsics"], sample[f"{eye}/T_world_camera"])
            np.testing.assert_allclose(again, points, atol=2e-6)
    assert max(table) < 1e-5


def test_cameras_of_samples_are_those_of_the_files_in_other_axes(opened, block_dataset):
    from omni_graspd.rendering.camera_file import read_camera_file

    folder = block_dataset / "renders" / "block" / "scene_0000" / "view_0000" / "left"
    in_file = read_camera_file(folder / "camera_params_0000.json").T_world_camera
    sample = opened.samples()[0]
    np.testing.assert_allclose(sample["left/T_world_camera"][:3, 2], -in_file[:3, 2])
    np.testing.assert_allclose(sample["left/T_world_camera"][:3, 1], -in_file[:3, 1])
    np.testing.assert_array_equal(to_opencv(to_opencv(in_file)), in_file)


def test_tables_that_are_written_anew_are_read_anew(block_dataset, tmp_path):
    root = tmp_path / "set"
    shutil.copytree(block_dataset, root)
    samples = graspd_dataset.open(root).samples(grasp_slots=3)
    before = samples[0]["epsilon"]
    file = next(root.glob("grasps/*/*.parquet"))
    table = read_grasps(file)
    write_grasps(replace(table, metrics=table.metrics | {"epsilon": table.metrics["epsilon"] + 1.0}), file)
    assert samples[0]["epsilon"] == pytest.approx(before + 1.0, abs=1e-6)


@pytest.mark.parametrize("read", ["grasps", "views", "samples"])
def test_an_empty_split_is_one_line(opened, read):
    arguments = ["barrett"] if read == "grasps" else []
    with pytest.raises(GraspdError, match=r"no object in the split 'test'; the 1 of .* train 1, validation 0, test 0"):
        getattr(opened, read)(*arguments, split="test")


def test_unknown_channels_and_missing_images_are_one_line(opened, block_dataset, tmp_path):
    with pytest.raises(GraspdError, match=r"expected channel to be one of rgb, .*, got 'depth'"):
        opened.samples(channels=("depth",))
    copy = Path(shutil.copytree(block_dataset, tmp_path / "copy", ignore=shutil.ignore_patterns("renders")))
    with pytest.raises(GraspdError, match=r"there are no images of the split 'train' in .*; run `graspd render`"):
        graspd_dataset.open(copy).samples("train")


def test_data_frames_name_what_they_need(opened, monkeypatch):
    pytest.importorskip("pandas")
    frame = opened.to_pandas("barrett", columns=["epsilon"])
    assert list(frame.columns) == ["epsilon", "object"] and len(frame) == 3
    monkeypatch.setattr("omni_graspd.full_install.find_spec", lambda name: None)
    with pytest.raises(GraspdError, match=r"data frames need pandas; .*pip install 'omni-graspd\[pandas\]'"):
        opened.to_pandas("barrett")


def test_tables_of_classes_are_texts_for_torch():
    from omni_graspd.dataset import torch_samples

    sample = {"left/x_classes": {2: "mug"}, "left/y_prims": ["/World/Object"], "view": "view_0000"}
    assert {name: torch_samples._as_tensor(value) for name, value in sample.items()} == {
        "left/x_classes": '{"2": "mug"}',
        "left/y_prims": '["/World/Object"]',
        "view": "view_0000",
    }


def test_without_torch_the_way_out_is_named(opened):
    pytest.importorskip("pyarrow")
    try:
        import torch  # noqa: F401
    except ImportError:
        with pytest.raises(GraspdError, match="pip install torch"):
            opened.as_torch()
        return
    sample = opened.as_torch(grasp_slots=4)[0]
    assert sample["T_camera_palm"].shape == (4, 7) and str(sample["T_camera_palm"].dtype) == "torch.float32"


def test_torch_loads_shuffles_and_shards_in_workers(opened):
    torch = pytest.importorskip("torch", reason="needs PyTorch")
    loader = torch.utils.data.DataLoader(opened.as_torch(grasp_slots=4), batch_size=2, num_workers=2)
    (batch,) = list(loader)
    assert batch["left/rgb"].shape == (2, 36, 48, 4) and batch["view"] == ["view_0000", "view_0001"]
    first = opened.samples(grasp_slots=4)[0]
    np.testing.assert_allclose(batch["T_camera_object"][0].numpy(), first["T_camera_object"], rtol=1e-6)


@pytest.mark.slow
def test_opening_needs_no_simulator_and_no_renderer(block_dataset):
    code = (
        "import sys, omni_graspd.dataset as d; d.open(sys.argv[1]).samples()[0]; "
        "print([m for m in ('ovphysx', 'mitsuba', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(block_dataset)], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_damaged_camera_parameters_are_one_line(block_dataset, tmp_path):
    copy = Path(shutil.copytree(block_dataset, tmp_path / "copy"))
    path = next(copy.rglob("camera_params_0000.json"))
    path.write_text("{")
    samples = graspd_dataset.open(copy).samples()
    with pytest.raises(GraspdError, match="cannot read the camera parameters") as error:
        list(samples)
    assert "\n" not in str(error.value)
