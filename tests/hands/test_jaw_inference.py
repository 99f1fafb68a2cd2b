# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grippers: the approach runs between the jaws, open means open, and rockers of linkages are no jaws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import trimesh
from bar_hands import BarJoint, about_z, bar, bar_hand, solid

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.inference.digits import find_digits
from omni_graspd.hands.inference.hand_inference import infer_grasping
from omni_graspd.usd.meshes import TriangleMesh

_BACKWARD = (0.0, -1.0, 0.0)


def _box(sides: tuple[float, float, float], center: tuple[float, float, float]) -> trimesh.Trimesh:
    return trimesh.creation.box(sides, trimesh.transformations.translation_matrix(center))


def _wide_gripper() -> Hand:
    """A gripper like Franka's: a wide palm, 66 mm high, and jaws whose pads are on arms far above it."""
    jaw = trimesh.util.concatenate(
        [_box((0.02, 0.016, 0.03), (0, 0.018, 0.015)), _box((0.02, 0.01, 0.02), (0, 0.006, 0.045))]
    )
    joints = [
        BarJoint(name, "palm", (0.0, 1.0, 0.0), (0.0, 0.04), about_z(turn, (0.0, 0.0, 0.0584)), solid(jaw), "prismatic")
        for name, turn in (("left", 0.0), ("right", np.pi))
    ]
    palm = _box((0.06, 0.2, 0.066), (0.0, 0.0, 0.033)).subdivide().subdivide()
    return bar_hand(solid(palm), joints, {"right": ("left", 1.0)})


def _linkage_gripper() -> Hand:
    """A gripper like Robotiq's: knuckles, tips that stay parallel, and rockers that stay pinned to the tips."""
    joints, followers = [], {}
    for name, turn in (("left", 0.0), ("right", np.pi)):
        # Parallelograms: knuckle and rocker turn alike, tip and rocker's end by as much back.
        knuckle, rocker = about_z(turn, (0.03, 0.0, 0.05)), about_z(turn, (0.012, 0.0, 0.055))
        limits = (0.0, 0.8)
        joints += [
            BarJoint(f"{name}_knuckle", "palm", _BACKWARD, limits, knuckle, bar(0.06)),
            BarJoint(
                f"{name}_tip", f"{name}_knuckle", (0.0, 1.0, 0.0), limits, about_z(0.0, (0.0, 0.0, 0.06)), bar(0.05)
            ),
            BarJoint(f"{name}_rocker", "palm", _BACKWARD, limits, rocker, bar(0.06)),
        ]
        followers |= {f"{name}_{part}": ("left_knuckle", 1.0) for part in ("knuckle", "tip", "rocker")}
    del followers["left_knuckle"]
    return bar_hand(solid(_box((0.07, 0.05, 0.05), (0.0, 0.0, 0.025)).subdivide()), joints, followers)


def _tilt(hand: Hand) -> float:
    return float(np.degrees(np.arccos(np.clip(hand.approach_direction[2], -1.0, 1.0))))


def test_pads_far_above_the_palm_are_approached_between_the_jaws():
    hand = infer_grasping(_wide_gripper())
    assert _tilt(hand) < 2.0
    np.testing.assert_allclose(hand.approach_point, [0.0, 0.0, 0.066], atol=0.002)
    np.testing.assert_allclose(hand.joint_positions(hand.open_positions), 0.04)


def test_rockers_are_no_digits():
    hand = infer_grasping(_linkage_gripper())
    assert [hand.links[digit.tip_link].name for digit in find_digits(hand)] == ["left_tip", "right_tip"]
    assert _tilt(hand) < 1.0
    np.testing.assert_allclose(hand.approach_point, [0.0, 0.0, 0.05], atol=0.001)
    np.testing.assert_array_equal(hand.open_positions, [0.0])


def test_fingers_that_move_alike_side_by_side_are_digits():
    """Equal lengths: neither is the rocker of the other, near as they are."""
    places = {"a": (0.03, 0.008), "b": (0.03, -0.008), "c": (-0.03, 0.0)}
    joints = [
        BarJoint(name, "palm", _BACKWARD, (0.0, 0.8), about_z(0.0 if x > 0 else np.pi, (abs(x), y, 0.0)), bar(0.08))
        for name, (x, y) in places.items()
    ]
    hand = bar_hand(solid(_box((0.1, 0.06, 0.02), (0.0, 0.0, -0.01))), joints, {"b": ("a", 1.0), "c": ("a", 1.0)})
    assert len(find_digits(hand)) == 3
    hand = infer_grasping(hand)
    assert _tilt(hand) < 5.0
    np.testing.assert_array_equal(hand.open_positions, [0.0])


def test_a_jaw_that_turns_far_out_opens_until_it_points_60_degrees_aside():
    joints = [
        BarJoint(name, "palm", _BACKWARD, (-2.0, 0.3), about_z(turn, (0.02, 0.0, 0.0)), bar(0.08))
        for name, turn in (("left", 0.0), ("right", np.pi))
    ]
    hand = infer_grasping(bar_hand(solid(_box((0.06, 0.04, 0.02), (0, 0, -0.01)).subdivide()), joints))
    assert _tilt(hand) < 2.0
    # Within one of the 32 steps that are tried.
    np.testing.assert_allclose(hand.open_positions, -np.pi / 3.0, atol=2.3 / 32.0)


def test_a_single_jaw_closes_on_the_palms_own():
    """A gripper like that of the SO-100: one jaw is part of the palm."""
    palm = trimesh.util.concatenate(
        [_box((0.06, 0.04, 0.02), (0, 0, -0.01)), _box((0.01, 0.03, 0.08), (-0.02, 0, 0.04))]
    )
    jaw = BarJoint("jaw", "palm", _BACKWARD, (-1.7, 0.3), about_z(0.0, (0.02, 0.0, 0.0)), bar(0.08))
    hand = infer_grasping(bar_hand(solid(palm.subdivide()), [jaw]))
    assert _tilt(hand) < 15.0
    assert abs(hand.approach_point[0]) < 0.012
    # Level with the hinge.
    assert (hand.approach_point - [0.02, 0.0, 0.0]) @ hand.approach_direction == pytest.approx(0.0, abs=1e-9)
    assert hand.open_positions[0] == pytest.approx(-np.pi / 3.0, abs=0.2)


def test_a_direction_that_is_given_decides():
    plain = _wide_gripper()
    along, across = np.array([0.1, 0.0, 1.0]) / np.sqrt(1.01), np.array([1.0, 0.0, 0.0])
    hand = infer_grasping(plain, direction=along)
    np.testing.assert_array_equal(hand.approach_direction, along)
    np.testing.assert_allclose(hand.approach_point, [0.0, 0.0, 0.066], atol=0.002)
    np.testing.assert_array_equal(infer_grasping(plain, direction=across).approach_direction, across)


def test_jaws_without_surface_are_left_to_the_general_way():
    nothing = TriangleMesh(np.zeros((0, 3)), np.zeros((0, 3), dtype=np.int32))
    hand = _wide_gripper()
    bare = replace(hand, links=tuple(replace(link, mesh=nothing) for link in hand.links))
    opened = infer_grasping(bare).open_positions
    assert np.all((opened >= 0.0) & (opened <= 0.04))
