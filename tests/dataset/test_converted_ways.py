# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grasps on a table, converted into another dataset: the ways to them survive, and so do their rest poses."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from pxr import Usd, UsdGeom

from omni_graspd.cli import main as cli
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.manifest import read_manifest
from omni_graspd.dataset.tables import GraspTable, read_grasps
from omni_graspd.dataset.verification.verify import verify_dataset
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.synthesis.grasp import Way

pytestmark = pytest.mark.slow


def _tables(root: Path) -> list[GraspTable]:
    manifest = read_manifest(root)
    return [read_grasps(path) for *_, path in DatasetLayout(root).grasp_tables(manifest.hands, manifest.objects)]


def test_ways_rest_poses_and_numbers_survive(resting_dataset: Path, tmp_path: Path, capsys) -> None:
    cli.main(["convert", str(resting_dataset), str(tmp_path / "again"), "--to", "dataset"])
    assert "has no place for" not in capsys.readouterr().out
    for before, after in zip(_tables(resting_dataset), _tables(tmp_path / "again"), strict=True):
        kept = np.isfinite(before.grasps.T_object_palm).all(axis=1) & np.isfinite(before.grasps.joint_positions).all(1)
        expected = before.take(kept)
        assert len(after.indices) and len(np.unique(after.rest_poses)) > 1
        np.testing.assert_array_equal(after.rest_poses, expected.rest_poses)
        for field in fields(Way):
            values = np.asarray(getattr(expected.grasps.way, field.name))
            np.testing.assert_array_equal(getattr(after.grasps.way, field.name), values, err_msg=field.name)
        np.testing.assert_array_equal(after.grasps.usable, expected.grasps.usable)
        clearances = expected.grasps.postures.pregrasp_clearance
        np.testing.assert_array_equal(after.grasps.postures.pregrasp_clearance, clearances)
    assert not verify_dataset(tmp_path / "again").faults


def test_what_has_no_place_for_a_way_says_so(resting_dataset: Path, tmp_path: Path, capsys) -> None:
    cli.main(["convert", str(resting_dataset), str(tmp_path / "files"), "--to", "isaac_grasp"])
    assert "isaac_grasp has no place for: " in (said := capsys.readouterr().out)
    assert "the way past the table" in said


def test_usable_grasps_are_chosen_after_a_conversion(resting_dataset: Path, tmp_path: Path) -> None:
    cli.main(["convert", str(resting_dataset), str(tmp_path / "usable"), "--to", "dataset", "--where", "usable"])
    tables = _tables(tmp_path / "usable")
    assert all(table.grasps.usable.all() for table in tables)
    count = sum(int(table.grasps.usable.sum()) for table in _tables(resting_dataset))
    assert sum(len(table.indices) for table in tables) == count


def test_scenes_and_datasets_become_models_and_scenes_that_play(resting_dataset: Path, tmp_path: Path, capsys) -> None:
    mujoco = pytest.importorskip("mujoco")
    table = sorted(resting_dataset.glob("scenes/block/*.grasps.parquet"))[0]
    cli.main(["convert", str(resting_dataset), str(tmp_path / "stages"), "--to", "usd", "--where", "usable"])
    scenes = list((tmp_path / "stages" / "barrett" / "block_play").iterdir())
    assert scenes and f"{len(scenes)} scenes that play are in " in capsys.readouterr().out
    for source, file in ((table, "barrett/block_scene_0000.xml"), (resting_dataset, "barrett/block.xml")):
        cli.main(["convert", str(source), str(tmp_path / "models"), "--to", "mjcf"])
        model = mujoco.MjModel.from_xml_path(str(tmp_path / "models" / file))
        names = [model.key(index).name for index in range(model.nkey)]
        assert names[:5] == [f"{name}_0000" for name in ("pregrasp", "hover", "grasp", "squeeze", "lift")]
        data = mujoco.MjData(model)
        for name in names[::5]:
            mujoco.mj_resetDataKeyframe(model, data, model.key(name).id)
            mujoco.mj_forward(model, data)
            assert _lowest(model, data) == pytest.approx(0.0, abs=1e-4), name  # on the table in each rest pose


def test_stages_of_grasps_move_when_they_are_played(resting_dataset: Path, tmp_path: Path) -> None:
    cli.main(["convert", str(resting_dataset), str(tmp_path / "stages"), "--to", "usd"])
    stage = Usd.Stage.Open(str(tmp_path / "stages" / "barrett" / "block.usd"))
    (table,) = _tables(resting_dataset)
    palm = load_hand("barrett").links[0].prim_path.split("/", 2)[2]
    paths = ["/Grasps/grasp_0001/object", f"/Grasps/grasp_0001/hand/{palm}"]

    def placed(code: Usd.TimeCode) -> tuple[np.ndarray, np.ndarray]:
        cache = UsdGeom.XformCache(code)
        obj, hand = (np.array(cache.GetLocalToWorldTransform(stage.GetPrimAtPath(path))).T for path in paths)
        return obj[:3, 3], (np.linalg.inv(obj) @ hand)[:3, 3]

    rate, row, way = stage.GetTimeCodesPerSecond(), 1, table.grasps.way
    at_rest, held = placed(Usd.TimeCode.Default())
    np.testing.assert_allclose(held, table.grasps.T_object_palm[row, :3], atol=1e-6)
    expected = table.grasps.postures.T_object_pregrasp_palm, way.T_object_hover_palm, table.grasps.T_object_palm
    for seconds, poses in zip((0.0, 0.3, 0.7), expected, strict=True):
        obj, hand = placed(Usd.TimeCode(rate * seconds))
        np.testing.assert_allclose(obj, at_rest, atol=1e-9)
        np.testing.assert_allclose(hand, poses[row, :3], atol=1e-6)
    obj, hand = placed(Usd.TimeCode(stage.GetEndTimeCode()))
    np.testing.assert_allclose(obj - at_rest, 0.1 * way.lift_direction[row], atol=1e-6)
    np.testing.assert_allclose(hand, held, atol=1e-6)


def _lowest(model, data) -> float:
    """Return the height of the lowest vertex that the object is touched by [m]."""
    heights = []
    for geom in np.flatnonzero((model.geom_bodyid == model.body("object").id) & (model.geom_contype > 0)):
        mesh = model.geom_dataid[geom]
        first = model.mesh_vertadr[mesh]
        points = model.mesh_vert[first : first + model.mesh_vertnum[mesh]]
        heights.append((points @ data.geom_xmat[geom].reshape(3, 3)[2]).min() + data.geom_xpos[geom][2])
    return min(heights)
