# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Couplings in all forms that MJCF and URDF have: honoured, or refused with the joint's name."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.importing.hand_import import add_hand, import_notes
from omni_graspd.hands.importing.mjcf_reader import read_mjcf
from omni_graspd.hands.importing.source_hand import SourceLink
from omni_graspd.hands.importing.urdf_reader import read_urdf
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.hands.usd.hand_reader import read_hand
from omni_graspd.usd.transforms import IDENTITY, pose_to_matrix

_FINGER = """<body name="{0}1" pos="{1} 0 .01"><joint name="{0}_near" axis="0 1 0" range="0 90"/>
  <geom type="box" size=".005 .01 .02" pos="0 0 .02"/>
  <body name="{0}2" pos="0 0 .04"><joint name="{0}_far" axis="0 1 0" range="0 90" {2}/>
    <geom type="box" size=".005 .01 .015" pos="0 0 .015"/></body></body>"""
_ALL = "".join(f'<position joint="{name}"/>' for name in ("a_near", "a_far", "b_near", "b_far"))
_NEAR = '<position joint="a_near"/><position joint="b_near"/>'
_LIKE_B = '<joint joint1="b_far" joint2="b_near" polycoef="0 1 0 0 0"/>'


def mjcf(equality: str = "", actuators: str = _NEAR, tendons: str = "", far: str = "", root: str = "") -> str:
    fingers = _FINGER.format("a", -0.03, far) + _FINGER.format("b", 0.03, "")
    return f"""<mujoco><compiler autolimits="true"/><worldbody><body name="palm">{root}
      <geom type="box" size=".04 .02 .01"/>{fingers}</body></worldbody>
      <tendon>{tendons}</tendon><equality>{equality}</equality><actuator>{actuators}</actuator></mujoco>"""


def read(tmp_path: Path, text: str) -> dict[str, SourceLink]:
    pytest.importorskip("mujoco")
    (tmp_path / "hand.xml").write_text(text)
    return {link.name: link for link in read_mjcf(tmp_path / "hand.xml")}


def imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> tuple[Hand, tuple[str, ...]]:
    pytest.importorskip("mujoco")
    monkeypatch.setenv("GRASPD_HOME", str(tmp_path / "home"))
    (tmp_path / "hand.xml").write_text(text)
    path = add_hand("claw", tmp_path / "hand.xml")
    return read_hand(path), import_notes(path)


def relation(link: SourceLink) -> tuple[str | None, float, float]:
    joint = link.joint
    return joint.leader, round(joint.multiplier, 6), round(joint.offset, 6)


def test_an_inactive_equality_couples_nothing(tmp_path: Path) -> None:
    equality = '<joint joint1="a_far" joint2="a_near" polycoef="0 .8 0 0 0" active="false"/>'
    assert read(tmp_path, mjcf(equality, _ALL))["a2"].joint.leader is None


def test_a_linear_equality_with_an_offset_is_honoured(tmp_path: Path) -> None:
    equality = '<joint joint1="a_far" joint2="a_near" polycoef=".1 .8 0 0 0"/>' + _LIKE_B
    assert relation(read(tmp_path, mjcf(equality))["a2"]) == ("a_near", 0.8, 0.1)


def test_the_joint_that_has_the_actuator_leads_whichever_side_of_the_equality_it_is_on(tmp_path: Path) -> None:
    equality = '<joint joint1="a_near" joint2="a_far" polycoef=".1 1.25 0 0 0"/>' + _LIKE_B
    links = read(tmp_path, mjcf(equality))
    assert links["a1"].joint.leader is None
    assert relation(links["a2"]) == ("a_near", pytest.approx(0.8), pytest.approx(-0.08))


def test_a_curved_equality_is_refused_with_both_names_and_the_nearest_line(tmp_path: Path) -> None:
    equality = '<joint joint1="a_far" joint2="a_near" polycoef="0 .2 .6 0 0"/>' + _LIKE_B
    with pytest.raises(
        GraspdError, match=r"'a_far' .* follow 'a_near' by a line.* polycoef \"-?0\.\d+ 1\.1\d+ 0 0 0\""
    ):
        read(tmp_path, mjcf(equality))


def test_an_equality_that_is_almost_a_line_is_one(tmp_path: Path) -> None:
    equality = '<joint joint1="a_far" joint2="a_near" polycoef="0 .8 .001 0 0"/>' + _LIKE_B
    leader, multiplier, _ = relation(read(tmp_path, mjcf(equality))["a2"])
    assert leader == "a_near"
    assert multiplier == pytest.approx(0.8, abs=5e-3)


def test_a_joint_that_an_equality_holds_stays_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hand, _ = imported(tmp_path, monkeypatch, mjcf('<joint joint1="a_far" polycoef=".4 0 0 0 0"/>' + _LIKE_B))
    assert "a_far" not in hand.joint_names
    far = next(k for k, link in enumerate(hand.links) if link.name == "a2")
    pose = link_poses(hand, IDENTITY, np.zeros(hand.joint_count))[far]
    np.testing.assert_allclose(pose[3:], [0.0, np.sin(0.2), 0.0, np.cos(0.2)], atol=1e-6)
    np.testing.assert_allclose(pose[:3], [-0.03, 0.0, 0.05], atol=1e-6)


def test_repeats_and_their_inverse_are_no_conflict(tmp_path: Path) -> None:
    equality = 2 * '<joint joint1="a_far" joint2="a_near" polycoef="0 .8 0 0 0"/>'
    equality += '<joint joint1="a_near" joint2="a_far" polycoef="0 1.25 0 0 0"/>' + _LIKE_B
    assert relation(read(tmp_path, mjcf(equality))["a2"]) == ("a_near", 0.8, 0.0)


def test_couplings_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    equality = '<joint joint1="a_far" joint2="a_near" polycoef="0 .8 0 0 0"/>'
    with pytest.raises(GraspdError, match=r"that agree, got equality 1 .* a_far and a_near already"):
        read(tmp_path, mjcf(equality + equality.replace(".8", ".5")))


def test_a_joint_that_follows_two_ties_them_together(tmp_path: Path) -> None:
    equality = '<joint joint1="a_far" joint2="a_near" polycoef="0 .5 0 0 0"/>'
    equality += '<joint joint1="a_far" joint2="b_near" polycoef=".1 1 0 0 0"/>' + _LIKE_B
    links = read(tmp_path, mjcf(equality, '<position joint="b_near"/>'))
    near, far = relation(links["a1"]), relation(links["a2"])
    assert near == ("b_near", 2.0, 0.2)
    assert far == ("b_near", 1.0, 0.1)


_TENDON = '<fixed name="t"{0}><joint joint="a_far" coef="{1}"/><joint joint="a_near" coef="{2}"/></fixed>'


def test_an_equality_of_a_fixed_tendon_is_honoured(tmp_path: Path) -> None:
    tendon = _TENDON.format("", 2.0, -1.6)
    links = read(tmp_path, mjcf('<tendon tendon1="t" polycoef=".2 0 0 0 0"/>' + _LIKE_B, tendons=tendon))
    assert relation(links["a2"]) == ("a_near", 0.8, 0.1)


@pytest.mark.parametrize(("half", "coefficient"), [(0.001, 1.0), (0.001, 0.008)])
def test_narrow_limits_of_a_fixed_tendon_are_a_coupling(tmp_path: Path, half: float, coefficient: float) -> None:
    limits = f' limited="true" range="{-half} {half}"'
    tendon = _TENDON.format(limits, coefficient, -coefficient)
    assert relation(read(tmp_path, mjcf(_LIKE_B, tendons=tendon))["a2"]) == ("a_near", 1.0, 0.0)


def test_wide_limits_of_a_fixed_tendon_are_refused_and_idle_ones_ignored(tmp_path: Path) -> None:
    with pytest.raises(GraspdError, match="limits of tendon t, which keep a_far, a_near within"):
        read(tmp_path, mjcf(_LIKE_B, _ALL, _TENDON.format(' range="-.5 .5"', 1.0, -1.0)))
    links = read(tmp_path, mjcf("", _ALL, _TENDON.format(' range="-9 9"', 1.0, -1.0)))
    assert links["a2"].joint.leader is None


def test_a_tendon_that_an_actuator_pulls_is_shared_and_may_repeat_an_equality(tmp_path: Path) -> None:
    actuators = '<position tendon="t"/><position joint="b_near"/>'
    tendon = _TENDON.format("", 0.5, 1.0)
    assert relation(read(tmp_path, mjcf(_LIKE_B, actuators, tendon))["a1"]) == ("a_far", 2.0, 0.0)
    equality = '<joint joint1="a_far" joint2="a_near" polycoef="0 1 0 0 0"/>' + _LIKE_B
    assert relation(read(tmp_path, mjcf(equality, actuators, tendon))["a2"]) == ("a_near", 1.0, 0.0)


def test_joints_without_actuator_are_held_where_their_springs_rest_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand, notes = imported(tmp_path, monkeypatch, mjcf(_LIKE_B, far='stiffness="1" springref="20"'))
    assert hand.joint_names == ("a_near", "b_near", "b_far")
    assert len(notes) == 1
    assert "a_far at 0.3491" in notes[0]


def test_a_file_without_any_actuator_moves_all_joints(tmp_path: Path) -> None:
    assert read(tmp_path, mjcf(actuators=""))["a2"].joint.kind == "revolute"


@pytest.mark.parametrize("kind", ["connect", "weld"])
def test_a_loop_is_refused_with_its_bodies(tmp_path: Path, kind: str) -> None:
    anchor = ' anchor="0 0 .03"' if kind == "connect" else ""
    text = mjcf(f'<{kind} name="bar" body1="a2" body2="b2"{anchor}/>', _ALL)
    with pytest.raises(GraspdError, match="equality bar, which closes a loop between a2 and b2"):
        read(tmp_path, text)
    assert read(tmp_path, text.replace("<connect", '<connect active="false"').replace("<weld", '<weld active="false"'))


@pytest.mark.slow
def test_joints_of_a_floating_root_body_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    axes = ("1 0 0", "0 1 0", "0 0 1")
    root = "".join(f'<joint name="t{k}" type="slide" axis="{axis}"/>' for k, axis in enumerate(axes))
    root += "".join(f'<joint name="r{k}" axis="{axis}"/>' for k, axis in enumerate(axes))
    for name in ("plain", "floating"):
        (tmp_path / name).mkdir()
    plain, _ = imported(tmp_path / "plain", monkeypatch, mjcf(actuators=_ALL))
    floating, _ = imported(tmp_path / "floating", monkeypatch, mjcf(actuators=_ALL, root=root))
    assert floating.joint_names == plain.joint_names
    assert [link.name for link in floating.links] == [link.name for link in plain.links]


_REFERENCES = """<mujoco><compiler autolimits="true"/><worldbody><body name="palm">
  <geom type="box" size=".04 .02 .01"/>
  <body name="a1" pos="-.03 0 .01"><joint name="a_near" axis="0 1 0" pos="0 0 .004" range="-10 90" ref="30"/>
    <joint name="a_aside" axis="1 0 0" range="-20 20" ref="-5"/><geom type="box" size=".005 .01 .02" pos="0 0 .02"/>
    <body name="a2" pos="0 0 .04" euler="0 20 0"><joint name="a_far" axis="0 1 0" range="0 90" ref="45"/>
      <geom type="box" size=".005 .01 .015" pos="0 0 .015"/></body></body>
  <body name="b1" pos=".03 0 .01"><joint name="b" type="slide" axis="1 0 0" range="0 .04" ref=".01"/>
    <geom type="box" size=".005 .01 .02" pos="0 0 .02"/></body>
  </body></worldbody>
  <tendon><fixed name="t"><joint joint="a_far" coef="2"/><joint joint="a_near" coef="-1"/></fixed></tendon>
  <equality>{}</equality></mujoco>"""


@pytest.mark.parametrize(
    "equality",
    [
        pytest.param("", marks=pytest.mark.slow),
        '<joint joint1="a_far" joint2="a_near" polycoef=".1 .5 0 0 0"/>',
        pytest.param('<joint joint1="a_far" polycoef=".1 0 0 0 0"/>', marks=pytest.mark.slow),
        pytest.param('<tendon tendon1="t" polycoef=".1 0 0 0 0"/>', marks=pytest.mark.slow),
    ],
)
def test_positions_and_couplings_count_from_ref_as_in_mujoco(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, equality: str
) -> None:
    mujoco = pytest.importorskip("mujoco")
    text = _REFERENCES.format(equality)
    hand, _ = imported(tmp_path, monkeypatch, text)
    model = mujoco.MjModel.from_xml_string(text)
    data = mujoco.MjData(model)
    spread = np.random.default_rng(0).uniform(size=(20, hand.actuated_count))
    lower, upper = hand.joint_lower[hand.actuated], hand.joint_upper[hand.actuated]
    for actuated in lower + spread * (upper - lower):
        positions = hand.joint_positions(actuated)
        data.qpos[:] = model.qpos0
        for name, position in zip(hand.joint_names, positions, strict=True):
            data.qpos[model.jnt_qposadr[model.joint(name).id]] = position
        if "a_far" not in hand.joint_names:
            data.qpos[model.jnt_qposadr[model.joint("a_far").id]] += 0.1
        mujoco.mj_forward(model, data)
        # What equalities demand is met: MuJoCo's own residuals.
        np.testing.assert_allclose(data.efc_pos[: data.ne], 0.0, atol=1e-6)
        poses = dict(zip([link.name for link in hand.links], link_poses(hand, IDENTITY, positions), strict=True))
        palm = data.body("palm")
        for body in ("a1", "a2", "b1"):
            place = (data.body(body).xpos - palm.xpos) @ palm.xmat.reshape(3, 3)
            np.testing.assert_allclose(poses[body][:3], place, atol=1e-6)
            turn = palm.xmat.reshape(3, 3).T @ data.body(body).xmat.reshape(3, 3)
            np.testing.assert_allclose(pose_to_matrix(poses[body])[:3, :3], turn, atol=1e-6)


def test_a_slide_below_the_palm_needs_limits(tmp_path: Path) -> None:
    text = mjcf(actuators="").replace(
        '<joint name="a_near" axis="0 1 0" range="0 90"/>', '<joint name="a_near" type="slide"/>'
    )
    with pytest.raises(GraspdError, match=r"the slide 'a_near' .* to have limits"):
        read(tmp_path, text)


_URDF = """<robot name="claw"><link name="palm"><visual><geometry><box size=".08 .04 .02"/></geometry></visual></link>
  {0}{1}</robot>"""
_URDF_FINGER = """<link name="{0}"><visual><origin xyz="0 0 .02"/><geometry>
  <box size=".01 .02 .04"/></geometry></visual></link>
  <joint name="j_{0}" type="{2}"><parent link="palm"/><child link="{0}"/><origin xyz="{1} 0 .01"/><axis xyz="0 1 0"/>
  <limit lower="0" upper="{3}" effort="1" velocity="1"/>{4}</joint>"""


def urdf(tmp_path: Path, mimic: str = "", extra: str = "", kind: str = "revolute") -> Path:
    fingers = _URDF_FINGER.format("a", -0.03, "revolute", 1.5, "") + _URDF_FINGER.format("b", 0.03, kind, 1.5, mimic)
    (tmp_path / "claw.urdf").write_text(_URDF.format(fingers, extra))
    return tmp_path / "claw.urdf"


def test_a_mimic_that_is_repeated_is_no_conflict_and_a_second_other_one_is_refused(tmp_path: Path) -> None:
    mimic = '<mimic joint="j_a" multiplier="0.5" offset="0.1"/>'
    links = {link.name: link for link in read_urdf(urdf(tmp_path, 2 * mimic))}
    assert relation(links["b"]) == ("j_a", 0.5, 0.1)
    with pytest.raises(GraspdError, match=re.escape("the mimic of 'j_b' against what couples j_b and j_a already")):
        read_urdf(urdf(tmp_path, mimic + mimic.replace("0.5", "0.7")))


def test_gazebos_mimic_plugin_is_honoured(tmp_path: Path) -> None:
    plugin = "<joint>j_b</joint><mimicJoint>j_a</mimicJoint><multiplier>-2</multiplier>"
    plugin = f"<gazebo><plugin filename='libmimic.so'>{plugin}</plugin></gazebo>"
    links = {link.name: link for link in read_urdf(urdf(tmp_path, extra=plugin))}
    assert relation(links["b"]) == ("j_a", -2.0, 0.0)


def test_a_mimic_with_the_factor_0_holds_the_joint(tmp_path: Path) -> None:
    links = {link.name: link for link in read_urdf(urdf(tmp_path, '<mimic joint="j_a" multiplier="0" offset="0.2"/>'))}
    assert links["b"].joint.kind == "fixed"
    np.testing.assert_allclose(links["b"].T_parent_link[3:], [0.0, np.sin(0.1), 0.0, np.cos(0.1)], atol=1e-9)


def test_a_slide_that_follows_a_turn_is_scaled_with_the_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRASPD_HOME", str(tmp_path / "home"))
    text = _URDF.format(
        _URDF_FINGER.format("a", -30, "revolute", 1.5, "")
        + _URDF_FINGER.format("b", 30, "prismatic", 40, '<mimic joint="j_a" multiplier="20" offset="5"/>'),
        "",
    )
    text = text.replace(".08 .04 .02", "80 40 20").replace(".01 .02 .04", "10 20 40").replace("0 0 .02", "0 0 20")
    (tmp_path / "claw.urdf").write_text(text.replace("0 .01", "0 10"))
    hand = read_hand(add_hand("claw", tmp_path / "claw.urdf", scale=0.001))
    np.testing.assert_allclose(hand.joint_positions(np.array([1.0])), [1.0, 0.025], atol=1e-6)


@pytest.mark.parametrize(
    ("right", "wrong", "part"),
    [
        ('name="a2" pos="0 0', 'name="a2" pos="0 -inf', "body 'a2' of .*hand.xml, got -inf"),
        ('joint name="a_far" axis', 'joint name="a_far" pos="0 inf 0" axis', "joint 'a_far' of .*hand.xml, got inf"),
        ('joint name="a_far" axis', 'joint name="a_far" ref="inf" axis', "references .* of .*hand.xml, got inf"),
    ],
)
def test_infinite_coordinates_which_mujoco_takes_are_refused(tmp_path: Path, right: str, wrong: str, part: str) -> None:
    text = mjcf()
    assert right in text
    with pytest.raises(GraspdError, match=f"expected finite numbers for .*{part}"):
        read(tmp_path, text.replace(right, wrong))
