# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Arms that come as USD: their flange, the gripper that they carry, layers that are missing, licences."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pxr import Sdf, Usd, UsdGeom, UsdPhysics
from six_axis_arm import GRIPPER, SIX, arm_urdf

from omni_graspd.arms.arm_import import add_arm
from omni_graspd.arms.arm_reader import load_arm
from omni_graspd.errors import GraspdError
from omni_graspd.hands.importing.source_to_design import design_robot, rest_posture
from omni_graspd.hands.importing.urdf_reader import read_urdf
from omni_graspd.hands.usd.hand_reader import read_whole_articulation
from omni_graspd.hands.usd.hand_writer import write_hand
from omni_graspd.usd.transforms import author_pose


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRASPD_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def _usd(folder: Path, name: str = "robot", *, gripper: bool = True) -> Path:
    """Write an arm of six axes as USD, with a gripper welded to its flange."""
    urdf = arm_urdf(folder, SIX)
    if gripper:
        urdf.write_text(urdf.read_text(encoding="utf-8").replace("</robot>", GRIPPER), encoding="utf-8")
    design, _ = design_robot(name, read_urdf(urdf), 1.0)
    path = folder / f"{name}.usda"
    write_hand(design, path, rest_posture(design))
    return path


def test_the_gripper_of_an_arm_in_usd_is_left_out(tmp_path: Path):
    file = _usd(tmp_path)
    before = file.read_bytes()
    path, notes = add_arm("six", file)
    arm = load_arm("six")
    assert arm.joint_names == ("pan", "lift", "elbow", "roll", "bend", "turn")
    assert arm.articulation.links[arm.flange_link].name == "turn_link"
    assert "left out, since it is moved by the flange: gripper, jaw" in notes
    assert file.read_bytes() == before
    stage = Usd.Stage.Open(str(path))
    joints = [prim for prim in stage.Traverse() if prim.IsA(UsdPhysics.Joint)]
    targets = [target for prim in joints for target in UsdPhysics.Joint(prim).GetBody1Rel().GetTargets()]
    assert len(targets) == 6
    assert all(stage.GetPrimAtPath(target) for target in targets)


@pytest.mark.slow
def test_a_guessed_flange_is_told_of(tmp_path: Path):
    _, notes = add_arm("six", _usd(tmp_path, gripper=False))
    assert notes == ("took turn_link, the last link that moves, as the flange; name another with --flange",)
    urdf = arm_urdf(tmp_path, SIX)
    text = urdf.read_text(encoding="utf-8").replace("tool0", "last_one")
    urdf.write_text(text, encoding="utf-8")
    assert add_arm("other", urdf)[1] == notes


def test_frames_on_links_are_flanges_in_usd(tmp_path: Path):
    file = _usd(tmp_path, gripper=False)
    stage = Usd.Stage.Open(str(file))
    frame = UsdGeom.Xform.Define(stage, "/robot/turn_link/tool0").GetPrim()
    author_pose(frame, np.array([0.0, 0.01, 0.05, 0.0, 0.0, 1.0, 0.0]))
    stage.Save()
    assert add_arm("six", file)[1] == ()
    np.testing.assert_allclose(load_arm("six").T_link_flange, [0.0, 0.01, 0.05, 0.0, 0.0, 1.0, 0.0], atol=1e-6)
    with pytest.raises(GraspdError, match=r"expected --flange to be a link or site of .*robot\.usda, got 'nowhere'"):
        add_arm("other", file, flange="nowhere")


def test_an_arm_in_usd_whose_layers_are_missing_is_refused(tmp_path: Path):
    file = _usd(tmp_path, gripper=False)
    layer = Sdf.Layer.FindOrOpen(str(file))
    layer.subLayerPaths.append("./lost.usda")
    layer.Save()
    with pytest.raises(GraspdError, match=r"expected all files that .* refers to, got no lost\.usda"):
        add_arm("six", file)


def test_arms_that_may_not_be_used_commercially_have_to_be_accepted(tmp_path: Path):
    file = arm_urdf(tmp_path, SIX)
    (tmp_path / "LICENSE").write_text("For non-commercial use.", encoding="utf-8")
    with pytest.raises(GraspdError, match="expected an arm that may be used commercially, got six, of which LICENSE"):
        add_arm("six", file)
    assert not (tmp_path / "home" / "arms" / "six").exists()
    path, _ = add_arm("six", file, accept_licence=True)
    assert len(read_whole_articulation(path).joint_names) == 6


@pytest.mark.slow
def test_a_gripper_whose_bodies_lie_one_below_the_other_is_left_out(tmp_path: Path):
    file = _usd(tmp_path)
    stage = Usd.Stage.Open(str(file))
    layer = stage.GetRootLayer()
    edit = Sdf.BatchNamespaceEdit()
    edit.Add("/robot/jaw", "/robot/gripper/jaw")
    assert layer.Apply(edit)
    for prim in stage.Traverse():
        if prim.IsA(UsdPhysics.Joint):
            for rel in (UsdPhysics.Joint(prim).GetBody0Rel(), UsdPhysics.Joint(prim).GetBody1Rel()):
                rel.SetTargets([path.ReplacePrefix("/robot/jaw", "/robot/gripper/jaw") for path in rel.GetTargets()])
    stage.Save()
    _, notes = add_arm("six", file)
    assert "left out, since it is moved by the flange: gripper, jaw" in notes
    assert load_arm("six").joint_names == ("pan", "lift", "elbow", "roll", "bend", "turn")
