# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Verification of datasets: silent on a good one, and what it says of planted corruptions."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from omni_graspd.cli import main as cli
from omni_graspd.dataset.checksums import CHECKSUM_FILE, forget_checksums, read_checksums, update_checksums
from omni_graspd.dataset.evaluation.evaluate_dataset import evaluate_dataset
from omni_graspd.dataset.evaluation.evaluation_chunk import EvaluationSettings
from omni_graspd.dataset.restored_config import restore_config
from omni_graspd.dataset.tables import read_grasps, read_scene_grasps, write_grasps, write_scene_grasps
from omni_graspd.dataset.verification.verify import verify_dataset
from omni_graspd.dataset.verification.verify_recompute import recompute_grasps
from omni_graspd.errors import GraspdError
from omni_graspd.synthesis.config import SynthesisConfig

_TABLE = "grasps/barrett/block.parquet"
_SCENE_TABLE = "scenes/block/scene_0000.grasps.parquet"
_VIEW = "renders/block/scene_0000/view_0000"
_LEFT, _RIGHT = f"{_VIEW}/left/rgb_0000.png", f"{_VIEW}/right/rgb_0000.png"


@pytest.fixture
def dataset(block_dataset, tmp_path) -> Path:
    return Path(shutil.copytree(block_dataset, tmp_path / "set"))


def _change_bytes(path: Path, change: Callable[[bytearray], None]) -> None:
    content = bytearray(path.read_bytes())
    change(content)
    path.write_bytes(content)


def _flip(content: bytearray) -> None:
    content[len(content) // 2] ^= 1


def _halve(content: bytearray) -> None:
    del content[len(content) // 2 :]


def _rewrite_grasps(root: Path, change: Callable) -> None:
    write_grasps(change(read_grasps(root / _TABLE)), root / _TABLE)
    forget_checksums(root, {_TABLE})
    update_checksums(root)


def _scale_quaternion(table):
    poses = table.grasps.T_object_palm.copy()
    poses[1, 3:] *= 1.001
    return replace(table, grasps=replace(table.grasps, T_object_palm=poses))


def _break_limit(table):
    joints = table.grasps.joint_positions.copy()
    joints[2, 0] = 9.0
    return replace(table, grasps=replace(table.grasps, joint_positions=joints))


def _lose_a_number(table):
    poses = table.grasps.T_object_palm.copy()
    poses[0, 1] = np.nan
    return replace(table, grasps=replace(table.grasps, T_object_palm=poses))


def _lose_poses(table):
    return replace(table, grasps=replace(table.grasps, T_object_palm=np.full_like(table.grasps.T_object_palm, np.nan)))


def _rename_joint(table):
    return replace(table, joint_names=("elbow", *table.joint_names[1:]))


def _spoil_metric(table):
    return replace(table, metrics=table.metrics | {"epsilon": table.metrics["epsilon"] - 1.0})


def _drop_row(root: Path) -> None:
    rows = pq.ParquetFile(root / _TABLE).read().slice(0, 2)
    pq.write_table(rows, root / _TABLE)
    forget_checksums(root, {_TABLE})
    update_checksums(root)


def _move_scene_grasp(root: Path, by: float = 0.001) -> None:
    table = read_scene_grasps(root / _SCENE_TABLE)
    poses = table.grasps.T_world_palm.copy()
    poses[1, 2] += by
    write_scene_grasps(replace(table, grasps=replace(table.grasps, T_world_palm=poses)), root / _SCENE_TABLE)
    forget_checksums(root, {_SCENE_TABLE})
    update_checksums(root)


def _swap_eyes(root: Path) -> None:
    left, right, aside = root / _VIEW / "left", root / _VIEW / "right", root / _VIEW / "aside"
    left.rename(aside), right.rename(left), aside.rename(right)
    names = [path.relative_to(root).as_posix() for path in (root / _VIEW).rglob("*") if path.is_file()]
    forget_checksums(root, set(names))
    update_checksums(root)


def _shrink_picture(root: Path) -> None:
    from PIL import Image

    path = root / _VIEW / "right" / "rgb_0000.png"
    Image.open(path).resize((24, 18)).save(path)
    forget_checksums(root, {path.relative_to(root).as_posix()})
    update_checksums(root)


def _wrong_checksum(root: Path) -> None:
    table = pq.read_table(root / CHECKSUM_FILE)
    names, sums = table["file"].to_pylist(), table["sha256"].to_pylist()
    sums[names.index(_TABLE)] = "0" * 64
    import pyarrow as pa

    pq.write_table(pa.table({"file": names, "sha256": sums}), root / CHECKSUM_FILE)


def _forget_hand(root: Path) -> None:
    (root / "hands" / "barrett.usd").unlink()


def _other_count(root: Path) -> None:
    manifest = json.loads((root / "dataset.json").read_text())
    manifest["config"]["grasps"] = 4
    (root / "dataset.json").write_text(json.dumps(manifest))
    update_checksums(root)


_CORRUPTIONS = {
    "flipped bit in a table": (lambda root: _change_bytes(root / _TABLE, _flip), _TABLE, "the contents have changed"),
    "truncated table": (lambda root: _change_bytes(root / _TABLE, _halve), _TABLE, "the contents have changed"),
    "flipped bit in an image": (
        lambda root: _change_bytes(root / _LEFT, _flip), _LEFT, "the contents have changed"
    ),
    "missing image": (
        lambda root: (root / _RIGHT).unlink(), _RIGHT, "deleted or renamed"
    ),
    "swapped eyes": (_swap_eyes, f"{_VIEW}/left/camera_params_0000.json", "were the eyes swapped"),
    "picture of another size": (_shrink_picture, f"{_VIEW}/right/rgb_0000.png", "expected 48 x 36 pixels, got 24 x 18"),
    "wrong checksum": (_wrong_checksum, _TABLE, "the contents have changed"),
    "renamed joint": (lambda root: _rewrite_grasps(root, _rename_joint), _TABLE, "got elbow"),
    "non-unit quaternion": (lambda root: _rewrite_grasps(root, _scale_quaternion), _TABLE, "in row 1"),
    "joint beyond its limit": (lambda root: _rewrite_grasps(root, _break_limit), _TABLE, "in row 2"),
    "NaN in a good row": (lambda root: _rewrite_grasps(root, _lose_a_number), _TABLE, "expected finite poses"),
    "no numbers in good rows": (lambda root: _rewrite_grasps(root, _lose_poses), _SCENE_TABLE, "carried along"),
    "NaN in a good scene row": (lambda root: _move_scene_grasp(root, np.nan), _SCENE_TABLE, "carried along"),
    "negative epsilon": (lambda root: _rewrite_grasps(root, _spoil_metric), _TABLE, "expected epsilon of 0 or more"),
    "lost row": (_drop_row, _TABLE, "expected 3 grasps, got 2"),
    "scene grasp that did not move along": (_move_scene_grasp, _SCENE_TABLE, "carried along with the object"),
    "lost hand": (_forget_hand, "hands/barrett.usd", "this file is missing"),
    "other number of grasps": (_other_count, _TABLE, "expected 4 grasps, got 3"),
    "foreign file": (lambda root: (root / "grasps" / "x.txt").write_text(""), "grasps/x.txt", "not part of"),
}  # fmt: skip


def test_a_good_dataset_has_no_faults_and_rows_come_out_the_same(dataset):
    found = verify_dataset(dataset)
    assert found.faults == ()
    assert found.checked == len(read_checksums(dataset)) > 80
    assert recompute_grasps(dataset, 2) == []


@pytest.mark.parametrize("name", _CORRUPTIONS)
def test_a_planted_corruption_is_found_and_named(name, dataset):
    corrupt, file, problem = _CORRUPTIONS[name]
    corrupt(dataset)
    faults = verify_dataset(dataset).faults
    said = [fault.problem for fault in faults if fault.file == file]
    assert any(problem in text for text in said), faults
    assert all("\n" not in fault.problem for fault in faults)


@pytest.mark.slow
def test_rows_that_come_out_otherwise_are_named(dataset):
    def move(table):
        poses = table.grasps.T_object_palm.copy()
        poses[1, 0] = np.nextafter(poses[1, 0], 1.0)
        return replace(table, grasps=replace(table.grasps, T_object_palm=poses))

    _rewrite_grasps(dataset, move)
    assert recompute_grasps(dataset, 3) == [(_TABLE, "recomputed grasps differ in rows 1")]


def test_other_versions_are_not_compared(dataset):
    manifest = json.loads((dataset / "dataset.json").read_text())
    manifest["packages"]["warp-lang"] = "0.1"
    (dataset / "dataset.json").write_text(json.dumps(manifest))
    with pytest.raises(GraspdError, match=r"warp-lang 0\.1 \(here"):
        recompute_grasps(dataset, 1)


@pytest.mark.slow
def test_evaluation_keeps_the_checksums_true(dataset):
    evaluate_dataset(dataset, EvaluationSettings(thresholds=(0.005,), hold_test=False), workers=1)
    assert verify_dataset(dataset).faults == ()


def test_the_command_ends_with_1_on_a_fault(dataset, capsys):
    cli.main(["verify", str(dataset)])
    assert "nothing wrong" in capsys.readouterr().out
    _forget_hand(dataset)
    with pytest.raises(SystemExit, match="1"):
        cli.main(["verify", str(dataset)])
    assert "hands/barrett.usd: this file is missing" in capsys.readouterr().out


def test_settings_come_back_as_the_configuration_they_were():
    import dataclasses

    config = SynthesisConfig(iterations=7)
    assert restore_config(SynthesisConfig, json.loads(json.dumps(dataclasses.asdict(config)))) == config
    with pytest.raises(GraspdError, match="SynthesisConfig has no settings called magic; use") as error:
        restore_config(SynthesisConfig, {"magic": 1})
    with pytest.raises(GraspdError) as longest:
        restore_config(SynthesisConfig, {"<a>" * 300: 1})
    assert len(str(error.value)) < len(str(longest.value)) < 400
