# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Objects come to rest first, then there are grasps for each rest pose, and each scene gets those of its own."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from dataset_bytes import dataset_digests

from omni_graspd.cli import main as cli
from omni_graspd.dataset import scene_rest_poses
from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.dataset.execution.shards import read_reports
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.manifest import read_manifest
from omni_graspd.dataset.run import open_run
from omni_graspd.dataset.scene_rest_poses import read_scene_rest_poses
from omni_graspd.dataset.stages import place_stage, settle_stage, synthesize_stage
from omni_graspd.dataset.stages.pipeline import STAGES, generate
from omni_graspd.dataset.table_schema import REST_POSE_COLUMNS, WAY_COLUMNS
from omni_graspd.dataset.tables import read_grasps, read_scene_grasps, write_grasps
from omni_graspd.dataset.verification.verify import verify_dataset
from omni_graspd.dataset.verification.verify_recompute import recompute_grasps
from omni_graspd.errors import GraspdError
from omni_graspd.scenes.rest_poses import same_table
from omni_graspd.synthesis.surroundings import table_under
from omni_graspd.usd.stage import open_stage
from omni_graspd.usd.transforms import local_to_world, matrix_to_pose

_LABELS = [0, 1, 0, 2]
"""Rest poses of the four scenes."""


def _stages(config: GenerateConfig, *names: str) -> None:
    with open_run(config) as run:
        for name in names:
            asyncio.run(STAGES[name](run))  # type: ignore[call-arg]


def _table_top(layout: DatasetLayout, scene: int) -> np.ndarray:
    stage = open_stage(layout.scene("block", scene))
    top = table_under(matrix_to_pose(local_to_world(stage.GetPrimAtPath("/World/Object")))).plane
    assert top is not None
    return top


def test_every_rest_pose_has_its_grasps_and_every_scene_those_of_its_own(resting_dataset: Path) -> None:
    layout = DatasetLayout(resting_dataset)
    table = read_grasps(layout.grasps("barrett", "block"))
    assert table.indices.tolist() == [pose * 1_000_000 + number for pose in range(3) for number in range(3)]
    assert table.rest_poses is not None and table.rest_poses.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    way = table.grasps.way
    assert way is not None
    for row, first_scene in enumerate(np.repeat([0, 1, 3], 3)):
        np.testing.assert_allclose(way.table_plane[row], _table_top(layout, first_scene), atol=1e-9)
    for scene, label in enumerate(_LABELS):
        placed = read_scene_grasps(layout.scene_grasps("block", scene))
        assert placed.rest_pose == label
        assert placed.grasp_indices.tolist() == [label * 1_000_000 + number for number in range(3)]
        assert placed.grasps.usable is not None
        own = table.of_rest_pose(label).grasps
        assert not (placed.grasps.usable & ~own.usable).any()
        assert same_table(own.way.table_plane, _table_top(layout, scene)).all()
    assert verify_dataset(resting_dataset).faults == ()


def test_counts_say_what_is_usable_and_how_many_rest_poses_there_are(resting_dataset: Path) -> None:
    table = read_grasps(DatasetLayout(resting_dataset).grasps("barrett", "block"))
    assert read_manifest(resting_dataset).counts == {
        "grasps": 9,
        "scenes": 4,
        "scene_grasps": 12,
        "images": 4,
        "usable_grasps": int(table.grasps.usable.sum()),
        "rest_poses": 3,
    }


def test_rest_poses_are_told_from_the_scene_files(resting_dataset: Path) -> None:
    layout = DatasetLayout(resting_dataset)
    found = read_scene_rest_poses(layout, "block", range(4))
    assert found.labels.tolist() == _LABELS and found.count == 3
    for count in range(1, 4):
        fewer = read_scene_rest_poses(layout, "block", range(count))
        assert fewer.labels.tolist() == _LABELS[:count]
        for one, other in zip(fewer.surroundings, found.surroundings, strict=False):
            np.testing.assert_array_equal(one.plane, other.plane)


@pytest.mark.slow
@pytest.mark.usefixtures("ways")
@pytest.mark.parametrize("more", [{"grasps": 5}, {"scenes": 4}, {"grasps": 4, "scenes": 4}], ids=str)
def test_a_dataset_that_grows_has_the_bytes_of_one_made_so(
    resting_config: GenerateConfig, more: dict[str, int], tmp_path: Path
) -> None:
    begun = replace(resting_config, scenes=2, camera=replace(resting_config.camera, views=0), out=tmp_path / "grown")
    asyncio.run(generate(begun))
    layout = DatasetLayout(begun.out)
    before, reported = dataset_digests(begun.out), len(read_reports(layout.shard_reports))
    asyncio.run(generate(replace(begun, **more)))
    asyncio.run(generate(replace(begun, **more, out=tmp_path / "fresh")))
    assert dataset_digests(begun.out) == dataset_digests(tmp_path / "fresh")
    # Nothing is made twice.
    made = [report.shard for report in read_reports(layout.shard_reports)[reported:]]
    grasps = sum(shard.stop - shard.start for shard in made if shard.stage == "synthesize")
    assert grasps == read_manifest(begun.out).counts["grasps"] - 6
    assert {shard.rest_pose for shard in made if shard.stage == "synthesize"} == (
        {0, 1, 2} if len(more) == 2 else {2} if "scenes" in more else {0, 1}
    )
    if "grasps" not in more:
        old = {name for name in before if name.startswith(("scenes/", "objects/"))}
        assert {name: before[name] for name in old}.items() <= dataset_digests(begun.out).items()
    assert verify_dataset(begun.out).faults == ()


class _Stop(Exception):
    pass


@pytest.mark.slow
@pytest.mark.usefixtures("ways")
@pytest.mark.parametrize(
    ("module", "name", "calls"),
    [
        (settle_stage, "save_stage", 2),
        (synthesize_stage, "write_grasps", 1),
        (synthesize_stage, "write_grasps", 2),
        (synthesize_stage, "join_parts", 0),
        (place_stage, "write_scene_grasps", 1),
        (place_stage, "write_scene_grasps", 3),
    ],
)
def test_a_run_that_is_stopped_anywhere_ends_like_one_that_was_not(
    resting_config: GenerateConfig,
    resting_dataset: Path,
    module: object,
    name: str,
    calls: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = replace(resting_config, out=tmp_path / "set")
    real, left = getattr(module, name), [calls]

    def stops(*arguments: object, **options: object) -> object:
        left[0] -= 1
        if left[0] < 0:
            raise _Stop
        return real(*arguments, **options)

    monkeypatch.setattr(module, name, stops)
    with pytest.raises(_Stop):
        asyncio.run(generate(config))
    monkeypatch.setattr(module, name, real)
    asyncio.run(generate(config))
    assert dataset_digests(config.out) == dataset_digests(resting_dataset)


@pytest.mark.slow
@pytest.mark.usefixtures("ways")
def test_files_that_were_deleted_are_made_again(
    resting_config: GenerateConfig, resting_dataset: Path, tmp_path: Path
) -> None:
    config = replace(resting_config, out=tmp_path / "set")
    asyncio.run(generate(config))
    layout = DatasetLayout(config.out)
    # The first scene of a rest pose, the table of another, and all grasps of the pair.
    for path in (layout.scene("block", 0), layout.scene_grasps("block", 3), layout.grasps("barrett", "block")):
        path.unlink()
    asyncio.run(generate(config))
    assert dataset_digests(config.out) == dataset_digests(resting_dataset)


@pytest.mark.slow
@pytest.mark.usefixtures("ways")
def test_rows_of_all_rest_poses_come_out_the_same_again(resting_dataset: Path, tmp_path: Path) -> None:
    assert recompute_grasps(resting_dataset, 9) == []
    copy = Path(shutil.copytree(resting_dataset, tmp_path / "copy"))
    path = DatasetLayout(copy).grasps("barrett", "block")
    table = read_grasps(path)
    assert table.grasps.way is not None
    clearance = table.grasps.way.squeeze_clearance.copy()
    clearance[4] = np.nextafter(clearance[4], 1.0)
    way = replace(table.grasps.way, squeeze_clearance=clearance)
    write_grasps(replace(table, grasps=replace(table.grasps, way=way)), path)
    ((_, problem),) = recompute_grasps(copy, 9)
    assert problem.endswith("differ in rows 4")


@pytest.mark.slow
def test_afloat_there_is_one_set_of_grasps_for_all_scenes_and_no_further_columns(
    resting_config: GenerateConfig, tmp_path: Path
) -> None:
    config = replace(resting_config, around="nothing", out=tmp_path)
    _stages(config, "settle", "synthesize", "place")
    layout = DatasetLayout(tmp_path)
    names = pq.read_schema(layout.grasps("barrett", "block")).names
    assert not {*REST_POSE_COLUMNS, *WAY_COLUMNS} & set(names)
    assert read_grasps(layout.grasps("barrett", "block")).indices.tolist() == [0, 1, 2]
    for scene in range(4):
        table = read_scene_grasps(layout.scene_grasps("block", scene))
        assert table.grasp_indices.tolist() == [0, 1, 2] and table.rest_pose is None
        assert table.grasps.usable is None
    assert "rest_poses" not in read_manifest(tmp_path).counts
    assert verify_dataset(tmp_path).faults == ()


def test_grasps_afloat_need_no_scenes(resting_config: GenerateConfig, tmp_path: Path) -> None:
    _stages(replace(resting_config, around="nothing", scenes=0, out=tmp_path), "synthesize")
    assert len(read_grasps(DatasetLayout(tmp_path).grasps("barrett", "block")).indices) == 3


def test_what_comes_too_early_says_what_comes_before(resting_config: GenerateConfig, tmp_path: Path) -> None:
    config = replace(resting_config, out=tmp_path)
    with pytest.raises(GraspdError, match="run `graspd settle`"):
        _stages(config, "synthesize")
    with pytest.raises(GraspdError, match="run `graspd synthesize`"):
        _stages(config, "settle", "place")


def test_no_scenes_and_a_table_do_not_go_together() -> None:
    with pytest.raises(GraspdError, match=r"pass --scenes 1, or --around nothing") as error:
        GenerateConfig(scenes=0)
    assert "\n" not in str(error.value)
    assert GenerateConfig(scenes=0, around="nothing").scenes == 0


def test_more_rest_poses_than_numbers_are_one_line(resting_dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scene_rest_poses, "LARGEST_REST_POSE", 1)
    with pytest.raises(GraspdError, match="expected at most 2 rest poses, got 3 of block; make fewer scenes"):
        read_scene_rest_poses(DatasetLayout(resting_dataset), "block", range(4))


@pytest.mark.slow
def test_the_command_settles_first_and_says_so(
    resting_config: GenerateConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--hand", "barrett", "--object", resting_config.object[0], "--grasps", "1", "--scenes", "1"]
    options += ["--synthesis.iterations", "4", "--metrics.point-count", "300", "--out", str(tmp_path / "set")]
    cli.main(["synthesize", *options])
    text = capsys.readouterr().out
    assert "1 scene is missing, so the objects are dropped first" in " ".join(text.split())
    assert read_manifest(tmp_path / "set").counts["scene_grasps"] == 1
    cli.main(["synthesize", *options])
    assert "missing" not in capsys.readouterr().out
