# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Where an arm stands on a stage of the user's."""

from __future__ import annotations

from pathlib import Path

import pytest
from pxr import Gf, Usd, UsdGeom
from six_axis_arm import SIX, arm_urdf

from omni_graspd.arms.arm_import import add_arm
from omni_graspd.arms.stage_arm import stage_base
from omni_graspd.errors import GraspdError


@pytest.fixture(scope="module")
def arm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stage_arm")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRASPD_HOME", str(folder / "home"))
        return add_arm("six", arm_urdf(folder, SIX))[0]


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
def test_place_and_turn_are_those_of_the_stand(arm: Path, units: float, path: str):
    stage = _stage(arm, Gf.Rotation(Gf.Vec3d(0, 0, 1), 130.0), units)
    assert stage_base(stage, path) == pytest.approx((0.3, -0.2, 0.1, 130.0), abs=1e-6)


def test_posture_does_not_matter(arm: Path):
    stage = _stage(arm, Gf.Rotation(Gf.Vec3d(0, 0, 1), 0.0))
    (link,) = [prim for prim in stage.Traverse() if prim.GetName() == "pan_link"]
    UsdGeom.Xformable(link).MakeMatrixXform().Set(Gf.Matrix4d().SetTranslate(Gf.Vec3d(5.0, 0.0, 0.0)))
    assert stage_base(stage, "/World/Stand") == pytest.approx((0.3, -0.2, 0.1, 0.0), abs=1e-6)


def test_what_cannot_be_a_base_is_refused(arm: Path):
    level = Gf.Rotation(Gf.Vec3d(0, 0, 1), 0.0)
    with pytest.raises(GraspdError, match="to stand upright, got it tilted"):
        stage_base(_stage(arm, Gf.Rotation(Gf.Vec3d(1, 0, 0), 5.0)), "/World/Stand")
    with pytest.raises(GraspdError, match="whose up axis is Z"):
        stage_base(_stage(arm, level, up="Y"), "/World/Stand")
    stage = _stage(arm, level)
    with pytest.raises(GraspdError, match="expected the arm's prim, got '/World/None'"):
        stage_base(stage, "/World/None")
    UsdGeom.Cube.Define(stage, "/World/Box")
    with pytest.raises(GraspdError, match="got no joints below it"):
        stage_base(stage, "/World/Box")
    other = UsdGeom.Xform.Define(stage, "/World/Other").GetPrim()
    other.GetReferences().AddReference(str(arm))
    with pytest.raises(GraspdError, match="one link of /World that no joint moves, got base, base"):
        stage_base(stage, "/World")
