# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Exports that play, of jaws that press enough, or too little: MuJoCo and PhysX lift the block as Coulomb says."""

from __future__ import annotations

import asyncio
import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from lift_jaws import SIZE, make_block, make_grasp, make_jaws
from pxr import Usd, UsdGeom, UsdPhysics, UsdValidation
from scipy.spatial.transform import Rotation

from omni_graspd.dataset.tables import GraspTable, read_grasps, write_grasps
from omni_graspd.formats.grasp_table import grasp_table, table_record
from omni_graspd.formats.mjcf_export import write_mjcf
from omni_graspd.formats.placement import Placement
from omni_graspd.formats.record import GraspRecord, joined_records
from omni_graspd.formats.usd_play import play_folder, write_play_stages
from omni_graspd.formats.world_ways import world_ways
from omni_graspd.hands.hand import Hand
from omni_graspd.objects.resting_pieces import write_resting_object
from omni_graspd.scenes.simulation import SimulateConfig
from omni_graspd.standalone.simulate import simulate
from omni_graspd.synthesis.grasp import join_batches
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import IDENTITY, compose, pose_to_matrix

_ROOT = Path(__file__).resolve().parents[2]
# The block weighs 1 N. At friction 0.6 each jaw has to press with 0.83 N, and 1.07 N while it is lifted. Drives have
# 1000 N/m in MuJoCo and 2000 N/m in PhysX.
_ENOUGH, _TOO_LITTLE = 4.0 / 1000.0, 0.3 / 1000.0
_TURN = np.array([0.3, -0.2, 0.1, *Rotation.from_euler("xyz", [2.5, 0.4, -1.0]).as_quat()])
"""An object frame in which the table is anywhere."""


@pytest.fixture(scope="module")
def jaws(tmp_path_factory: pytest.TempPathFactory) -> Hand:
    return make_jaws(tmp_path_factory.mktemp("jaws"))


def _table(T_object_table: np.ndarray = IDENTITY) -> GraspTable:
    batches = [make_grasp(squeeze, T_object_table=T_object_table) for squeeze in (_ENOUGH, _TOO_LITTLE)]
    numbers = np.array([1_000_000, 1_000_001], dtype=np.int32)
    metrics = {"epsilon": np.array([0.2, 0.1])}
    poses = np.ones(2, dtype=np.int32)
    return GraspTable("jaws", "block", ("left", "right"), numbers, 0, join_batches(batches), metrics, poses)


def _record(T_object_table: np.ndarray = IDENTITY) -> GraspRecord:
    return table_record(_table(T_object_table))


def _in_scene(record: GraspRecord) -> GraspRecord:
    corners = np.array([[x, y, z] for x in (-0.4, 0.4) for y in (-0.3, 0.3) for z in (-0.03, 0.0)])
    top = TriangleMesh(corners, np.array([[0, 1, 2]], dtype=np.int32))
    T_world_object = np.array([0.11, -0.07, 0.0, *Rotation.from_euler("z", 70, degrees=True).as_quat()])
    return replace(record, placement=Placement("scene_0004", T_world_object, top, 0.5))


def _example():
    spec = importlib.util.spec_from_file_location("play_in_mujoco", _ROOT / "examples" / "05_play_in_mujoco.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("where", ["as it stands", "turned", "in a scene"])
def test_mujoco_lifts_what_is_pressed_enough(jaws: Hand, tmp_path: Path, where: str) -> None:
    mujoco = pytest.importorskip("mujoco")
    T_object_table = _TURN if where == "turned" else IDENTITY
    record = _in_scene(_record()) if where == "in a scene" else _record(T_object_table)
    block = make_block(T_object_table)
    block = replace(block, convex_pieces=(block.mesh,))
    write_mjcf(record, jaws, block, tmp_path / "jaws.xml", tmp_path / "assets")
    model, example = mujoco.MjModel.from_xml_path(str(tmp_path / "jaws.xml")), _example()
    data = mujoco.MjData(model)
    assert [example.play(model, data, grasp) for grasp in (0, 1)] == [True, False]
    assert model.body("object").mass[0] == pytest.approx(0.1)
    assert model.numeric("object_mass").data[0] == pytest.approx(block.mass)


def test_keyframes_are_due_as_in_the_lift_test(jaws: Hand, tmp_path: Path) -> None:
    mujoco = pytest.importorskip("mujoco")
    block = make_block()
    write_mjcf(_in_scene(_record()), jaws, replace(block, convex_pieces=(block.mesh,)), tmp_path / "a.xml", tmp_path)
    model = mujoco.MjModel.from_xml_path(str(tmp_path / "a.xml"))
    keys = [model.key(f"{name}_0000") for name in ("pregrasp", "hover", "grasp", "squeeze", "lift")]
    np.testing.assert_allclose([key.time[0] for key in keys], [0.0, 0.3, 0.7, 1.1, 1.5])
    heights = np.array([key.mpos[2] for key in keys])
    np.testing.assert_allclose(heights, 0.13 + np.array([0.1, 0.06, 0.0, 0.0, 0.1]), atol=1e-9)
    np.testing.assert_allclose(keys[3].ctrl - keys[2].ctrl, _ENOUGH)
    np.testing.assert_allclose([key.qpos[2] for key in keys], [0, 0, 0, 0, 0.1], atol=1e-9)
    np.testing.assert_allclose(keys[0].qpos[:2], [0.11, -0.07])


def _played(path: Path) -> np.ndarray:
    """Step a scene to its end in PhysX; return how far the object has moved [m], shape [3]."""
    stage = Usd.Stage.Open(str(path))
    duration = stage.GetEndTimeCode() / stage.GetTimeCodesPerSecond()
    watch = SimulateConfig(time_step=1 / 120, max_time=duration, rest_time=np.inf, record_interval=duration)
    result = asyncio.run(simulate(stage, watch))
    (body,) = [index for index, name in enumerate(result.body_paths) if name.endswith("/object")]
    return result.poses[-1, body, :3] - result.poses[0, body, :3]


def _write_scenes(record: GraspRecord, jaws: Hand, folder: Path, T_object_table: np.ndarray = IDENTITY) -> Path:
    block = make_block(T_object_table)
    write_resting_object(block, folder / "assets" / "block.usd")
    ways = world_ways(record, block.center_of_mass)
    write_play_stages(record, ways, jaws, folder / "assets" / "block.usd", folder / "b.usd", folder / "assets")
    return play_folder(folder / "b.usd")


@pytest.mark.slow
@pytest.mark.parametrize("where", ["turned", "in a scene"])
def test_physx_lifts_what_is_pressed_enough(jaws: Hand, tmp_path: Path, where: str) -> None:
    if where == "turned":
        scenes = _write_scenes(_record(_TURN), jaws, tmp_path, _TURN)
    else:
        scenes = _write_scenes(_in_scene(_record()), jaws, tmp_path)
    np.testing.assert_allclose(_played(scenes / "grasp_0000.usd"), [0.0, 0.0, 0.1], atol=2e-3)
    assert _played(scenes / "grasp_0001.usd")[2] < 0.05


def test_only_usable_grasps_have_scenes_and_those_of_before_are_gone(jaws: Hand, tmp_path: Path) -> None:
    scenes = _write_scenes(_record(), jaws, tmp_path)
    assert sorted(path.name for path in scenes.iterdir()) == ["grasp_0000.usd", "grasp_0001.usd"]
    (scenes / "mine.usd").write_text("#usda 1.0")
    record = _record()
    _write_scenes(replace(record, scores=record.scores | {"confidence": np.array([0.0, 1.0])}), jaws, tmp_path)
    assert sorted(path.name for path in scenes.iterdir()) == ["grasp_0001.usd", "mine.usd"]


def test_scenes_have_the_motion_as_time_samples_of_palm_and_drives(jaws: Hand, tmp_path: Path) -> None:
    record = _in_scene(_record())
    stage = Usd.Stage.Open(str(_write_scenes(record, jaws, tmp_path) / "grasp_0000.usd"))
    rate = stage.GetTimeCodesPerSecond()
    palm = UsdGeom.Xformable(stage.GetPrimAtPath("/World/lift/link_0"))
    placed = compose(record.placement.T_world_object, record.T_object_palm[0])
    for seconds, rise in ((0.0, 0.1), (0.3, 0.06), (0.7, 0.0), (1.1, 0.0), (1.5, 0.1)):
        matrix = np.array(palm.ComputeLocalToWorldTransform(rate * seconds)).T
        expected = pose_to_matrix(placed + np.array([0, 0, rise, 0, 0, 0, 0]))
        np.testing.assert_allclose(0.01 * matrix[:3, 3], expected[:3, 3], atol=1e-6)
        np.testing.assert_allclose(matrix[:3, :3], expected[:3, :3], atol=1e-6)
    drive = UsdPhysics.DriveAPI(stage.GetPrimAtPath("/World/lift/joint_1"), "linear").GetTargetPositionAttr()
    moves = [0.01 * (drive.Get(rate * seconds) - drive.Get(0.0)) for seconds in (0.3, 0.7, 1.1)]
    np.testing.assert_allclose(moves, [0.0, 0.02, 0.02 + _ENOUGH], atol=1e-6)
    assert stage.GetEndTimeCode() / rate == pytest.approx(1.6)
    cache = UsdGeom.BBoxCache(0.0, ["default", "guide"])
    parts = [stage.GetPrimAtPath(f"/World/lift/object/{name}") for name in ("look/visual", "piece_0")]
    shown, touched = (cache.ComputeWorldBound(part).ComputeAlignedRange() for part in parts)
    np.testing.assert_allclose([*shown.GetMin(), *shown.GetMax()], [*touched.GetMin(), *touched.GetMax()], atol=1e-5)
    assert shown.GetSize()[2] == pytest.approx(100 * SIZE[2])
    validators = UsdValidation.ValidationRegistry().GetOrLoadAllValidators()
    assert [e.GetMessage() for e in UsdValidation.ValidationContext(validators).Validate(stage)] == []


def test_the_way_survives_our_tables(jaws: Hand, tmp_path: Path) -> None:
    table = _table()
    write_grasps(grasp_table(table_record(table), foreign=True), tmp_path / "again.parquet")
    read = read_grasps(tmp_path / "again.parquet")
    for part, there in ((read.grasps.way, table.grasps.way), (read.grasps.postures, table.grasps.postures)):
        for name, values in vars(there).items():
            np.testing.assert_array_equal(getattr(part, name), values, err_msg=name)
    np.testing.assert_array_equal(read.rest_poses, [1, 1])
    np.testing.assert_array_equal(read.indices, table.indices)


def test_grasps_of_several_rest_poses_are_numbered_pose_by_pose() -> None:
    record = joined_records([_record(), replace(_record(_TURN), rest_poses=np.array([0, 2], dtype=np.int32))])
    table = grasp_table(record, foreign=True)
    assert table.indices.tolist() == [0, 1_000_000, 1_000_001, 2_000_000]
    assert table.rest_poses.tolist() == [0, 1, 1, 2]
    np.testing.assert_allclose(
        table.grasps.way.table_plane[0], make_grasp(1.0, T_object_table=_TURN).way.table_plane[0]
    )


def test_a_way_is_lost_with_one_part_that_has_none() -> None:
    assert joined_records([_record(), replace(_record(), way=None)]).way is None


def test_grasps_without_a_way_are_where_the_object_of_the_others_stands(jaws: Hand, tmp_path: Path) -> None:
    mujoco = pytest.importorskip("mujoco")
    record = _record(_TURN)
    record.way.lift_direction[1] = np.nan
    block = make_block(_TURN)
    block = replace(block, convex_pieces=(block.mesh,))
    write_mjcf(record, jaws, block, tmp_path / "jaws.xml", tmp_path / "assets")
    model = mujoco.MjModel.from_xml_path(str(tmp_path / "jaws.xml"))
    keys = {model.key(number).name: model.key(number).qpos[:7] for number in range(model.nkey)}
    assert "lift_0000" in keys
    assert "lift_0001" not in keys
    np.testing.assert_allclose(keys["grasp_0001"], keys["grasp_0000"], atol=1e-6)


def test_the_loop_of_the_documentation_lifts(jaws: Hand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mujoco")
    (loop,) = [
        block
        for block in (_ROOT / "docs" / "formats.md").read_text(encoding="utf-8").split("```python\n")[1:]
        if "mujoco" in block
    ]
    block = make_block()
    write_mjcf(_record(), jaws, replace(block, convex_pieces=(block.mesh,)), tmp_path / "mug.xml", tmp_path / "assets")
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(loop.split("```")[0], names)
    # The palm hangs on a spring, and lags behind at the end.
    assert names["data"].body("object").xpos[2] == pytest.approx(0.1, abs=0.02)
