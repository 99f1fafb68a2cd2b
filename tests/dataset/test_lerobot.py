# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Lifts as a LeRobot dataset: what its loaders read is the way that the lift test commands."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from omni_graspd.cli import main as cli
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.tables import read_grasps as read_table
from omni_graspd.dataset.tables import write_grasps as write_table
from omni_graspd.errors import GraspdError
from omni_graspd.formats.conversion import ConvertConfig, convert, write_reading
from omni_graspd.formats.grasp_reading import GraspReading
from omni_graspd.formats.lerobot_export import write_lifts
from omni_graspd.formats.lerobot_files import FPS, Episode, write_lerobot
from omni_graspd.formats.reading import read_grasps
from omni_graspd.formats.scene_table import read_scene_table
from omni_graspd.formats.world_ways import world_ways
from omni_graspd.objects.object_reader import read_object
from omni_graspd.plural import counted
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


def _seen(path: Path, color: tuple[int, int, int], size: tuple[int, int] = (8, 6)) -> Episode:
    """Paint a picture over what lies at a path, and return an episode that shows it."""
    Image.new("RGB", size, color).save(path)
    return replace(_episode(2, 0.0), images={_CAMERAS[0]: path})


def _tested(dataset: Path, copy: Path) -> Path:
    """Copy a dataset, with every second grasp lifted by the lift test."""
    shutil.copytree(dataset, copy, ignore=shutil.ignore_patterns("renders"))
    for file in copy.glob("grasps/*/*.parquet"):
        table = read_table(file)
        write_table(replace(table, metrics=table.metrics | {"lifted": table.indices % 2 == 0}), file)
    return copy


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


def test_a_picture_rendered_again_is_read_again(tmp_path: Path) -> None:
    for number, color in enumerate(((255, 0, 0), (0, 0, 255))):
        write_lerobot(tmp_path / str(number), [_seen(tmp_path / "rgb.png", color)], {}, "hand")
        mean = json.loads((tmp_path / str(number) / "meta" / "stats.json").read_text())[_CAMERAS[0]]["mean"]
        assert np.ravel(mean).tolist() == [value / 255 for value in color]


def test_pictures_of_another_size_are_refused(tmp_path: Path) -> None:
    episodes = [_seen(tmp_path / "one.png", (0, 0, 0)), _seen(tmp_path / "two.png", (0, 0, 0), (16, 12))]
    with pytest.raises(GraspdError, match=r"expected 8 x 6 pixels .* got 16 x 12 pixels in .*two.png"):
        write_lerobot(tmp_path / "lifts", episodes, {}, "hand")


@pytest.mark.parametrize("length", [0, 20, 44])
def test_a_cut_picture_is_named(length: int, tmp_path: Path) -> None:
    episode, file = _seen(tmp_path / "rgb.png", (0, 0, 0)), tmp_path / "rgb.png"
    file.write_bytes(file.read_bytes()[:length])
    with pytest.raises(GraspdError, match=r"expected a readable image, got .*rgb\.png"):
        write_lerobot(tmp_path / "lifts", [episode], {}, "hand")


def test_nothing_is_written_without_episodes(tmp_path: Path) -> None:
    assert write_lerobot(tmp_path / "lifts", [], {}, "hand") == 0
    assert not (tmp_path / "lifts").exists()


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
    assert "next.success" not in info["features"]
    assert info["total_episodes"] == sum(len(one.record) for one in read_grasps(resting_dataset).grasps)
    files = sorted(file.relative_to(tmp_path / "one") for file in (tmp_path / "one").rglob("*") if file.is_file())
    assert all((tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes() for file in files)


@pytest.mark.slow
def test_only_chosen_grasps_are_lifted(seen_dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (_, first, *_) = read_grasps(seen_dataset).grasps[0].record.facts["index"]
    chosen = ["--where", f"index == {first}"]
    cli.main(["convert", str(seen_dataset), str(tmp_path / "lifts"), "--to", "lerobot", *chosen])
    info = json.loads((tmp_path / "lifts" / "meta" / "info.json").read_text())
    assert 0 < info["total_episodes"] < len(_carried_out(seen_dataset))
    assert f"{counted(info['total_episodes'], 'lift')} · hand" in capsys.readouterr().out


@pytest.mark.slow
def test_grasps_without_a_way_are_refused(block_dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(GraspdError, match="expected grasps to lift, got none: no scene that was rendered has one"):
        convert(block_dataset, tmp_path / "lifts", ConvertConfig(to="lerobot"))
    assert not (tmp_path / "lifts").exists()


@pytest.mark.slow
def test_success_is_what_the_lift_test_found(resting_dataset: Path, tmp_path: Path) -> None:
    tested = _tested(resting_dataset, tmp_path / "set")
    convert(tested, tmp_path / "lifts", ConvertConfig(to="lerobot"))
    (file,) = (tmp_path / "lifts" / "data").rglob("*.parquet")
    frames = _read(file)
    (entry,) = read_grasps(tested).grasps
    lifted = entry.record.facts["lifted"].tolist()
    assert {True, False} == set(lifted)
    ends = np.flatnonzero(np.diff(frames["episode_index"], append=len(lifted)))
    assert [frames["next.success"][end] for end in ends] == lifted
    assert sum(frames["next.success"]) == sum(lifted)


@pytest.mark.slow
def test_where_an_object_had_no_lift_test_a_note_says_that_success_is_missing(
    resting_dataset: Path, tmp_path: Path
) -> None:
    reading = read_grasps(_tested(resting_dataset, tmp_path / "set"))
    (tested,) = reading.grasps
    facts = {name: values for name, values in tested.record.facts.items() if name != "lifted"}
    untested = replace(tested, record=replace(tested.record, facts=facts))
    written = write_reading(replace(reading, grasps=(tested, untested)), tmp_path / "lifts", "lerobot")
    assert written.notes[-1] == "there is no next.success for barrett: block had no lift test; run `graspd evaluate`"
    info = json.loads((tmp_path / "lifts" / "meta" / "info.json").read_text())
    assert "next.success" not in info["features"]


@pytest.mark.slow
def test_hands_get_a_folder_each(resting_dataset: Path, tmp_path: Path) -> None:
    shutil.copytree(resting_dataset, tmp_path / "set", ignore=shutil.ignore_patterns("renders"))
    written = write_lifts(_with_another_hand(tmp_path / "set"), tmp_path / "lifts")
    for hand in ("barrett", "other"):
        info = json.loads((tmp_path / "lifts" / hand / "meta" / "info.json").read_text())
        assert (info["robot_type"], info["total_episodes"]) == (hand, written.counts[hand])


@pytest.mark.slow
def test_a_hand_without_lifts_gets_no_folder(seen_dataset: Path, tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    written = write_lifts(
        _with_another_hand(seen_dataset), tmp_path / "lifts", progress=lambda *step: steps.append(step)
    )
    scenes = 2 * len(list((seen_dataset / "scenes" / "block").glob("*.grasps.parquet")))
    assert steps == [(done, scenes) for done in range(1, scenes + 1)]
    assert [path.name for path in (tmp_path / "lifts").iterdir()] == list(written.counts) == ["barrett"]
    (refusal,) = written.refused
    assert refusal.count > 0
    assert refusal.reason == "no scene of block has grasps of other; run `graspd generate`"


def _with_another_hand(root: Path) -> GraspReading:
    """Read a dataset of one hand, and its grasps once more as those of a hand that no scene has."""
    reading = read_grasps(root)
    (entry,) = reading.grasps
    other = replace(entry, record=replace(entry.record, hand="other"))
    return replace(reading, grasps=(other, entry))


@pytest.mark.slow
def test_a_partly_rendered_scene_is_left_out(seen_dataset: Path, tmp_path: Path) -> None:
    root = shutil.copytree(seen_dataset, tmp_path / "set")
    shutil.rmtree(DatasetLayout(root).renders("block", 0) / "view_0000" / "right")
    scenes = [scene for scene, _ in _carried_out(root)]
    found = convert(root, tmp_path / "lifts", ConvertConfig(to="lerobot"))
    assert found.files[0].count == len(scenes) - scenes.count(0) > 0
    (refusal,) = found.refused
    assert refusal.count == scenes.count(0) > 0
    assert refusal.reason.startswith("scene_0000 of block has images of view_0000_left, not images of view_0000_left, ")


@pytest.mark.slow
def test_a_scene_without_grasps_is_left_out(seen_dataset: Path, tmp_path: Path) -> None:
    root = shutil.copytree(seen_dataset, tmp_path / "set")
    scenes = [scene for scene, _ in _carried_out(root)]
    DatasetLayout(root).scene_grasps("block", 1).unlink()
    found = convert(root, tmp_path / "lifts", ConvertConfig(to="lerobot"))
    assert found.files[0].count == len(scenes) - scenes.count(1) > 0
    assert [one.reason for one in found.refused] == ["scene_0001 of block has no grasps yet; run `graspd generate`"]
