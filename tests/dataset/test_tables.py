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
from omni_graspd.scenes.scene_grasps import SceneGrasps
from omni_graspd.synthesis.grasp import GraspBatch, Postures, Way


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
def table_with_ways(table):
    """The same grasps over a table, in rest poses 0 and 3."""
    rng = np.random.default_rng(1)
    way = Way(
        table_plane=rng.normal(size=(3, 4)),
        T_object_hover_palm=rng.normal(size=(3, 7)),
        lift_direction=rng.normal(size=(3, 3)),
        approach_clearance=rng.normal(size=3),
        closing_clearance=rng.normal(size=3),
        grasp_clearance=rng.normal(size=3),
        squeeze_clearance=rng.normal(size=3),
        lift_clearance=np.full(3, np.nan),
        usable=np.array([True, False, False]),
        tries=np.array([1, 4, 2], dtype=np.int32),
        rejected=("", "no way in; below the table; no way in", "deep in the object"),
    )
    postures = Postures(rng.normal(size=(3, 7)), rng.normal(size=(3, 2)), rng.normal(size=3), rng.normal(size=(3, 2)))
    return replace(
        table,
        indices=np.array([0, 1, 3_000_000], dtype=np.int32),
        grasps=replace(table.grasps, postures=postures, way=way),
        rest_poses=np.array([0, 0, 3], dtype=np.int32),
    )


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


def test_ways_come_back_exactly(table_with_ways, tmp_path):
    write_grasps(table_with_ways, tmp_path / "mug.parquet")
    back = read_grasps(tmp_path / "mug.parquet")
    np.testing.assert_array_equal(back.indices, table_with_ways.indices)
    np.testing.assert_array_equal(back.rest_poses, table_with_ways.rest_poses)
    for field in fields(Way):
        there, made = getattr(back.grasps.way, field.name), getattr(table_with_ways.grasps.way, field.name)
        np.testing.assert_array_equal(there, made)
        assert field.name == "rejected" or there.dtype == made.dtype
    assert list(back.metrics) == list(table_with_ways.metrics)
    np.testing.assert_array_equal(back.good, [True, False, False])


def test_a_table_without_ways_is_read_as_before(table, tmp_path):
    write_grasps(table, tmp_path / "mug.parquet")
    back = read_grasps(tmp_path / "mug.parquet")
    assert back.rest_poses is None and back.grasps.way is None
    np.testing.assert_array_equal(back.good, [True, True, False])
    assert back.of_rest_pose(0) is back
    assert len(back.of_rest_pose(1).indices) == 0


def test_grasps_of_a_rest_pose_are_its_rows(table_with_ways):
    assert table_with_ways.of_rest_pose(0).indices.tolist() == [0, 1]
    last = table_with_ways.of_rest_pose(3)
    assert last.indices.tolist() == [3_000_000]
    assert last.grasps.way.rejected == ("deep in the object",)
    assert last.metrics["contact_count"].tolist() == [0]
    assert len(table_with_ways.of_rest_pose(1).indices) == 0


def test_scene_grasps_with_ways_come_back_exactly(scene_table, tmp_path):
    placed = replace(scene_table.grasps, usable=np.array([True, False]), neighbour_clearance=np.array([0.01, 0.0]))
    write_scene_grasps(replace(scene_table, grasps=placed, rest_pose=2), tmp_path / "scene.parquet")
    back = read_scene_grasps(tmp_path / "scene.parquet")
    assert back.rest_pose == 2
    for field in fields(SceneGrasps):
        np.testing.assert_array_equal(getattr(back.grasps, field.name), getattr(placed, field.name))
    write_scene_grasps(scene_table, tmp_path / "free.parquet")
    assert "usable" not in pq.read_schema(tmp_path / "free.parquet").names


def test_equal_grasps_make_equal_bytes(table, tmp_path):
    write_grasps(table, tmp_path / "a.parquet")
    write_grasps(table, tmp_path / "b.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    write_grasps(replace(table, seed=8), tmp_path / "b.parquet")
    assert (tmp_path / "a.parquet").read_bytes() != (tmp_path / "b.parquet").read_bytes()


def test_every_column_says_its_unit_and_poses_say_their_frame(table_with_ways, scene_table, tmp_path):
    write_grasps(table_with_ways, tmp_path / "a.parquet")
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
    for name, width in (("table_plane", 4), ("T_object_hover_palm", 7), ("lift_direction", 3)):
        assert schema.field(name).metadata[b"frame"] == b"object"
        assert schema.field(name).type.list_size == width


def test_a_table_of_another_schema_version_is_refused(table, tmp_path, monkeypatch):
    path = tmp_path / "old.parquet"
    monkeypatch.setattr("omni_graspd.dataset.table_schema.SCHEMA_VERSION", 0)
    write_grasps(table, path)
    monkeypatch.undo()
    with pytest.raises(GraspdError, match=rf"schema version {SCHEMA_VERSION}, got version 0 .*old\.parquet"):
        read_grasps(path)


@pytest.mark.parametrize(
    ("content", "message"), [(None, "does not exist"), (b"not a table", "is not a readable Parquet table")]
)
def test_a_missing_or_damaged_table_is_one_line(content, message, tmp_path):
    path = tmp_path / "mug.parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(GraspdError, match=message) as error:
        read_grasps(path)
    assert "\n" not in str(error.value)
