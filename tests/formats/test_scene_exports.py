# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grasps in a scene as USD, MJCF and isaac_grasp: OpenUSD, MuJoCo and PyYAML find all where the table has it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
import yaml
from pxr import Usd, UsdGeom, UsdValidation
from scipy.spatial.transform import Rotation

from omni_graspd.cli import main as cli
from omni_graspd.dataset.asset_copies import copy_hand
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.tables import GraspTable, SceneGraspTable, read_scene_grasps, write_grasps, write_scene_grasps
from omni_graspd.errors import GraspdError
from omni_graspd.formats.conversion import ConvertConfig, convert
from omni_graspd.formats.reading import read_grasps
from omni_graspd.formats.registry import FORMATS, guess_format
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.objects.object_library import load_object
from omni_graspd.objects.resting_pieces import write_resting_object
from omni_graspd.scenes.scene_grasps import SceneGrasps
from omni_graspd.scenes.scene_writer import SceneConfig, author_scene
from omni_graspd.synthesis.grasp import GraspBatch, Postures
from omni_graspd.usd.stage import save_stage
from omni_graspd.usd.transforms import compose, pose_to_matrix

_COUNT = 5
_REST = np.concatenate([[0.07, -0.04, 0.025], Rotation.from_euler("xyz", [90, 0, 35], degrees=True).as_quat()])


def _joints(hand: Hand, random: np.random.Generator) -> np.ndarray:
    low, high = hand.joint_lower[hand.actuated], hand.joint_upper[hand.actuated]
    return hand.joint_positions(random.uniform(low, high, (_COUNT, hand.actuated_count)))


def _write_grasps(layout: DatasetLayout, hand: Hand) -> SceneGrasps:
    """Write grasps anywhere around the block, numbered from 0; return them in the scene, the last two unusable."""
    random = np.random.default_rng(5)
    turns = Rotation.random(_COUNT, random).as_quat()
    poses = np.concatenate([random.normal(0.0, 0.1, (_COUNT, 3)), turns], axis=1)
    joints, before = _joints(hand, random), poses + np.eye(7)[2]
    postures = Postures(before, 0.5 * joints, np.zeros(_COUNT), joints)
    batch = GraspBatch(poses, joints, {"drop": np.arange(_COUNT, dtype=float)}, ("ok",) * _COUNT, postures)
    metrics = {"epsilon": 0.1 * np.arange(_COUNT)}
    indices = np.arange(_COUNT, dtype=np.int32)
    write_grasps(
        GraspTable(hand.name, "block", hand.joint_names, indices, 0, batch, metrics), layout.grasps(hand.name, "block")
    )
    number = np.linspace(0.0, 0.1, _COUNT)
    usable = np.arange(_COUNT) < 3
    return SceneGrasps(compose(_REST, poses), number, ~usable, number, number, usable, usable)


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> DatasetLayout:
    """A block on its side in a scene, with grasps by two hands that nobody would make."""
    folder = tmp_path_factory.mktemp("placed")
    trimesh.creation.box((0.06, 0.05, 0.09)).export(folder / "block.ply")
    layout, block = DatasetLayout(folder / "set"), load_object(str(folder / "block.ply"))
    layout.object("block").parent.mkdir(parents=True)
    write_resting_object(block, layout.object("block"))
    path = layout.scene("block", 3)
    path.parent.mkdir(parents=True)
    config = SceneConfig(table_looks=("plain",), table_size=(0.5, 0.4, 0.03), friction=0.7)
    save_stage(author_scene(path, layout.object("block"), block, _REST, 3, config, seed=0), path)
    placed = {}
    for name in ("barrett", "shadow"):
        hand = load_hand(name)
        layout.hand(name).parent.mkdir(exist_ok=True)
        copy_hand(hand, layout.hand(name))
        placed[name] = _write_grasps(layout, hand)
    both = {
        field: np.concatenate([getattr(grasps, field) for grasps in placed.values()])
        for field in SceneGrasps.__dataclass_fields__
        if getattr(placed["barrett"], field) is not None
    }
    hands = tuple(name for name in placed for _ in range(_COUNT))
    indices = np.tile(np.arange(_COUNT, dtype=np.int32), len(placed))
    table = SceneGraspTable("block", 3, hands, indices, ("ok",) * len(hands), SceneGrasps(**both))
    write_scene_grasps(table, layout.scene_grasps("block", 3))
    return layout


@pytest.fixture(scope="module")
def table(layout: DatasetLayout) -> Path:
    return layout.scene_grasps("block", 3)


def _placed(table: Path, hand: str) -> np.ndarray:
    """Return T_world_palm as the table has it, shape [grasp_count, 7]."""
    read = read_scene_grasps(table)
    return read.grasps.T_world_palm[[name == hand for name in read.hands]]


def test_scene_tables_are_told_from_base_tables(layout: DatasetLayout, table: Path) -> None:
    assert guess_format(table)[0] == "scene"
    assert guess_format(layout.grasps("barrett", "block"))[0] == "table"
    reading = read_grasps(layout.root / "scenes")
    assert [(entry.record.hand, len(entry.record)) for entry in reading.grasps] == [("barrett", 5), ("shadow", 5)]
    assert reading.grasps[0].record.scores["confidence"].tolist() == [1.0, 1.0, 1.0, 0.0, 0.0]


@pytest.mark.parametrize("hand", ["barrett", pytest.param("shadow", marks=pytest.mark.slow)])
def test_opened_with_openusd_palms_and_object_are_where_the_table_has_them(
    table: Path, tmp_path: Path, hand: str
) -> None:
    convert(table, tmp_path / "out", _to("usd"))
    stage = Usd.Stage.Open(str(tmp_path / "out" / hand / "block_scene_0003.usd"))
    cells, cache = stage.GetPrimAtPath("/Grasps").GetChildren(), UsdGeom.XformCache()
    palm_path = load_hand(hand).links[0].prim_path.split("/", 2)[2]
    expected = pose_to_matrix(_placed(table, hand))
    assert len(cells) == _COUNT
    for index, cell in enumerate(cells):
        T_world_cell = np.array(cache.GetLocalToWorldTransform(cell)).T
        assert T_world_cell[2, 3] == 0.0 and (T_world_cell[:2, 3] == 0.0).all() == (index == 0)
        palm = np.array(cache.GetLocalToWorldTransform(cell.GetPrimAtPath(f"hand/{palm_path}"))).T
        scale = np.linalg.norm(palm[:3, :3], axis=0)
        T_cell_palm = np.linalg.inv(T_world_cell) @ palm
        np.testing.assert_allclose(T_cell_palm[:3, 3], expected[index][:3, 3], atol=1e-6)
        np.testing.assert_allclose(T_cell_palm[:3, :3] / scale, expected[index][:3, :3], atol=1e-6)
        lies = np.linalg.inv(T_world_cell) @ np.array(cache.GetLocalToWorldTransform(cell.GetPrimAtPath("object"))).T
        np.testing.assert_allclose(lies, pose_to_matrix(_REST), atol=1e-6)
    bounds = UsdGeom.BBoxCache(0.0, ["default"])
    top = bounds.ComputeWorldBound(cells[0].GetPrimAtPath("table")).ComputeAlignedRange()
    np.testing.assert_allclose([*top.GetSize()], [0.5, 0.4, 0.03], atol=1e-6)
    assert top.GetMax()[2] == pytest.approx(0.0, abs=1e-7)
    validators = UsdValidation.ValidationRegistry().GetOrLoadAllValidators()
    assert [e.GetMessage() for e in UsdValidation.ValidationContext(validators).Validate(stage)] == []


def test_hands_and_tables_lie_side_by_side(table: Path, tmp_path: Path) -> None:
    convert(table, tmp_path / "out", _to("usd"))
    stage = Usd.Stage.Open(str(tmp_path / "out" / "shadow" / "block_scene_0003.usd"))
    bounds = UsdGeom.BBoxCache(0.0, ["default", "render"])
    boxes = [
        bounds.ComputeWorldBound(cell).ComputeAlignedRange() for cell in stage.GetPrimAtPath("/Grasps").GetChildren()
    ]
    flat = np.array([[box.GetMin()[:2], box.GetMax()[:2]] for box in boxes])
    for one in range(_COUNT):
        for other in range(one):
            apart = np.maximum(flat[one, 0] - flat[other, 1], flat[other, 0] - flat[one, 1])
            assert apart.max() > 0.0, (one, other)


@pytest.mark.parametrize("hand", ["barrett", pytest.param("shadow", marks=pytest.mark.slow)])
def test_mujoco_loads_the_model_and_finds_links_object_and_table_in_place(
    layout: DatasetLayout, table: Path, tmp_path: Path, hand: str
) -> None:
    mujoco = pytest.importorskip("mujoco")
    convert(table, tmp_path / "out", _to("mjcf"))
    model = mujoco.MjModel.from_xml_path(str(tmp_path / "out" / hand / "block_scene_0003.xml"))
    data, ours = mujoco.MjData(model), load_hand(hand)
    joints = read_grasps(layout.grasps(hand, "block")).grasps[0].record.joint_positions
    palms = _placed(table, hand)
    for index in range(_COUNT):
        mujoco.mj_resetDataKeyframe(model, data, model.key(f"grasp_{index:04d}").id)
        mujoco.mj_forward(model, data)
        _assert_at(data.body("object"), _REST)
        _assert_at(data.body("palm_target"), palms[index])
        for link, pose in zip(ours.links, link_poses(ours, palms[index], joints[index]), strict=True):
            _assert_at(data.body(link.name), pose)
    box = model.geom("table")
    np.testing.assert_allclose(box.pos + box.size * np.array([0, 0, 1]), 0.0, atol=1e-9)
    np.testing.assert_allclose(2.0 * box.size, [0.5, 0.4, 0.03])
    assert model.body("object").subtreemass[0] == pytest.approx(load_object(str(layout.object("block"))).mass)
    assert model.geom_friction[data.model.geom("table").id, 0] == pytest.approx(0.7, rel=1e-6)
    np.testing.assert_allclose(model.opt.gravity, [0.0, 0.0, -9.81])
    # Held where it is, the hand stays; couplings are met at the start.
    assert np.abs(data.efc_pos[data.efc_type == mujoco.mjtConstraint.mjCNSTR_EQUALITY]).max() < 1e-5


def _assert_at(body, pose: np.ndarray) -> None:
    np.testing.assert_allclose(body.xpos, pose[:3], atol=1e-7)
    np.testing.assert_allclose(np.reshape(body.xmat, (3, 3)), pose_to_matrix(pose)[:3, :3], atol=1e-6)


def test_objects_lie_on_the_table_under_gravity(table: Path, tmp_path: Path) -> None:
    mujoco = pytest.importorskip("mujoco")
    convert(table, tmp_path / "out", _to("mjcf"))
    model = mujoco.MjModel.from_xml_path(str(tmp_path / "out" / "barrett" / "block_scene_0003.xml"))
    data = mujoco.MjData(model)
    data.mocap_pos[0] = [0.0, 0.0, 2.0]
    data.qpos[7:10] = [0.0, 0.0, 2.0]
    for _ in range(100):
        mujoco.mj_step(model, data)
    np.testing.assert_allclose(data.body("object").xpos, _REST[:3], atol=2e-3)
    assert data.body(load_hand("barrett").links[0].name).xpos[2] == pytest.approx(2.0, abs=0.05)


def test_isaac_grasps_are_relative_to_the_object_and_say_where_it_lies(table: Path, tmp_path: Path) -> None:
    convert(table, tmp_path / "out", _to("isaac_grasp"))
    file = tmp_path / "out" / "barrett" / "block_scene_0003.yaml"
    content = yaml.safe_load(file.read_text())
    scene = content["scene"]
    orientation = scene["object_orientation"]
    T_world_object = np.array([*scene["object_position"], *orientation["xyz"], orientation["w"]])
    np.testing.assert_array_equal(T_world_object, _REST)
    for index, palm in enumerate(_placed(table, "barrett")):
        grasp = content["grasps"][f"grasp_{index}"]
        pose = np.array([*grasp["position"], *grasp["orientation"]["xyz"], grasp["orientation"]["w"]])
        np.testing.assert_allclose(pose_to_matrix(compose(T_world_object, pose)), pose_to_matrix(palm), atol=1e-12)
        assert grasp["confidence"] == float(index < 3)
    assert len(FORMATS["isaac_grasp"].read(file)[0]) == _COUNT


def test_the_command_selects_by_the_scene_and_says_what_has_no_place(table: Path, tmp_path: Path, capsys) -> None:
    cli.main(
        ["convert", str(table), str(tmp_path / "out"), "--to", "graspgen", "--where", "usable and hand == 'barrett'"]
    )
    said = capsys.readouterr().out
    assert "read as scene (it is a Parquet file of grasps in a scene), written as graspgen" in said
    assert "3 grasps · hand barrett · object block" in said
    assert "graspgen has no place for scenes: its grasps are those of the object" in said


def test_a_table_without_its_scene_is_told(table: Path, tmp_path: Path) -> None:
    alone = tmp_path / "set" / "scenes" / "block" / table.name
    alone.parent.mkdir(parents=True)
    alone.write_bytes(table.read_bytes())
    with pytest.raises(GraspdError, match=r"expected the scene .*scene_0003\.usda beside"):
        read_grasps(alone)


def test_names_in_a_table_do_not_lead_out_of_the_dataset(table: Path, tmp_path: Path) -> None:
    read = read_scene_grasps(table)
    path = tmp_path / "set" / "scenes" / "block" / table.name
    for changed in (replace(read, hands=("../x",) * len(read.hands)), replace(read, object="../../block")):
        write_scene_grasps(changed, path)
        with pytest.raises(GraspdError, match=r"expected grasps of block in .*, got the name '\.\./"):
            read_grasps(path)


def _to(name: str) -> ConvertConfig:
    return ConvertConfig(to=name)
