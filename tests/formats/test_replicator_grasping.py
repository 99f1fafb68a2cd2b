# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Captures and configuration of isaacsim.replicator.grasping, there and back on a stage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml
from pxr import Gf, Usd, UsdGeom

from omni_graspd.errors import GraspdError
from omni_graspd.formats.replicator_grasping import gripper_samples, read_captures, write_grasping_config
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.scenes.stage_hand import find_stage_hand, palm_pose
from omni_graspd.scenes.stage_object import read_stage_object
from omni_graspd.usd.transforms import compose

_POSES = np.array([[0.1, 0.02, 0.15, 0.36, -0.48, 0.64, 0.48], [0.0, -0.1, 0.1, 0.0, 0.6, 0.0, 0.8]])


@pytest.fixture
def scene(tmp_path, monkeypatch):
    """An Allegro hand, turned in its prim, and a box of stretched centimetres on a stage in centimetres."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    stage, hand = Usd.Stage.CreateInMemory(), load_hand("allegro")
    UsdGeom.SetStageMetersPerUnit(stage, 0.01)
    box = UsdGeom.Cube.Define(stage, "/World/Box")
    box.AddTranslateOp().Set((30.0, 10.0, 80.0))
    box.AddRotateZOp().Set(30.0)
    box.AddScaleOp().Set((5.0, 7.0, 12.0))
    box.CreateSizeAttr(1.0)
    UsdGeom.Xform.Define(stage, "/World/Robot").AddTranslateOp().Set((1.0, 2.0, 3.0))
    inner = UsdGeom.Xform.Define(stage, "/World/Robot/Hand")
    inner.AddRotateXOp().Set(90.0)
    inner.AddScaleOp().Set((100.0, 100.0, 100.0))  # the hand's file is in metres
    inner.GetPrim().GetReferences().AddReference(str(hand.source))
    return stage, hand, find_stage_hand(stage, "/World/Robot", hand), read_stage_object(stage, "/World/Box")


def _capture(folder: Path, stage: Usd.Stage, number: int, sample: tuple, joints: dict[str, float]) -> None:
    """Write what the extension writes for a pose in the frame of the object's prim, from its own arithmetic in Gf."""
    position, (w, *xyz) = sample
    prim = UsdGeom.XformCache().GetLocalToWorldTransform(stage.GetPrimAtPath("/World/Box"))
    location = prim.Transform(Gf.Vec3d(*position.tolist()))
    turn = prim.RemoveScaleShear().ExtractRotationQuat() * Gf.Quatd(w, *xyz)
    content = {
        "grasp_result": {
            "gripper_path": "/World/Robot",
            "object_path": "/World/Box",
            "gripper_location": list(location),
            "gripper_orientation": {"w": turn.GetReal(), "xyz": list(turn.GetImaginary())},
            "joint_states": {f"Hand/joints/{name}": float(np.degrees(value)) for name, value in joints.items()},
        }
    }
    (folder / f"capture_{number}.yaml").write_text(yaml.dump(content, default_flow_style=False))


def test_grasps_come_back_from_captures(scene, tmp_path):
    stage, hand, robot, standing = scene
    samples = gripper_samples(stage, robot, standing, _POSES)
    joints = np.random.default_rng(0).uniform(-0.5, 1.0, (2, hand.joint_count))
    for number in (1, 0):
        values = dict(zip(hand.joint_names, joints[number].tolist(), strict=True))
        _capture(tmp_path, stage, number, samples[number], values)
    record = read_captures(tmp_path, stage, hand)
    np.testing.assert_allclose(record.T_object_palm, _POSES, atol=1e-6)
    np.testing.assert_allclose(record.joint_positions, joints, atol=1e-9)
    assert record.joint_names == hand.joint_names and "as it stands on the open stage" in record.notes[0]


def test_the_gripper_at_a_sample_has_its_palm_at_the_grasp(scene):
    stage, _, robot, standing = scene
    (position, (w, *xyz)) = gripper_samples(stage, robot, standing, _POSES[:1])[0]
    prim = UsdGeom.XformCache().GetLocalToWorldTransform(stage.GetPrimAtPath("/World/Box"))
    root = UsdGeom.Xformable(stage.GetPrimAtPath("/World/Robot"))
    matrix = Gf.Matrix4d().SetRotate(prim.RemoveScaleShear().ExtractRotationQuat() * Gf.Quatd(w, *xyz))
    matrix.SetTranslateOnly(prim.Transform(Gf.Vec3d(*position.tolist())))
    root.MakeMatrixXform().Set(matrix)
    found = palm_pose(stage, robot)
    np.testing.assert_allclose(found, compose(standing.T_world_object, _POSES[0]), atol=1e-6)


def test_the_configuration_has_the_joints_in_degrees_by_path(scene, tmp_path):
    stage, hand, robot, standing = scene
    postures = {
        name: dict(zip(hand.joint_names, hand.joint_positions(hand.open_positions + value).tolist(), strict=True))
        for name, value in (("pregrasp", 0.0), ("grasp", 0.2), ("squeeze", 0.3))
    }
    write_grasping_config(tmp_path / "config.yaml", stage, robot, standing, postures)
    content = yaml.safe_load((tmp_path / "config.yaml").read_text())
    assert (content["gripper_path"], content["object_path"]) == ("/World/Robot", "/World/Box")
    assert [phase["name"] for phase in content["grasp_phases"]] == ["grasp", "squeeze"]
    for targets, posture in (
        (content["joint_pregrasp_states"], postures["pregrasp"]),
        (content["grasp_phases"][1]["joint_drive_targets"], postures["squeeze"]),
    ):
        assert targets == {robot.joint_paths[name]: pytest.approx(np.degrees(value)) for name, value in posture.items()}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "expected capture_0.yaml and so on"),
        ("a: 1", "expected 'grasp_result' with"),
        ("grasp_result: [1]", "expected 'grasp_result' with"),
    ],
)
def test_folders_that_are_none_are_refused(scene, tmp_path, text, said):
    stage, hand, _, _ = scene
    if text is not None:
        (tmp_path / "capture_0.yaml").write_text(text)
    with pytest.raises(GraspdError, match=said):
        read_captures(tmp_path, stage, hand)


def test_a_capture_without_all_joints_is_refused(scene, tmp_path):
    stage, hand, robot, standing = scene
    (sample,) = gripper_samples(stage, robot, standing, _POSES[:1])
    _capture(tmp_path, stage, 0, sample, {"index_joint_0": 0.0})
    with pytest.raises(GraspdError, match="expected the joints of allegro"):
        read_captures(tmp_path, stage, hand)
