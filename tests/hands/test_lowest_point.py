# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The lowest points of links against all vertices of their meshes, as trimesh moves them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import trimesh
from box_hands import gripper
from random_hands import random_hands

from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.kinematics import link_matrices
from omni_graspd.hands.lowest_point import link_heights, lowest_heights
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import IDENTITY

_PLANE = np.array([2.0, -1.0, 2.0, 0.06]) / 3.0


@pytest.mark.parametrize("name", ["allegro", "shadow", "barrett"])
def test_heights_are_those_of_the_lowest_of_all_vertices(name):
    hand, random = load_hand(name), np.random.default_rng(6)
    for pose, joints in zip(*random_hands(hand, 6), strict=True):
        normal = random.normal(size=3)
        plane = np.append(normal / np.linalg.norm(normal), random.uniform(-0.1, 0.1))
        expected = []
        for link, matrix in zip(hand.links, link_matrices(hand, pose, joints), strict=True):
            surface = trimesh.Trimesh(link.mesh.vertices, link.mesh.faces, process=False)
            expected.append((surface.apply_transform(matrix).vertices @ plane[:3]).min() - plane[3])
        np.testing.assert_allclose(link_heights(hand, plane, pose, joints), expected, atol=1e-12)
        assert lowest_heights(hand, plane, pose, joints) == pytest.approx(min(expected), abs=1e-12)


def test_a_hand_is_as_high_alone_as_among_others():
    hand = load_hand("shadow")
    poses, joints = random_hands(hand, 35)
    together = link_heights(hand, _PLANE, poses, joints)
    grid = link_heights(hand, _PLANE, poses.reshape(5, 7, 7), joints.reshape(5, 7, -1))
    np.testing.assert_array_equal(grid.reshape(together.shape), together)
    for row in range(35):
        np.testing.assert_array_equal(link_heights(hand, _PLANE, poses[row], joints[row]), together[row])
        np.testing.assert_array_equal(
            lowest_heights(hand, _PLANE, poses[row : row + 3], joints[row : row + 3]),
            together[row : row + 3].min(axis=1),
        )


def test_one_palm_pose_serves_many_postures():
    hand = load_hand("barrett")
    poses, joints = random_hands(hand, 8)
    expected = [lowest_heights(hand, _PLANE, poses[0], posture) for posture in joints]
    np.testing.assert_array_equal(lowest_heights(hand, _PLANE, poses[0], joints), expected)


def test_links_without_surface_or_volume():
    hand = gripper()
    flat = TriangleMesh(np.array([[0.0, 0, 0.1], [0.1, 0, -0.2], [0, 0.1, 0.1]]), np.array([[0, 1, 2]], dtype=np.int32))
    nothing = TriangleMesh(np.zeros((0, 3)), np.zeros((0, 3), dtype=np.int32))
    meshes = (hand.links[0].mesh, flat, nothing)
    links = tuple(replace(link, mesh=mesh) for link, mesh in zip(hand.links, meshes, strict=True))
    plane = np.array([0.0, 0.0, 1.0, 0.5])
    heights = link_heights(replace(hand, links=links), plane, IDENTITY, np.zeros(2))
    # The middle of a jaw is 5.5 cm over that of the palm.
    np.testing.assert_allclose(heights, [-0.515, 0.055 - 0.2 - 0.5, np.inf], atol=1e-12)
    bare = replace(hand, links=tuple(replace(link, mesh=nothing) for link in hand.links))
    assert lowest_heights(bare, plane, IDENTITY, np.zeros(2)) == np.inf
