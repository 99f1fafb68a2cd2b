# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""On the user's own stage: which grasps the arm that stands there reaches, and that Apply drives it to them."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest
import trimesh
from kit_stubs import Kit
from panel_clicks import click, settled
from pxr import Gf, Usd, UsdGeom, UsdPhysics
from scipy.spatial.transform import Rotation
from six_axis_arm import home_with_arm

pytest.importorskip("pyarrow", reason="the panel asks for what datasets need")
pytest.importorskip("mujoco", reason="collisions of arms need MuJoCo; install omni-graspd[arms]")

from omni_graspd.arms.arm_reader import load_arm
from omni_graspd.arms.mount import default_mount
from omni_graspd.arms.robot_usd import write_robot_usd
from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.scenes.stage_object import read_stage_object
from omni_graspd.scenes.stage_surroundings import stage_surroundings
from omni_graspd.synthesis.grasp import GraspBatch, Postures, Way
from omni_graspd.synthesis.presets import synthesis_preset
from omni_graspd.usd.transforms import IDENTITY, pose_to_matrix, transform_points

_BASE = (-0.55, 0.1, 0.0, 20.0)
_HEIGHT = 0.7
"""Of the table top and of what the arm stands on [m]; all is as high above the floor."""
_SOLIDS = {
    "Table": ((1.0, 0.8, 0.04), (0.1, 0.0, -0.02)),
    "Pedestal": ((0.25, 0.25, 0.6), (-0.55, 0.1, -0.3)),
    "Box": ((0.05, 0.07, 0.12), (0.1, 0.0, 0.06)),
}
_WALL = ((0.02, 0.8, 0.9), (-0.15, 0.0, 0.45))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory):
    """The user's folder with an arm, and that arm with a Barrett hand as one robot."""
    with home_with_arm(tmp_path_factory.mktemp("home")) as folder:
        hand = load_hand("barrett")
        write_robot_usd(load_arm("robot"), hand, default_mount(hand), IDENTITY, folder / "robot.usda")
        yield folder


def _cube(stage: Usd.Stage, name: str, size: tuple, middle: tuple) -> None:
    cube = UsdGeom.Cube.Define(stage, f"/World/{name}")
    cube.AddTranslateOp().Set((middle[0], middle[1], middle[2] + _HEIGHT))
    cube.AddScaleOp().Set(size)
    cube.CreateSizeAttr(1.0)


@pytest.fixture
def stage(kit: Kit, home: Path) -> Usd.Stage:
    """A table with a box, and the robot on a pedestal behind it."""
    stage = kit.usd.stage
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    UsdGeom.SetStageUpAxis(stage, "Z")
    for name, (size, middle) in _SOLIDS.items():
        _cube(stage, name, size, middle)
    x, y, z, yaw = _BASE
    place = Gf.Matrix4d().SetTransform(Gf.Rotation(Gf.Vec3d(0, 0, 1), yaw), Gf.Vec3d(x, y, z + _HEIGHT))
    robot = UsdGeom.Xform.Define(stage, "/World/Robot")
    robot.MakeMatrixXform().Set(place)
    robot.GetPrim().GetReferences().AddReference(str(home / "robot.usda"))
    return stage


@pytest.fixture
def window(kit: Kit, home: Path):
    menu = importlib.import_module("omni_graspd.kit.panel").PanelMenu()
    menu.start()
    (create,) = kit.menus.values()
    yield create()
    menu.stop()


def _grasps(stage: Usd.Stage):
    """Two grasps of the box that were not searched for, from above: one of them is three metres away."""
    from omni_graspd.kit import StageGrasps

    hand, standing = load_hand("barrett"), read_stage_object(stage, "/World/Box")
    down, _ = Rotation.align_vectors([[0.0, 0.0, -1.0]], hand.approach_direction[None])
    palms = np.array([[far, 0.0, 0.17, *down.as_quat()] for far in (3.0, 0.0)])
    before = palms + np.array([0.0, 0.0, 0.08, 0.0, 0.0, 0.0, 0.0])
    hover = palms + np.array([0.0, 0.0, 0.05, 0.0, 0.0, 0.0, 0.0])
    opened = np.tile(hand.joint_positions(hand.open_positions), (2, 1))
    zeros, up = np.zeros(2), np.array([[0.0, 0.0, 1.0]] * 2)
    plane = np.tile([0.0, 0.0, 1.0, -0.06], (2, 1))
    way = Way(plane, hover, up, *[zeros] * 5, np.ones(2, dtype=bool), np.ones(2, np.int32), ("", ""))
    postures = Postures(before, opened, zeros, opened + 0.05)
    batch = GraspBatch(palms, opened + 0.02, {}, ("ok", "ok"), postures, way=way)
    return StageGrasps(stage, hand, standing, stage_surroundings(stage, standing, ["/World/Robot"]), batch, 0)


def _found(window, stage: Usd.Stage) -> None:
    """Pretend that grasps were found."""
    window.on_stage.grasps = made = _grasps(stage)
    good = made.batch.T_object_palm[made.good], made.batch.joint_positions[made.good]
    window.on_stage.ghosts.show(made.hand, made.standing.T_world_object, *good)
    window.on_stage._robot.model.set_value("/World/Robot")


def _press(kit: Kit, window, *texts: str) -> None:
    async def work():
        for text in texts:
            click(kit, text)
            await settled(window)

    kit.run(work())


def _driven_palm(stage: Usd.Stage, robot: str, palm: str) -> np.ndarray:
    """Return where the drives' targets bring a body, by its joints as the stage has them, shape [4, 4]."""
    joints = [UsdPhysics.Joint(prim) for prim in Usd.PrimRange(stage.GetPrimAtPath(robot)) if UsdPhysics.Joint(prim)]
    to = {joint.GetBody1Rel().GetTargets()[0].name: joint for joint in joints}
    chain, body = [], palm
    while body in to and len(chain) < 30:
        chain.insert(0, to[body])
        body = chain[0].GetBody0Rel().GetTargets()[0].name
    found = np.array(UsdGeom.XformCache().GetLocalToWorldTransform(stage.GetPrimAtPath(robot))).T
    for joint in chain:
        turn = np.eye(4)
        if joint.GetPrim().IsA(UsdPhysics.RevoluteJoint):
            axis = UsdPhysics.RevoluteJoint(joint).GetAxisAttr().Get()
            angle = UsdPhysics.DriveAPI(joint.GetPrim(), "angular").GetTargetPositionAttr().Get()
            turn[:3, :3] = Rotation.from_euler(axis.lower(), angle, degrees=True).as_matrix()
        ends = []
        for place, rotation in (
            (joint.GetLocalPos0Attr().Get(), joint.GetLocalRot0Attr().Get()),
            (joint.GetLocalPos1Attr().Get(), joint.GetLocalRot1Attr().Get()),
        ):
            frame = np.eye(4)
            frame[:3, :3] = Rotation.from_quat([*rotation.GetImaginary(), rotation.GetReal()]).as_matrix()
            frame[:3, 3] = place
            ends.append(frame)
        found = found @ ends[0] @ turn @ np.linalg.inv(ends[1])
    return found


def test_the_arm_on_the_stage_is_driven_to_the_grasp_that_it_reaches(kit, window, stage):
    _found(window, stage)
    kit.usd.selected = ["/World/Robot"]
    _press(kit, window, "Base from selection", "Reach on stage")
    assert window.reach.config().base == pytest.approx((*_BASE[:2], _HEIGHT, _BASE[3]), abs=1e-6)
    line = "robot: 1 of 2 usable grasps reachable (50 %); most frequent reason: out of reach (1)"
    assert window._line.text == window.reach._result.text == line
    assert window.on_stage._figures.text == "grasp 2 of 2 · robot: reachable"
    made = window.on_stage.grasps
    for moment in ("pregrasp", "hover", "grasp", "squeeze", "lift"):
        _press(kit, window, moment.capitalize())
        assert window._line.text == f"{moment} of grasp 1: targets of 4 joints set; targets of 7 joints of robot set"
        expected = pose_to_matrix(made.posture(1, moment)[0])
        palm = made.hand.links[0].name
        np.testing.assert_allclose(_driven_palm(stage, "/World/Robot", palm), expected, atol=1e-4)
    assert expected[2, 3] == pytest.approx(_HEIGHT + 0.06 + 0.17 + 0.1)  # the last is the lift
    world = UsdGeom.XformCache().GetLocalToWorldTransform(stage.GetPrimAtPath("/World/Robot"))
    assert world.ExtractTranslation()[0] == pytest.approx(_BASE[0])  # the robot was not moved as a floating hand is


@pytest.mark.slow
def test_a_grasp_out_of_reach_moves_the_hand_alone(kit, window, stage):
    _found(window, stage)
    kit.usd.selected = ["/World/Robot"]
    _press(kit, window, "Base from selection", "Reach on stage", "Previous ghost", "Grasp")
    assert "grasp 1 of 2 · robot: out of reach at grasp" in window.on_stage._figures.text
    assert "set; the arm stays: robot does not reach it: out of reach at grasp" in window._line.text


@pytest.mark.slow
def test_what_stands_in_the_way_is_named_and_what_the_arm_stands_on_is_not(kit, window, stage):
    _cube(stage, "Wall", *_WALL)
    _found(window, stage)
    kit.usd.selected = ["/World/Robot"]
    _press(kit, window, "Base from selection", "Reach on stage")
    assert window._line.text.startswith("robot: 0 of 2 usable grasps reachable (0 %)")
    assert "with /World/Wall" in window.on_stage.reach.reason(1)


@pytest.mark.slow
def test_a_hand_beside_the_arm_is_said_not_to_be_on_it(kit, window, stage):
    _found(window, stage)
    kit.usd.selected = ["/World/Robot"]
    _press(kit, window, "Base from selection", "Reach on stage")
    stage.GetPrimAtPath("/World/Robot/mount").SetActive(False)
    _press(kit, window, "Grasp")
    where = "the hand at /World/Robot is not on the arm at /World/Robot: no fixed joints lead from "
    assert f"targets of 4 joints set; the arm stays: {where}" in window._line.text
    _press(kit, window, "Reach on stage")
    assert window._line.text.startswith(where)


@pytest.mark.slow
def test_what_has_changed_since_is_said(kit, window, stage):
    _found(window, stage)
    kit.usd.selected = ["/World/Robot"]
    _press(kit, window, "Base from selection", "Reach on stage")
    robot = UsdGeom.Xformable(stage.GetPrimAtPath("/World/Robot"))
    (place,) = robot.GetOrderedXformOps()
    place.Set(place.Get() * Gf.Matrix4d().SetTranslate(Gf.Vec3d(0.02, 0.0, 0.0)))
    _press(kit, window, "Grasp")
    assert "the arm stays: the base of robot has moved since its reach was found" in window._line.text
    (elbow,) = [prim for prim in stage.Traverse() if prim.GetName() == "elbow"]
    elbow.SetActive(False)
    _press(kit, window, "Grasp")
    assert "expected the joints of robot below /World/Robot, but elbow is not there" in window._line.text


def test_what_is_missing_is_said(kit, window, stage):
    click(kit, "Reach on stage")
    assert window._line.text.startswith("there are no grasps on the stage")
    _found(window, stage)
    click(kit, "Reach on stage")
    assert window._line.text.startswith("expected the arm's prim, got an empty field")


@pytest.mark.slow
def test_without_a_robot_the_mount_is_as_typed(kit, stage):
    """From the Script Editor, for a hand that is not on the stage yet."""
    from omni_graspd.arms.reach_config import ReachConfig
    from omni_graspd.kit import reach_on_stage

    made = _grasps(stage)
    mount = (0.0, 0.0, 0.1, 0.0, 0.0, 90.0)
    found = kit.run(reach_on_stage(made, "robot", "/World/Robot", config=ReachConfig(mount=mount)))
    np.testing.assert_allclose(found.T_flange_palm[:3], mount[:3])
    flange = load_arm("robot").chain().end(found.reach.arm_positions[1, [14]])[0]
    palm = pose_to_matrix(found.standing.T_world_base) @ flange @ pose_to_matrix(found.T_flange_palm)
    np.testing.assert_allclose(palm, pose_to_matrix(made.posture(1, "grasp")[0]), atol=1e-4)
    kit.usd.put(Usd.Stage.CreateInMemory())
    with pytest.raises(GraspdError, match="of another stage than the open one"):
        kit.run(reach_on_stage(made, "robot", "/World/Robot"))


@pytest.mark.slow
def test_the_arm_takes_grasps_that_were_found_on_the_stage_and_stays_off_the_table(kit, stage):
    """Surfaces of all its links, sampled by trimesh, at all places of the way."""
    from omni_graspd.kit import grasp_on_stage, reach_on_stage

    config = synthesis_preset("fast")
    made = kit.run(grasp_on_stage("barrett", "/World/Box", 4, robot="/World/Robot", config=config))
    found = kit.run(reach_on_stage(made, "robot", "/World/Robot", robot="/World/Robot"))
    assert found.reach.reachable.any(), found.reach.reason
    size, middle = np.array(_SOLIDS["Table"])
    middle = middle + np.array([0.0, 0.0, _HEIGHT])
    links = found.arm.articulation.links
    surfaces = [trimesh.sample.sample_surface(trimesh.Trimesh(*_mesh(link)), 500, seed=0)[0] for link in links[1:]]
    for number in np.flatnonzero(found.reach.reachable):
        row = int(found.rows[number])
        assert "; targets of 7 joints of robot set" in made.apply("/World/Robot", row, "squeeze", found)
        expected = pose_to_matrix(made.posture(row, "squeeze")[0])
        palm = made.hand.links[0].name
        np.testing.assert_allclose(_driven_palm(stage, "/World/Robot", palm), expected, atol=1e-4)
        for positions in found.reach.arm_positions[number]:
            poses = link_poses(found.arm.articulation, found.standing.T_world_base, positions)
            for points, pose in zip(surfaces, poses[1:], strict=True):
                beyond = np.abs(transform_points(pose, points) - middle) - size / 2
                assert beyond.max(axis=1).min() > 0.0


def _mesh(link) -> tuple[np.ndarray, np.ndarray]:
    return link.mesh.vertices, link.mesh.faces
