# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What arms in USD lack or have otherwise: drives, units, names of their own; errors name the user's file."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from lift_jaws import make_jaws
from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics
from six_axis_arm import SIX, arm_urdf

from omni_graspd.arms.arm_drive import DAMPING, LINEAR_DAMPING, LINEAR_STIFFNESS, STIFFNESS
from omni_graspd.arms.arm_import import add_arm
from omni_graspd.arms.arm_reader import load_arm
from omni_graspd.arms.robot_export import write_robot
from omni_graspd.arms.usd_arm import deactivate_bodies, keep_arm
from omni_graspd.errors import GraspdError
from omni_graspd.usd.transforms import IDENTITY


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRASPD_HOME", str(tmp_path / "home"))


def _arm(path: Path, *, metres: float = 1.0, up: str = "Z") -> Path:
    """Write an arm of cubes without drives: a joint that turns, and one that slides."""
    stage = Usd.Stage.CreateNew(str(path))
    UsdGeom.SetStageMetersPerUnit(stage, metres)
    UsdGeom.SetStageUpAxis(stage, up)
    stage.SetDefaultPrim(UsdGeom.Xform.Define(stage, "/arm").GetPrim())
    UsdPhysics.ArticulationRootAPI.Apply(stage.GetDefaultPrim())
    for number, name in enumerate(("base", "upper", "tool0")):
        body = UsdGeom.Xform.Define(stage, f"/arm/{name}")
        body.AddTranslateOp().Set(Gf.Vec3d(0.0, 0.0, 0.3 * number))
        UsdPhysics.RigidBodyAPI.Apply(body.GetPrim())
        cube = UsdGeom.Cube.Define(stage, f"/arm/{name}/cube")
        cube.CreateSizeAttr(0.1)
        UsdPhysics.CollisionAPI.Apply(cube.GetPrim())
    for kind, name, first, second in (
        (UsdPhysics.RevoluteJoint, "turn", "base", "upper"),
        (UsdPhysics.PrismaticJoint, "slide", "upper", "tool0"),
    ):
        joint = kind.Define(stage, f"/arm/{name}")
        joint.CreateBody0Rel().SetTargets([f"/arm/{first}"])
        joint.CreateBody1Rel().SetTargets([f"/arm/{second}"])
        joint.CreateLocalPos0Attr(Gf.Vec3f(0.0, 0.0, 0.3))
        joint.CreateAxisAttr("Z")
        joint.CreateLowerLimitAttr(0.1)
        joint.CreateUpperLimitAttr(0.4)
    stage.Save()
    return path


def test_joints_without_a_drive_get_that_of_an_arm(tmp_path: Path):
    file = _arm(tmp_path / "arm.usda")
    stage = Usd.Stage.Open(str(file))
    UsdPhysics.DriveAPI.Apply(stage.GetPrimAtPath("/arm/slide"), "linear").CreateStiffnessAttr(7.0)
    stage.Save()
    notes = keep_arm(file, None, file)[1]
    assert notes == ("gave joints without a drive one of 4000 N m/rad or 40000 N/m: turn",)
    stage = Usd.Stage.Open(str(file))
    stage.Reload()
    drive = UsdPhysics.DriveAPI(stage.GetPrimAtPath("/arm/turn"), "angular")
    assert drive.GetStiffnessAttr().Get() == pytest.approx(STIFFNESS * math.pi / 180.0)
    assert drive.GetDampingAttr().Get() == pytest.approx(DAMPING * math.pi / 180.0)
    assert drive.GetTargetPositionAttr().Get() == pytest.approx(0.1)  # degrees: what is nearest to 0
    assert UsdPhysics.DriveAPI(stage.GetPrimAtPath("/arm/slide"), "linear").GetStiffnessAttr().Get() == 7.0


@pytest.mark.slow
def test_sliding_joints_have_the_same_drive_in_usd_and_mjcf(tmp_path: Path):
    mujoco = pytest.importorskip("mujoco")
    urdf = arm_urdf(tmp_path, SIX)
    text = urdf.read_text(encoding="utf-8").replace('name="turn" type="revolute"', 'name="turn" type="prismatic"')
    urdf.write_text(text, encoding="utf-8")
    path, _ = add_arm("own", urdf)
    stage = Usd.Stage.Open(str(path))
    drive = UsdPhysics.DriveAPI(stage.GetPrimAtPath("/own/joints/turn"), "linear")
    write_robot(load_arm("own"), make_jaws(tmp_path), IDENTITY, IDENTITY, tmp_path / "robot.xml")
    model = mujoco.MjModel.from_xml_path(str(tmp_path / "robot.xml"))
    stiffness = {name: float(model.actuator(f"arm/{name}").gainprm[0]) for name in ("bend", "turn")}
    assert stiffness == {"bend": STIFFNESS, "turn": LINEAR_STIFFNESS}
    assert -model.actuator("arm/turn").biasprm[2] == LINEAR_DAMPING == drive.GetDampingAttr().Get()
    assert drive.GetStiffnessAttr().Get() == LINEAR_STIFFNESS


@pytest.mark.parametrize(("options", "got"), [({"metres": 0.01}, "0.01 m and Z up"), ({"up": "Y"}, "1 m and Y up")])
def test_arms_in_other_units_are_refused_by_the_name_of_their_file(tmp_path: Path, options, got: str):
    file = _arm(tmp_path / "arm.usda", **options)
    with pytest.raises(GraspdError, match=rf"expected {file} in metres and Z up, got {got}; export it anew") as error:
        add_arm("own", file)
    assert ".partial" not in str(error.value)


def test_errors_name_the_file_that_the_user_gave(tmp_path: Path):
    file = _arm(tmp_path / "arm.usda")
    stage = Usd.Stage.Open(str(file))
    stage.GetPrimAtPath("/arm/turn").GetAttribute("physics:axis").Set("W")
    stage.Save()
    with pytest.raises(GraspdError, match=rf"the axis of /arm/turn in {file} to be X, Y or Z"):
        add_arm("own", file)


def test_links_of_the_arm_below_what_is_left_out_are_named(tmp_path: Path):
    file = _arm(tmp_path / "arm.usda")
    stage = Usd.Stage.Open(str(file))
    below = UsdGeom.Xform.Define(stage, "/arm/upper/inner").GetPrim()
    UsdPhysics.RigidBodyAPI.Apply(below)
    with pytest.raises(GraspdError, match=r"no links of the arm below /arm/upper of .*, got /arm/upper/inner; delete"):
        deactivate_bodies(stage, [Sdf.Path("/arm/upper")], file)
