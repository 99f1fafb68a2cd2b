# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Preshapes measured on the hands that take them."""

from __future__ import annotations

import numpy as np
import pytest
from box_hands import gripper

from omni_graspd.hands import preshapes
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.inference.digits import find_digits
from omni_graspd.hands.kinematics import link_matrices
from omni_graspd.hands.preshapes import APERTURES, Preshape, find_preshapes, possible_thumbs
from omni_graspd.usd.transforms import IDENTITY

# The digit that stands against the others. The Barrett's fingers 1 and 2 spread, the third stays where it is.
_THUMBS = {"allegro": "thumb_link_3", "shadow": "thdistal", "barrett": "finger_3_distal"}


@pytest.fixture(
    scope="module",
    params=[name if name == "barrett" else pytest.param(name, marks=pytest.mark.slow) for name in _THUMBS],
)
def hand(request) -> Hand:
    return load_hand(request.param)


def thumb_and_fingers(hand: Hand, preshape: Preshape, thumb: str) -> tuple[np.ndarray, np.ndarray]:
    """Where the tip of the thumb is, and the middle of the other tips, in the palm frame [m]."""
    matrices = link_matrices(hand, IDENTITY, hand.joint_positions(preshape.actuated))
    tips = {
        hand.links[digit.tip_link].name: (matrices[digit.tip_link] @ np.append(digit.tip_point, 1.0))[:3]
        for digit in find_digits(hand)
    }
    return tips.pop(thumb), np.mean(list(tips.values()), axis=0)


def test_thumb_and_fingers_are_the_aperture_apart(hand):
    for preshape in find_preshapes(hand):
        thumb, fingers = thumb_and_fingers(hand, preshape, _THUMBS[hand.name])
        assert np.linalg.norm(fingers - thumb) == pytest.approx(preshape.aperture, abs=1e-9)
        np.testing.assert_allclose(preshape.center, 0.5 * (thumb + fingers), atol=1e-9)
        # From the thumb to the fingers, and level: across the approach direction.
        assert (fingers - thumb) @ preshape.axis > 0.95 * preshape.aperture
        assert np.linalg.norm(preshape.axis) == pytest.approx(1.0)
        assert preshape.axis @ hand.approach_direction == pytest.approx(0.0, abs=1e-9)


def test_there_is_a_preshape_for_every_gap_and_wide_ones_come_last(hand):
    apertures = [preshape.aperture for preshape in find_preshapes(hand)]
    assert apertures == sorted(apertures)
    assert apertures[-1] >= 0.08
    wanted = [gap for gap in APERTURES if gap < apertures[-1] + 0.005]
    assert len(wanted) == len(apertures)
    np.testing.assert_allclose(apertures, wanted, atol=0.01)


def test_joints_are_within_their_limits(hand):
    for preshape in find_preshapes(hand):
        joints = hand.joint_positions(preshape.actuated)
        assert (joints >= hand.joint_lower - 1e-9).all() and (joints <= hand.joint_upper + 1e-9).all()


def test_the_gap_is_before_the_palm(hand):
    """As far out as an object must be that the fingers reach around."""
    for preshape in find_preshapes(hand):
        offset = preshape.center - hand.approach_point
        depth = offset @ hand.approach_direction
        assert depth > 0.03
        assert np.linalg.norm(offset - depth * hand.approach_direction) < 0.06


@pytest.mark.slow
@pytest.mark.parametrize("name", ["allegro", "shadow"])
def test_the_thumb_is_what_leaves_the_fingers_alike_whatever_postures_cost(name, monkeypatch):
    hand = load_hand(name)
    digits = find_digits(hand)
    (thumb,) = possible_thumbs(hand, digits)
    assert hand.links[digits[thumb].tip_link].name == _THUMBS[name]
    tried = []

    def cheapest_for_fingers(hand, digits, number, *_):
        tried.append(number)
        return float(number == thumb), hand.open_positions

    monkeypatch.setattr(preshapes, "_refine", cheapest_for_fingers)
    find_preshapes.__wrapped__(hand)
    assert set(tried) == {thumb}


def test_of_three_digits_each_may_be_the_thumb():
    hand = load_hand("barrett")
    assert possible_thumbs(hand, find_digits(hand)) == (0, 1, 2)


@pytest.mark.parametrize("revolute", [False, True])
def test_two_jaws_face_each_other_along_their_only_direction(revolute):
    hand = gripper(revolute=revolute)
    preshapes = find_preshapes(hand)
    assert [round(preshape.aperture, 2) for preshape in preshapes] == list(APERTURES)
    for preshape in preshapes:
        # Tips are means of random points on the jaws.
        assert abs(preshape.axis[1]) > 0.99
        np.testing.assert_allclose(preshape.center[:2], 0.0, atol=0.006)
        if not revolute:
            # Each jaw's frame is 6 mm from the middle when closed.
            assert preshape.actuated.sum() + 0.012 == pytest.approx(preshape.aperture, abs=1e-3)


def test_one_digit_has_nothing_to_face():
    assert find_preshapes(gripper(1)) == ()


def test_a_hand_made_twice_has_the_same_preshapes():
    first, second = (find_preshapes(gripper(3)) for _ in range(2))
    assert first is not second
    for ours, theirs in zip(first, second, strict=True):
        np.testing.assert_array_equal(ours.actuated, theirs.actuated)
        np.testing.assert_array_equal(ours.center, theirs.center)
        np.testing.assert_array_equal(ours.axis, theirs.axis)
