# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Hands on someone's stage: found by their joints, driven, moved."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics

from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.scenes.stage_hand import find_stage_hand, move_palm, palm_pose, set_targets

_POSE = np.array([0.3, -0.2, 0.9, 0.36, -0.48, 0.64, 0.48])


def _stage(name: str, metres: float = 1.0) -> Usd.Stage:
    stage = Usd.Stage.CreateInMemory()
    UsdGeom.SetStageMetersPerUnit(stage, metres)
    UsdGeom.Xform.Define(stage, "/World").AddTranslateOp().Set((1.0, 2.0, 3.0))
    prim = UsdGeom.Xform.Define(stage, "/World/Hand")
    prim.GetPrim().GetReferences().AddReference(str(load_hand(name).source))
    return stage


@pytest.mark.parametrize("name", ["allegro", "barrett", "shadow"])
def test_built_in_hands_are_found_and_their_palm_is_where_ours_is(name):
    hand = load_hand(name)
    found = find_stage_hand(_stage(name), "/World", hand)
    assert tuple(found.joint_paths) == hand.joint_names
    assert found.palm_path.endswith(f"/{hand.links[0].name}")
    assert found.is_floating
    np.testing.assert_allclose(found.T_body_palm, [0, 0, 0, 0, 0, 0, 1], atol=1e-6)


@pytest.mark.parametrize("name", ["allegro", "barrett", "shadow"])
def test_targets_are_the_positions_in_degrees(name):
    hand, stage = load_hand(name), _stage(name)
    found = find_stage_hand(stage, "/World/Hand", hand)
    positions = hand.joint_positions(hand.open_positions + 0.1)
    without = set_targets(stage, found.joint_paths, dict(zip(hand.joint_names, positions.tolist(), strict=True)))
    driven = [name for name in hand.joint_names if name not in without]
    assert {hand.joint_names[k] for k in hand.actuated} <= set(driven)
    for joint in driven:
        drive = UsdPhysics.DriveAPI(stage.GetPrimAtPath(found.joint_paths[joint]), "angular")
        expected = np.degrees(positions[hand.joint_names.index(joint)])
        assert drive.GetTargetPositionAttr().Get() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("ops", ["none", "translate and orient", "matrix"])
def test_a_floating_hand_is_moved_so_that_its_palm_is_there(ops):
    hand, stage = load_hand("allegro"), _stage("allegro")
    root = UsdGeom.Xformable(stage.GetPrimAtPath("/World/Hand"))
    root.ClearXformOpOrder()
    if ops == "translate and orient":
        root.AddTranslateOp().Set((0.5, 0.0, 0.0))
        root.AddOrientOp().Set(Gf.Quatf(0.5, 0.5, 0.5, 0.5))
        root.AddScaleOp().Set((1.0, 1.0, 1.0))
    elif ops == "matrix":
        root.MakeMatrixXform().Set(Gf.Matrix4d().SetTranslate((0.0, 0.0, 1.0)))
    found = find_stage_hand(stage, "/World/Hand", hand)
    names = [op.GetName() for op in root.GetOrderedXformOps()]
    move_palm(stage, found, _POSE)
    np.testing.assert_allclose(palm_pose(stage, found), _POSE, atol=1e-6)
    if ops == "translate and orient":
        assert [op.GetName() for op in root.GetOrderedXformOps()] == names


def test_a_palm_whose_frame_is_elsewhere_is_brought_to_the_same_place():
    """Another file of the same hand: the palm's body has its frame turned and moved."""
    hand, stage = load_hand("allegro"), _stage("allegro")
    palm = stage.GetPrimAtPath(f"/World/Hand/{hand.links[0].name}")
    shift = Gf.Matrix4d().SetRotate(Gf.Rotation(Gf.Vec3d(1.0, 2.0, 0.5), 70.0))
    shift.SetTranslateOnly((0.01, -0.02, 0.03))
    for prim in Usd.PrimRange(stage.GetPrimAtPath("/World/Hand")):
        joint = UsdPhysics.Joint(prim)
        if joint and joint.GetBody0Rel().GetForwardedTargets() == [palm.GetPath()]:
            frame = Gf.Matrix4d().SetRotate(Gf.Quatd(joint.GetLocalRot0Attr().Get()))
            frame.SetTranslateOnly(Gf.Vec3d(joint.GetLocalPos0Attr().Get()))
            frame *= shift
            joint.GetLocalPos0Attr().Set(Gf.Vec3f(frame.ExtractTranslation()))
            joint.GetLocalRot0Attr().Set(Gf.Quatf(frame.ExtractRotationQuat()))
    found = find_stage_hand(stage, "/World/Hand", hand)
    expected = Gf.Quatd(shift.ExtractRotationQuat())
    np.testing.assert_allclose(found.T_body_palm[:3], [0.01, -0.02, 0.03], atol=1e-5)
    np.testing.assert_allclose(found.T_body_palm[3:], [*expected.GetImaginary(), expected.GetReal()], atol=1e-4)


def test_one_finger_tells_where_the_palm_is_by_its_joints_frame():
    """As do the two of a gripper, whose joints lie on one line."""
    hand, stage = load_hand("allegro"), _stage("allegro")
    (first,) = [link for link in hand.links if link.parent == 0 and hand.joint_names[link.joint] == "thumb_joint_0"]
    alone = replace(hand, links=(hand.links[0], replace(first, joint=0)), joint_names=("thumb_joint_0",))
    np.testing.assert_allclose(find_stage_hand(stage, "/World", alone).T_body_palm, [0, 0, 0, 0, 0, 0, 1], atol=1e-6)


def test_a_hand_that_is_held_is_not_moved():
    hand, stage = load_hand("allegro"), _stage("allegro")
    UsdGeom.Xform.Define(stage, "/World/Flange")
    joint = UsdPhysics.FixedJoint.Define(stage, "/World/mount")
    joint.CreateBody0Rel().SetTargets(["/World/Flange"])
    joint.CreateBody1Rel().SetTargets([Sdf.Path(f"/World/Hand/{hand.links[0].name}")])
    found = find_stage_hand(stage, "/World/Hand", hand)
    assert not found.is_floating
    with pytest.raises(GraspdError, match="held by a joint; bring its palm there with the arm"):
        move_palm(stage, found, _POSE)


def test_another_hand_is_refused_with_the_joints_that_are_there():
    with pytest.raises(GraspdError, match=r"expected the joints of barrett below /World.*it has .*index_joint_0"):
        find_stage_hand(_stage("allegro"), "/World", load_hand("barrett"))


def test_a_hand_of_the_same_names_and_another_palm_is_refused():
    hand, stage = load_hand("allegro"), _stage("allegro")
    path = find_stage_hand(stage, "/World", hand).joint_paths["thumb_joint_0"]
    attribute = UsdPhysics.Joint(stage.GetPrimAtPath(path)).GetLocalPos0Attr()
    attribute.Set(attribute.Get() + Gf.Vec3f(0.0, 0.0, 0.02))
    with pytest.raises(GraspdError, match="its fingers stand elsewhere on the palm"):
        find_stage_hand(stage, "/World", hand)
