# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Importing arms: flanges, tools that are left out, faults; mounts; the robot as a MuJoCo model."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from six_axis_arm import GRIPPER, SEVEN, SIX, arm_urdf

from omni_graspd.arms.arm_checks import arm_faults
from omni_graspd.arms.arm_import import add_arm, list_arms
from omni_graspd.arms.arm_reader import load_arm
from omni_graspd.arms.mount import ADAPTER, default_mount
from omni_graspd.arms.reach_config import ReachConfig
from omni_graspd.arms.robot_config import RobotConfig
from omni_graspd.arms.robot_export import write_robot
from omni_graspd.arms.workspace import Thing, Workspace
from omni_graspd.errors import GraspdError
from omni_graspd.geometry.convex_hull import convex_hull
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.library import remove_own
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import IDENTITY, compose, matrix_to_pose, pose_to_matrix, transform_points

_FAR = np.array([0.0, 0.0, 50.0, 0.0, 0.0, 0.0, 1.0])


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRASPD_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_an_arm_is_imported_with_its_flange_and_listed(tmp_path: Path):
    (tmp_path / "LICENSE").write_text("do what you like", encoding="utf-8")
    path, notes = add_arm("six", arm_urdf(tmp_path, SIX))
    arm = load_arm("six")
    assert notes == ()
    assert arm.joint_names == ("pan", "lift", "elbow", "roll", "bend", "turn")
    assert arm.articulation.links[arm.flange_link].name == "turn_link"
    np.testing.assert_allclose(arm.T_link_flange, [0.0, 0.0, 0.05, 0.0, 0.0, 0.0, 1.0], atol=1e-9)
    assert arm_faults(arm) == ()
    assert (path.parent / "LICENSE").is_file()
    assert [(entry.name, entry.joint_count, entry.license) for entry in list_arms()] == [("six", 6, "see LICENSE")]
    with pytest.raises(GraspdError, match="expected a new name, got 'six'"):
        add_arm("six", tmp_path / "arm.urdf")
    remove_own("arms", "six")
    assert list_arms() == []


def test_a_gripper_on_the_flange_is_left_out(tmp_path: Path):
    file = arm_urdf(tmp_path, SIX)
    file.write_text(file.read_text(encoding="utf-8").replace("</robot>", GRIPPER), encoding="utf-8")
    _, notes = add_arm("six", file)
    assert notes == ("left out, since it is moved by the flange: gripper, jaw",)
    assert load_arm("six").joint_count == 6


def test_a_flange_can_be_named(tmp_path: Path):
    add_arm("short", arm_urdf(tmp_path, SIX), flange="bend_link")
    arm = load_arm("short")
    assert arm.joint_count == 5
    assert any("5 joints" in fault for fault in arm_faults(arm))
    with pytest.raises(GraspdError, match="expected --flange to be a link or site"):
        add_arm("other", tmp_path / "arm.urdf", flange="nowhere")


def _arm_mjcf(drives: tuple[str, ...], on_base: str = "") -> str:
    """An arm of six joints, ``j0`` to ``j5``, with what stands beside it on its base."""
    bodies = "".join(
        f'<body name="l{k}" pos="0 0 0.2"><joint name="j{k}" axis="{axis}" range="-2 2"/><geom size="0.05"/>'
        for k, axis in enumerate(("0 0 1", "0 1 0", "0 1 0", "0 0 1", "0 1 0", "0 0 1"))
    )
    actuators = "".join(f'<position joint="{name}"/>' for name in drives)
    site = '<site name="attachment_site" pos="0 0.1 0" quat="-1 1 0 0"/>'
    return (
        f'<mujoco><compiler angle="radian" autolimits="true"/><worldbody><site name="target_flange"/>'
        f'<body name="base"><geom size="0.1"/>{on_base}{bodies}'
        f"{site}{'</body>' * 7}</worldbody><actuator>{actuators}</actuator></mujoco>"
    )


def test_mjcf_has_its_flange_at_the_attachment_site(tmp_path: Path):
    pytest.importorskip("mujoco")
    (tmp_path / "arm.xml").write_text(_arm_mjcf(tuple(f"j{k}" for k in range(6))), encoding="utf-8")
    add_arm("mj", tmp_path / "arm.xml")
    arm = load_arm("mj")
    assert arm.joint_count == 6
    end = arm.chain().end(np.zeros((1, 6)))[0]
    np.testing.assert_allclose(end[:3, 3], [0.0, 0.1, 1.2], atol=1e-6)
    np.testing.assert_allclose(end[:3, 2], [0.0, 1.0, 0.0], atol=1e-6)


@pytest.mark.parametrize("drives", [(), ("left", "right"), ("left", "right", "j1")])
def test_joints_of_an_arm_in_mjcf_move_without_actuators_of_their_own(tmp_path: Path, drives: tuple[str, ...]):
    """A cart that drives its wheels, and leaves the arm to whoever controls it."""
    pytest.importorskip("mujoco")
    wheels = "".join(
        f'<body name="{name}" pos="0 {y} 0"><joint name="{name}" axis="0 1 0" range="-9 9"/><geom size="0.06"/></body>'
        for name, y in (("left", 0.2), ("right", -0.2))
    )
    (tmp_path / "arm.xml").write_text(_arm_mjcf(drives, wheels), encoding="utf-8")
    _, notes = add_arm("cart", tmp_path / "arm.xml", flange="attachment_site")
    assert load_arm("cart").joint_names == tuple(f"j{k}" for k in range(6))
    assert notes == ("left out, since it is moved by the flange: left, right",)


@pytest.mark.parametrize("name", ["allegro", "barrett", "shadow"])
@pytest.mark.parametrize("tilt", [0.0, 0.5 * np.pi])
def test_mounted_hands_stand_off_the_flange(name: str, tilt: float):
    hand = load_hand(name)
    mount = default_mount(hand, 0.3, tilt)
    palm = transform_points(mount, hand.links[0].mesh.vertices)
    assert palm[:, 2].min() == pytest.approx(ADAPTER, abs=1e-9)
    assert np.abs(0.5 * (palm.min(axis=0) + palm.max(axis=0)))[:2].max() < 0.02
    looks = pose_to_matrix(mount)[:3, :3] @ hand.approach_direction
    assert looks[2] > 0.99 if tilt else looks[2] > -0.1


def test_a_mount_and_a_base_can_be_given():
    config = ReachConfig(mount=(0.0, 0.0, 0.1, 0.0, 0.0, 90.0), base=(-0.6, 0.1, 0.2, 45.0))
    mount = config.mount_pose(load_hand("barrett"))
    np.testing.assert_allclose(mount, [0.0, 0.0, 0.1, 0.0, 0.0, np.sqrt(0.5), np.sqrt(0.5)], atol=1e-9)
    base = config.drawn_base_pose("mug", 3)
    np.testing.assert_allclose(base[:3], [-0.6, 0.1, 0.2])
    assert 2.0 * np.arctan2(base[5], base[6]) == pytest.approx(np.radians(45.0))
    with pytest.raises(GraspdError, match="expected base_range to be finite numbers, 0 or more"):
        ReachConfig(base_range=(-0.1, 0.0, 0.0, 0.0))


def test_links_touch_what_they_reach_into_and_nothing_else(tmp_path: Path):
    pytest.importorskip("mujoco")
    add_arm("seven", arm_urdf(tmp_path, SEVEN))
    arm, hand = load_arm("seven"), load_hand("barrett")
    mount = default_mount(hand)
    box = convex_hull(0.05 * np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=float))
    space = Workspace(arm, hand, mount, [Thing("box", (box,))], clearance=0.005)
    opened, bent = hand.joint_positions(hand.open_positions), np.array([0.0, 0.4, 0.0, 0.9, 0.0, 0.6, 0.0])
    space.stand(IDENTITY)
    space.place("box", _FAR)
    assert space.collision(bent, opened) == ""
    base = np.array([0.3, -0.2, 0.1, 0.0, 0.0, np.sin(0.3), np.cos(0.3)])
    space.stand(base)
    flange = matrix_to_pose(arm.chain().end(bent[None])[0])
    palm = compose(compose(base, flange), mount)
    found = space.palm_pose(bent)
    np.testing.assert_allclose(found[:3], palm[:3], atol=1e-6)
    assert abs(found[3:] @ palm[3:]) == pytest.approx(1.0, abs=1e-9)
    elbow = compose(base, np.array([0.0, 0.0, 0.3, 0.0, 0.0, 0.0, 1.0]))
    for offset, touched in ((0.0, True), (0.05 + 0.08 + 0.004, True), (0.05 + 0.08 + 0.02, False)):
        space.place("box", compose(elbow, np.array([0.0, offset, 0.0, 0.0, 0.0, 0.0, 1.0])))
        assert space.collision(np.zeros(7), opened).endswith("box") == touched
    folded = np.array([0.0, 2.3, 0.0, 2.5, 0.0, 2.1, 0.0])
    space.place("box", _FAR)
    assert space.collision(folded, opened)


def test_the_exported_robot_has_its_palm_where_we_have_it(tmp_path: Path):
    mujoco = pytest.importorskip("mujoco")
    add_arm("seven", arm_urdf(tmp_path, SEVEN))
    arm, hand = load_arm("seven"), load_hand("allegro")
    mount, base = default_mount(hand), np.array([-0.5, 0.1, 0.0, 0.0, 0.0, 0.0, 1.0])
    write_robot(arm, hand, mount, base, tmp_path / "robot.xml")
    model = mujoco.MjModel.from_xml_path(str(tmp_path / "robot.xml"))
    data = mujoco.MjData(model)
    posture = np.array([0.3, 0.5, -0.4, 0.9, 0.2, 0.7, -1.0])
    for name, position in zip(arm.joint_names, posture, strict=True):
        data.joint(f"arm/{name}").qpos[0] = position
    mujoco.mj_kinematics(model, data)
    palm = compose(compose(base, matrix_to_pose(arm.chain().end(posture[None])[0])), mount)
    np.testing.assert_allclose(data.body("hand/palm").xpos, palm[:3], atol=1e-5)
    assert model.nu == 7 + hand.actuated_count


def test_links_without_colliders_keep_their_mass_in_the_exported_file(tmp_path: Path):
    mujoco = pytest.importorskip("mujoco")
    text = arm_urdf(tmp_path, SEVEN).read_text(encoding="utf-8")
    head, tail = text.split('<link name="roll_link">')
    bare = head + '<link name="roll_link">' + re.sub(r"<collision>.*?</collision>", "", tail, count=1)
    (tmp_path / "bare.urdf").write_text(bare, encoding="utf-8")
    add_arm("bare", tmp_path / "bare.urdf")
    arm, hand = load_arm("bare"), load_hand("barrett")
    write_robot(arm, hand, default_mount(hand), IDENTITY, tmp_path / "robot.xml")
    model = mujoco.MjModel.from_xml_path(str(tmp_path / "robot.xml"))
    for link in arm.articulation.links:
        assert model.body(f"arm/{link.name}").mass[0] == pytest.approx(link.mass, rel=1e-3)


def test_a_hand_without_a_palm_to_mount_it_by_needs_a_mount():
    hand = load_hand("barrett")
    empty = TriangleMesh(np.zeros((0, 3)), np.zeros((0, 3), dtype=np.int32))
    bare = replace(hand, links=(replace(hand.links[0], mesh=empty), *hand.links[1:]))
    with pytest.raises(GraspdError, match="to have a surface to mount it by, got none; give --mount"):
        default_mount(bare)
    mount = (0.0, 0.0, 0.05, 0.0, 0.0, 0.0)
    np.testing.assert_allclose(RobotConfig(mount=mount).mount_pose(bare)[:3], mount[:3])


def test_digits_that_begin_without_a_surface_still_show_where_a_hand_points():
    hand = load_hand("allegro")
    empty = TriangleMesh(np.zeros((0, 3)), np.zeros((0, 3), dtype=np.int32))
    bare = [replace(link, mesh=empty) if link.parent == 0 else link for link in hand.links]
    np.testing.assert_allclose(default_mount(replace(hand, links=tuple(bare))), default_mount(hand), atol=1e-9)


def test_only_what_matters_is_an_option_of_the_export():
    names = {field.name for field in fields(RobotConfig)}
    assert names == {"base", "mount", "mount_turn", "mount_tilt"}


@pytest.mark.parametrize("field", ["mount_tilt", "mount_turn"])
def test_angles_of_the_mount_are_finite(field: str):
    with pytest.raises(GraspdError, match=rf"expected {field} to be a finite angle in degrees, got nan"):
        ReachConfig(**{field: float("nan")})
