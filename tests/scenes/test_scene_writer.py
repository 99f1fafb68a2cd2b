# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Scene files: what is in them, that they can be moved, repeat, simulate, and pass the outside judges."""

from __future__ import annotations

import asyncio
import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest
import trimesh
from pxr import Usd, UsdGeom, UsdLux, UsdPhysics

from omni_graspd.errors import GraspdError
from omni_graspd.geometry.corner_normals import corner_normals
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.scenes.scene_lights import LightConfig
from omni_graspd.scenes.scene_variation import FLOOR_PATH, VariationConfig
from omni_graspd.scenes.scene_writer import OBJECT_PATH, TABLE_PATH, SceneConfig, author_scene, table_mesh
from omni_graspd.scenes.simulation import SimulateConfig
from omni_graspd.scenes.table_looks import MATERIALS
from omni_graspd.standalone.simulate import simulate
from omni_graspd.usd.looks import read_appearance, read_look
from omni_graspd.usd.materials import Appearance, author_material, bind_material
from omni_graspd.usd.meshes import TriangleMesh, author_mesh, read_meshes_below
from omni_graspd.usd.physics import apply_collider, apply_rigid_body
from omni_graspd.usd.semantics import apply_label, read_label
from omni_graspd.usd.stage import create_stage, open_stage, save_stage
from omni_graspd.usd.transforms import local_to_world, pose_to_matrix

_AT_REST = np.array([0.02, -0.03, 0.05001, 0.0, 0.0, np.sin(0.3), np.cos(0.3)])


@pytest.fixture
def box() -> RigidObject:
    shape = trimesh.creation.box((0.04, 0.06, 0.1))
    mesh = TriangleMesh(np.array(shape.vertices), np.array(shape.faces, dtype=np.int32))
    inertia = shape.moment_inertia * (0.2 / shape.mass)
    return RigidObject(
        "box", Path("box.obj"), mesh, mesh, Appearance((0.5, 0.2, 0.1)), True, 0.2, np.zeros(3), inertia, "box"
    )


@pytest.fixture
def dataset(tmp_path: Path, box: RigidObject) -> Path:
    """A folder with the object's USD file in the place it has in a dataset."""
    path = tmp_path / "out" / "objects" / "box.usda"
    stage = create_stage("box", path)
    root = stage.GetDefaultPrim()
    Usd.ModelAPI(root).SetKind("component")
    apply_rigid_body(root, mass=box.mass, center_of_mass=box.center_of_mass, inertia=box.inertia)
    apply_label(root, box.label)
    normals = corner_normals(box.mesh, crease_angle=0.5)
    visual = author_mesh(stage, "/box/surface", box.mesh, normals=normals).GetPrim()
    apply_collider(visual)
    UsdGeom.Scope.Define(stage, "/box/Looks")
    bind_material(visual, author_material(stage, "/box/Looks/Surface", box.appearance))
    save_stage(stage, path)
    return tmp_path / "out"


def _write(dataset: Path, box: RigidObject, index: int = 0, seed: int = 0, **config: object) -> Path:
    path = dataset / "scenes" / "box" / f"scene_{index:04d}.usda"
    stage = author_scene(path, dataset / "objects" / "box.usda", box, _AT_REST, index, SceneConfig(**config), seed)
    save_stage(stage, path)
    return path


def test_scene_has_a_table_the_object_at_its_pose_and_lights(dataset: Path, box: RigidObject):
    stage = open_stage(_write(dataset, box))
    assert stage.GetDefaultPrim().GetPath() == "/World"
    assert UsdGeom.GetStageMetersPerUnit(stage) == 1.0
    assert UsdGeom.GetStageUpAxis(stage) == "Z"
    gravity = UsdPhysics.Scene(stage.GetPrimAtPath("/World/PhysicsScene"))
    assert gravity.GetGravityMagnitudeAttr().Get() == pytest.approx(9.81)
    table, placed = stage.GetPrimAtPath(TABLE_PATH), stage.GetPrimAtPath(OBJECT_PATH)
    assert read_label(table) == "table"
    assert read_label(placed) == "box"
    top = read_meshes_below(table).vertices
    np.testing.assert_allclose([top.min(axis=0), top.max(axis=0)], [[-0.4, -0.4, -0.04], [0.4, 0.4, 0.0]], atol=1e-6)
    np.testing.assert_allclose(local_to_world(placed), pose_to_matrix(_AT_REST), atol=1e-12)
    operations = [op.GetOpType() for op in UsdGeom.Xformable(placed).GetOrderedXformOps()]
    assert operations == [UsdGeom.XformOp.TypeTranslate, UsdGeom.XformOp.TypeOrient]
    lights = stage.GetPrimAtPath("/World/Lights").GetChildren()
    kinds = [str(prim.GetTypeName()) for prim in lights]
    assert kinds in (["DomeLight", "DistantLight"], ["DomeLight", "RectLight"])


@pytest.mark.slow
def test_lamp_shines_at_the_middle_of_the_table(dataset: Path, box: RigidObject):
    for index in range(5):
        stage = open_stage(_write(dataset, box, index, lights=LightConfig(surroundings=("studio",))))
        T_world_lamp = local_to_world(stage.GetPrimAtPath("/World/Lights/Key"))
        np.testing.assert_allclose(np.linalg.det(T_world_lamp[:3, :3]), 1.0, atol=1e-9)
        position, shines = T_world_lamp[:3, 3], -T_world_lamp[:3, 2]
        np.testing.assert_allclose(shines, -position / np.linalg.norm(position), atol=1e-9)
        assert 40 <= np.degrees(np.arcsin(-shines[2])) <= 75


@pytest.mark.slow
def test_same_seed_gives_the_same_file_and_scenes_differ(dataset: Path, box: RigidObject):
    first = _write(dataset, box).read_bytes()
    assert _write(dataset, box).read_bytes() == first
    assert _write(dataset, box, seed=1).read_bytes() != first
    lamps = []
    for index in range(2):
        stage = open_stage(_write(dataset, box, index))
        lamps.append(UsdLux.LightAPI(stage.GetPrimAtPath("/World/Lights/Key")).GetIntensityAttr().Get())
    assert lamps[0] != lamps[1]


@pytest.mark.parametrize("look", ["oak", "white"])
def test_dataset_can_be_moved(dataset: Path, box: RigidObject, tmp_path: Path, look: str):
    path = _write(dataset, box, table_looks=(look,))
    assert str(tmp_path) not in path.read_text()
    moved = tmp_path / "elsewhere"
    shutil.move(dataset, moved)
    stage = open_stage(moved / path.relative_to(dataset))
    if hasattr(stage, "GetCompositionErrors"):  # OpenUSD 24.5 has no such method
        assert not stage.GetCompositionErrors()
    assert len(read_meshes_below(stage.GetPrimAtPath(OBJECT_PATH)).vertices) == 8
    texture = read_appearance(stage.GetPrimAtPath(TABLE_PATH)).texture
    assert texture == (str(moved / "scenes" / "textures" / "oak.png") if look == "oak" else None)


def test_object_stays_where_it_is_when_the_scene_is_simulated(dataset: Path, box: RigidObject):
    pytest.importorskip("ovphysx")
    stage = open_stage(_write(dataset, box))
    result = asyncio.run(simulate(stage, SimulateConfig(max_time=1.0)))
    assert result.body_paths == (OBJECT_PATH,)
    assert result.at_rest.all()
    np.testing.assert_allclose(result.poses[-1, 0], _AT_REST, atol=1e-6)


def test_table_is_closed_and_its_texture_is_not_stretched():
    mesh = table_mesh((1.2, 0.8, 0.04))
    shape = trimesh.Trimesh(mesh.vertices, mesh.faces)
    assert shape.is_watertight
    assert shape.volume == pytest.approx(1.2 * 0.8 * 0.04)
    corners = mesh.vertices[mesh.faces]
    along = np.linalg.norm(corners[:, 1] - corners[:, 0], axis=1)
    on_texture = np.linalg.norm(mesh.uvs[:, 1] - mesh.uvs[:, 0], axis=1)
    np.testing.assert_allclose(on_texture, along, atol=1e-12)
    moved = table_mesh((1.2, 0.8, 0.04), 0.4, (0.3, 0.1), is_turned=True)
    turned = np.linalg.norm(moved.uvs[:, 1] - moved.uvs[:, 0], axis=1)
    np.testing.assert_allclose(turned * 0.4, along, atol=1e-12)
    # Turned, not mirrored: seen from outside, letters stay readable.
    areas = [np.linalg.det(uvs[:, 1:] - uvs[:, :1]) for uvs in (mesh.uvs, moved.uvs)]
    assert (np.sign(areas[0]) == np.sign(areas[1])).all()


def test_object_beyond_the_table_is_refused(dataset: Path, box: RigidObject):
    with pytest.raises(GraspdError, match=r"box does not fit .* the table is 0\.05 x 0\.05 m"):
        _write(dataset, box, table_size=(0.05, 0.05, 0.02))
    far = dataclasses.replace(box, mesh=TriangleMesh(box.mesh.vertices + 0.5 * np.eye(3)[0], box.mesh.faces))
    with pytest.raises(GraspdError, match="enlarge the table"):
        _write(dataset, far)


def test_unknown_look_is_refused_with_the_valid_ones():
    with pytest.raises(GraspdError, match="among wood, cloth, stone, metal, plain, oak"):
        SceneConfig(table_looks=("chocolate",))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("look", "around"),
    [("oak", "studio"), ("linen", "noon"), ("slate", "loft"), ("steel", "evening"), ("white", "even")],
)
def test_scene_passes_all_validators(dataset: Path, box: RigidObject, look: str, around: str, usd_findings):
    lights = LightConfig(surroundings=(around,))
    assert usd_findings(_write(dataset, box, table_looks=(look,), lights=lights)) == []


def test_textures_of_tables_are_read_as_they_are_meant(dataset: Path, box: RigidObject):
    stage = open_stage(_write(dataset, box, table_looks=("steel",)))
    look = read_look(stage.GetPrimAtPath(TABLE_PATH), Usd.TimeCode.Default())
    assert [Path(t.path).name for t in (look.color, look.roughness, look.normal)] == [
        "steel.png",
        "steel_roughness.png",
        "steel_normal.png",
    ]
    assert [t.is_srgb for t in (look.color, look.roughness, look.normal)] == [True, False, False]
    assert (look.roughness.output, look.metallic) == ("r", 1.0)
    assert (look.normal.scale[:3], look.normal.bias[:3]) == ((2.0, 2.0, 2.0), (-1.0, -1.0, -1.0))


@pytest.mark.slow
def test_every_material_can_be_asked_for(dataset: Path, box: RigidObject):
    for name, material in MATERIALS.items():
        stage = open_stage(_write(dataset, box, table_looks=(name,)))
        assert Path(read_appearance(stage.GetPrimAtPath(TABLE_PATH)).texture).stem in material.looks


@pytest.mark.slow
def test_variation_is_off_by_default_and_drawn_when_asked_for(dataset: Path, box: RigidObject):
    plain = open_stage(_write(dataset, box))
    assert not plain.GetPrimAtPath(FLOOR_PATH)
    assert not plain.GetPrimAtPath("/World/Looks/Paint")
    variation = VariationConfig(table_scale=(0.5, 1.5), table_height=(0.7, 0.8), painted=1.0)
    sizes, colors = [], []
    for index in range(3):
        stage = open_stage(_write(dataset, box, index, variation=variation))
        size = np.ptp(read_meshes_below(stage.GetPrimAtPath(TABLE_PATH)).vertices, axis=0)
        assert np.all((size[:2] >= 0.4) & (size[:2] <= 1.2))
        top = read_meshes_below(stage.GetPrimAtPath(FLOOR_PATH)).vertices[:, 2].max()
        assert -0.8 <= top <= -0.7
        assert read_label(stage.GetPrimAtPath(FLOOR_PATH)) == "floor"
        sizes.append(tuple(size))
        colors.append(read_appearance(stage.GetPrimAtPath(f"{OBJECT_PATH}/surface")).color)
    assert len(set(sizes)) == len(set(colors)) == 3
    assert colors[0] != pytest.approx(box.appearance.color)


@pytest.mark.slow
def test_varied_scene_passes_all_validators(dataset: Path, box: RigidObject, usd_findings):
    variation = VariationConfig(table_scale=(0.8, 1.2), table_height=(0.7, 0.8), painted=1.0)
    # The world's origin is the table top; NVIDIA's rule wants it at the lowest point, which is the floor.
    found = usd_findings(_write(dataset, box, variation=variation))
    assert [finding for finding in found if "AssetPivotPlacementChecker" not in finding] == []


@pytest.mark.parametrize("options", [{"table_scale": (0, 1)}, {"table_height": (2, 1)}, {"painted": 1.5}])
def test_variations_out_of_range_are_refused(options: dict):
    with pytest.raises(GraspdError, match=f"scene.variation.{next(iter(options))}"):
        VariationConfig(**options)
