# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Other projects' files: round trips by surface points, files written by hand, wrong orders, files that do harm."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from pxr import Usd, UsdValidation
from scipy.spatial.transform import Rotation
from small_dataset import QUICK

from omni_graspd.cli import main as cli
from omni_graspd.dataset.tables import read_grasps as read_table_of_grasps
from omni_graspd.dataset.verification.verify import verify_dataset
from omni_graspd.errors import GraspdError
from omni_graspd.formats.conversion import ConvertConfig, convert
from omni_graspd.formats.hand_mapping import from_hand, to_hand
from omni_graspd.formats.reading import read_grasps
from omni_graspd.formats.record import GraspRecord
from omni_graspd.formats.registry import FORMATS, guess_format
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.surface_points import posed_points, sample_surface_points
from omni_graspd.objects.object_library import load_object
from omni_graspd.synthesis.synthesizer import synthesize

_HANDS = ("allegro", "barrett", "shadow")


@pytest.fixture(scope="module")
def hands() -> dict[str, Hand]:
    return {name: load_hand(name) for name in _HANDS}


@pytest.fixture(scope="module")
def points(hands):
    return {name: sample_surface_points(hand, 300) for name, hand in hands.items()}


@pytest.fixture(scope="module")
def block(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("block") / "block.obj"
    trimesh.creation.box((0.05, 0.06, 0.09)).export(path)
    return path


def _random(hand: Hand, count: int = 12) -> GraspRecord:
    """Grasps anywhere, with every joint anywhere."""
    random = np.random.default_rng(3)
    poses = np.concatenate([random.normal(0, 0.1, (count, 3)), Rotation.random(count, random).as_quat()], axis=1)
    joints = random.uniform(hand.joint_lower, hand.joint_upper, (count, hand.joint_count))
    return GraspRecord(hand.name, "block", hand.joint_names, poses, joints, scores={"confidence": np.ones(count)})


@pytest.fixture(scope="module")
def around(hands, block) -> dict[str, GraspRecord]:
    """Grasps of the block."""
    obj, found = load_object(str(block)), {}
    for name, hand in hands.items():
        batch = asyncio.run(synthesize(hand, obj, range(24), QUICK, seed=0))
        joints = np.clip(batch.joint_positions, hand.joint_lower, hand.joint_upper)
        found[name] = GraspRecord(name, "block", hand.joint_names, batch.T_object_palm, joints, object_file=str(block))
    return found


def _moved(hand: Hand, points, record: GraspRecord, other: GraspRecord) -> float:
    before = posed_points(hand, points, record.T_object_palm, record.joint_positions)
    return float(np.abs(posed_points(hand, points, other.T_object_palm, other.joint_positions) - before).max())


@pytest.mark.parametrize("hand_name", _HANDS)
@pytest.mark.parametrize("format_name", [name for name, known in FORMATS.items() if known.write])
def test_round_trips_do_not_move_the_surface(format_name, hand_name, hands, points, tmp_path):
    hand, known = hands[hand_name], FORMATS[format_name]
    record = _random(hand)
    path = tmp_path / f"block{known.suffix}"
    known.write(from_hand(record, format_name), path)
    assert guess_format(path)[0] == format_name
    (read,) = known.read(path)
    assert _moved(hand, points[hand_name], record, to_hand(read, hand, format_name)) < 1e-6


def test_isaac_grasp_written_by_hand_is_read(hands, points, tmp_path):
    # As Isaac Sim's documentation of the format has it: orientation w and xyz, joints by name in radians.
    hand = hands["allegro"]
    joints = "\n".join(f"      {name}: {0.01 * k:.2f}" for k, name in enumerate(hand.joint_names))
    path = tmp_path / "grasps.yaml"
    path.write_text(
        "format: isaac_grasp\nformat_version: '1.0'\nobject_frame: /World/block\ngripper_frame: /allegro/palm\n"
        "grasps:\n  grasp_0:\n    confidence: 0.5\n    position: [0.1, -0.2, 3.0e-2]\n"
        f"    orientation: {{w: 0.6, xyz: [0.0, 0.8, 0.0]}}\n    cspace_position:\n{joints}\n"
    )
    (read,) = FORMATS["isaac_grasp"].read(path)
    np.testing.assert_allclose(read.T_object_palm[0], [0.1, -0.2, 0.03, 0.0, 0.8, 0.0, 0.6])
    mine = to_hand(read, hand, "isaac_grasp")
    np.testing.assert_allclose(mine.joint_positions[0], 0.01 * np.arange(16))
    assert mine.scores["confidence"][0] == 0.5


def test_dexgraspnet_written_by_hand_is_read(hands, tmp_path):
    # A list of dictionaries: position, Euler angles about fixed axes, joints robot0:XXJn counted from 0, the scale.
    hand = hands["shadow"]
    foreign = {f"robot0:{name[:3]}{int(name[3]) - 1}": 0.01 * k for k, name in enumerate(hand.joint_names)}
    rotation = {"WRJRx": 0.3, "WRJRy": -0.4, "WRJRz": 0.5}
    qpos = {"WRJTx": 0.1, "WRJTy": 0.2, "WRJTz": 0.3, **rotation, **foreign}
    path = tmp_path / "core-bottle-1.npy"
    np.save(path, np.array([{"qpos": qpos, "scale": 0.06, "E_fc": 0.25}], dtype=object), allow_pickle=True)
    (read,) = FORMATS["dexgraspnet"].read(path)
    mine = to_hand(read, hand, "dexgraspnet")
    expected = Rotation.from_euler("z", 0.5) * Rotation.from_euler("y", -0.4) * Rotation.from_euler("x", 0.3)
    np.testing.assert_allclose(Rotation.from_quat(mine.T_object_palm[0, 3:]).as_matrix(), expected.as_matrix())
    np.testing.assert_allclose(mine.T_object_palm[0, :3], [0.1, 0.2, 0.3])
    # In that model these four axes point the other way.
    signs = [-1.0 if name in ("FFJ4", "MFJ4", "THJ2", "THJ1") else 1.0 for name in hand.joint_names]
    np.testing.assert_allclose(mine.joint_positions[0], 0.01 * np.arange(hand.joint_count) * signs)
    assert (read.object, read.object_scale, read.scores["E_fc"][0]) == ("core-bottle-1", 0.06, 0.25)


def test_dexgraspnet_leaves_scores_out_that_are_not_finite(hands, tmp_path):
    record = _random(hands["shadow"], 3)
    scores = {"E_fc": np.array([0.1, 0.2, 0.3]), "E_pen": np.array([0.1, np.nan, 0.3])}
    FORMATS["dexgraspnet"].write(from_hand(replace(record, scores=scores), "dexgraspnet"), tmp_path / "block.npy")
    (read,) = FORMATS["dexgraspnet"].read(tmp_path / "block.npy")
    assert list(read.scores) == ["E_fc"]


def test_graspgen_and_multigrippergrasp_written_by_hand_are_read(hands, tmp_path):
    matrix = [[0, -1, 0, 0.1], [1, 0, 0, 0.2], [0, 0, 1, 0.3], [0, 0, 0, 1]]
    graspgen = {
        "object": {"file": "mug.obj", "scale": 0.5},
        "grasps": {"transforms": [matrix], "object_in_gripper": [True]},
    }
    path = tmp_path / "mug.json"
    path.write_text(json.dumps(graspgen))
    (read,) = FORMATS["graspgen"].read(path)
    half = np.sqrt(0.5)
    np.testing.assert_allclose(read.T_object_palm[0], [0.1, 0.2, 0.3, 0, 0, half, half])
    assert (read.object, read.object_scale, read.scores["confidence"][0]) == ("mug", 0.5, 1.0)
    other = {
        "gripper": "Allegro",
        "object_ID": "mug",
        "pose": [[0.1, 0.2, 0.3, half, 0, 0, half]],
        "dofs": [list(range(16))],
    }
    path.write_text(json.dumps(other))
    assert guess_format(path)[0] == "multigrippergrasp"
    (read,) = FORMATS["multigrippergrasp"].read(path)
    mine = to_hand(read, hands["allegro"], "multigrippergrasp")
    np.testing.assert_allclose(mine.T_object_palm[0], [0.1, 0.2, 0.3, 0, 0, half, half])
    # Breadth first, fingers by the alphabet of their joints: index, thumb, middle, ring.
    at = dict(zip(mine.joint_names, mine.joint_positions[0], strict=True))
    assert [at[f"{finger}_joint_1"] for finger in ("index", "thumb", "middle", "ring")] == [4, 5, 6, 7]


def test_dexgraspbench_and_bodex_written_by_hand_are_read(hands, tmp_path):
    hand = hands["shadow"]
    posture = [0.1, 0.2, 0.3, 1.0, 0.0, 0.0, 0.0, *(0.01 * k for k in range(22))]
    path = tmp_path / "grasp.npy"
    bench = {"grasp_qpos": np.array(posture), "pregrasp_qpos": np.array(posture), "squeeze_qpos": np.array(posture)}
    bench |= {"obj_pose": np.array([0, 0, 0, 1.0, 0, 0, 0]), "obj_scale": 0.08, "obj_path": "a/mug/b.xml"}
    np.save(path, bench, allow_pickle=True)
    assert guess_format(path)[0] == "dexgraspbench"
    (read,) = FORMATS["dexgraspbench"].read(path)
    mine = to_hand(read, hand, "dexgraspbench")
    # Its palm lies 34 mm above the root of its hand.
    np.testing.assert_allclose(mine.T_object_palm[0, :3], [0.1, 0.2, 0.334])
    np.testing.assert_allclose(mine.joint_positions[0, :4], [0.0, 0.01, 0.02, 0.03])
    joint_names = [f"rh_{name}" for name in (*hand.joint_names[17:], *hand.joint_names[:17])]
    bodex = {"robot_pose": np.array(posture).reshape(1, 1, 1, 29).repeat(3, axis=2), "joint_names": joint_names}
    bodex["world_cfg"] = [
        {"mesh": {"mug": {"pose": [0.1, 0.2, 0.3, 1, 0, 0, 0], "scale": [0.08] * 3, "file_path": "m.obj"}}}
    ]
    np.save(path, bodex, allow_pickle=True)
    (read,) = FORMATS["bodex"].read(path)
    mine = to_hand(read, hand, "bodex")
    np.testing.assert_allclose(mine.T_object_palm[0], [0, 0, 0, 0, 0, 0, 1], atol=1e-12)
    at = dict(zip(mine.joint_names, mine.joint_positions[0], strict=True))
    assert at[hand.joint_names[17]] == 0.0 and at[hand.joint_names[0]] == 0.05


@pytest.mark.parametrize("hand_name", _HANDS)
def test_swapped_quaternions_are_named(hand_name, around, block, tmp_path):
    path = tmp_path / "block.json"
    FORMATS["multigrippergrasp"].write(from_hand(around[hand_name], "multigrippergrasp"), path)
    read_grasps(path, hand=hand_name, object_path=block)  # as it should be, nothing is said
    content = json.loads(path.read_text())
    content["pose"] = [[x, y, z, i, j, k, w] for x, y, z, w, i, j, k in content["pose"]]
    path.write_text(json.dumps(content))
    with pytest.raises(GraspdError, match="quaternions in the order xyzw where wxyz is expected") as error:
        read_grasps(path, hand=hand_name, object_path=block)
    assert "--no-check" in str(error.value) and "\n" not in str(error.value)
    assert len(read_grasps(path, hand=hand_name, object_path=block, check=False).grasps[0].record) == 24


def test_turned_matrices_are_named(around, block, tmp_path):
    record = around["allegro"]
    turned = record.T_object_palm.copy()
    turned[:, 3:6] *= -1.0
    path = tmp_path / "block.json"
    FORMATS["graspgen"].write(from_hand(replace(record, T_object_palm=turned), "graspgen"), path)
    with pytest.raises(GraspdError, match="rotations the other way round"):
        read_grasps(path, hand="allegro", object_path=block)


def test_joints_in_another_order_and_in_degrees_are_named(hands, around, block, tmp_path):
    hand = hands["shadow"]
    random = np.random.default_rng(0)
    joints = random.uniform(hand.joint_lower, hand.joint_upper, (24, hand.joint_count))
    record = replace(around["shadow"], joint_positions=joints)
    path = tmp_path / "block.json"
    FORMATS["multigrippergrasp"].write(from_hand(record, "multigrippergrasp"), path)
    content = json.loads(path.read_text())
    del content["dof_names"]
    path.write_text(json.dumps(content))
    read_grasps(path, hand="shadow", object_path=block)
    by_finger = [[row[hand.joint_names.index(name)] for name in hand.joint_names] for row in joints]
    path.write_text(json.dumps(content | {"dofs": by_finger}))
    with pytest.raises(GraspdError, match=r"another order of the joints.*finger by finger"):
        read_grasps(path, hand="shadow", object_path=block)
    path.write_text(json.dumps(content | {"dofs": np.rad2deg(content["dofs"]).tolist()}))
    with pytest.raises(GraspdError, match="degrees"):
        read_grasps(path, hand="shadow", object_path=block)


class _Bomb:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self):
        return os.mkdir, (str(self.target),)


def _save_bomb(path: Path, bomb: _Bomb) -> None:
    if path.suffix == ".npy":
        np.save(path, np.array([{"qpos": bomb}], dtype=object), allow_pickle=True)
        return
    import zipfile

    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"metadata": bomb}))
        archive.writestr("archive/version", "3")


@pytest.mark.parametrize(("name", "format_name"), [("a.npy", "dexgraspnet"), ("a.npy", "bodex"), ("a.pt", "multidex")])
def test_a_pickle_that_runs_code_is_refused(name, format_name, tmp_path):
    marker, path = tmp_path / "ran", tmp_path / name
    _save_bomb(path, _Bomb(marker))
    with pytest.raises(GraspdError) as error:
        FORMATS[format_name].read(path)
    assert "\n" not in str(error.value) and "mkdir" in str(error.value)
    assert not marker.exists()


def test_numbers_that_are_no_quaternion_matrix_or_posture_are_one_line(tmp_path):
    path = tmp_path / "x.json"
    for content in (
        {"gripper": "Allegro", "object_ID": "x", "pose": [[0, 0, 0, 1, 1, 0, 0]], "dofs": [[0] * 16]},
        {"gripper": "Allegro", "object_ID": "x", "pose": [[0, 0, 0, 1, 0, 0]], "dofs": [[0] * 16]},
        {"gripper": "Allegro", "object_ID": "x", "pose": [[0, 0, 0, 1, 0, 0, float("nan")]], "dofs": [[0] * 16]},
        {"object": {}, "grasps": {"transforms": [[[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, -1, 0], [0, 0, 0, 1]]]}},
        {"object": {}, "grasps": {"transforms": 7}},
    ):
        path.write_text(json.dumps(content))
        with pytest.raises(GraspdError) as error:
            FORMATS[guess_format(path)[0]].read(path)
        assert "expected" in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"hello", b"{}", b"\x93NUMPY\x01\x00", b"PK\x03\x04", b"PAR1", b"\x89HDF"])
def test_files_of_no_known_kind_and_broken_ones_are_one_line(content, tmp_path):
    path = tmp_path / "x.bin"
    path.write_bytes(content)
    with pytest.raises(GraspdError) as error:
        read_grasps(path)
    assert "\n" not in str(error.value)


def test_a_file_becomes_a_dataset_that_verifies_and_comes_back(around, points, hands, block, tmp_path):
    source = tmp_path / "block.npy"
    FORMATS["dexgraspnet"].write(from_hand(around["shadow"], "dexgraspnet"), source)
    result = convert(source, tmp_path / "set", ConvertConfig(to="dataset", object_path=block))
    assert sum(file.count for file in result.files) == 24
    assert verify_dataset(tmp_path / "set").faults == ()
    table = read_table_of_grasps(tmp_path / "set" / "grasps" / "shadow" / "block.parquet")
    back = replace(
        around["shadow"], T_object_palm=table.grasps.T_object_palm, joint_positions=table.grasps.joint_positions
    )
    assert _moved(hands["shadow"], points["shadow"], around["shadow"], back) < 1e-6
    convert(tmp_path / "set", tmp_path / "out", ConvertConfig(to="isaac_grasp"))
    (file,) = (tmp_path / "out").rglob("*.yaml")
    (again,) = FORMATS["isaac_grasp"].read(file)
    mine = to_hand(again, hands["shadow"], "isaac_grasp")
    assert _moved(hands["shadow"], points["shadow"], around["shadow"], mine) < 1e-6


def test_a_scaled_object_is_written_at_its_size(around, block, tmp_path):
    record = replace(around["allegro"].rows(slice(0, 3)), object_scale=0.5)
    source = tmp_path / "block.json"
    FORMATS["graspgen"].write(from_hand(record, "graspgen"), source)
    convert(source, tmp_path / "set", ConvertConfig(to="dataset", object_path=block, hand="allegro", check=False))
    (file,) = (tmp_path / "set" / "objects").glob("*.usd")
    np.testing.assert_allclose(np.ptp(load_object(str(file)).mesh.vertices, axis=0), [0.025, 0.03, 0.045], atol=1e-6)


def test_a_stage_of_grasps_passes_the_validators(around, block, tmp_path):
    source = tmp_path / "block.json"
    FORMATS["graspgen"].write(from_hand(around["barrett"].rows(slice(0, 3)), "graspgen"), source)
    convert(source, tmp_path / "stage.usd", ConvertConfig(object_path=block, hand="barrett"))
    moved = Path(shutil.move(tmp_path / "stage.usd", tmp_path / "sub.usd"))  # references stay beside it
    stage = Usd.Stage.Open(str(moved))
    validators = UsdValidation.ValidationRegistry().GetOrLoadAllValidators()
    assert [e.GetMessage() for e in UsdValidation.ValidationContext(validators).Validate(stage)] == []
    grasps = stage.GetPrimAtPath("/Grasps").GetChildren()
    assert [prim.GetName() for prim in grasps] == ["grasp_0000", "grasp_0001", "grasp_0002"]
    positions = grasps[1].GetChild("hand").GetAttribute("graspd:joint_positions").Get()
    np.testing.assert_allclose(positions, around["barrett"].joint_positions[1])


def test_the_command_says_what_it_read_wrote_and_lost(around, block, tmp_path, capsys):
    source = tmp_path / "block.parquet"
    FORMATS["table"].write(around["allegro"], source)
    killed = tmp_path / ".partial-01234567-out.json"
    killed.touch()
    cli.main(["convert", str(source), str(tmp_path / "out.json"), "--to", "multigrippergrasp", "--object", str(block)])
    said = capsys.readouterr().out
    assert f"{killed} is of a conversion that was killed, or still runs; if it does not, delete it" in said
    assert "read as table (it is a Parquet file), written as multigrippergrasp" in said
    assert "24 grasps · hand allegro · object block" in said
    with pytest.raises(SystemExit):
        cli.main(["convert", str(source), str(tmp_path / "out.json")])
    assert "several formats for 'out.json': multigrippergrasp, graspgen" in capsys.readouterr().err


@pytest.mark.slow
def test_all_baselines_are_read_or_refused_with_the_reason(shared_folder):
    folder = shared_folder / "baselines"
    files = [folder / "graspit" / "best_grasps.json", *sorted((folder / "peers").glob("*.json"))]
    for file in files:
        listed = json.loads(file.read_text())
        if "graspqp" in file.name:
            with pytest.raises(GraspdError, match=r"32 mm elsewhere|hand 'graspqp_allegro'"):
                read_grasps(file)
            continue
        reading = read_grasps(file)
        count = sum(len(entry.record) for entry in reading.grasps)
        assert count + sum(refusal.count for refusal in reading.refused) == len(_grasps_of(listed))
        assert all(entry.object_path is not None and entry.hand is not None for entry in reading.grasps)
        assert all("HumanHand20DOF" in refusal.reason for refusal in reading.refused)


def _grasps_of(listed):
    if isinstance(listed, dict):
        return next(value for value in listed.values() if isinstance(value, list))
    return [grasp for run in listed for grasp in run["grasps"]]


def test_a_hand_whose_name_no_file_can_have_is_of_none(tmp_path: Path) -> None:
    grasp = {"joint_names": ["j0"], "root_pos": [0.1, 0.2, 0.3], "root_quat_wxyz": [1.0, 0.0, 0.0, 0.0]}
    grasp |= {"joint_values": [0.0], "metrics": {"epsilon": 0.1}}
    for name in ("a" * 5000, "a\0b"):
        path = tmp_path / "grasps.json"
        path.write_text(json.dumps({"hand": name, "object": "block", "grasps": [grasp]}))
        with pytest.raises(GraspdError, match="expected grasps of one of our hands") as refusal:
            read_grasps(path)
        assert len(str(refusal.value)) < 700
