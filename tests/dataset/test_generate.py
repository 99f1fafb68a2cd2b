# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The whole line on a tiny configuration: what it writes, and that a killed run ends like one that was not."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from dataset_bytes import dataset_digests
from pxr import Usd
from small_dataset import QUICK_OPTIONS, ball_file, block_file, small_config

from omni_graspd.cli import main as cli
from omni_graspd.dataset.execution.shards import WHOLE_SHARD
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.manifest import read_manifest
from omni_graspd.dataset.stages import pipeline, synthesize_stage
from omni_graspd.dataset.tables import read_grasps, read_scene_grasps
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.usd.hand_reader import read_hand
from omni_graspd.rendering.cameras import CameraConfig
from omni_graspd.rendering.image_writer import read_frame
from omni_graspd.scenes.scene_writer import SceneConfig
from omni_graspd.synthesis.synthesizer import synthesize
from omni_graspd.usd.stage import open_stage
from omni_graspd.usd.transforms import compose, local_to_world, matrix_to_pose

_OPTIONS = (
    *("--hand", "barrett", "--grasps", "3", "--scenes", "2", "--views", "1", "--seed", "5", "--device", "cpu"),
    *("--camera.width", "64", "--camera.height", "48", *QUICK_OPTIONS),
)
_OBJECTS = ("block", "ball")


@pytest.fixture(scope="module")
def meshes(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("meshes")
    block_file(folder), ball_file(folder)
    return folder


def _arguments(stage: str, meshes: Path, out: Path) -> list[str]:
    objects = [part for name in _OBJECTS for part in ("--object", str(meshes / f"{name}.ply"))]
    return [stage, *objects, "--out", str(out), *_OPTIONS]


def _command(meshes: Path, out: Path) -> list[str]:
    return [sys.executable, "-m", "omni_graspd", *_arguments("generate", meshes, out)]


def _kill_when(condition: Callable[[], bool], command: list[str]) -> None:
    """Start a command and kill it as soon as the condition holds; fail if it ends before."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        while not condition():
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.002)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()


def _images(root: Path) -> dict[str, str]:
    """Return the hashes of the files in folders of views that have their final name."""
    return {
        name: digest for name, digest in dataset_digests(root).items() if "/view_" in name and "/.partial-" not in name
    }


@pytest.fixture(scope="module")
def unbroken(meshes, tmp_path_factory) -> Path:
    """A dataset made in one go."""
    out = tmp_path_factory.mktemp("unbroken") / "out"
    with contextlib.redirect_stdout(io.StringIO()) as text:
        cli.main(_arguments("generate", meshes, out))
    assert "\x1b" not in text.getvalue()
    assert "overview.png" in text.getvalue()
    return out


@pytest.mark.slow
def test_a_run_killed_in_every_stage_ends_like_an_unbroken_one(unbroken, meshes, tmp_path):
    out = tmp_path / "out"
    layout = DatasetLayout(out)
    in_the_middle = (
        lambda: layout.scene("block", 0).is_file(),
        lambda: layout.grasps("barrett", "block").is_file(),
        lambda: layout.scene_grasps("block", 0).is_file(),
        lambda: layout.image_folders("block"),
        lambda: len(layout.image_folders("ball")) == 4,
    )
    for condition in in_the_middle:
        _kill_when(condition, _command(meshes, out))
        assert not layout.overview.is_file()
        assert _images(out).items() <= _images(unbroken).items()
    done = subprocess.run(_command(meshes, out), capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    assert "overview.png" in done.stdout
    assert dataset_digests(out) == dataset_digests(unbroken)


@pytest.mark.slow
def test_the_stages_one_by_one_make_the_same_dataset(unbroken, meshes, tmp_path):
    for stage in ("settle", "synthesize", "render"):
        cli.main(_arguments(stage, meshes, tmp_path / "out"))
    assert dataset_digests(tmp_path / "out") == dataset_digests(unbroken)


@pytest.mark.slow
def test_a_scene_is_not_rendered_without_its_object(unbroken, meshes, tmp_path, capsys):
    out = tmp_path / "out"
    shutil.copytree(unbroken, out)
    shutil.rmtree(out / "renders")
    DatasetLayout(out).object("block").unlink()
    with pytest.raises(SystemExit) as stopped:
        cli.main(_arguments("render", meshes, out))
    assert stopped.value.code == 2
    assert "block.usd is missing" in capsys.readouterr().err
    assert not DatasetLayout(out).image_folders("block")


@pytest.mark.slow
def test_the_library_makes_what_the_command_makes(unbroken, meshes, tmp_path):
    config = small_config(
        meshes,
        object=tuple(str(meshes / f"{name}.ply") for name in _OBJECTS),
        grasps=3,
        scenes=2,
        seed=5,
        out=tmp_path / "out",
        camera=CameraConfig(views=1, width=64, height=48),
        scene=SceneConfig(),
    )
    asyncio.run(pipeline.generate(config))
    expected = dataset_digests(unbroken)
    del expected["overview.png"]  # drawn by the command
    assert dataset_digests(tmp_path / "out") == expected


@pytest.mark.slow
def test_grasps_are_kept_chunk_by_chunk_and_do_not_depend_on_the_chunks(unbroken, meshes, tmp_path, monkeypatch):
    calls = []

    async def stopped_at_the_third_chunk(hand, obj, indices, *arguments, **options):
        calls.append((obj.name, indices))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return await synthesize(hand, obj, indices, *arguments, **options)

    monkeypatch.setitem(WHOLE_SHARD, "synthesize", 2)
    monkeypatch.setattr(synthesize_stage, "synthesize", stopped_at_the_third_chunk)
    arguments = [*_arguments("synthesize", meshes, tmp_path / "out"), "--workers", "1"]
    with pytest.raises(SystemExit):
        cli.main(arguments)
    cli.main(arguments)
    second = 1_000_000  # the first grasp of the second rest pose
    block, ball = (
        [(name, part) for part in ([0, 1], [2], [second, second + 1], [second + 2])] for name in ("block", "ball")
    )
    assert calls == [*block[:3], *block[2:], *ball]
    for name in _OBJECTS:
        path = DatasetLayout(tmp_path / "out").grasps("barrett", name)
        assert path.read_bytes() == DatasetLayout(unbroken).grasps("barrett", name).read_bytes()
        assert [file.suffix for file in path.parent.iterdir()] == [".parquet"] * 2


@pytest.mark.slow
def test_counts_agree_with_the_settings(unbroken):
    manifest = read_manifest(unbroken)
    counts = {"grasps": 12, "scenes": 4, "scene_grasps": 12, "images": 8, "rest_poses": 4}
    usable = sum(read_grasps(DatasetLayout(unbroken).grasps("barrett", name)).grasps.usable.sum() for name in _OBJECTS)
    assert manifest.counts == counts | {"usable_grasps": usable}
    assert list(manifest.objects) == list(_OBJECTS)
    assert list(manifest.hands) == ["barrett"]


@pytest.mark.slow
def test_the_manifest_names_no_folder_and_no_time(unbroken, meshes):
    text = (unbroken / "dataset.json").read_text()
    assert str(meshes) not in text
    assert str(unbroken) not in text
    assert json.loads(text)["config"]["seed"] == 5


@pytest.mark.slow
def test_every_grasp_has_a_row_and_a_finite_pose(unbroken):
    for name in _OBJECTS:
        table = read_grasps(DatasetLayout(unbroken).grasps("barrett", name))
        np.testing.assert_array_equal(table.indices, [0, 1, 2, 1_000_000, 1_000_001, 1_000_002])
        np.testing.assert_array_equal(table.rest_poses, [0, 0, 0, 1, 1, 1])
        np.testing.assert_allclose(np.linalg.norm(table.grasps.T_object_palm[:, 3:], axis=1), 1.0)
        assert table.grasps.joint_positions.shape == (6, 8)
        assert {"contact_area", "epsilon", "force_closure", "penetration_depth"} <= set(table.metrics)


def test_every_column_of_a_real_table_is_described(unbroken):
    schema = pq.read_schema(DatasetLayout(unbroken).grasps("barrett", "ball"))
    undescribed = [
        field.name for field in schema if field.metadata[b"meaning"].startswith((b"Metric '", b"Loss term '"))
    ]
    assert undescribed == []


def test_scene_grasps_are_base_grasps_moved_with_the_object(unbroken):
    layout = DatasetLayout(unbroken)
    for name in _OBJECTS:
        for index in range(2):
            base = read_grasps(layout.grasps("barrett", name)).rows(3 * index, 3 * index + 3)
            stage = open_stage(layout.scene(name, index))
            T_world_object = matrix_to_pose(local_to_world(stage.GetPrimAtPath("/World/Object")))
            placed = read_scene_grasps(layout.scene_grasps(name, index))
            assert placed.rest_pose == index  # the two scenes of each object differ in how it lies
            np.testing.assert_array_equal(placed.grasp_indices, base.indices)
            np.testing.assert_allclose(
                placed.grasps.T_world_palm, compose(T_world_object[None], base.grasps.T_object_palm), atol=1e-6
            )
            np.testing.assert_array_equal(placed.grasps.collides, placed.grasps.table_clearance < 0.0)
            assert np.isfinite(placed.grasps.approach_clearance).all()
            assert placed.status == base.grasps.status


def test_the_hand_of_a_dataset_reads_as_the_same_hand(unbroken):
    copy, original = read_hand(DatasetLayout(unbroken).hand("barrett")), load_hand("barrett")
    assert copy.joint_names == original.joint_names
    np.testing.assert_array_equal(copy.approach_direction, original.approach_direction)
    np.testing.assert_array_equal(copy.approach_point, original.approach_point)
    np.testing.assert_array_equal(copy.open_positions, original.open_positions)
    np.testing.assert_array_equal(copy.links[3].mesh.vertices, original.links[3].mesh.vertices)


def test_a_moved_dataset_still_opens(unbroken, tmp_path):
    moved = unbroken.rename(tmp_path / "moved")
    try:
        stage = open_stage(DatasetLayout(moved).scene("ball", 1))
        mesh = [prim for prim in stage.GetPrimAtPath("/World/Object").GetAllChildren() if prim.GetName() == "visual"]
        assert mesh, "the object's reference does not resolve"
        hand = Usd.Stage.Open(str(DatasetLayout(moved).hand("barrett")))
        assert len(hand.GetUsedLayers()) <= 2
    finally:
        moved.rename(unbroken)


def test_a_stereo_view_has_both_eyes_and_the_object_is_labelled(unbroken):
    view = DatasetLayout(unbroken).renders("ball", 0) / "view_0000"
    assert sorted(path.name for path in view.iterdir()) == ["left", "right"]
    for eye in ("left", "right"):
        frame = read_frame(view / eye)
        assert frame.channels["rgb"].data.shape == (48, 64, 4)
        labels = {entry["class"] for entry in frame.channels["bounding_box_2d_tight"].info["idToLabels"].values()}
        assert "ball" in labels


@pytest.mark.slow
def test_every_usd_file_of_a_dataset_passes_the_validators(unbroken, usd_findings):
    layout = DatasetLayout(unbroken)
    for path in (layout.hand("barrett"), layout.object("block"), layout.scene("ball", 0)):
        assert usd_findings(path) == [], path.name


@pytest.mark.slow
def test_later_stages_take_the_settings_of_the_dataset(tmp_path, monkeypatch, capsys):
    import trimesh

    monkeypatch.chdir(tmp_path)
    trimesh.creation.box((0.05, 0.06, 0.07)).export("brick.ply")
    options = ["--camera.width", "48", "--camera.height", "32", *QUICK_OPTIONS]
    options += ["--mono", "--grasps", "2", "--out", "bricks"]
    cli.main(
        ["settle", "--object", "brick.ply", "--unit", "m", "--scenes", "1", "--seed", "3", "--views", "1", *options]
    )
    (tmp_path / "brick.ply").unlink()
    cli.main(["synthesize", "--out", "bricks"])
    cli.main(["render", "--out", "bricks", "--views", "2"])
    layout = DatasetLayout(tmp_path / "bricks")
    assert len(read_grasps(layout.grasps("allegro", "brick")).indices) >= 2
    assert len(layout.image_folders("brick")) == 2
    # Channels are added to: only their files are new.
    images = {path: path.read_bytes() for path in (tmp_path / "bricks" / "renders").rglob("*") if path.is_file()}
    cli.main(["render", "--out", "bricks", "--render.annotators", "+pointcloud"])
    after = {path: path.read_bytes() for path in (tmp_path / "bricks" / "renders").rglob("*") if path.is_file()}
    assert images.items() < after.items()
    assert {path.name.partition("_")[0] for path in after.keys() - images.keys()} == {"pointcloud"}
    assert len({path.parent for path in after.keys() - images.keys()}) == 2
    cli.main(["verify", "bricks"])
    with pytest.raises(SystemExit, match="2"):
        cli.main(["render", "--out", "bricks", "--seed", "4"])
    error = capsys.readouterr().err
    assert "got others: seed (there 3, now 4); choose" in error
