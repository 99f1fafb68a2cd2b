# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The Allegro hand's file holds the published kinematics and masses, and is shaped like the vendor's."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import trimesh

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.hands.usd.hand_reader import read_hand
from omni_graspd.usd.transforms import IDENTITY, compose, invert, transform_points

_HANDS = Path(__file__).resolve().parents[2] / "data" / "hands"
_FILE = _HANDS / "allegro" / "allegro.usda"

_TIP_HEIGHTS = {"index": 0.0267, "middle": 0.0267, "ring": 0.0267, "thumb": 0.0423}
"""Centre of the fingertip above the origin of link 3 [m]."""
_FINGER_LIMITS = [(-0.47, 0.47), (-0.196, 1.61), (-0.174, 1.709), (-0.227, 1.618)]
_THUMB_LIMITS = [(0.263, 1.396), (-0.105, 1.163), (-0.189, 1.644), (-0.162, 1.719)]

_FINGER = """
<body pos="{position}" quat="{quaternion}"><joint name="{name}j0" axis="0 0 1"/><geom size=".01"/>
 <body pos="0 0 0.0164"><joint name="{name}j1" axis="0 1 0"/><geom size=".01"/>
  <body pos="0 0 0.054"><joint name="{name}j2" axis="0 1 0"/><geom size=".01"/>
   <body pos="0 0 0.0384"><joint name="{name}j3" axis="0 1 0"/><geom size=".01"/>
    <site name="{name}" pos="0 0 0.0267"/></body></body></body></body>"""
_THUMB = """
<body pos="-0.0182 0.019333 -0.045987" quat="0.477714 -0.521334 -0.521334 -0.477714">
 <joint name="thj0" axis="-1 0 0"/><geom size=".01"/>
 <body pos="-0.027 0.005 0.0399"><joint name="thj1" axis="0 0 1"/><geom size=".01"/>
  <body pos="0 0 0.0177"><joint name="thj2" axis="0 1 0"/><geom size=".01"/>
   <body pos="0 0 0.0514"><joint name="thj3" axis="0 1 0"/><geom size=".01"/>
    <site name="th" pos="0 0 0.0423"/></body></body></body></body>"""
_MJCF_NAMES = {"index": "ff", "middle": "mf", "ring": "rf", "thumb": "th"}


@pytest.fixture(scope="module")
def hand() -> Hand:
    return read_hand(_FILE)


def _mjcf() -> str:
    """Numbers of the published MuJoCo model of the Allegro Hand V3, right, with balls for bodies."""
    fingers = [
        ("ff", "0 0.0435 -0.001542", "0.999048 -0.0436194 0 0"),
        ("mf", "0 0 0.0007", "1 0 0 0"),
        ("rf", "0 -0.0435 -0.001542", "0.999048 0.0436194 0 0"),
    ]
    bodies = "".join(_FINGER.format(name=name, position=p, quaternion=q) for name, p, q in fingers)
    return f'<mujoco><compiler angle="radian"/><worldbody>{bodies}{_THUMB}</worldbody></mujoco>'


def test_fingertips_are_where_mujoco_puts_them(hand: Hand) -> None:
    mujoco = pytest.importorskip("mujoco")
    model = mujoco.MjModel.from_xml_string(_mjcf())
    data = mujoco.MjData(model)
    random = np.random.default_rng(0)
    names = [link.name for link in hand.links]
    for _ in range(20):
        positions = random.uniform(hand.joint_lower, hand.joint_upper)
        for name, position in zip(hand.joint_names, positions, strict=True):
            digit, _, number = name.split("_")
            data.joint(f"{_MJCF_NAMES[digit]}j{number}").qpos[0] = position
        mujoco.mj_forward(model, data)
        poses = link_poses(hand, IDENTITY, positions)
        for digit, height in _TIP_HEIGHTS.items():
            pose = poses[names.index(f"{digit}_link_3")]
            tip = transform_points(pose, np.array([[0.0, 0.0, height]]))[0]
            # Both descriptions round their numbers; the MJCF's quaternions have six digits.
            np.testing.assert_allclose(tip, data.site(_MJCF_NAMES[digit]).xpos, atol=2e-6)


def test_joint_limits_are_the_published_ones(hand: Hand) -> None:
    assert hand.joint_names == tuple(f"{digit}_joint_{k}" for digit in _TIP_HEIGHTS for k in range(4))
    limits = np.array(3 * _FINGER_LIMITS + _THUMB_LIMITS)
    np.testing.assert_allclose(np.stack([hand.joint_lower, hand.joint_upper], axis=1), limits, atol=1e-6)


def test_masses_are_those_of_the_published_description(hand: Hand) -> None:
    assert all(link.mass > 0.0 for link in hand.links)
    finger = 0.0119 + 0.065 + 0.0355 + 0.0096 + 0.0168
    thumb = 0.0176 + 0.0119 + 0.038 + 0.0388 + 0.0168
    assert sum(link.mass for link in hand.links) == pytest.approx(0.4154 + 3 * finger + thumb, abs=1e-6)


def test_fingertips_are_half_balls_of_twelve_millimetres(hand: Hand) -> None:
    links = {link.name: link for link in hand.links}
    for digit, height in _TIP_HEIGHTS.items():
        vertices = links[f"{digit}_link_3"].mesh.vertices - [0.0, 0.0, height]
        upper = vertices[vertices[:, 2] > 1e-4]
        assert len(upper) > 50
        np.testing.assert_allclose(np.linalg.norm(upper, axis=1), 0.012, atol=2e-5)


def test_open_hand_faces_the_thumb(hand: Hand) -> None:
    """The thumb's pad points back at the fingers, with room for an object between them."""
    names = [link.name for link in hand.links]
    poses = link_poses(hand, IDENTITY, hand.joint_positions(hand.open_positions))
    tips = {
        digit: transform_points(poses[names.index(f"{digit}_link_3")], np.array([[0.0, 0.0, height]]))[0]
        for digit, height in _TIP_HEIGHTS.items()
    }
    assert tips["thumb"][0] > 0.06
    gaps = [np.linalg.norm(tips["thumb"] - tips[finger]) for finger in ("index", "middle", "ring")]
    assert min(gaps) > 0.08
    assert hand.approach_direction == pytest.approx([1.0, 0.0, 0.0])


_BODIES = ("base", "proximal", "medial", "distal")
_SHAPED = ("palm", *(f"index_link_{k}" for k in range(4)), *(f"thumb_link_{k}" for k in range(4)))


def _body(link: str) -> str:
    """Return the vendor's name of a link."""
    if link == "palm":
        return link
    digit, _, number = link.split("_")
    return f"{_MJCF_NAMES[digit]}_{_BODIES[int(number)]}"


@pytest.fixture(scope="module")
def vendor(vendor_hands: Path):
    """The vendor's MuJoCo model."""
    mujoco = pytest.importorskip("mujoco")
    return mujoco.MjModel.from_xml_path(str(vendor_hands / "allegro" / "assets" / "right_hand.xml"))


def test_links_and_limits_are_where_mujoco_puts_the_vendors(hand: Hand, vendor) -> None:
    """Within 0.5 mm and 0.2 degrees at random positions; the limits are equal."""
    import mujoco

    names = [f"{_MJCF_NAMES[name.split('_')[0]]}j{name[-1]}" for name in hand.joint_names]
    limits = np.array([vendor.joint(name).range for name in names])
    np.testing.assert_allclose(np.stack([hand.joint_lower, hand.joint_upper], axis=1), limits, atol=1e-6)
    data = mujoco.MjData(vendor)
    random = np.random.default_rng(0)
    for _ in range(200):
        positions = random.uniform(hand.joint_lower, hand.joint_upper)
        for name, position in zip(names, positions, strict=True):
            data.joint(name).qpos[0] = position
        mujoco.mj_forward(vendor, data)
        bodies = [data.body(_body(link.name)) for link in hand.links]
        theirs = [np.array([*body.xpos, *np.roll(body.xquat, -1)]) for body in bodies]
        for link, pose, placed in zip(hand.links, link_poses(hand, IDENTITY, positions), theirs, strict=True):
            expected = compose(invert(theirs[0]), placed)
            assert np.linalg.norm(pose[:3] - expected[:3]) < 0.5e-3, link.name
            assert abs(pose[3:] @ expected[3:]) > math.cos(math.radians(0.1)), link.name


@pytest.mark.parametrize("name", _SHAPED)
def test_links_are_shaped_like_the_vendors(hand: Hand, vendor, compare_outsides, name: str) -> None:
    link = next(link for link in hand.links if link.name == name)
    bodies = [_body(name)] + ([f"{_body(name)[:2]}_tip"] if name.endswith("_3") else [])
    theirs = trimesh.util.concatenate([mesh for body in bodies for mesh in _visual_meshes(vendor, body)])
    comparison = compare_outsides(trimesh.Trimesh(link.mesh.vertices, link.mesh.faces, process=False), theirs)
    assert comparison.area_ratio == pytest.approx(1.0, abs=0.09)
    for distances in (comparison.forth, comparison.back):
        assert distances.mean() < 1.1e-3
        assert np.quantile(distances, 0.95) < 2.5e-3


def _visual_meshes(model, body: str) -> list[trimesh.Trimesh]:
    """Return the meshes of a MuJoCo body that are drawn (group 2), in its frame."""
    from scipy.spatial.transform import Rotation

    meshes = []
    for geom in np.flatnonzero((model.geom_bodyid == model.body(body).id) & (model.geom_group == 2)):
        mesh = model.mesh(model.geom_dataid[geom])
        vertices = model.mesh_vert[mesh.vertadr[0] : mesh.vertadr[0] + mesh.vertnum[0]]
        faces = model.mesh_face[mesh.faceadr[0] : mesh.faceadr[0] + mesh.facenum[0]]
        rotation = Rotation.from_quat(np.roll(model.geom_quat[geom], -1))
        meshes.append(trimesh.Trimesh(rotation.apply(vertices) + model.geom_pos[geom], faces, process=False))
    return meshes
