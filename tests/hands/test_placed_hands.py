# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Hands placed on a device in single precision against link poses in double precision."""

from __future__ import annotations

import numpy as np
import pytest
from random_hands import random_hands

from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.hands.placed_hands import PlacedHands
from omni_graspd.hands.surface_points import chain
from omni_graspd.usd.transforms import pose_to_matrix


@pytest.mark.parametrize("name", ["allegro", "shadow", "barrett"])
def test_links_are_where_double_precision_puts_them(name):
    hand = load_hand(name)
    palms, joints = random_hands(hand, 20)
    expected = pose_to_matrix(link_poses(hand, palms, joints))
    # Palms need not be unit quaternions to the last digit.
    placed = PlacedHands.of(hand, palms * [1, 1, 1, 1.1, 1.1, 1.1, 1.1], joints)
    assert len(placed) == 20
    np.testing.assert_allclose(pose_to_matrix(placed.T_root_link), expected, atol=1e-6)
    np.testing.assert_allclose(placed.T_root_link[..., :3], expected[..., :3, 3], atol=2e-7)


def test_moved_hands_are_as_if_placed_there():
    hand = load_hand("allegro")
    palms, joints = random_hands(hand, 6)
    rows, shifts = np.array([4, 1, 1]), np.random.default_rng(7).uniform(-0.1, 0.1, size=(3, 3))
    there = palms[rows]
    there[:, :3] += shifts
    placed = PlacedHands.of(hand, palms, joints)
    before = placed.T_root_link.copy()
    moved = placed.rows(rows).moved(shifts)
    np.testing.assert_allclose(moved.T_root_link, PlacedHands.of(hand, there, joints[rows]).T_root_link, atol=2e-7)
    np.testing.assert_array_equal(placed.T_root_link, before)
    np.testing.assert_array_equal(moved.on("cpu").numpy(), moved.T_root_link)


def test_chained_points_are_followed_by_the_nearest_left():
    positions = np.random.default_rng(8).normal(size=(40, 3))
    order = chain(positions)
    assert sorted(order.tolist()) == list(range(40))
    for place in range(39):
        steps = np.linalg.norm(positions[order[place + 1 :]] - positions[order[place]], axis=1)
        assert steps.argmin() == 0
    assert chain(np.zeros((0, 3))).shape == (0,)


def test_no_hands_are_placed_nowhere():
    hand = load_hand("allegro")
    placed = PlacedHands.of(hand, np.zeros((0, 7)), np.zeros((0, hand.joint_count)))
    assert placed.T_root_link.shape == (0, len(hand.links), 7)
