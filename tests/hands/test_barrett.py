# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The Barrett hand's file holds the published kinematics, couplings and masses, and is shaped like the vendor's."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
import trimesh

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.usd.transforms import IDENTITY, compose, invert, transform_points

_URDF_JOINTS = {
    "finger_1_spread_joint": ("finger_1_prox_joint", -1.0),
    "finger_2_spread_joint": ("finger_2_prox_joint", 1.0),
    **{f"finger_{k}_inner_joint": (f"finger_{k}_med_joint", -1.0) for k in (1, 2, 3)},
    **{f"finger_{k}_outer_joint": (f"finger_{k}_dist_joint", -1.0) for k in (1, 2, 3)},
}
"""The joint in the vendor's URDF, and whether it turns the same way."""
_MESHES = {"palm": "base", "proximal": "prox", "medial": "med", "distal": "dist"}
_TIP = np.array([[-0.0425, 0.0375, 0.0]])
"""A point near the fingertip, in the distal link [m]."""


@pytest.fixture(scope="module")
def hand() -> Hand:
    return load_hand("barrett")


def _tips(hand: Hand, joint_positions: np.ndarray) -> np.ndarray:
    poses = link_poses(hand, IDENTITY, joint_positions)
    names = [link.name for link in hand.links]
    return np.array([transform_points(poses[names.index(f"finger_{k}_distal")], _TIP)[0] for k in (1, 2, 3)])


def _closed_form_tips(spread: float, inner: np.ndarray) -> np.ndarray:
    """Return the three tips from the lengths: 25, 50 and 70 mm between axes, 70 mm at atan(3 / 69.936), tip at _TIP."""
    tips = []
    for finger, angle in enumerate(inner):
        # In the finger's plane: outward and up. Both joints turn the same way, the outer one a third as far.
        reach = 0.05 + 1j * 0.0339
        reach += complex(0.069936, 0.003) * np.exp(1j * angle)
        reach += complex(-_TIP[0, 0], _TIP[0, 1]) * np.exp(1j * angle * 4.0 / 3.0)
        side = (1.0, -1.0, 0.0)[finger]
        outward = np.array([side * math.sin(spread), math.cos(spread)]) if finger < 2 else np.array([0.0, -1.0])
        tips.append([*(np.array([0.025 * side, 0.0]) + outward * reach.real), 0.0415 + reach.imag])
    return np.array(tips)


def test_fingertips_are_where_the_closed_form_puts_them(hand: Hand) -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        actuated = random.uniform(hand.joint_lower[hand.actuated], hand.joint_upper[hand.actuated])
        tips = _tips(hand, hand.joint_positions(actuated))
        np.testing.assert_allclose(tips, _closed_form_tips(actuated[0], actuated[1:]), atol=1e-7)


@pytest.mark.parametrize(
    ("spread", "inner", "expected"),
    [
        (0, 0, [(25, 162, 116), (-25, 162, 116), (0, -162, 116)]),
        (0, 70, [(25, 31, 182), (-25, 31, 182), (0, -31, 182)]),
        (90, 70, [(56, 0, 182), (-56, 0, 182), (0, -31, 182)]),
        (180, 70, [(25, -31, 182), (-25, -31, 182), (0, -31, 182)]),
    ],
)
def test_fingertips_are_where_the_vendors_urdf_puts_them(
    hand: Hand, spread: float, inner: float, expected: list[tuple[float, float, float]]
) -> None:
    """Numbers of the URDF's forward kinematics, rounded to millimetres."""
    tips = _tips(hand, hand.joint_positions(np.radians([spread, inner, inner, inner])))
    np.testing.assert_allclose(tips, 1e-3 * np.array(expected), atol=0.6e-3)


def test_four_motors_drive_eight_joints(hand: Hand) -> None:
    actuated = [hand.joint_names[k] for k in hand.actuated]
    assert actuated == ["finger_1_spread_joint", *(f"finger_{k}_inner_joint" for k in (1, 2, 3))]
    positions = dict(zip(hand.joint_names, hand.joint_positions(np.array([0.7, 0.3, 0.6, 0.9])), strict=True))
    assert positions["finger_2_spread_joint"] == pytest.approx(0.7)
    for k, inner in ((1, 0.3), (2, 0.6), (3, 0.9)):
        assert positions[f"finger_{k}_outer_joint"] == pytest.approx(inner / 3.0, abs=1e-7)


def test_fingers_one_and_two_are_mirror_images(hand: Hand) -> None:
    tips = _tips(hand, hand.joint_positions(np.array([1.1, 0.8, 0.8, 0.2])))
    np.testing.assert_allclose(tips[0] * [-1.0, 1.0, 1.0], tips[1], atol=1e-7)


def test_joint_limits_and_masses_are_the_published_ones(hand: Hand) -> None:
    upper = {"spread": 3.14, "inner": 2.44, "outer": 0.785}
    for name, low, high in zip(hand.joint_names, hand.joint_lower, hand.joint_upper, strict=True):
        assert low == 0.0
        assert high == pytest.approx(upper[name.split("_")[2]], abs=1e-6), name
    masses = {"palm": 0.506, "proximal": 0.141, "medial": 0.062, "distal": 0.041}
    for link in hand.links:
        assert link.mass == pytest.approx(masses[link.name.rpartition("_")[2]]), link.name


def test_open_hand_faces_the_object(hand: Hand) -> None:
    """Tips stand before the palm, around its middle, with room for an object between them."""
    tips = _tips(hand, hand.joint_positions(hand.open_positions))
    assert hand.approach_direction == pytest.approx([0.0, 0.0, 1.0])
    assert tips[:, 2].min() > hand.approach_point[2] + 0.03
    np.testing.assert_allclose(tips.mean(axis=0)[:2], hand.approach_point[:2], atol=0.01)
    assert min(np.linalg.norm(tips[a] - tips[b]) for a, b in ((0, 1), (0, 2), (1, 2))) > 0.14


def _urdf(vendor_hands: Path) -> ElementTree.Element:
    return ElementTree.parse(vendor_hands / "barrett" / "assets" / "bhand_model.urdf").getroot()


def test_joint_frames_and_limits_are_the_vendors(hand: Hand, vendor_hands: Path) -> None:
    """Within 0.5 mm and 0.2 degrees, joint by joint: finger 2 has its outer joint 0.4 mm aside in the URDF."""
    from scipy.spatial.transform import Rotation

    joints = {joint.get("name"): joint for joint in _urdf(vendor_hands).iter("joint")}
    for link in hand.links[1:]:
        name, sign = _URDF_JOINTS[hand.joint_names[link.joint]]
        joint = joints[name]
        origin = joint.find("origin")
        rotation = Rotation.from_euler("xyz", [float(v) for v in origin.get("rpy").split()])
        ours = compose(link.T_parent_joint, invert(link.T_link_joint))
        position = np.array([float(v) for v in origin.get("xyz").split()])
        assert np.linalg.norm(ours[:3] - position) < 0.5e-3, name
        assert math.degrees((Rotation.from_quat(ours[3:]).inv() * rotation).magnitude()) < 0.2, name
        axis = Rotation.from_quat(link.T_link_joint[3:]).apply(link.axis)
        np.testing.assert_allclose(sign * axis, [float(v) for v in joint.find("axis").get("xyz").split()], atol=1e-6)
        limits = sorted(sign * float(joint.find("limit").get(side)) for side in ("lower", "upper"))
        np.testing.assert_allclose([hand.joint_lower[link.joint], hand.joint_upper[link.joint]], limits, atol=1e-6)


def test_links_are_where_mujoco_puts_the_vendors(hand: Hand, vendor_hands: Path) -> None:
    mujoco = pytest.importorskip("mujoco")
    robot = _urdf(vendor_hands)
    for link in robot.iter("link"):
        for tag in ("visual", "collision", "inertial"):
            for element in link.findall(tag):
                link.remove(element)
        # Any mass will do; the published inertias are not physical.
        inertial = ElementTree.SubElement(link, "inertial")
        ElementTree.SubElement(inertial, "mass", value="1")
        ElementTree.SubElement(inertial, "inertia", ixx="1", iyy="1", izz="1", ixy="0", ixz="0", iyz="0")
    model = mujoco.MjModel.from_xml_string(ElementTree.tostring(robot, encoding="unicode"))
    data = mujoco.MjData(model)
    random = np.random.default_rng(0)
    for _ in range(200):
        positions = random.uniform(hand.joint_lower, hand.joint_upper)
        for name, position in zip(hand.joint_names, positions, strict=True):
            urdf_name, sign = _URDF_JOINTS[name]
            data.joint(urdf_name).qpos[0] = sign * position
        mujoco.mj_forward(model, data)
        for link, pose in zip(hand.links[1:], link_poses(hand, IDENTITY, positions)[1:], strict=True):
            body = model.joint(_URDF_JOINTS[hand.joint_names[link.joint]][0]).bodyid[0]
            assert np.linalg.norm(pose[:3] - data.xpos[body]) < 0.5e-3, link.name
            assert abs(pose[3:] @ np.roll(data.xquat[body], -1)) > math.cos(math.radians(0.1)), link.name


@pytest.mark.parametrize("name", ["palm", "finger_1_proximal", "finger_1_medial", "finger_1_distal"])
def test_links_are_shaped_like_the_vendors(hand: Hand, vendor_hands: Path, compare_outsides, name: str) -> None:
    link = next(link for link in hand.links if link.name == name)
    file = f"{_MESHES[name.rpartition('_')[2]]}_link.obj"
    theirs = trimesh.load(vendor_hands / "barrett" / "assets" / "meshes" / "visual" / file, force="mesh")
    comparison = compare_outsides(trimesh.Trimesh(link.mesh.vertices, link.mesh.faces, process=False), theirs)
    assert comparison.area_ratio == pytest.approx(1.0, abs=0.06)
    for distances in (comparison.forth, comparison.back):
        assert distances.mean() < 1.0e-3
        assert np.quantile(distances, 0.95) < 2.0e-3
