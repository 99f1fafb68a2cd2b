# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Where an arm stands on a stage of the user's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics
from six_axis_arm import SIX, arm_urdf

from omni_graspd.arms.arm import Arm
from omni_graspd.arms.arm_import import add_arm
from omni_graspd.arms.arm_reader import read_arm
from omni_graspd.arms.robot_usd import write_robot_usd
from omni_graspd.arms.stage_arm import find_stage_arm, stage_base, stage_mount
from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.scenes.stage_hand import find_stage_hand

_MOUNT = np.array([0.01, -0.02, 0.07, 0.5, -0.5, 0.5, 0.5])
_BASE = np.array([0.3, -0.2, 0.1, 0.0, 0.0, np.sin(0.3), np.cos(0.3)])
_LEVEL = Gf.Rotation(Gf.Vec3d(0, 0, 1), 0.0)


@pytest.fixture(scope="module")
def arm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stage_arm")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRASPD_HOME", str(folder / "home"))
        return add_arm("six", arm_urdf(folder, SIX))[0]


@pytest.fixture(scope="module")
def six(arm: Path):
    return read_arm(arm)


def _stage(arm: Path, turn: Gf.Rotation, units: float = 1.0, up: str = "Z") -> Usd.Stage:
    """The arm on a stand that is put at (0.3, -0.2, 0.1) m and turned."""
    stage = Usd.Stage.CreateInMemory()
    UsdGeom.SetStageMetersPerUnit(stage, units)
    UsdGeom.SetStageUpAxis(stage, up)
    place = Gf.Matrix4d().SetTransform(turn, Gf.Vec3d(0.3, -0.2, 0.1) / units)
    UsdGeom.Xform.Define(stage, "/World/Stand").AddTransformOp().Set(place)
    robot = UsdGeom.Xform.Define(stage, "/World/Stand/Robot")
    robot.AddScaleOp().Set(Gf.Vec3f(1.0 / units))
    robot.GetPrim().GetReferences().AddReference(str(arm))
    return stage


@pytest.mark.parametrize("units", [1.0, 0.01])
@pytest.mark.parametrize("path", ["/World/Stand", "/World/Stand/Robot"])
def test_place_and_turn_are_those_of_the_stand(arm: Path, six: Arm, units: float, path: str):
    stage = _stage(arm, Gf.Rotation(Gf.Vec3d(0, 0, 1), 130.0), units)
    assert stage_base(stage, path, six) == pytest.approx((0.3, -0.2, 0.1, 130.0), abs=1e-6)


def test_posture_does_not_matter(arm: Path, six: Arm):
    stage = _stage(arm, Gf.Rotation(Gf.Vec3d(0, 0, 1), 0.0))
    (link,) = [prim for prim in stage.Traverse() if prim.GetName() == "pan_link"]
    UsdGeom.Xformable(link).MakeMatrixXform().Set(Gf.Matrix4d().SetTranslate(Gf.Vec3d(5.0, 0.0, 0.0)))
    assert stage_base(stage, "/World/Stand", six) == pytest.approx((0.3, -0.2, 0.1, 0.0), abs=1e-6)


def test_what_cannot_be_a_base_is_refused(arm: Path, six: Arm):
    level = Gf.Rotation(Gf.Vec3d(0, 0, 1), 0.0)
    with pytest.raises(GraspdError, match="to stand upright, got it tilted"):
        stage_base(_stage(arm, Gf.Rotation(Gf.Vec3d(1, 0, 0), 5.0)), "/World/Stand", six)
    with pytest.raises(GraspdError, match="whose up axis is Z"):
        stage_base(_stage(arm, level, up="Y"), "/World/Stand", six)
    stage = _stage(arm, level)
    with pytest.raises(GraspdError, match="expected the arm's prim, got '/World/None'"):
        stage_base(stage, "/World/None", six)
    UsdGeom.Cube.Define(stage, "/World/Box")
    with pytest.raises(GraspdError, match="joints of six below /World/Box, but pan, lift, elbow is not there"):
        stage_base(stage, "/World/Box", six)
    other = UsdGeom.Xform.Define(stage, "/World/Other").GetPrim()
    other.GetReferences().AddReference(str(arm))
    with pytest.raises(GraspdError, match="one link base below /World, got /World/Other/base, /World/Stand/Robot/base"):
        stage_base(stage, "/World", six)


@pytest.fixture(scope="module")
def robot(six: Arm, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The arm with a Barrett hand as one robot."""
    path = tmp_path_factory.mktemp("robot") / "robot.usda"
    write_robot_usd(six, load_hand("barrett"), _MOUNT, _BASE, path)
    return path


def _with_robot(robot: Path) -> Usd.Stage:
    """The robot, referenced at /World/Robot."""
    stage = Usd.Stage.CreateInMemory()
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    UsdGeom.SetStageUpAxis(stage, "Z")
    stage.DefinePrim("/World/Robot").GetReferences().AddReference(str(robot))
    return stage


def _d6(stage: Usd.Stage, path: str, bodies: tuple[Sdf.Path, Sdf.Path], *, locked: bool) -> UsdPhysics.Joint:
    joint = UsdPhysics.Joint.Define(stage, path)
    joint.CreateBody0Rel().SetTargets([bodies[0]])
    joint.CreateBody1Rel().SetTargets([bodies[1]])
    for axis in ("transX", "transY", "transZ", "rotX", "rotY", "rotZ") if locked else ("transX",):
        limit = UsdPhysics.LimitAPI.Apply(joint.GetPrim(), axis)
        limit.CreateLowAttr(1.0)
        limit.CreateHighAttr(-1.0)
    return joint


def test_joints_flange_and_mount_of_a_robot_are_those_it_was_made_of(six: Arm, robot: Path):
    stage, hand = _with_robot(robot), load_hand("barrett")
    found = find_stage_arm(stage, "/World/Robot", six)
    np.testing.assert_allclose(found.T_world_base, _BASE, atol=1e-6)
    assert [Sdf.Path(path).name for path in found.joint_paths.values()] == list(six.joint_names)
    T_flange_palm = stage_mount(stage, found, find_stage_hand(stage, "/World/Robot/hand", hand))
    np.testing.assert_allclose(T_flange_palm, _MOUNT, atol=1e-6)


def test_a_hand_elsewhere_is_not_on_the_arm(six: Arm, robot: Path):
    stage, hand = _with_robot(robot), load_hand("barrett")
    stage.GetPrimAtPath("/World/Robot/mount").SetActive(False)
    found = find_stage_arm(stage, "/World/Robot", six)
    with pytest.raises(
        GraspdError, match="hand at /World/Robot/hand is not on the arm at /World/Robot: no fixed joints"
    ):
        stage_mount(stage, found, find_stage_hand(stage, "/World/Robot/hand", hand))


def test_a_locked_joint_of_six_axes_mounts_the_hand_and_a_free_one_below_it_does_not_matter(six: Arm, robot: Path):
    stage, hand = _with_robot(robot), load_hand("barrett")
    fixed = UsdPhysics.FixedJoint(stage.GetPrimAtPath("/World/Robot/mount"))
    flange, palm = (rel.GetTargets()[0] for rel in (fixed.GetBody0Rel(), fixed.GetBody1Rel()))
    locked = _d6(stage, "/World/Robot/locked", (flange, palm), locked=True)
    locked.CreateLocalPos0Attr(fixed.GetLocalPos0Attr().Get())
    locked.CreateLocalRot0Attr(fixed.GetLocalRot0Attr().Get())
    fixed.GetPrim().SetActive(False)
    stage.DefinePrim("/World/Robot/hand/bell", "Xform")
    UsdPhysics.RigidBodyAPI.Apply(stage.GetPrimAtPath("/World/Robot/hand/bell"))
    _d6(stage, "/World/Robot/hand/loose", (palm, Sdf.Path("/World/Robot/hand/bell")), locked=False)
    arm, held = find_stage_arm(stage, "/World/Robot", six), find_stage_hand(stage, "/World/Robot/hand", hand)
    np.testing.assert_allclose(stage_mount(stage, arm, held), _MOUNT, atol=1e-6)
    assert stage_base(stage, "/World/Robot", six)[:3] == pytest.approx(_BASE[:3], abs=1e-6)


def test_a_joint_of_the_arm_that_is_of_another_kind_is_named(arm: Path, six: Arm):
    stage = _stage(arm, _LEVEL)
    (prim,) = [prim for prim in stage.Traverse() if prim.GetName() == "elbow"]
    prim.SetTypeName("PhysicsJoint")
    with pytest.raises(GraspdError, match=r"got PhysicsJoint at /World/Stand/Robot/.*elbow; lock all of its axes"):
        stage_base(stage, "/World/Stand", six)


def test_links_of_the_hand_are_no_base(arm: Path, six: Arm):
    """Also a hand may have a base, and it is no second arm."""
    stage = _stage(arm, _LEVEL)
    for name in ("base", "cover"):
        UsdPhysics.RigidBodyAPI.Apply(stage.DefinePrim(f"/World/Stand/Hand/{name}", "Xform"))
    joint = UsdPhysics.RevoluteJoint.Define(stage, "/World/Stand/Hand/finger")
    joint.CreateAxisAttr("X")
    joint.CreateBody0Rel().SetTargets(["/World/Stand/Hand/base"])
    joint.CreateBody1Rel().SetTargets(["/World/Stand/Hand/cover"])
    assert stage_base(stage, "/World/Stand", six) == pytest.approx((0.3, -0.2, 0.1, 0.0), abs=1e-6)


def test_another_arm_with_the_same_names_is_refused(six: Arm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GRASPD_HOME", str(tmp_path / "home"))
    longer = (SIX[0], SIX[1], ("elbow", "0 0 0.5", *SIX[2][2:]), *SIX[3:])
    other = add_arm("longer", arm_urdf(tmp_path, longer))[0]
    assert find_stage_arm(_stage(other, _LEVEL), "/World/Stand", read_arm(other)).T_world_base[2] == pytest.approx(0.1)
    with pytest.raises(GraspdError, match="to be a six, but its joints lead elsewhere"):
        find_stage_arm(_stage(other, _LEVEL), "/World/Stand", six)


@pytest.mark.slow  # imports two arms
def test_links_that_an_importer_merged_are_not_missed(six: Arm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Its flange is a link of its own in the library and part of the last link on the stage."""
    monkeypatch.setenv("GRASPD_HOME", str(tmp_path / "home"))
    source = arm_urdf(tmp_path, SIX, "whole")
    whole = read_arm(add_arm("whole", source)[0])
    text = source.read_text(encoding="utf-8").replace('link name="tool0"', 'link name="other"')
    source.write_text(text.replace('link="tool0"', 'link="other"'), encoding="utf-8")
    merged = add_arm("merged", source, flange="turn_link")[0]
    found = find_stage_arm(_stage(merged, _LEVEL), "/World/Stand", whole)
    assert Sdf.Path(found.flange_path).name == "turn_link"
    np.testing.assert_allclose(found.T_body_flange[:3], [0.0, 0.0, 0.05], atol=1e-6)
