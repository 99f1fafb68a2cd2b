# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Parquet tables of grasps."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from omni_graspd.dataset.table_schema import SCHEMA_VERSION
from omni_graspd.dataset.tables import (
    GraspTable,
    SceneGraspTable,
    read_grasps,
    read_scene_grasps,
    write_grasps,
    write_scene_grasps,
)
from omni_graspd.errors import GraspdError
from omni_graspd.scenes.transfer import SceneGrasps
from omni_graspd.synthesis.grasp import GraspBatch


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    poses = rng.normal(size=(3, 7))
    poses[:, 3:] /= np.linalg.norm(poses[:, 3:], axis=1, keepdims=True)
    poses[2] = np.nan
    grasps = GraspBatch(
        poses, rng.normal(size=(3, 2)), {"stable": rng.normal(size=3), "limit": np.zeros(3)}, ("ok", "ok", "diverged")
    )
    metrics = {
        "contact_area": np.array([1e-3, 2e-3, np.nan]),
        "contact_count": np.array([3, 5, 0], dtype=np.int32),
        "force_closure": np.array([True, False, False]),
    }
    return GraspTable("gripper", "mug", ("left", "right"), np.arange(3, dtype=np.int32), 7, grasps, metrics)


@pytest.fixture
def scene_table():
    placed = SceneGrasps(
        T_world_palm=np.arange(14.0).reshape(2, 7),
        table_clearance=np.array([0.1, -0.2]),
        collides=np.array([False, True]),
        approach_angle=np.array([0.5, 2.0]),
        approach_clearance=np.array([0.05, np.nan]),
        from_above=np.array([True, False]),
    )
    return SceneGraspTable("mug", 4, ("a", "b"), np.array([0, 9], dtype=np.int32), ("ok", "apart"), placed)


def test_base_grasps_come_back_exactly(table, tmp_path):
    write_grasps(table, tmp_path / "mug.parquet")
    back = read_grasps(tmp_path / "mug.parquet")
    assert (back.hand, back.object, back.joint_names, back.seed) == ("gripper", "mug", ("left", "right"), 7)
    assert back.grasps.status == table.grasps.status
    np.testing.assert_array_equal(back.indices, table.indices)
    np.testing.assert_array_equal(back.grasps.T_object_palm, table.grasps.T_object_palm)
    np.testing.assert_array_equal(back.grasps.joint_positions, table.grasps.joint_positions)
    assert list(back.grasps.losses) == ["stable", "limit"]
    np.testing.assert_array_equal(back.grasps.losses["stable"], table.grasps.losses["stable"])
    assert list(back.metrics) == list(table.metrics)
    for name, values in table.metrics.items():
        np.testing.assert_array_equal(back.metrics[name], values)
        assert back.metrics[name].dtype == values.dtype


def test_scene_grasps_come_back_exactly(scene_table, tmp_path):
    write_scene_grasps(scene_table, tmp_path / "scene.parquet")
    back = read_scene_grasps(tmp_path / "scene.parquet")
    assert (back.object, back.scene_index, back.hands) == ("mug", 4, ("a", "b"))
    assert back.status == ("ok", "apart")
    np.testing.assert_array_equal(back.grasp_indices, scene_table.grasp_indices)
    for field in fields(SceneGrasps):
        np.testing.assert_array_equal(getattr(back.grasps, field.name), getattr(scene_table.grasps, field.name))


def test_equal_grasps_make_equal_bytes(table, tmp_path):
    write_grasps(table, tmp_path / "a.parquet")
    write_grasps(table, tmp_path / "b.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    write_grasps(replace(table, seed=8), tmp_path / "b.parquet")
    assert (tmp_path / "a.parquet").read_bytes() != (tmp_path / "b.parquet").read_bytes()


def test_every_column_says_its_unit_and_poses_say_their_frame(table, scene_table, tmp_path):
    write_grasps(table, tmp_path / "a.parquet")
    write_scene_grasps(scene_table, tmp_path / "b.parquet")
    for name, pose, frame in (("a", "T_object_palm", b"object"), ("b", "T_world_palm", b"world")):
        schema = pq.read_schema(tmp_path / f"{name}.parquet")
        assert all({b"unit", b"meaning"} <= set(field.metadata) for field in schema)
        assert schema.field(pose).metadata[b"frame"] == frame
        assert schema.field(pose).type.list_size == 7
    schema = pq.read_schema(tmp_path / "a.parquet")
    assert json.loads(schema.metadata[b"joint_names"]) == ["left", "right"]
    assert schema.field("joint_positions").type.list_size == 2
    assert schema.field("contact_area").metadata[b"unit"] == b"m2"


def test_a_table_of_another_schema_version_is_refused(table, tmp_path, monkeypatch):
    path = tmp_path / "old.parquet"
    monkeypatch.setattr("omni_graspd.dataset.table_schema.SCHEMA_VERSION", 0)
    write_grasps(table, path)
    monkeypatch.undo()
    with pytest.raises(GraspdError, match=rf"schema version {SCHEMA_VERSION}, got version 0 .*old\.parquet"):
        read_grasps(path)


@pytest.mark.parametrize(
    ("content", "message"), [(None, "does not exist"), (b"not a table", "expected a Parquet table")]
)
def test_a_missing_or_damaged_table_is_one_line(content, message, tmp_path):
    path = tmp_path / "mug.parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(GraspdError, match=message) as error:
        read_grasps(path)
    assert "\n" not in str(error.value)
