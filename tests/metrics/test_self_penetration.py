# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Self-penetration against closed forms and trimesh."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh

from omni_graspd.hands.collidable_pairs import collidable_link_pairs
from omni_graspd.hands.hand import Hand, Link
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.hands.surface_points import posed_points, sample_surface_points
from omni_graspd.metrics.self_penetration import SelfPenetrationConfig, self_penetration_areas
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import IDENTITY, invert, transform_points


def _link(name: str, parent: int, joint: int, box: trimesh.Trimesh) -> Link:
    return Link(
        name=name,
        prim_path=f"/hand/{name}",
        parent=parent,
        joint=joint,
        joint_type="root" if parent < 0 else "prismatic" if joint >= 0 else "fixed",
        axis=np.array([1.0, 0.0, 0.0]),
        T_parent_joint=IDENTITY,
        T_link_joint=IDENTITY,
        mesh=TriangleMesh(np.array(box.vertices), np.array(box.faces, dtype=np.int32)),
        mass=1.0,
    )


def _sliders() -> Hand:
    """Two blocks on a far palm: joint 0 moves a cube of 2 cm toward +x, where a block of 4 cm begins at x = 5 cm.

    The cube carries a welded tip in front of it, 1 mm thick.
    """
    boxes = {
        "palm": ((0.01, 0.01, 0.01), (0, 0, -1.0)),
        "cube": ((0.02, 0.02, 0.02), (0, 0, 0)),
        "block": ((0.04, 0.04, 0.04), (0.07, 0, 0)),
        "plate": ((0.001, 0.01, 0.01), (0, 0, 0.5)),
    }
    mesh = {
        name: trimesh.creation.box(size, trimesh.transformations.translation_matrix(center))
        for name, (size, center) in boxes.items()
    }
    links = (
        _link("palm", -1, -1, mesh["palm"]),
        _link("cube", 0, 0, mesh["cube"]),
        _link("block", 0, 1, mesh["block"]),
        _link("plate", 1, -1, mesh["plate"]),
    )
    two = np.zeros(2)
    return Hand(
        name="sliders",
        source=Path("sliders"),
        links=links,
        joint_names=("cube", "block"),
        joint_lower=two,
        joint_upper=two + 0.1,
        actuated=np.arange(2),
        coupling=np.eye(2),
        coupling_offset=two,
        approach_direction=np.array([0, 0, 1.0]),
        approach_point=np.zeros(3),
        open_positions=two,
    )


@pytest.mark.slow
def test_a_cube_pushed_into_a_block_has_the_area_of_the_closed_form():
    # 6 mm deep: the cube's front and 4 mm of its sides lie deeper than 2 mm, and 16 x 16 mm of the block's face.
    expected = 0.02**2 + 4 * 0.02 * 0.004 + 0.016**2
    areas = self_penetration_areas(
        _sliders(), np.array([[0.0, 0.0], [0.046, 0.0], [0.0415, 0.0]]), SelfPenetrationConfig(point_count=4000)
    )
    assert areas[0] == 0.0
    assert areas[1] == pytest.approx(expected, rel=0.05)
    assert areas[2] == 0.0  # 1.5 mm deep is not enough


def test_joined_and_welded_links_are_not_tested():
    # The plate is one body with the cube: both are tested against the block alone.
    expected = np.zeros((4, 4), dtype=bool)
    expected[1, 2] = expected[2, 1] = expected[3, 2] = expected[2, 3] = True
    assert np.array_equal(collidable_link_pairs(_sliders()), expected)


def test_allegro_leaves_out_its_joints_alone():
    hand = load_hand("allegro")
    tested = collidable_link_pairs(hand)
    assert (~tested).sum() == len(hand.links) + 2 * len(hand.joint_names)
    names = [link.name for link in hand.links]
    assert not tested[names.index("palm"), names.index("index_link_0")]
    assert tested[names.index("palm"), names.index("index_link_1")]


@pytest.mark.slow
def test_open_hand_does_not_penetrate_itself():
    hand = load_hand("allegro")
    assert self_penetration_areas(hand, hand.joint_positions(hand.open_positions)[None])[0] == 0.0


@pytest.mark.slow
def test_areas_agree_with_trimesh_and_do_not_depend_on_the_batch():
    hand = load_hand("allegro")
    random = np.random.default_rng(1)
    joints = random.uniform(hand.joint_lower, hand.joint_upper, size=(3, hand.joint_count))
    points = sample_surface_points(hand, 1500)
    areas = self_penetration_areas(hand, joints, points=points)
    tested = collidable_link_pairs(hand)
    for row, area in zip(joints, areas, strict=True):
        positions = posed_points(hand, points, IDENTITY[None], row[None])[0]
        buried = np.zeros(len(positions), dtype=bool)
        for index, (link, pose) in enumerate(zip(hand.links, link_poses(hand, IDENTITY, row), strict=True)):
            surface = trimesh.Trimesh(link.mesh.vertices, link.mesh.faces, process=False)
            local = transform_points(invert(pose), positions)
            near = tested[points.link_index, index] & (np.abs(local - surface.bounds.mean(axis=0)) < 0.2).all(axis=1)
            near &= ((local > surface.bounds[0]) & (local < surface.bounds[1])).all(axis=1)
            if near.any():
                buried[near] |= trimesh.proximity.signed_distance(surface, local[near]) > 0.002
        assert area == pytest.approx(points.areas[buried].sum(), abs=1e-12)
        assert area == self_penetration_areas(hand, row[None], points=points)[0]
    assert areas.max() > 1e-4
