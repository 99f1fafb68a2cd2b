# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grasps on the user's own stage, through the panel: clear of all that stands there, applied to a robot, saved."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import trimesh
from kit_stubs import Kit, installed_stubs
from pxr import Usd, UsdGeom, UsdPhysics

pytest.importorskip("pyarrow", reason="the panel asks for what datasets need")

from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.usd.transforms import compose, pose_to_matrix

_TABLE = ((1.0, 0.8, 0.04), (0.0, 0.0, 0.70))
_SHELF = ((1.0, 0.30, 0.02), (0.0, 0.20, 1.02))
_BOX = ((0.05, 0.07, 0.12), (0.1, 0.0, 0.78))
"""Sizes and middles [m]: the box stands on the table, the shelf's board hangs over its back."""
_DENT = 0.005
"""Contact is soft: this deep fingertips may press into the object [m]."""


def _stage(kit: Kit) -> Usd.Stage:
    stage = kit.usd.stage
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    for name, (size, center) in {"Table": _TABLE, "Shelf": _SHELF, "Box": _BOX}.items():
        cube = UsdGeom.Cube.Define(stage, f"/World/{name}")
        cube.AddTranslateOp().Set(center)
        cube.AddScaleOp().Set(size)
        cube.CreateSizeAttr(1.0)
    robot = UsdGeom.Xform.Define(stage, "/World/Robot")
    robot.AddTranslateOp().Set((2.0, 0.0, 1.0))
    robot.AddOrientOp()
    robot.GetPrim().GetReferences().AddReference(str(load_hand("allegro").source))
    return stage


def _click(kit: Kit, text: str, number: int = 0) -> None:
    kit.find("Button", text)[number].fake_click()


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Kit, Any]]:
    """The panel after the user selected the box and the robot and pressed Find grasps for 16 Allegro grasps."""
    with pytest.MonkeyPatch.context() as patch, installed_stubs("6.0") as kit:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        _stage(kit)
        menu = importlib.import_module("omni_graspd.kit.panel").PanelMenu()
        menu.start()
        (show,) = kit.menus.values()
        window = show()
        for number, path in ((2, "/World/Box"), (3, "/World/Robot")):
            kit.usd.selected = [path]
            _click(kit, "Selected", number)

        async def find() -> None:
            _click(kit, "Find grasps")
            await asyncio.sleep(0)
            while window.tasks.is_busy:
                await window.tasks.finished()

        kit.run(find())
        yield kit, window
        menu.stop()


def _distances(points: np.ndarray, box: tuple) -> np.ndarray:
    """Signed distance of points from a box [m]."""
    size, center = (np.array(value) for value in box)
    beyond = np.abs(points - center) - size / 2
    return np.linalg.norm(np.maximum(beyond, 0.0), axis=-1) + np.minimum(beyond.max(axis=-1), 0.0)


def _hand_surface(hand: Any, pose: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Points all over the hand's links in the world, by trimesh."""
    points = []
    for link, where in zip(hand.links, link_poses(hand, pose, joints), strict=True):
        if len(link.mesh.faces):
            mesh = trimesh.Trimesh(link.mesh.vertices, link.mesh.faces, process=False)
            mesh.apply_transform(pose_to_matrix(where))
            points += [mesh.vertices, trimesh.sample.sample_surface(mesh, 1500, seed=0)[0]]
    return np.concatenate(points)


@pytest.mark.slow
def test_hands_are_clear_of_table_shelf_and_object(found):
    kit, window = found
    made = window.on_stage.grasps
    assert made is not None, window._line.text
    assert made.around.prim_paths == ("/World/Table", "/World/Shelf")
    assert made.around.support == "/World/Table"
    assert len(made.batch.status) == 16 and len(made.good) >= 13, made.batch.status
    clear = 0
    for index in range(16):
        pose, joints = made.posture(index, "grasp")
        points = _hand_surface(made.hand, pose, joints)
        clear += (
            _distances(points, _TABLE).min() >= 0.0
            and _distances(points, _SHELF).min() >= 0.0
            and _distances(points, _BOX).min() >= -_DENT
        )
    assert clear >= 0.8 * 16
    assert kit.longest_block < 0.5


@pytest.mark.slow
def test_ghosts_stand_around_the_object_without_physics_and_on_the_session_layer_only(found):
    kit, window = found
    stage, made = kit.usd.stage, window.on_stage.grasps
    ghosts = stage.GetPrimAtPath("/GraspdGhosts").GetChildren()
    assert len([prim for prim in ghosts if prim.GetName().startswith("grasp_")]) == len(made.good)
    assert not stage.GetRootLayer().GetPrimAtPath("/GraspdGhosts")
    bodies = [p for p in Usd.PrimRange(stage.GetPrimAtPath("/GraspdGhosts")) if p.HasAPI(UsdPhysics.RigidBodyAPI)]
    assert bodies and not any(UsdPhysics.RigidBodyAPI(prim).GetRigidBodyEnabledAttr().Get() for prim in bodies)

    def shown() -> list[str]:
        seen = [prim for prim in ghosts if UsdGeom.Imageable(prim).ComputeVisibility() != UsdGeom.Tokens.invisible]
        return [prim.GetName() for prim in seen if prim.GetName().startswith("grasp_")]

    assert shown() == ["grasp_0000"]
    _click(kit, "Next ghost")
    assert shown() == ["grasp_0001"]
    _click(kit, "All ghosts")
    assert len(shown()) == len(made.good)
    _click(kit, "Previous ghost")
    assert shown() == ["grasp_0000"]


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["Pregrasp", "Grasp", "Squeeze"])
def test_joint_targets_of_the_robot_are_the_tables_in_degrees(found, moment):
    kit, window = found
    stage, made = kit.usd.stage, window.on_stage.grasps
    _click(kit, moment)
    best, batch = made.good[0], made.batch
    joints = {
        "Pregrasp": batch.postures.pregrasp_joint_positions,
        "Grasp": batch.joint_positions,
        "Squeeze": batch.postures.squeeze_joint_positions,
    }[moment][best]
    palm = batch.postures.T_object_pregrasp_palm if moment == "Pregrasp" else batch.T_object_palm
    assert "targets of 16 joints set, hand moved" in window._line.text
    for name, value in zip(made.hand.joint_names, joints, strict=True):
        (prim,) = [prim for prim in Usd.PrimRange(stage.GetPrimAtPath("/World/Robot")) if prim.GetName() == name]
        target = UsdPhysics.DriveAPI(prim, "angular").GetTargetPositionAttr().Get()
        assert target == pytest.approx(np.degrees(value), abs=1e-4)
    body = stage.GetPrimAtPath(f"/World/Robot/{made.hand.links[0].name}")
    world = np.array(UsdGeom.XformCache().GetLocalToWorldTransform(body)).T
    expected = pose_to_matrix(compose(made.standing.T_world_object, palm[best]))
    np.testing.assert_allclose(world, expected, atol=1e-5)


@pytest.mark.slow
def test_good_grasps_are_saved_as_prims_and_are_no_obstacles_afterwards(found):
    from omni_graspd.scenes.stage_surroundings import stage_surroundings

    kit, window = found
    stage, made = kit.usd.stage, window.on_stage.grasps
    _click(kit, "Save to stage")
    hands = stage.GetPrimAtPath("/World/Grasps/hands").GetChildren()
    assert len(hands) == len(made.good)
    for prim, row in zip(hands, made.good, strict=True):
        assert list(prim.GetAttribute("graspd:joint_names").Get()) == list(made.hand.joint_names)
        np.testing.assert_allclose(prim.GetAttribute("graspd:joint_positions").Get(), made.batch.joint_positions[row])
    assert stage.GetRootLayer().GetPrimAtPath("/World/Grasps")
    assert made.save() == "/World/Grasps_01"
    seen = stage_surroundings(stage, made.standing, ["/GraspdGhosts", "/World/Robot"]).prim_paths
    assert seen == ("/World/Table", "/World/Shelf")


def _grasps_of_a_box(kit: Kit) -> Any:
    """One grasp that was not searched for, at a box that is on the stage."""
    from omni_graspd.kit import StageGrasps
    from omni_graspd.scenes.stage_object import read_stage_object
    from omni_graspd.scenes.stage_surroundings import stage_surroundings
    from omni_graspd.synthesis.grasp import GraspBatch

    hand, standing = load_hand("allegro"), read_stage_object(_stage(kit), "/World/Box")
    pose, joints = np.array([[0.0, 0.0, 0.1, 0.0, 0.0, 0.0, 1.0]]), hand.joint_positions(hand.open_positions)[None]
    around = stage_surroundings(kit.usd.stage, standing)
    return StageGrasps(kit.usd.stage, hand, standing, around, GraspBatch(pose, joints, {}, ("ok",)), 0)


def test_it_is_said_when_the_object_has_moved(kit):
    made = _grasps_of_a_box(kit)
    assert "moved since" not in made.apply("/World/Robot", 0)
    kit.usd.stage.GetPrimAtPath("/World/Box").GetAttribute("xformOp:translate").Set((0.2, 0.0, 0.78))
    assert "Box has moved since the grasps were found: find them anew" in made.apply("/World/Robot", 0)


def test_another_stage_is_not_written_to(kit):
    made = _grasps_of_a_box(kit)
    kit.usd.put(Usd.Stage.CreateInMemory())
    for use in (lambda: made.apply("/World/Robot", 0), made.save):
        with pytest.raises(GraspdError, match="is not on the open stage any more"):
            use()


@pytest.mark.parametrize(
    ("press", "said"),
    [
        ("Find grasps", "no prim is selected"),
        ("All ghosts", "there are no grasps on the stage; select an object and press Find grasps"),
        ("Save to stage", "there are no grasps on the stage"),
        ("Grasp", "expected the robot's prim, got an empty field"),
    ],
)
def test_what_is_missing_is_said(kit, press, said):
    menu = importlib.import_module("omni_graspd.kit.panel").PanelMenu()
    menu.start()
    (show,) = kit.menus.values()
    window = show()
    _click(kit, press)
    assert said in window._line.text
    menu.stop()


def test_from_the_script_editor(kit):
    """``from omni_graspd.kit import grasp_on_stage``; mistakes are one line."""
    from omni_graspd.kit import grasp_on_stage

    with pytest.raises(GraspdError, match="expected count to be 1 or more"):
        kit.run(grasp_on_stage("allegro", "/World/Box", 0))
    with pytest.raises(GraspdError, match="no prim is selected"):
        kit.run(grasp_on_stage("allegro"))
    with pytest.raises(GraspdError, match="expected a prim of the stage, got '/World/None'"):
        kit.run(grasp_on_stage("allegro", "/World/None"))
