# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The Allegro hand's file holds the published kinematics and masses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_reader import read_hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.usd.transforms import IDENTITY, transform_points

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
