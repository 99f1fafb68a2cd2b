# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Lifts as a LeRobot dataset: what its loaders read is the way that the lift test commands."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from omni_graspd.cli import main as cli
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.errors import GraspdError
from omni_graspd.formats.conversion import ConvertConfig, convert
from omni_graspd.formats.lerobot_files import FPS, Episode, write_lerobot
from omni_graspd.formats.reading import read_grasps
from omni_graspd.formats.scene_table import read_scene_table
from omni_graspd.formats.world_ways import world_ways
from omni_graspd.objects.object_reader import read_object
from omni_graspd.scenes.grasp_tests.lift_motion import HandWay

_CAMERAS = [f"observation.images.view_0000_{eye}" for eye in ("left", "right")]


@pytest.fixture(scope="module")
def seen_dataset(resting_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset with ways whose scenes have images, each of one colour; the first grasp of each cannot be made."""
    root = tmp_path_factory.mktemp("seen") / "set"
    shutil.copytree(resting_dataset, root, ignore=shutil.ignore_patterns("renders"))
    layout = DatasetLayout(root)
    for scene in layout.scene_indices("block"):
        file = layout.scene_grasps("block", scene)
        table = pq.read_table(file)
        usable = pa.array(np.arange(len(table)) > 0)
        pq.write_table(table.set_column(table.column_names.index("usable"), "usable", usable), file)
        for number, eye in enumerate(("left", "right")):
            folder = layout.renders("block", scene) / "view_0000" / eye
            folder.mkdir(parents=True)
            Image.new("RGBA", (8, 6), (10 * scene, 100 * number, 255, 255)).save(folder / "rgb_0000.png")
    return root


def _carried_out(root: Path) -> list[tuple[int, HandWay]]:
    """Return the scene and the way of each grasp that can be carried out, scene by scene."""
    layout = DatasetLayout(root)
    center = read_object(layout.object("block")).center_of_mass
    found = []
    for scene in layout.scene_indices("block"):
        (record,) = read_scene_table(layout.scene_grasps("block", scene))
        ways = world_ways(record, center)
        good = record.scores["confidence"] > 0.0
        found += [(scene, way) for way, one in zip(ways, good, strict=True) if one and way is not None]
    return found


def _episode(length: int, start: float) -> Episode:
    values = (start + np.arange(2 * length, dtype=np.float32)).reshape(length, 2)
    done = np.arange(length)[:, None] == length - 1
    return Episode("lift the block", {"action": values, "next.success": done}, {})


def _read(file: Path) -> dict[str, list]:
    return pq.read_table(file).to_pydict()


def test_frames_are_counted_through_episodes_and_files(tmp_path: Path) -> None:
    episodes = [_episode(3, 0.0), _episode(2, 100.0), _episode(4, -5.0)]
    assert write_lerobot(tmp_path, iter(episodes), {"action": ["x", "y"]}, "hand", file_size=1) == 3
    files = sorted((tmp_path / "data").rglob("*.parquet"))
    assert [str(file.relative_to(tmp_path)) for file in files] == [
        f"data/chunk-000/file-00{number}.parquet" for number in range(3)
    ]
    frames = [_read(file) for file in files]
    assert [index for part in frames for index in part["index"]] == list(range(9))
    assert [index for part in frames for index in part["frame_index"]] == [0, 1, 2, 0, 1, 0, 1, 2, 3]
    np.testing.assert_allclose(frames[2]["timestamp"], np.arange(4) / FPS, rtol=1e-6)
    about = _read(tmp_path / "meta" / "episodes" / "chunk-000" / "file-000.parquet")
    assert about["dataset_from_index"] == [0, 3, 5]
    assert about["dataset_to_index"] == [3, 5, 9]
    assert about["data/file_index"] == [0, 1, 2]
    assert about["tasks"] == [["lift the block"]] * 3


def test_statistics_of_all_are_those_of_the_frames_together(tmp_path: Path) -> None:
    episodes = [_episode(3, 0.0), _episode(2, 100.0), _episode(4, -5.0)]
    write_lerobot(tmp_path, iter(episodes), {}, "hand")
    together = np.concatenate([episode.frames["action"] for episode in episodes]).astype(np.float64)
    found = json.loads((tmp_path / "meta" / "stats.json").read_text())["action"]
    for name in ("min", "max", "mean", "std"):
        np.testing.assert_allclose(found[name], getattr(together, name)(axis=0), rtol=1e-12, err_msg=name)
    assert found["count"] == [9]


@pytest.mark.slow
def test_datasets_reads_each_lift_and_what_the_cameras_saw(seen_dataset: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets", reason="datasets is not installed")
    pd = pytest.importorskip("pandas", reason="pandas is not installed")
    lifts = tmp_path / "lifts"
    cli.main(["convert", str(seen_dataset), str(lifts), "--to", "lerobot"])
    info = json.loads((lifts / "meta" / "info.json").read_text())
    hand = read_grasps(seen_dataset).grasps[0].record
    assert (info["codebase_version"], info["robot_type"], info["fps"]) == ("v3.0", hand.hand, FPS)
    assert [name for name in info["features"] if "images" in name] == _CAMERAS
    names = info["features"]["action"]["names"]
    assert names[7:] == [f"{joint}.pos" for joint in hand.joint_names]
    chosen = _carried_out(seen_dataset)
    assert info["total_episodes"] == len(chosen) > 0
    frames = datasets.load_dataset(str(lifts / "data"), split="train", cache_dir=str(tmp_path / "cache"))
    frames = frames.cast_column(_CAMERAS[1], datasets.Image())
    about = pd.read_parquet(lifts / "meta" / "episodes")
    for number, (scene, way) in enumerate(chosen):
        first = frames[int(about["dataset_from_index"][number])]
        last = frames[int(about["dataset_to_index"][number]) - 1]
        start = np.concatenate([way.T_world_palm[0, :3], way.joint_positions[0]])
        np.testing.assert_allclose(np.delete(first["observation.state"], range(3, 7)), start, atol=1e-6)
        np.testing.assert_allclose(first["observation.environment_state"], way.T_world_object, atol=1e-6)
        up = way.T_world_palm[2, :3] + 0.1 * way.lift_direction
        for name, joints in (("observation.state", way.joint_positions[1]), ("action", way.joint_positions[2])):
            values = np.delete(last[name], range(3, 7))
            np.testing.assert_allclose(values, np.concatenate([up, joints]), atol=1e-6, err_msg=name)
        assert np.asarray(last[_CAMERAS[1]]).tolist() == [[[10 * scene, 100, 255]] * 8] * 6
    tasks = pd.read_parquet(lifts / "meta" / "tasks.parquet")
    assert (list(tasks.index), list(tasks["task_index"])) == (["lift the block"], [0])


@pytest.mark.slow
def test_its_own_library_reads_it(seen_dataset: Path, tmp_path: Path) -> None:
    library = pytest.importorskip("lerobot.datasets.lerobot_dataset", reason="lerobot is not installed")
    convert(seen_dataset, tmp_path / "lifts", ConvertConfig(to="lerobot"))
    read = library.LeRobotDataset("graspd/lifts", root=tmp_path / "lifts")
    info = json.loads((tmp_path / "lifts" / "meta" / "info.json").read_text())
    assert (read.num_episodes, len(read)) == (info["total_episodes"], info["total_frames"])
    frame = read[len(read) - 1]
    assert frame["task"] == "lift the block"
    assert tuple(frame[_CAMERAS[0]].shape) == (3, 6, 8)


@pytest.mark.slow
def test_without_images_the_lifts_are_on_a_bare_table(resting_dataset: Path, tmp_path: Path) -> None:
    shutil.copytree(resting_dataset, tmp_path / "set", ignore=shutil.ignore_patterns("renders"))
    for name in ("one", "two"):
        convert(tmp_path / "set", tmp_path / name, ConvertConfig(to="lerobot"))
    info = json.loads((tmp_path / "one" / "meta" / "info.json").read_text())
    assert not [name for name in info["features"] if "images" in name]
    assert info["total_episodes"] == sum(len(one.record) for one in read_grasps(resting_dataset).grasps)
    files = sorted(file.relative_to(tmp_path / "one") for file in (tmp_path / "one").rglob("*") if file.is_file())
    assert all((tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes() for file in files)


@pytest.mark.slow
def test_only_chosen_grasps_are_lifted(seen_dataset: Path, tmp_path: Path) -> None:
    (_, first, *_) = read_grasps(seen_dataset).grasps[0].record.facts["index"]
    chosen = ["--where", f"index == {first}"]
    cli.main(["convert", str(seen_dataset), str(tmp_path / "lifts"), "--to", "lerobot", *chosen])
    info = json.loads((tmp_path / "lifts" / "meta" / "info.json").read_text())
    assert 0 < info["total_episodes"] < len(_carried_out(seen_dataset))


@pytest.mark.slow
def test_grasps_without_a_way_are_refused(block_dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(GraspdError, match="expected grasps to lift, got none: no scene that was rendered has one"):
        convert(block_dataset, tmp_path / "lifts", ConvertConfig(to="lerobot"))
    assert not (tmp_path / "lifts").exists()
