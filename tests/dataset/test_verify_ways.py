# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Verification of rest poses and ways: what it says of planted corruptions."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from omni_graspd.dataset.checksums import forget_checksums, update_checksums
from omni_graspd.dataset.tables import (
    GraspTable,
    SceneGraspTable,
    read_grasps,
    read_scene_grasps,
    write_grasps,
    write_scene_grasps,
)
from omni_graspd.dataset.verification.verify import verify_dataset

_TABLE = "grasps/barrett/block.parquet"
_SCENE_TABLE = "scenes/block/scene_0001.grasps.parquet"


def _with_way(table: GraspTable, row: int, **columns: object) -> GraspTable:
    """Return the table with other values in one row of the way's columns."""
    way = table.grasps.way
    assert way is not None
    changed = {}
    for name, value in columns.items():
        changed[name] = getattr(way, name).copy()
        changed[name][row] = value
    return replace(table, grasps=replace(table.grasps, way=replace(way, **changed)))


def _fail(table: GraspTable) -> GraspTable:
    status = ("diverged", *table.grasps.status[1:])
    return replace(table, grasps=replace(table.grasps, status=status))


def _use_all(table: SceneGraspTable) -> SceneGraspTable:
    return replace(table, grasps=replace(table.grasps, usable=np.ones(3, dtype=bool)))


_CORRUPTIONS: dict[str, tuple[Callable[[GraspTable], GraspTable], str, str]] = {
    "lost row": (lambda table: table.rows(0, 8), _TABLE, "expected 9 grasps, got 8"),
    "other number": (
        lambda table: replace(table, indices=np.append(table.indices[:-1], np.int32(2_000_007))),
        _TABLE, "numbered without gaps",
    ),
    "other rest pose": (
        lambda table: replace(table, rest_poses=np.zeros(9, dtype=np.int32)), _TABLE, "the rest poses do not match",
    ),
    "crossed, yet usable": (
        lambda table: replace(table, metrics=table.metrics | {"crossed": np.ones(9, dtype=np.int32)}),
        _TABLE, "no crossed links where grasps are usable",
    ),
    "failed, yet usable": (_fail, _TABLE, "status ok where grasps are usable"),
    "hand in the table": (
        lambda table: _with_way(table, 0, grasp_clearance=-1e-3), _TABLE, "grasp_clearance of 0 or more",
    ),
    "clearance that is no number": (
        lambda table: _with_way(table, 0, closing_clearance=np.nan), _TABLE, "closing_clearance of 0 or more",
    ),
    "hover that is no pose": (
        lambda table: _with_way(table, 0, T_object_hover_palm=np.ones(7)), _TABLE, "in T_object_hover_palm",
    ),
    "lift that is no direction": (
        lambda table: _with_way(table, 0, lift_direction=np.ones(3)), _TABLE, "unit vectors in lift_direction",
    ),
    "never tried": (lambda table: _with_way(table, 5, tries=0), _TABLE, "tries of 1 or more"),
    "table elsewhere": (
        lambda table: _with_way(table, 3, table_plane=[0.0, 0.0, 1.0, -0.3]), _SCENE_TABLE, "how the object lies here",
    ),
}  # fmt: skip

_SCENE_CORRUPTIONS: dict[str, tuple[Callable[[SceneGraspTable], SceneGraspTable], str]] = {
    "usable here only": (_use_all, "usable base grasps by barrett where the scene says usable"),
    "grasps of another rest pose": (
        lambda table: replace(table, rest_pose=2), "expected each of the 3 base grasps by barrett once, got 3 rows",
    ),
}  # fmt: skip


@pytest.fixture
def dataset(resting_dataset: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(resting_dataset, tmp_path / "set"))


def _problems(root: Path, changed: str, file: str) -> list[str]:
    forget_checksums(root, {changed})
    update_checksums(root)
    return [fault.problem for fault in verify_dataset(root).faults if fault.file == file]


@pytest.mark.parametrize("name", _CORRUPTIONS)
def test_a_planted_corruption_of_base_grasps_is_named(name: str, dataset: Path) -> None:
    corrupt, file, problem = _CORRUPTIONS[name]
    write_grasps(corrupt(read_grasps(dataset / _TABLE)), dataset / _TABLE)
    said = _problems(dataset, _TABLE, file)
    assert any(problem in text for text in said), said


@pytest.mark.parametrize("name", _SCENE_CORRUPTIONS)
def test_a_planted_corruption_of_scene_grasps_is_named(name: str, dataset: Path) -> None:
    corrupt, problem = _SCENE_CORRUPTIONS[name]
    write_scene_grasps(corrupt(read_scene_grasps(dataset / _SCENE_TABLE)), dataset / _SCENE_TABLE)
    said = _problems(dataset, _SCENE_TABLE, _SCENE_TABLE)
    assert any(problem in text for text in said), said


def test_a_scene_without_its_grasps_is_named(dataset: Path) -> None:
    (dataset / _SCENE_TABLE).unlink()
    said = _problems(dataset, _SCENE_TABLE, _SCENE_TABLE)
    assert said == ["this table is missing, though its scene exists"]


def test_a_lost_scene_is_named_and_hides_nothing(dataset: Path) -> None:
    write_grasps(_with_way(read_grasps(dataset / _TABLE), 0, tries=0), dataset / _TABLE)
    forget_checksums(dataset, {_TABLE})
    update_checksums(dataset)
    (dataset / "scenes/block/scene_0002.usda").unlink()
    faults = verify_dataset(dataset).faults
    assert [fault.file for fault in faults] == ["scenes/block/scene_0002.usda", _TABLE]
    assert "deleted or renamed" in faults[0].problem
    assert "tries of 1 or more" in faults[1].problem


def test_a_manifest_without_scenes_is_named(dataset: Path) -> None:
    manifest = dataset / "dataset.json"
    content = json.loads(manifest.read_text())
    content["config"]["scenes"] = 0
    manifest.write_text(json.dumps(content))
    assert verify_dataset(dataset).faults
