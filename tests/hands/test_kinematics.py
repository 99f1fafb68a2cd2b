# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Forward kinematics: closed form, and the kernel against double precision."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import warp as wp

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.kinematics import KinematicTree, forward_kinematics, link_poses
from omni_graspd.usd.transforms import IDENTITY, pose_to_matrix


@pytest.fixture(scope="module")
def hand() -> Hand:
    """The Allegro hand with its index finger's second joint sliding and its third one welded."""
    hand = load_hand("allegro")
    links = list(hand.links)
    names = [link.name for link in links]
    sliding, welded = names.index("index_link_1"), names.index("index_link_2")
    links[sliding] = dataclasses.replace(links[sliding], joint_type="prismatic")
    links[welded] = dataclasses.replace(links[welded], joint_type="fixed", joint=-1)
    return dataclasses.replace(hand, links=tuple(links))


def _random_state(hand: Hand, count: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    poses = random.normal(size=(count, 7))
    poses[:, 3:] /= np.linalg.norm(poses[:, 3:], axis=1, keepdims=True)
    return poses, random.uniform(-1.5, 1.5, size=(count, hand.joint_count))


def _on_device(hand: Hand, poses: np.ndarray, positions: np.ndarray) -> list[np.ndarray]:
    tree = KinematicTree.from_hand(hand, "cpu")
    palm = wp.array(poses.astype(np.float32), dtype=wp.transform, device="cpu")
    joints = wp.array(positions.astype(np.float32), dtype=float, device="cpu")
    return [array.numpy() for array in forward_kinematics(tree, palm, joints)]


def test_a_bent_finger_is_a_planar_chain() -> None:
    """Joint heights 16.4, 54 and 38.4 mm; bending about +y turns +z toward +x."""
    hand = load_hand("allegro")
    angles = {"middle_joint_1": 0.4, "middle_joint_2": 0.7, "middle_joint_3": 0.9}
    positions = np.zeros(hand.joint_count)
    for name, angle in angles.items():
        positions[hand.joint_names.index(name)] = angle
    tip = link_poses(hand, IDENTITY, positions)[[link.name for link in hand.links].index("middle_link_3")]
    expected = np.array([0.0, 0.0, 0.0007 + 0.0164])
    for length, angle in ((0.054, 0.4), (0.0384, 1.1)):
        expected += length * np.array([np.sin(angle), 0.0, np.cos(angle)])
    np.testing.assert_allclose(tip[:3], expected, atol=1e-9)
    np.testing.assert_allclose(tip[3:], [0.0, np.sin(1.0), 0.0, np.cos(1.0)], atol=1e-7)


def test_the_kernel_agrees_with_double_precision(hand: Hand) -> None:
    poses, positions = _random_state(hand, 8)
    expected = link_poses(hand, poses, positions)
    found = _on_device(hand, poses, positions)[0]
    np.testing.assert_allclose(found[..., :3], expected[..., :3], atol=2e-6)
    agreement = np.abs(np.einsum("glk,glk->gl", found[..., 3:], expected[..., 3:]))
    np.testing.assert_allclose(agreement, 1.0, atol=2e-6)


def test_axes_and_anchors_predict_how_a_point_moves(hand: Hand) -> None:
    poses, positions = _random_state(hand, 3)
    _, axes, anchors = _on_device(hand, poses, positions)
    step = 1e-6
    for index, link in enumerate(hand.links):
        if link.joint < 0:
            np.testing.assert_array_equal(axes[:, index], 0.0)
            continue
        moved = positions.copy()
        moved[:, link.joint] += step
        before, after = (pose_to_matrix(link_poses(hand, poses, q)[:, index]) for q in (positions, moved))
        local = np.array([0.01, -0.02, 0.03, 1.0])
        point = (before @ local)[:, :3]
        velocity = ((after - before) @ local)[:, :3] / step
        predicted = np.cross(axes[:, index], point - anchors[:, index])
        if link.joint_type == "prismatic":
            predicted = axes[:, index]
        np.testing.assert_allclose(velocity, predicted, atol=2e-5)


def test_poses_broadcast_over_leading_axes(hand: Hand) -> None:
    _, positions = _random_state(hand, 6)
    batch = link_poses(hand, IDENTITY, positions.reshape(2, 3, -1))
    assert batch.shape == (2, 3, len(hand.links), 7)
    np.testing.assert_allclose(batch[1, 2], link_poses(hand, IDENTITY, positions[5]), atol=1e-12)
