# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Objects and what surrounds them, read from someone's stage."""

from __future__ import annotations

import numpy as np
import pytest
from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics, UsdShade

from omni_graspd.errors import GraspdError
from omni_graspd.scenes.stage_object import read_stage_object
from omni_graspd.scenes.stage_surroundings import stage_surroundings
from omni_graspd.usd.transforms import pose_to_matrix, transform_points


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def _stage(metres: float = 1.0, up: str = "Z") -> Usd.Stage:
    stage = Usd.Stage.CreateInMemory()
    UsdGeom.SetStageMetersPerUnit(stage, metres)
    UsdGeom.SetStageUpAxis(stage, up)
    return stage


def _box(stage: Usd.Stage, path: str, size: tuple[float, float, float], center: tuple[float, float, float]) -> Usd.Prim:
    cube = UsdGeom.Cube.Define(stage, path)
    cube.AddTranslateOp().Set(center)
    cube.AddScaleOp().Set(size)
    cube.CreateSizeAttr(1.0)
    return cube.GetPrim()


def _spans(mesh) -> np.ndarray:
    return np.stack([mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)])


@pytest.mark.parametrize("metres", [1.0, 0.01])
def test_an_object_comes_in_its_real_size_with_its_place(metres):
    stage = _stage(metres)
    world = UsdGeom.Xform.Define(stage, "/World")
    world.AddTranslateOp().Set((0.1 / metres, 0.0, 0.0))
    world.AddScaleOp().Set((2.0, 2.0, 2.0))
    thing = UsdGeom.Xform.Define(stage, "/World/Thing")
    thing.AddTranslateOp().Set((0.0, 0.05 / metres, 0.2 / metres))
    thing.AddRotateZOp().Set(90.0)
    UsdPhysics.RigidBodyAPI.Apply(thing.GetPrim())
    _box(stage, "/World/Thing/Geometry", (0.02 / metres, 0.03 / metres, 0.04 / metres), (0.01 / metres, 0.0, 0.0))
    before = stage.GetRootLayer().ExportToString()
    found = read_stage_object(stage, "/World/Thing/Geometry")
    assert found.prim_path == "/World/Thing"
    assert found.rigid.name == "Thing"
    np.testing.assert_allclose(_spans(found.rigid.mesh), [[0.0, -0.03, -0.04], [0.04, 0.03, 0.04]], atol=1e-6)
    half = np.sqrt(0.5)
    np.testing.assert_allclose(found.T_world_object, [0.1, 0.1, 0.4, 0.0, 0.0, half, half], atol=1e-6)
    assert stage.GetRootLayer().ExportToString() == before


def test_a_stage_with_y_up_keeps_its_axes():
    stage = _stage(up="Y")
    _box(stage, "/Box", (0.02, 0.06, 0.04), (0.0, 0.03, 0.0))
    found = read_stage_object(stage, "/Box")
    np.testing.assert_allclose(np.ptp(_spans(found.rigid.mesh), axis=0), [0.02, 0.06, 0.04], atol=1e-7)
    np.testing.assert_allclose(found.T_world_object, [0.0, 0.03, 0.0, 0.0, 0.0, 0.0, 1.0], atol=1e-9)


def test_edits_that_are_in_memory_only_and_material_come_along():
    stage = _stage()
    box = _box(stage, "/World/Box", (0.02, 0.02, 0.02), (0.0, 0.0, 0.0))
    material = UsdShade.Material.Define(stage, "/Looks/Red")
    shader = UsdShade.Shader.Define(stage, "/Looks/Red/Shader")
    shader.CreateIdAttr("UsdPreviewSurface")
    shader.CreateInput("diffuseColor", Sdf.ValueTypeNames.Color3f).Set(Gf.Vec3f(1.0, 0.0, 0.0))
    material.CreateSurfaceOutput().ConnectToSource(shader.CreateOutput("surface", Sdf.ValueTypeNames.Token))
    UsdShade.MaterialBindingAPI.Apply(box).Bind(material)
    with Usd.EditContext(stage, stage.GetSessionLayer()):
        UsdGeom.Cube(box).GetSizeAttr().Set(2.0)
    found = read_stage_object(stage, "/World/Box")
    np.testing.assert_allclose(np.ptp(_spans(found.rigid.mesh), axis=0), 0.04, atol=1e-7)
    np.testing.assert_allclose(found.rigid.appearance.color, [1.0, 0.0, 0.0], atol=1e-6)


def test_equal_content_is_one_file_and_other_content_another():
    stage = _stage()
    _box(stage, "/Box", (0.02, 0.02, 0.02), (0.0, 0.0, 0.0))
    first, second = (read_stage_object(stage, "/Box").rigid.source for _ in range(2))
    UsdGeom.Cube(stage.GetPrimAtPath("/Box")).GetSizeAttr().Set(2.0)
    assert first == second != read_stage_object(stage, "/Box").rigid.source


@pytest.mark.parametrize(("path", "said"), [("/None", "select the object"), ("/World/Looks", "select a mesh")])
def test_what_is_no_object_is_refused(path, said):
    stage = _stage()
    UsdGeom.Scope.Define(stage, "/World/Looks")
    with pytest.raises(GraspdError, match=said):
        read_stage_object(stage, path)


def test_all_within_reach_but_the_object_and_the_robot_is_an_obstacle():
    stage = _stage()
    _box(stage, "/World/Table", (1.0, 1.0, 0.1), (0.0, 0.0, 0.7))
    _box(stage, "/World/Far", (0.1, 0.1, 0.1), (3.0, 0.0, 0.8))
    _box(stage, "/World/Robot/Link", (0.1, 0.1, 0.1), (0.3, 0.0, 0.9))
    _box(stage, "/World/Shelf", (0.4, 0.4, 0.02), (0.0, 0.0, 1.2))
    hidden = _box(stage, "/World/Hidden", (0.1, 0.1, 0.1), (0.0, 0.2, 0.8))
    UsdGeom.Imageable(hidden).MakeInvisible()
    _box(stage, "/World/Box", (0.06, 0.06, 0.1), (0.1, 0.0, 0.8))
    found = read_stage_object(stage, "/World/Box")
    around = stage_surroundings(stage, found, ["/World/Robot"])
    assert around.prim_paths == ("/World/Table", "/World/Shelf")
    assert around.support == "/World/Table"
    table, shelf = around.surroundings.obstacles
    np.testing.assert_allclose(_spans(table), [[-0.6, -0.5, -0.15], [0.4, 0.5, -0.05]], atol=1e-9)
    np.testing.assert_allclose(around.surroundings.plane, [0.0, 0.0, 1.0, -0.05], atol=1e-7)
    np.testing.assert_allclose(around.surroundings.up, [0.0, 0.0, 1.0])
    assert shelf.vertices[:, 2].min() > 0.3


@pytest.mark.parametrize("size", [0.02, 0.2])
def test_an_object_over_the_edge_of_its_support_or_above_it_has_no_table(size):
    stage = _stage()
    _box(stage, "/Board", (size, 0.3, 0.02), (0.0, 0.0, -0.01))
    _box(stage, "/Box", (0.1, 0.1, 0.1), (0.04, 0.0, 0.05))
    expected = "/Board" if size > 0.1 else None
    assert stage_surroundings(stage, read_stage_object(stage, "/Box")).support == expected
    stage.GetPrimAtPath("/Box").GetAttribute("xformOp:translate").Set(Gf.Vec3d(0.04, 0.0, 0.08))
    assert stage_surroundings(stage, read_stage_object(stage, "/Box")).support is None


def test_a_ground_plane_is_a_board_below_its_surface():
    stage = _stage()
    ground = UsdGeom.Mesh.Define(stage, "/Ground/Mesh")
    ground.CreatePointsAttr([(-5, -5, 0), (5, -5, 0), (5, 5, 0), (-5, 5, 0)])
    ground.CreateFaceVertexCountsAttr([4])
    ground.CreateFaceVertexIndicesAttr([0, 1, 2, 3])
    plane = UsdGeom.Plane.Define(stage, "/Ground/Plane")
    plane.CreateAxisAttr("Z")
    plane.CreatePurposeAttr("guide")
    UsdPhysics.CollisionAPI.Apply(plane.GetPrim())
    _box(stage, "/Box", (0.05, 0.05, 0.1), (1.0, 2.0, 0.05))
    found = read_stage_object(stage, "/Box")
    around = stage_surroundings(stage, found)
    assert around.prim_paths == ("/Ground/Mesh", "/Ground/Plane")
    assert around.support == "/Ground/Mesh"
    for mesh in around.surroundings.obstacles:
        world = transform_points(found.T_world_object, mesh.vertices)
        np.testing.assert_allclose([world[:, 2].min(), world[:, 2].max()], [-0.01, 0.0], atol=1e-9)
        assert _volume(mesh) > 0.0


def _volume(mesh) -> float:
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6.0)


def test_a_turned_object_sees_its_table_turned():
    stage = _stage()
    _box(stage, "/Table", (1.0, 1.0, 0.1), (0.0, 0.0, -0.05))
    box = UsdGeom.Xform.Define(stage, "/Box")
    box.AddTranslateOp().Set((0.0, 0.0, 0.02))
    box.AddRotateXOp().Set(90.0)
    _box(stage, "/Box/Geometry", (0.04, 0.04, 0.1), (0.0, 0.0, 0.0))
    found = read_stage_object(stage, "/Box")
    around = stage_surroundings(stage, found).surroundings
    up = pose_to_matrix(found.T_world_object)[:3, :3].T @ [0.0, 0.0, 1.0]
    np.testing.assert_allclose(around.plane, [*up, -0.02], atol=1e-7)
