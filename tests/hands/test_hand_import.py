# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Imported hands move as their source says: against closed forms, and the vendors' against MuJoCo."""

from __future__ import annotations

import math
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import trimesh
from pxr import Usd, UsdPhysics
from scipy.spatial.transform import Rotation

from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.importing.hand_import import add_hand, list_hands
from omni_graspd.hands.importing.known_hands import KNOWN_HANDS
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.hands.usd.hand_reader import read_hand
from omni_graspd.library import remove_own, resolve
from omni_graspd.usd.transforms import IDENTITY, pose_to_matrix

_URDF = """<robot name="pincer">
  <link name="base"><visual><geometry><box size="0.08 0.06 0.02"/></geometry></visual></link>
  <link name="left"><visual><origin xyz="0 0 0.03"/><geometry><box size="0.01 0.02 0.06"/></geometry></visual></link>
  <link name="right"><visual><origin xyz="0 0 0.03"/><geometry><box size="0.01 0.02 0.06"/></geometry></visual></link>
  <joint name="j_left" type="revolute"><parent link="base"/><child link="left"/><axis xyz="0 2 0"/>
    <origin xyz="-0.03 0 0.01" rpy="0.1 0.2 0.3"/><limit lower="0" upper="1" effort="1" velocity="1"/></joint>
  <joint name="j_right" type="revolute"><parent link="base"/><child link="right"/><axis xyz="0 -1 0"/>
    <origin xyz="0.03 0 0.01"/><limit lower="-1" upper="1" effort="1" velocity="1"/>
    <mimic joint="j_left" multiplier="0.5" offset="0.1"/></joint>
</robot>"""

_MJCF = """<mujoco><compiler angle="degree"/><worldbody><body name="base" pos="1 2 3">
  <geom type="box" size="0.04 0.03 0.01"/>
  <body name="left" pos="-0.03 0 0.01"><joint name="j_left" axis="0 1 0" pos="0 0 0.01" range="0 60"/>
    <geom type="box" size="0.005 0.01 0.03" pos="0 0 0.03"/></body>
  <body name="right" pos="0.03 0 0.01"><joint name="j_right" type="slide" axis="-1 0 0" range="0 0.02"/>
    <geom type="box" size="0.005 0.01 0.03" pos="0 0 0.03"/></body>
</body></worldbody></mujoco>"""

_VENDORS = {
    "allegro_vendor": 16,
    "shadow_vendor": 22,
    "barrett_vendor": 8,
    "leap": 16,
    "schunk": 20,
}


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    patch = pytest.MonkeyPatch()
    folder = tmp_path_factory.mktemp("home")
    patch.setenv("GRASPD_HOME", str(folder))
    yield folder
    patch.undo()


def _written(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def _matrices(hand: Hand, positions: np.ndarray) -> dict[str, np.ndarray]:
    poses = pose_to_matrix(link_poses(hand, IDENTITY, positions))
    return {link.name: pose for link, pose in zip(hand.links, poses, strict=True)}


def test_urdf_moves_by_its_closed_form(tmp_path: Path) -> None:
    """Fixed-axis roll, pitch, yaw; the axis is normalised; the follower obeys multiplier and offset."""
    hand = read_hand(add_hand("pincer", _written(tmp_path, "pincer.urdf", _URDF), replace=True))
    assert (hand.joint_names, list(hand.actuated)) == (("j_left", "j_right"), [0])
    np.testing.assert_allclose(hand.joint_positions(np.array([0.6])), [0.6, 0.4], atol=1e-6)
    np.testing.assert_allclose((hand.joint_lower, hand.joint_upper), ([0, -1], [1, 1]), atol=1e-6)
    left = _matrices(hand, np.array([0.6, 0.4]))["left"]
    turn = Rotation.from_euler("ZYX", [0.3, 0.2, 0.1]) * Rotation.from_euler("y", 0.6)
    np.testing.assert_allclose(left[:3, :3], turn.as_matrix(), atol=1e-6)
    np.testing.assert_allclose(left[:3, 3], [-0.03, 0, 0.01], atol=1e-7)
    right = _matrices(hand, np.array([0.6, 0.4]))["right"]
    np.testing.assert_allclose(right[:3, :3], Rotation.from_euler("y", -0.4).as_matrix(), atol=1e-6)


def test_mjcf_moves_by_its_closed_form(tmp_path: Path) -> None:
    """Degrees, an axis beside the link's origin, a slide, and a root that is not at the origin."""
    pytest.importorskip("mujoco")
    hand = read_hand(add_hand("slider", _written(tmp_path, "slider.xml", _MJCF), replace=True))
    np.testing.assert_allclose(hand.joint_upper, [math.pi / 3, 0.02], atol=1e-6)
    links = _matrices(hand, np.array([0.5, 0.015]))
    anchor = np.array([-0.03, 0, 0.02])
    np.testing.assert_allclose(
        links["left"][:3, 3], anchor - 0.01 * np.array([math.sin(0.5), 0, math.cos(0.5)]), atol=1e-7
    )
    np.testing.assert_allclose(links["right"][:3, 3], [0.015, 0, 0.01], atol=1e-7)


def test_links_that_mjcf_keeps_from_colliding_stay_so(tmp_path: Path) -> None:
    contact = '<contact><exclude body1="right" body2="left"/></contact></mujoco>'
    path = add_hand("polite", _written(tmp_path, "polite.xml", _MJCF.replace("</mujoco>", contact)))
    stage = Usd.Stage.Open(str(path))
    assert _filtered(stage) == {frozenset(("left", "right"))}


def _filtered(stage: Usd.Stage) -> set[frozenset[str]]:
    return {
        frozenset((prim.GetName(), target.name))
        for prim in stage.Traverse()
        for target in UsdPhysics.FilteredPairsAPI(prim).GetFilteredPairsRel().GetTargets()
    }


@pytest.mark.parametrize("name", _VENDORS)
def test_vendor_hands_move_as_in_mujoco(vendor_hands: Path, tmp_path: Path, name: str) -> None:
    """1,000 configurations, 1e-5 m and 1e-5 rad. URDF is read by us, so MuJoCo's reader is independent there."""
    mujoco = pytest.importorskip("mujoco")
    file = vendor_hands / KNOWN_HANDS[name].path
    hand = read_hand(add_hand(name, file, replace=True))
    assert hand.joint_count == _VENDORS[name]
    model = _mujoco_model(mujoco, file)
    data = mujoco.MjData(model)
    addresses = [model.jnt_qposadr[model.joint(joint).id] for joint in hand.joint_names]
    bodies = [model.body(link.name).id if link.name in _body_names(model) else 0 for link in hand.links]
    rng = np.random.default_rng(0)
    positions = rng.uniform(hand.joint_lower, hand.joint_upper, size=(1000, hand.joint_count))
    ours = pose_to_matrix(link_poses(hand, IDENTITY, positions))
    for q, poses in zip(positions, ours, strict=True):
        data.qpos[addresses] = q
        mujoco.mj_kinematics(model, data)
        turns, places = data.xmat[bodies].reshape(-1, 3, 3), data.xpos[bodies]
        palm = turns[0]
        np.testing.assert_allclose(poses[:, :3, 3], (places - places[0]) @ palm, atol=1e-5)
        difference = np.swapaxes(palm.T @ turns, 1, 2) @ poses[:, :3, :3]
        assert Rotation.from_matrix(difference).magnitude().max() < 1e-5


def _body_names(model) -> set[str]:
    return {model.body(k).name for k in range(model.nbody)}


def _mujoco_model(mujoco, file: Path):
    """Compile a model; MuJoCo takes URDF without its shapes, which it may not be able to read."""
    if file.suffix == ".xml":
        return mujoco.MjModel.from_xml_path(str(file))
    root = ElementTree.parse(file).getroot()
    for link in root.findall("link"):
        for child in list(link):
            link.remove(child)
        link.append(
            ElementTree.fromstring(
                '<inertial><mass value="1"/><inertia ixx="1" iyy="1" izz="1" ixy="0" ixz="0" iyz="0"/></inertial>'
            )
        )
    options = ElementTree.SubElement(ElementTree.SubElement(root, "mujoco"), "compiler")
    options.set("fusestatic", "false")
    return mujoco.MjModel.from_xml_string(ElementTree.tostring(root, encoding="unicode"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.urdf", _URDF.replace("0.08 0.06 0.02", "80 60 20"), "scale the meshes"),
        (
            "a.urdf",
            _URDF.replace('<box size="0.08 0.06 0.02"/>', '<mesh filename="package://p/lost.stl"/>'),
            "lost.stl",
        ),
        ("a.urdf", _URDF.replace('type="revolute"', 'type="fixed"'), "movable joints"),
        ("a.urdf", _URDF.replace('type="revolute"', 'type="planar"'), "planar"),
        ("a.urdf", _URDF.replace("</robot>", '<link name="stray"/></robot>'), "base, stray"),
        ("a.urdf", "<robot", "XML"),
        ("a.xml", "<sdf/>", "MJCF"),
    ],
)
def test_unusable_sources_are_told_in_one_line(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(GraspdError, match=re.escape(message)) as error:
        add_hand("broken", _written(tmp_path, name, text))
    assert "\n" not in str(error.value)
    assert "broken" not in [entry.name for entry in list_hands()]


@pytest.mark.slow
def test_library_takes_lists_and_removes_hands(tmp_path: Path) -> None:
    source = _written(tmp_path, "claw.urdf", _URDF)
    (tmp_path / "LICENSE").write_text("MIT")
    path = add_hand("claw", source)
    assert resolve("hands", "claw") == [path]
    assert (path.parent / "LICENSE").read_text() == "MIT"
    entry = next(entry for entry in list_hands() if entry.name == "claw")
    assert (entry.joint_count, entry.actuated_count, entry.source) == (2, 1, "claw.urdf")
    with pytest.raises(GraspdError, match="--replace"):
        add_hand("claw", source)
    with pytest.raises(GraspdError, match="built in"):
        add_hand("allegro", source)
    with pytest.raises(GraspdError, match="did you mean 'leap'"):
        add_hand("leapp")
    remove_own("hands", "claw")
    with pytest.raises(GraspdError, match="yours"):
        remove_own("hands", "claw")


@pytest.mark.slow
def test_written_hand_passes_the_validators(tmp_path: Path, usd_findings) -> None:
    assert usd_findings(add_hand("checked", _written(tmp_path, "pincer.urdf", _URDF))) == []


def test_limits_couplings_and_circles_that_cannot_be_are_told(tmp_path: Path) -> None:
    mimic = '<mimic joint="j_left" multiplier="0.5" offset="0.1"/>'
    circle = _URDF.replace(
        '<limit lower="0" upper="1" effort', '<mimic joint="j_right"/><limit lower="0" upper="1" effort'
    )
    for text, message in (
        (_URDF.replace('lower="-1" upper="1"', 'lower="1" upper="-1"'), "swap them"),
        (_URDF.replace(mimic, '<mimic joint="j_lost"/>'), "j_lost"),
        (circle, "the mimic of 'j_right' against what couples j_right and j_left already"),
    ):
        with pytest.raises(GraspdError, match=re.escape(message)):
            add_hand("broken", _written(tmp_path, "a.urdf", text))


@pytest.mark.slow
def test_package_paths_and_scale_give_the_same_hand(tmp_path: Path) -> None:
    """The pincer in millimetres, its base a mesh found by package://."""
    folder = tmp_path / "pincer_description"
    (folder / "meshes").mkdir(parents=True)
    trimesh.creation.box([80.0, 60.0, 20.0]).export(folder / "meshes" / "base.stl")
    text = _URDF.replace(
        '<box size="0.08 0.06 0.02"/>', '<mesh filename="package://pincer_description/meshes/base.stl"/>'
    )
    for metres, millimetres in (
        ("0.01 0.02 0.06", "10 20 60"),
        ("-0.03 0 0.01", "-30 0 10"),
        ("0.03 0 0.01", "30 0 10"),
    ):
        text = text.replace(f'"{metres}"', f'"{millimetres}"')
    text = text.replace('"0 0 0.03"', '"0 0 30"')
    (folder / "urdf").mkdir()
    scaled = read_hand(add_hand("scaled", _written(folder / "urdf", "p.urdf", text), scale=0.001, replace=True))
    plain = read_hand(add_hand("plain", _written(tmp_path, "p.urdf", _URDF), replace=True))
    positions = np.array([[0.0, 0.0], [0.6, 0.4]])
    np.testing.assert_allclose(
        link_poses(scaled, IDENTITY, positions), link_poses(plain, IDENTITY, positions), atol=1e-7
    )
    for one, other in zip(scaled.links, plain.links, strict=True):
        np.testing.assert_allclose(np.ptp(one.mesh.vertices, axis=0), np.ptp(other.mesh.vertices, axis=0), atol=1e-7)


@pytest.mark.slow
def test_usd_sources_are_taken_as_they_are(tmp_path: Path) -> None:
    first = add_hand("once", _written(tmp_path, "p.urdf", _URDF), replace=True)
    again = read_hand(add_hand("twice", first, replace=True))
    positions = np.array([0.6, 0.4])
    np.testing.assert_array_equal(
        link_poses(again, IDENTITY, positions), link_poses(read_hand(first), IDENTITY, positions)
    )
    with pytest.raises(GraspdError, match="metersPerUnit"):
        add_hand("thrice", first, scale=0.001)


@pytest.mark.slow
def test_a_hand_that_cannot_be_replaced_stays(tmp_path: Path) -> None:
    path = add_hand("kept", _written(tmp_path, "p.urdf", _URDF))
    before = path.read_bytes()
    with pytest.raises(GraspdError):
        add_hand("kept", _written(tmp_path, "b.urdf", "<robot"), replace=True)
    assert path.read_bytes() == before
    add_hand("kept", _written(tmp_path, "p.urdf", _URDF), replace=True)
    assert sorted(folder.name for folder in path.parent.parent.iterdir() if "kept" in folder.name) == ["kept"]
