# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The Shadow hand's file holds the published kinematics, couplings and masses, and is shaped like the vendor's."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import trimesh

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.usd.transforms import IDENTITY, compose, invert, transform_points

_FINGERS = ("FF", "MF", "RF", "LF")
_KNUCKLES = {
    "FF": (0.033, 0.0, 0.095),
    "MF": (0.011, 0.0, 0.099),
    "RF": (-0.011, 0.0, 0.095),
    "LF": (-0.033, 0.0, 0.0865),
}
"""Axes of the joints 4 and 3 in the palm, metacarpal at rest [m]."""
_TIP = np.array([[0.0, 0.0, 0.026]])
"""A point in the middle of a fingertip, in the distal link [m]."""
_LIMITS = {
    **{f"{finger}J4": (-0.349066, 0.349066) for finger in _FINGERS},
    **{f"{finger}J3": (-0.261799, 1.5708) for finger in _FINGERS},
    **{f"{finger}J{k}": (0.0, 1.5708) for finger in _FINGERS for k in (1, 2)},
    "LFJ5": (0.0, 0.785398),
    "THJ5": (-1.0472, 1.0472),
    "THJ4": (0.0, 1.22173),
    "THJ3": (-0.20944, 0.20944),
    "THJ2": (-0.698132, 0.698132),
    "THJ1": (-0.261799, 1.5708),
}
_MESHES = {
    "palm": "palm",
    "ffknuckle": "f_knuckle",
    "ffproximal": "f_proximal",
    "ffmiddle": "f_middle",
    "ffdistal": "f_distal_pst",
    "lfmetacarpal": "lf_metacarpal",
    "thproximal": "th_proximal",
    "thmiddle": "th_middle",
    "thdistal": "th_distal_pst",
}
_KNUCKLE_MESH_LIFT = 0.0005
"""The vendor's knuckle mesh sits half a millimetre above its link's frame [m]."""


@pytest.fixture(scope="module")
def hand() -> Hand:
    return load_hand("shadow")


def _poses(hand: Hand, **positions: float) -> dict[str, np.ndarray]:
    """Return the links' poses in the palm frame, joints that are not named at 0."""
    joints = np.array([positions.get(name, 0.0) for name in hand.joint_names])
    return dict(zip((link.name for link in hand.links), link_poses(hand, IDENTITY, joints), strict=True))


def _tip(hand: Hand, digit: str, **positions: float) -> np.ndarray:
    return transform_points(_poses(hand, **positions)[f"{digit.lower()}distal"], _TIP)[0]


@pytest.mark.parametrize("finger", _FINGERS)
def test_fingers_bend_as_the_closed_form_says(hand: Hand, finger: str) -> None:
    """Phalanges of 45 and 25 mm in a plane that joint 4 turns about y, ring and little finger the other way."""
    random = np.random.default_rng(0)
    for _ in range(30):
        j4, j3, j2, j1 = random.uniform([-0.349, -0.261, 0.0, 0.0], [0.349, 1.57, 1.57, 1.57])
        bends = np.cumsum([j3, j2, j1])
        up, toward_palm = (np.array([0.045, 0.025, 0.026]) @ f(bends) for f in (np.cos, np.sin))
        aside = j4 * (1.0 if finger in ("RF", "LF") else -1.0)
        expected = np.add(_KNUCKLES[finger], [up * math.sin(aside), -toward_palm, up * math.cos(aside)])
        positions = dict(zip((f"{finger}J{k}" for k in (4, 3, 2, 1)), (j4, j3, j2, j1), strict=True))
        np.testing.assert_allclose(_tip(hand, finger, **positions), expected, atol=1e-7)


def test_metacarpal_turns_about_its_oblique_axis(hand: Hand) -> None:
    """Rodrigues' formula about (0.573576, 0, 0.819152) through (-33, 0, 20.71) mm."""
    origin = np.array([-0.033, 0.0, 0.02071])
    axis = np.array([0.573576, 0.0, 0.819152])
    arm = np.array([-0.033, 0.0, 0.0865 + 0.045 + 0.025 + 0.026]) - origin
    for angle in (0.2, 0.785):
        along = axis * (axis @ arm) * (1.0 - math.cos(angle))
        expected = origin + arm * math.cos(angle) + np.cross(axis, arm) * math.sin(angle) + along
        np.testing.assert_allclose(_tip(hand, "LF", LFJ5=angle), expected, atol=1e-6)


def test_thumb_stretches_and_bends_as_the_closed_form_says(hand: Hand) -> None:
    root, diagonal = np.array([0.034, -0.00858, 0.029]), np.array([math.sqrt(0.5), 0.0, math.sqrt(0.5)])
    np.testing.assert_allclose(_tip(hand, "TH"), root + (0.038 + 0.032 + 0.026) * diagonal, atol=1e-6)
    # Joint 1 bends the tip about the axis across the thumb, toward the fingers' root.
    across = np.array([-math.sqrt(0.5), 0.0, math.sqrt(0.5)])
    bent = root + (0.038 + 0.032) * diagonal + 0.026 * across
    np.testing.assert_allclose(_tip(hand, "TH", THJ1=0.5 * math.pi), bent, atol=1e-6)
    # Joint 4 takes the whole thumb out of the palm's plane, joint 5 turns it about its own axis.
    out = root - np.array([0.0, 0.038 + 0.032 + 0.026, 0.0])
    np.testing.assert_allclose(_tip(hand, "TH", THJ4=0.5 * math.pi), out, atol=1e-6)
    np.testing.assert_allclose(_tip(hand, "TH", THJ5=0.7), _tip(hand, "TH"), atol=1e-6)


def test_joint_limits_are_the_published_ones(hand: Hand) -> None:
    assert set(hand.joint_names) == set(_LIMITS)
    for name, low, high in zip(hand.joint_names, hand.joint_lower, hand.joint_upper, strict=True):
        assert (low, high) == pytest.approx(_LIMITS[name], abs=1e-6), name


def test_distal_joints_follow_the_middle_ones(hand: Hand) -> None:
    actuated = [hand.joint_names[k] for k in hand.actuated]
    assert len(actuated) == 18
    assert set(hand.joint_names) - set(actuated) == {f"{finger}J1" for finger in _FINGERS}
    values = np.random.default_rng(0).uniform(hand.joint_lower[hand.actuated], hand.joint_upper[hand.actuated])
    positions = dict(zip(hand.joint_names, hand.joint_positions(values), strict=True))
    for finger in _FINGERS:
        assert positions[f"{finger}J1"] == pytest.approx(positions[f"{finger}J2"], abs=1e-7)


def test_masses_are_those_of_the_published_description(hand: Hand) -> None:
    finger, thumb = 0.008 + 0.03 + 0.017 + 0.013, 0.01 + 0.04 + 0.005 + 0.02 + 0.017
    assert sum(link.mass for link in hand.links) == pytest.approx(0.3 + 0.03 + 4 * finger + thumb, abs=1e-6)


def test_open_hand_faces_the_thumb(hand: Hand) -> None:
    """The thumb stands in front of the palm, with room for an object between it and the fingers."""
    positions = dict(zip(hand.joint_names, hand.joint_positions(hand.open_positions), strict=True))
    assert hand.approach_direction == pytest.approx([0.0, -1.0, 0.0])
    thumb = _tip(hand, "TH", **positions)
    assert thumb[1] < hand.approach_point[1] - 0.04
    for finger in _FINGERS:
        assert np.linalg.norm(thumb - _tip(hand, finger, **positions)) > 0.08, finger


def test_links_and_limits_are_where_mujoco_puts_the_vendors(hand: Hand, vendor_hands: Path) -> None:
    mujoco = pytest.importorskip("mujoco")
    model = mujoco.MjModel.from_xml_path(str(vendor_hands / "shadow" / "assets" / "right_hand.xml"))
    data = mujoco.MjData(model)
    limits = np.array([model.joint(f"rh_{name}").range for name in hand.joint_names])
    np.testing.assert_allclose(np.stack([hand.joint_lower, hand.joint_upper], axis=1), limits, atol=1e-6)
    random = np.random.default_rng(0)
    for _ in range(200):
        positions = random.uniform(hand.joint_lower, hand.joint_upper)
        for name, position in zip(hand.joint_names, positions, strict=True):
            data.joint(f"rh_{name}").qpos[0] = position
        mujoco.mj_forward(model, data)
        T_world = {link.name: data.body(f"rh_{link.name}") for link in hand.links}
        theirs = {name: np.array([*body.xpos, *np.roll(body.xquat, -1)]) for name, body in T_world.items()}
        for link, pose in zip(hand.links, link_poses(hand, IDENTITY, positions), strict=True):
            expected = compose(invert(theirs["palm"]), theirs[link.name])
            np.testing.assert_allclose(pose[:3], expected[:3], atol=1e-7, err_msg=link.name)
            assert abs(pose[3:] @ expected[3:]) == pytest.approx(1.0, abs=1e-12), link.name


@pytest.mark.parametrize("name", list(_MESHES))
def test_links_are_shaped_like_the_vendors(hand: Hand, vendor_hands: Path, compare_outsides, name: str) -> None:
    link = next(link for link in hand.links if link.name == name)
    theirs = trimesh.load(vendor_hands / "shadow" / "assets" / "assets" / f"{_MESHES[name]}.obj", force="mesh")
    theirs.apply_scale(1e-3)
    theirs.apply_translation([0.0, 0.0, _KNUCKLE_MESH_LIFT if name == "ffknuckle" else 0.0])
    comparison = compare_outsides(trimesh.Trimesh(link.mesh.vertices, link.mesh.faces, process=False), theirs)
    assert comparison.area_ratio == pytest.approx(1.0, abs=0.12)
    for distances in (comparison.forth, comparison.back):
        assert distances.mean() < 1.2e-3
        assert np.quantile(distances, 0.95) < 2.6e-3
