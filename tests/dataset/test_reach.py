# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What an arm reaches in a dataset: joints that bring the palm along its way, reasons, conditions, resuming."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dataset_bytes import dataset_digests
from scipy.spatial.transform import Rotation
from six_axis_arm import home_with_arm

import omni_graspd as gd
from omni_graspd.arms.arm_reader import read_arm
from omni_graspd.arms.reach_config import ReachConfig
from omni_graspd.cli.main import main
from omni_graspd.dataset.checksums import CHECKSUM_FILE, update_checksums
from omni_graspd.dataset.grasp_numbers import rows_of
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.reach import reach_scene
from omni_graspd.dataset.reach.reach_columns import scene_arm_columns, scene_reach_columns
from omni_graspd.dataset.reach.reach_dataset import ReachCounts, reach_dataset
from omni_graspd.dataset.reach.reach_scene import scene_stations
from omni_graspd.dataset.reach.reach_table import ArmLifts, read_reach, write_reach
from omni_graspd.dataset.scene_files import read_rest_pose
from omni_graspd.dataset.tables import read_grasps, read_scene_grasps, write_grasps, write_scene_grasps
from omni_graspd.dataset.verification.verify import verify_dataset
from omni_graspd.errors import GraspdError
from omni_graspd.formats.scene_table import read_scene_table
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.scenes.transfer import transfer_grasps
from omni_graspd.scenes.way_stations import STAGES, STATION_COUNT
from omni_graspd.usd.transforms import compose, invert

pytest.importorskip("mujoco", reason="collisions of arms need MuJoCo; install omni-graspd[arms]")

_CONFIG = ReachConfig(postures=4000, mount_turn=30.0, base_range=(0.02, 0.05, 0.0, 10.0))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory):
    """The user's folder with one arm."""
    with home_with_arm(tmp_path_factory.mktemp("home")) as folder:
        yield folder


@pytest.fixture(scope="module")
def from_above(resting_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four scenes with a block and three ways of an open Barrett hand, from straight above and from both sides."""
    root = tmp_path_factory.mktemp("from_above") / "set"
    shutil.copytree(resting_dataset, root)
    layout, hand = DatasetLayout(root), load_hand("barrett")
    base = read_grasps(layout.grasps("barrett", "block"))
    palms, hovers, pregrasps = [], [], []
    for row, plane in enumerate(base.grasps.way.table_plane):
        turned = _looking_down(plane[:3], tilt=(0.0, 0.5, -0.5)[row % 3])
        for poses, height in ((palms, 0.17), (hovers, 0.19), (pregrasps, 0.24)):
            poses.append(np.concatenate([height * plane[:3], turned]))
    opened = np.tile(hand.joint_positions(hand.open_positions), (len(palms), 1))
    batch = replace(
        base.grasps,
        T_object_palm=np.array(palms),
        joint_positions=opened,
        status=("ok",) * len(palms),
        postures=replace(
            base.grasps.postures,
            T_object_pregrasp_palm=np.array(pregrasps),
            pregrasp_joint_positions=opened,
            squeeze_joint_positions=opened,
        ),
        way=replace(base.grasps.way, T_object_hover_palm=np.array(hovers), usable=np.ones(len(palms), dtype=bool)),
    )
    write_grasps(replace(base, grasps=batch), layout.grasps("barrett", "block"))
    for scene in range(4):
        path = layout.scene_grasps("block", scene)
        placed = read_scene_grasps(path)
        mine = batch.take(rows_of(base.indices, placed.grasp_indices))
        grasps = transfer_grasps(hand, mine, read_rest_pose(layout.scene("block", scene)))
        write_scene_grasps(replace(placed, grasps=grasps, status=mine.status), path)
    (root / CHECKSUM_FILE).unlink()
    update_checksums(root)
    return root


def _looking_down(up: np.ndarray, tilt: float) -> np.ndarray:
    """Return a quaternion that turns +z to where a hand looks that comes from above, tilted by an angle."""
    side = np.cross(up, [1.0, 0.0, 0.0] if abs(up[0]) < 0.9 else [0.0, 1.0, 0.0])
    side /= np.linalg.norm(side)
    down = Rotation.from_rotvec(tilt * side).apply(-up)
    return Rotation.align_vectors([down, side], [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])[0].as_quat()


@pytest.fixture(scope="module")
def reached(from_above: Path, home: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ReachCounts]:
    root = tmp_path_factory.mktemp("reached") / "set"
    shutil.copytree(from_above, root)
    return root, reach_dataset(root, "robot", _CONFIG, workers=1)


def test_all_usable_grasps_are_told_of(reached):
    root, counts = reached
    assert counts.written == 4
    assert counts.usable == counts.reachable + sum(counts.reasons.values())
    assert counts.reachable >= counts.usable // 2 > 0
    assert verify_dataset(root).faults == ()


def test_joint_positions_bring_the_palm_along_its_way(reached):
    root, _ = reached
    layout = DatasetLayout(root)
    arm = read_arm(layout.arm("robot"))
    checked = 0
    for scene in range(4):
        table = read_reach(layout.reach("robot", "block", scene))
        base = read_grasps(layout.grasps("barrett", "block"))
        placed = read_scene_grasps(layout.scene_grasps("block", scene))
        rows = np.flatnonzero(table.reach.reachable)
        batch = base.grasps.take(np.searchsorted(base.indices, table.grasp_indices[rows]))
        palms = placed.grasps.T_world_palm[np.searchsorted(placed.grasp_indices, table.grasp_indices[rows])]
        stations = scene_stations(read_rest_pose(layout.scene("block", scene)), palms, batch)
        for number, station in enumerate(stations):
            positions = table.reach.arm_positions[rows, number]
            links = link_poses(arm.articulation, table.T_world_base, positions)
            flange = compose(links[:, arm.flange_link], arm.T_link_flange)
            off = compose(invert(station.T_world_palm), compose(flange, table.mounts["barrett"]))
            assert np.abs(off[:, :3]).max(initial=0.0) < 1e-4
            assert np.abs(off[:, 3:6]).max(initial=0.0) < 0.5 * np.radians(0.05)
            assert ((positions >= arm.lower) & (positions <= arm.upper)).all()
            checked += len(rows)
        steps = np.abs(np.diff(table.reach.arm_positions[rows], axis=1))
        assert steps.max(initial=0.0) <= _CONFIG.largest_step
        assert table.reach.arm_positions.shape[1] == STATION_COUNT
        assert np.isnan(table.reach.arm_positions[~table.reach.reachable]).all()
        assert all(bool(why) != good for why, good in zip(table.reach.reason, table.reach.reachable, strict=True))
    assert checked >= STATION_COUNT


def test_joints_that_lead_elsewhere_are_a_fault(reached, tmp_path):
    root = tmp_path / "set"
    shutil.copytree(reached[0], root)
    path = DatasetLayout(root).reach("robot", "block", 0)
    table = read_reach(path)
    for change, told in ((0.01, "bring the palm to its grasp"), (9.0, "within their limits")):
        moved = replace(table.reach, arm_positions=table.reach.arm_positions + change)
        write_reach(replace(table, reach=moved), path)
        (root / CHECKSUM_FILE).unlink()
        update_checksums(root)
        (fault,) = verify_dataset(root).faults
        assert fault.file == "reach/robot/block/scene_0000.parquet"
        assert told in fault.problem


def test_a_table_without_mounts_or_with_a_base_that_is_nowhere_is_a_fault(reached, tmp_path):
    root = tmp_path / "set"
    shutil.copytree(reached[0], root)
    path = DatasetLayout(root).reach("robot", "block", 0)
    table = read_reach(path)
    nowhere = np.array([np.nan, *table.T_world_base[1:]])
    for damaged, told in (
        (replace(table, mounts={}), "the mount of each hand"),
        (replace(table, T_world_base=nowhere), "finite numbers"),
    ):
        write_reach(damaged, path)
        (root / CHECKSUM_FILE).unlink()
        update_checksums(root)
        assert any(told in fault.problem for fault in verify_dataset(root).faults)


def test_other_ways_to_the_same_grasps_are_looked_at_again(reached, home, tmp_path):
    root = tmp_path / "set"
    shutil.copytree(reached[0], root)
    file = DatasetLayout(root).grasps("barrett", "block")
    base = read_grasps(file)
    hover = base.grasps.way.T_object_hover_palm.copy()
    hover[:, :3] += 0.001
    way = replace(base.grasps.way, T_object_hover_palm=hover)
    write_grasps(replace(base, grasps=replace(base.grasps, way=way)), file)
    scenes = {path.name for path in DatasetLayout(root).reach("robot", "block", 0).parent.iterdir()}
    usable = [len(read_reach(DatasetLayout(root).reach("robot", "block", k)).hands) > 0 for k in range(len(scenes))]
    assert reach_dataset(root, "robot", _CONFIG, workers=1).written == sum(usable) > 0


def test_the_base_is_drawn_for_each_scene(reached):
    layout = DatasetLayout(reached[0])
    bases = [read_reach(layout.reach("robot", "block", scene)).T_world_base for scene in range(4)]
    assert len({tuple(base) for base in bases}) == 4
    assert np.abs(np.array(bases)[:, :3] - _CONFIG.base[:3]).max() <= 0.05


def test_again_keeps_everything(reached, home):
    root, counts = reached
    before = dataset_digests(root)
    again = reach_dataset(root, "robot", _CONFIG, workers=1)
    assert (again.written, again.kept, again.reachable) == (0, 4, counts.reachable)
    assert dataset_digests(root) == before


def test_a_lost_table_comes_back_the_same(reached, home):
    root, _ = reached
    before = dataset_digests(root)
    DatasetLayout(root).reach("robot", "block", 2).unlink()
    assert reach_dataset(root, "robot", _CONFIG, workers=1).written == 1
    assert dataset_digests(root) == before


@pytest.mark.slow
def test_workers_change_no_byte(reached, home, from_above, tmp_path):
    root = tmp_path / "set"
    shutil.copytree(from_above, root)
    reach_dataset(root, "robot", _CONFIG, workers=2)
    assert dataset_digests(root) == dataset_digests(reached[0])


@pytest.mark.slow
def test_an_arm_far_away_reaches_nothing(from_above, home, tmp_path):
    root = tmp_path / "set"
    shutil.copytree(from_above, root)
    counts = reach_dataset(root, "robot", ReachConfig(base=(-3.0, 0.0, 0.0, 0.0), postures=500), workers=1)
    assert counts.reachable == 0
    assert counts.reasons == {"out of reach": counts.usable}
    with pytest.raises(GraspdError, match="expected arm to be"):
        reach_dataset(root, "no_such_arm", workers=1)


def test_an_arm_under_the_table_collides(from_above, home, tmp_path):
    root = tmp_path / "set"
    shutil.copytree(from_above, root)
    counts = reach_dataset(root, "robot", ReachConfig(base=(-0.3, 0.0, -0.45, 0.0), postures=4000), workers=1)
    assert counts.reachable == 0
    assert counts.reasons.get("collision", 0) > 0


def test_the_loader_gives_positions_and_takes_conditions(reached):
    root, counts = reached
    data = gd.open(root)
    assert data.arms == ("robot",)
    table = data.reach("robot", "barrett")
    assert len(table) == counts.reachable
    assert len(table["arm_positions"][0]) == STATION_COUNT * 7
    stations = json.loads(table.schema.metadata[b"stations"])
    assert [stations[number] for number in STAGES.values()] == list(STAGES)
    assert json.loads(table.schema.metadata[b"arm_joint_names"])[0] == "pan"
    assert len(data.reach("robot", only_reachable=False)) == counts.usable
    some, all_of = data.grasps("barrett", where="reachable > 0"), data.grasps("barrett", where="usable")
    assert set(some["index"].to_pylist()) == set(table["grasp_index"].to_pylist())
    assert len(data.grasps("barrett", where="reachable_robot > 0")) == len(some) <= len(all_of)
    scene = read_scene_table(DatasetLayout(root).scene_grasps("block", 0))[0]
    first = [
        k
        for k, index in zip(table["grasp_index"].to_pylist(), table["scene_index"].to_pylist(), strict=True)
        if index == 0
    ]
    assert scene.facts["reachable"].sum() == len(first)
    with pytest.raises(GraspdError, match="expected arm to be one of robot"):
        data.reach("other")


def test_samples_can_have_arm_positions(reached):
    layout = DatasetLayout(reached[0])
    table = read_reach(layout.reach("robot", "block", 0))
    indices = np.array([*table.grasp_indices.tolist(), 10**6])
    usable = np.array([*[True] * len(table.hands), False])
    where = layout, "robot", "barrett", "block"
    columns = scene_arm_columns(*where, 0, indices, usable)
    np.testing.assert_array_equal(columns["reachable"], [*table.reach.reachable, False])
    np.testing.assert_array_equal(columns["arm_positions"][:-1], table.reach.arm_positions)
    assert np.isnan(columns["arm_positions"][-1]).all()
    again = rf"got none of number 1000000; run `graspd reach {reached[0]} --arm robot` again"
    with pytest.raises(GraspdError, match=again):  # a usable grasp of which nobody knows is not out of reach
        scene_arm_columns(*where, 0, indices, np.ones(len(indices), dtype=bool))
    with pytest.raises(GraspdError, match=rf"is missing; run `graspd reach {reached[0]} --arm robot`"):
        scene_arm_columns(*where, 99, indices, usable)


def test_place_and_mount_are_options_of_the_command(reached, home, tmp_path, capsys):
    root = tmp_path / "set"
    shutil.copytree(reached[0], root)
    place, mount = ("-0.6", "0.1", "0", "15"), ("0", "0", "0.05", "0", "0", "45")
    main(["reach", str(root), "--arm", "robot", "--workers", "1", "--base", *place, "--mount", *mount])
    assert "usable grasps reachable" in capsys.readouterr().out
    table = read_reach(DatasetLayout(root).reach("robot", "block", 0))
    np.testing.assert_allclose(table.T_world_base[:3], [-0.6, 0.1, 0.0])
    np.testing.assert_allclose(table.mounts["barrett"][:3], [0.0, 0.0, 0.05])


def test_only_objects_of_the_scene_are_read(from_above, home, tmp_path, monkeypatch):
    root = tmp_path / "set"
    shutil.copytree(from_above, root)
    layout, file = DatasetLayout(root), root / "dataset.json"
    manifest = json.loads(file.read_text(encoding="utf-8"))
    manifest["objects"]["other"] = {**manifest["objects"]["block"], "file": "objects/other.usd"}
    file.write_text(json.dumps(manifest), encoding="utf-8")
    shutil.copyfile(layout.object("block"), layout.object("other"))
    read = []
    load = reach_scene.load_object
    monkeypatch.setattr(reach_scene, "load_object", lambda path: (read.append(Path(path).stem), load(path))[1])
    reach_dataset(root, "robot", _CONFIG, workers=1)
    assert read == ["block"]


def test_scenes_without_grasps_have_no_reach_and_need_none(reached, tmp_path):
    root = tmp_path / "set"
    shutil.copytree(reached[0], root)
    layout = DatasetLayout(root)
    before = gd.open(root).reach("robot")
    layout.scene_grasps("block", 1).unlink()
    layout.reach("robot", "block", 1).unlink()
    assert set(gd.open(root).reach("robot")["scene_index"].to_pylist()) == {
        index for index in before["scene_index"].to_pylist() if index != 1
    }


def test_conditions_ask_whether_the_robot_lifted(reached, tmp_path):
    """In what share of the scenes in which a grasp is usable; in a scene, whether."""
    root = Path(shutil.copytree(reached[0], tmp_path / "set"))
    layout = DatasetLayout(root)
    with pytest.raises(GraspdError, match="arm_lifted"):
        gd.open(root).grasps("barrett", where="arm_lifted > 0")
    tries, lifted = {}, {}
    for scene in range(4):
        table = read_reach(layout.reach("robot", "block", scene))
        done = np.arange(len(table.hands)) % 2 == scene % 2
        reasons = tuple("" if each else "slipped" for each in done)
        write_reach(replace(table, lifts=ArmLifts("some", done, reasons)), layout.reach("robot", "block", scene))
        for index, each in zip(table.grasp_indices.tolist(), done.tolist(), strict=True):
            tries[index], lifted[index] = tries.get(index, 0) + 1, lifted.get(index, 0) + each
    expected = {index for index in tries if lifted[index] / tries[index] > 0.5}
    assert 0 < len(expected) < len(tries)
    found = gd.open(root).grasps("barrett", where="arm_lifted > 0.5")
    assert set(found["index"].to_pylist()) == expected
    assert set(gd.open(root).grasps("barrett", where="arm_lifted_robot > 0.5")["index"].to_pylist()) == expected
    table = read_reach(layout.reach("robot", "block", 1))
    columns = scene_reach_columns(layout, "barrett", "block", 1, table.grasp_indices)
    np.testing.assert_array_equal(columns["arm_lifted"], table.lifts.lifted)


@pytest.mark.slow
def test_robots_lift_and_go_on_where_they_were(reached, home, tmp_path, capsys):
    root = tmp_path / "set"
    shutil.copytree(reached[0], root)
    layout, counts = DatasetLayout(root), reached[1]
    before = [read_reach(layout.reach("robot", "block", scene)) for scene in range(4)]
    lifted = reach_dataset(root, "robot", _CONFIG, lift=True, workers=1)
    assert (lifted.written, lifted.kept, lifted.reachable) == (4, 0, counts.reachable)
    assert lifted.lifted == 0  # the hand stays open
    for scene, table in enumerate(before):
        after = read_reach(layout.reach("robot", "block", scene))
        np.testing.assert_array_equal(after.reach.arm_positions, table.reach.arm_positions)
        unreachable = [reason == "not reachable" for reason in after.lifts.reasons]
        np.testing.assert_array_equal(unreachable, ~table.reach.reachable)
        assert all(after.lifts.reasons)
    assert verify_dataset(root).faults == ()
    files = dataset_digests(root)
    assert reach_dataset(root, "robot", _CONFIG, workers=1).kept == 4
    main(["reach", str(root), "--arm", "robot", "--workers", "1", "--lift", *_options()])
    assert f"0 of {counts.reachable} reachable grasps lifted (0 %)" in capsys.readouterr().out
    assert dataset_digests(root) == files
    table = gd.open(root).reach("robot")
    assert table["arm_lifted"].to_pylist() == [False] * len(table)
    layout.reach("robot", "block", 2).unlink()
    reach_dataset(root, "robot", _CONFIG, workers=1)
    assert gd.open(root).reach("robot")["arm_lifted"].null_count == int(before[2].reach.reachable.sum())
    assert reach_dataset(root, "robot", _CONFIG, lift=True, workers=2).written == 1
    assert dataset_digests(root) == files


def _options() -> list[str]:
    return ["--postures", "4000", "--mount-turn", "30", "--base-range", "0.02", "0.05", "0", "10"]
