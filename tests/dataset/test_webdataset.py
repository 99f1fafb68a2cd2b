# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Shards of views: the webdataset library reads from them what our own samples have."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest

import omni_graspd as gd
from omni_graspd.cli import main as cli
from omni_graspd.errors import GraspdError
from omni_graspd.formats.conversion import ConvertConfig, convert
from omni_graspd.formats.reading import read_grasps
from omni_graspd.formats.webdataset_export import write_shards

pytestmark = pytest.mark.slow


def _bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_library_reads_the_samples(block_dataset: Path, tmp_path: Path) -> None:
    wds = pytest.importorskip("webdataset", reason="webdataset is not installed")
    cli.main(["convert", str(block_dataset), str(tmp_path / "shards"), "--to", "webdataset"])
    shards = sorted(str(path) for path in (tmp_path / "shards").iterdir())
    assert [Path(shard).name for shard in shards] == ["train-000000.tar"]
    read = list(wds.WebDataset(shards, shardshuffle=False).decode("rgb8"))
    ours = gd.open(block_dataset).samples(channels=("rgb", "distance_to_camera"))
    assert len(read) == len(ours) == 2
    for sample, expected in zip(read, ours, strict=True):
        assert sample["__key__"] == f"block/scene_0000/{expected['view']}"
        for eye in ("left", "right"):
            np.testing.assert_array_equal(sample[f"{eye}.rgb.png"], expected[f"{eye}/rgb"][..., :3])
            distance = sample[f"{eye}.distance_to_camera.npy"]
            np.testing.assert_array_equal(distance, expected[f"{eye}/distance_to_camera"])
        grasps = sample["grasps_barrett.npz"]
        for name in ("T_camera_object", "T_camera_palm", "joint_positions", "grasp_index", "epsilon"):
            np.testing.assert_array_equal(grasps[name], expected[name], err_msg=name)
        about = sample["json"]
        assert (about["object"], about["scene_index"], about["split"]) == ("block", 0, "train")
        assert tuple(about["joints"]["barrett"]) == gd.open(block_dataset).joints("barrett").names


def test_shards_are_divided_and_have_the_same_bytes_each_time(block_dataset: Path, tmp_path: Path) -> None:
    reading = read_grasps(block_dataset)
    steps: list[tuple[int, int]] = []
    for name in ("one", "two"):
        assert write_shards(reading, tmp_path / name, shard_size=1, progress=lambda *step: steps.append(step)) == 2
    assert steps == [(1, 2), (2, 2)] * 2
    assert _bytes(tmp_path / "one") == _bytes(tmp_path / "two")
    assert list(_bytes(tmp_path / "one")) == ["train-000000.tar", "train-000001.tar"]


def test_only_chosen_grasps_are_written(block_dataset: Path, tmp_path: Path) -> None:
    (first, *_) = read_grasps(block_dataset).grasps[0].record.facts["index"]
    options = ["--to", "webdataset", "--where", f"index == {first}"]
    cli.main(["convert", str(block_dataset), str(tmp_path / "shards"), *options])
    with tarfile.open(tmp_path / "shards" / "train-000000.tar") as shard:
        (name, *_) = [name for name in shard.getnames() if name.endswith(".grasps_barrett.npz")]
        assert np.load(shard.extractfile(name))["grasp_index"].tolist() == [first]


def test_grasps_without_images_are_refused(resting_dataset: Path, tmp_path: Path) -> None:
    to = ConvertConfig(to="webdataset")
    shutil.copytree(resting_dataset, tmp_path / "set", ignore=shutil.ignore_patterns("renders"))
    with pytest.raises(GraspdError, match="there are no images of block"):
        convert(tmp_path / "set", tmp_path / "shards", to)
    table = next(resting_dataset.glob("grasps/*/*.parquet"))
    with pytest.raises(
        GraspdError,
        match="which hold images, need the folder of a dataset, and these grasps were read as table; convert the",
    ):
        convert(table, tmp_path / "shards", to)
    assert not (tmp_path / "shards").exists()
