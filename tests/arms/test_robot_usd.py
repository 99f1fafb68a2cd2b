# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Arm and hand as one USD articulation: whole, valid, and moved by PhysX to where forward kinematics says."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from physx_links import link_states
from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics
from six_axis_arm import SEVEN, arm_urdf

from omni_graspd.arms.arm import Arm
from omni_graspd.arms.arm_import import add_arm
from omni_graspd.arms.arm_reader import load_arm
from omni_graspd.arms.mount import default_mount
from omni_graspd.arms.robot_usd import write_robot_usd
from omni_graspd.cli.main import main
from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.hands.usd.hand_reader import read_whole_articulation
from omni_graspd.usd.stage import create_stage, save_stage
from omni_graspd.usd.transforms import IDENTITY, author_pose, compose, invert, matrix_to_pose

_BASE = np.array([-0.5, 0.1, 0.2, 0.0, 0.0, math.sin(0.2), math.cos(0.2)])
_POSTURE = np.array([0.3, 0.5, -0.4, 0.9, 0.2, 0.7, -1.0])


@pytest.fixture(scope="module")
def robot(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Arm, Hand, np.ndarray]:
    """A robot's file, arm, hand and mount."""
    folder = tmp_path_factory.mktemp("robot")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRASPD_HOME", str(folder / "home"))
        add_arm("seven", arm_urdf(folder, SEVEN))
        arm, hand = load_arm("seven"), load_hand("allegro")
        mount = default_mount(hand, 0.3)
        write_robot_usd(arm, hand, mount, _BASE, folder / "robot.usda")
    return folder / "robot.usda", arm, hand, mount


def test_it_is_one_articulation_with_all_joints_and_drives(robot):
    path, arm, hand, _ = robot
    whole = read_whole_articulation(path)
    assert whole.joint_names == (*arm.joint_names, *hand.joint_names)
    assert len(whole.actuated) == arm.joint_count + hand.actuated_count
    stage = Usd.Stage.Open(str(path))
    roots = [prim.GetPath() for prim in stage.Traverse() if prim.HasAPI(UsdPhysics.ArticulationRootAPI)]
    assert roots == [Sdf.Path("/robot")]
    drives = [prim for prim in stage.Traverse() if prim.HasAPI(UsdPhysics.DriveAPI, "angular")]
    assert len(drives) == len(whole.actuated)
    layer = stage.GetRootLayer()
    assert not layer.GetCompositionAssetDependencies()
    colliders = [prim for prim in stage.Traverse() if prim.HasAPI(UsdPhysics.CollisionAPI)]
    assert len(colliders) >= len(arm.articulation.links) + len(hand.links)


@pytest.mark.slow
def test_validators_find_no_fault(robot, tmp_path: Path, usd_findings: Callable[[Path], list[str]]):
    _, arm, hand, mount = robot
    write_robot_usd(arm, hand, mount, IDENTITY, tmp_path / "robot.usdc")
    assert usd_findings(tmp_path / "robot.usdc") == []


@pytest.mark.slow
def test_drives_bring_the_palm_where_forward_kinematics_says(robot, tmp_path: Path):
    path, arm, _, mount = robot
    stage = create_stage("World", tmp_path / "scene.usda")
    scene = UsdPhysics.Scene.Define(stage, "/World/PhysicsScene")
    scene.CreateGravityDirectionAttr(Gf.Vec3f(0.0, 0.0, -1.0))
    scene.CreateGravityMagnitudeAttr(9.81)
    prim = UsdGeom.Xform.Define(stage, "/World/Robot").GetPrim()
    prim.GetReferences().AddReference(str(path))
    moved = np.array([0.2, -0.3, 0.1, 0.0, 0.0, math.sin(0.5), math.cos(0.5)])
    author_pose(prim, moved)
    for name, target in zip(arm.joint_names, _POSTURE, strict=True):
        drive = UsdPhysics.DriveAPI(stage.GetPrimAtPath(f"/World/Robot/arm/joints/{name}"), "angular")
        drive.GetTargetPositionAttr().Set(math.degrees(target))
    save_stage(stage, tmp_path / "scene.usda")
    from omni_graspd.standalone.physx_stage import LoadedStage

    with closing(LoadedStage(tmp_path / "scene.usda")) as loaded, loaded.attached() as physx:
        before = link_states(physx)
        for _ in range(480):
            physx.step_sync(1.0 / 240.0)
        after = link_states(physx)
    for states, posture in ((before, np.zeros(7)), (after, _POSTURE)):
        flange = matrix_to_pose(arm.chain().end(posture[None])[0])
        base = compose(moved, _BASE)
        palm = compose(compose(base, flange), mount)
        np.testing.assert_allclose(states["base"][:3], base[:3], atol=1e-5)
        np.testing.assert_allclose(states["palm"][:3], palm[:3], atol=1e-3)
        assert abs(states["palm"][3:] @ palm[3:]) > math.cos(math.radians(0.05))


def test_the_command_writes_usd_and_knows_what_it_cannot_write(robot, tmp_path: Path, capsys):
    _, arm, _, _ = robot
    target = tmp_path / "robot.usd"
    main(["arms", "export", str(arm.source), "barrett", str(target), "--mount", "0", "0", "0.05", "0", "0", "0"])
    assert "seven with barrett" in capsys.readouterr().out
    assert Usd.Stage.Open(str(target)).GetPrimAtPath("/robot/mount").IsA(UsdPhysics.FixedJoint)
    with pytest.raises(SystemExit):
        main(["arms", "export", str(arm.source), "barrett", str(tmp_path / "robot.obj")])
    assert "expected a file that ends in .usd, .usda, .usdc or .xml" in capsys.readouterr().err


def test_files_in_other_units_are_refused(robot, tmp_path: Path):
    _, arm, hand, mount = robot
    stage = Usd.Stage.Open(str(hand.source))
    UsdGeom.SetStageMetersPerUnit(stage, 0.01)
    other = tmp_path / "hand.usda"
    stage.GetRootLayer().Export(str(other))
    stage.GetRootLayer().Reload(force=True)
    with pytest.raises(GraspdError, match=r"in metres and Z up, got 0\.01 m"):
        write_robot_usd(arm, replace(hand, source=other), mount, _BASE, tmp_path / "robot.usda")


@pytest.mark.slow
def test_a_palm_on_a_link_that_is_scaled_is_where_the_mount_has_it(robot, tmp_path: Path):
    _, arm, hand, _ = robot
    stage = Usd.Stage.Open(str(arm.source))
    layer = Sdf.Layer.CreateAnonymous(".usda")
    layer.TransferContent(stage.GetRootLayer())
    stage = Usd.Stage.Open(layer)
    link = stage.GetPrimAtPath(arm.articulation.links[arm.flange_link].prim_path)
    UsdGeom.Xformable(link).AddScaleOp().Set(Gf.Vec3f(0.5, 2.0, 4.0))
    layer.Export(str(tmp_path / "seven.usda"))
    (tmp_path / "arm.toml").write_bytes((arm.source.parent / "arm.toml").read_bytes())
    scaled = load_arm(str(tmp_path / "seven.usda"))
    mount = np.array([0.03, -0.02, 0.05, 0.0, math.sin(0.3), 0.0, math.cos(0.3)])
    write_robot_usd(scaled, hand, mount, _BASE, tmp_path / "robot.usda")
    whole = read_whole_articulation(tmp_path / "robot.usda")
    names = [each.name for each in whole.links]
    found = link_poses(whole, IDENTITY, np.zeros(len(whole.joint_names)))
    palm = compose(compose(_BASE, matrix_to_pose(arm.chain().end(np.zeros((1, 7)))[0])), mount)
    off = compose(invert(compose(found[names.index("base")], invert(_BASE))), found[names.index("palm")])
    np.testing.assert_allclose(off[:3], palm[:3], atol=1e-5)
