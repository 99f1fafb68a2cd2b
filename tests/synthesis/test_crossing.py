# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Which links of a posed hand cross a mesh: boxes in closed form, and a real fingertip by its volume."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
import warp as wp
from box_hands import JAW_HALF, PALM_HALF, box_mesh, gripper, sliding_jaw_middle

from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.kinematics import link_matrices
from omni_graspd.hands.placed_hands import PlacedHands
from omni_graspd.objects.object_library import load_object
from omni_graspd.synthesis.crossing import crossing_links
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import IDENTITY


def on_device(mesh: TriangleMesh) -> wp.Mesh:
    points = wp.array(mesh.vertices.astype(np.float32), dtype=wp.vec3, device="cpu")
    return wp.Mesh(points=points, indices=wp.array(mesh.faces.ravel(), dtype=int, device="cpu"))


@pytest.mark.parametrize(
    ("half", "center", "expected"),
    [
        ((0.02, 0.1, 0.01), (0.0, 0.0, 0.12), (False, False, False)),
        ((0.02, 0.1, 0.01), (0.0, 0.0, 0.1), (False, True, True)),
        ((0.02, 0.01, 0.01), (0.0, 0.04, 0.09), (False, True, False)),
        # The palm's corner.
        ((0.01, 0.01, 0.01), (0.029, 0.069, -0.024), (True, False, False)),
        ((0.01, 0.01, 0.01), (0.031, 0.069, -0.024), (False, False, False)),
        # Wholly inside the palm, and the hand wholly inside.
        ((0.01, 0.01, 0.01), (0.0, 0.0, 0.0), (False, False, False)),
        ((0.5, 0.5, 0.5), (0.0, 0.0, 0.0), (False, False, False)),
        # Between the jaws.
        ((0.005, 0.02, 0.005), (0.0, 0.0, 0.06), (False, False, False)),
        ((0.005, 0.031, 0.005), (0.0, 0.0, 0.06), (False, True, True)),
    ],
)
def test_boxes(half, center, expected):
    crosses = crossing_links(
        PlacedHands.of(gripper(), IDENTITY[None], np.full((1, 2), 0.03)), on_device(box_mesh(half, center))
    )
    np.testing.assert_array_equal(crosses, [expected])


def test_random_boxes():
    """Boxes with sides along the same axes cross where they overlap and neither is inside the other."""
    hand, random, count = gripper(), np.random.default_rng(0), 300
    palms, openings = np.tile(IDENTITY, (count, 1)), random.uniform(0.0, 0.06, size=(count, 2))
    palms[:, :3] = random.uniform(-0.15, 0.15, size=(count, 3))
    half, center = np.array([0.03, 0.05, 0.04]), np.array([0.01, -0.02, 0.03])
    crosses = crossing_links(PlacedHands.of(hand, palms, openings), on_device(box_mesh(half, center)))
    expected = np.zeros_like(crosses)
    for row, (palm, opening) in enumerate(zip(palms, openings, strict=True)):
        boxes = [(np.zeros(3), PALM_HALF), *[(sliding_jaw_middle(k, s), JAW_HALF) for k, s in enumerate(opening)]]
        for link, (middle, own) in enumerate(boxes):
            apart = np.abs(palm[:3] + middle - center)
            inside = (apart < half - own).all() or (apart < own - half).all()
            expected[row, link] = (apart < half + own).all() and not inside
    assert expected.any(axis=0).all() and not expected.all(axis=0).any()
    np.testing.assert_array_equal(crosses, expected)


@pytest.mark.slow
def test_a_real_link_and_a_real_object():
    """Fingertips about the wall of a mug: they cross it where only a part of their volume is in it."""
    hand, mug, random, count = load_hand("allegro"), load_object("mug"), np.random.default_rng(1), 100
    link = [part.name for part in hand.links].index("index_link_3")
    quats = random.normal(size=(count, 4))
    palms = np.concatenate([np.zeros((count, 3)), quats / np.linalg.norm(quats, axis=1, keepdims=True)], axis=1)
    joints = np.tile(hand.joint_positions(hand.open_positions), (count, 1))
    # The link's origin comes to lie about the mug's wall.
    angle, height, out = random.uniform([-np.pi, 0.0, -0.03], [np.pi, 0.1, 0.03], size=(count, 3)).T
    places = np.stack([(0.041 + out) * np.cos(angle), (0.041 + out) * np.sin(angle), height], axis=1)
    palms[:, :3] = places - link_matrices(hand, palms, joints)[:, link, :3, 3]
    own, wall = hand.links[link].mesh, trimesh.Trimesh(mug.mesh.vertices, mug.mesh.faces, process=False)
    shares = []
    for matrix in link_matrices(hand, palms, joints)[:, link]:
        placed = trimesh.Trimesh(own.vertices, own.faces, process=False).apply_transform(matrix)
        common = trimesh.boolean.intersection([placed, wall], engine="manifold")
        shares.append(common.volume / placed.volume if len(common.faces) else 0.0)
    expected = (np.array(shares) > 1e-9) & (np.array(shares) < 1.0 - 1e-9)
    assert 20 < sum(expected) < count - 20
    crosses = crossing_links(PlacedHands.of(hand, palms, joints), on_device(mug.mesh))
    np.testing.assert_array_equal(crosses[:, link], expected)


def test_no_hands_cross_nothing():
    hand = gripper()
    crosses = crossing_links(
        PlacedHands.of(hand, np.zeros((0, 7)), np.zeros((0, 2))), on_device(box_mesh((0.1, 0.1, 0.1)))
    )
    assert crosses.shape == (0, 3)
