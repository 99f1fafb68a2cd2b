# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Intersection volume against closed forms and voxels."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import trimesh

from omni_graspd.geometry.filled_solid import filled_solid
from omni_graspd.hands.hand import Hand, Link
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.metrics.intersection_volume import IntersectionVolumeConfig, intersection_volumes
from omni_graspd.objects.object_library import load_object
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.usd.materials import Appearance
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import IDENTITY


def _triangles(mesh: trimesh.Trimesh) -> TriangleMesh:
    return TriangleMesh(np.array(mesh.vertices), np.array(mesh.faces, dtype=np.int32))


def _object(mesh: trimesh.Trimesh) -> RigidObject:
    surface = _triangles(mesh)
    return RigidObject(
        "thing", Path("thing"), surface, surface, Appearance(), True, 1.0, np.zeros(3), np.eye(3), "thing"
    )


def _hand(*meshes: trimesh.Trimesh) -> Hand:
    """Links that are welded together, all in the palm's frame."""
    links = tuple(
        Link(
            name=f"link_{index}",
            prim_path=f"/hand/link_{index}",
            parent=index - 1,
            joint=-1,
            joint_type="fixed" if index else "root",
            axis=np.array([1.0, 0, 0]),
            T_parent_joint=IDENTITY,
            T_link_joint=IDENTITY,
            mesh=_triangles(mesh),
            mass=1.0,
        )
        for index, mesh in enumerate(meshes)
    )
    none = np.zeros(0)
    empty = np.zeros((0, 0))
    return Hand(
        "hand", Path("hand"), links, (), none, none, none.astype(int), empty, none, np.eye(3)[0], np.zeros(3), none
    )


def _box(size: list[float], center: list[float]) -> trimesh.Trimesh:
    return trimesh.creation.box(size, trimesh.transformations.translation_matrix(center))


def _torn(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    return trimesh.Trimesh(mesh.vertices, mesh.faces[1:], process=False)


def _pose(x: float) -> np.ndarray:
    return np.array([[x, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]])


def _volume(hand: Hand, mesh: trimesh.Trimesh, pose: np.ndarray, **config: float) -> float:
    joints = np.zeros((len(pose), 0))
    return float(intersection_volumes(hand, _object(mesh), pose, joints, IntersectionVolumeConfig(**config))[0])


def test_two_spheres_share_a_lens():
    radius, distance = 0.03, 0.04
    ball = trimesh.creation.icosphere(subdivisions=5, radius=radius)
    lens = np.pi * (2 * radius - distance) ** 2 * (distance**2 + 4 * distance * radius) / (12 * distance)
    assert _volume(_hand(ball), ball, _pose(distance)) == pytest.approx(lens, rel=0.01)


def test_the_corner_of_a_turned_box_cuts_out_a_wedge():
    # Turned by 45 degrees, the box's edge reaches 0.01 into the object: a right isosceles triangle of that height.
    reach = 0.01
    center = 0.05 + 0.1 * np.sqrt(0.5) - reach
    palm = np.array([[center, 0.0, 0.0, 0.0, 0.0, np.sin(np.pi / 8), np.cos(np.pi / 8)]])
    shared = _volume(_hand(_box([0.1, 0.1, 0.02], [0, 0, 0])), _box([0.1, 0.4, 0.4], [0, 0, 0]), palm)
    assert shared == pytest.approx(reach**2 * 0.02, rel=1e-6)


def test_links_that_overlap_are_counted_once():
    hand = _hand(_box([0.02, 0.02, 0.02], [0, 0, 0]), _box([0.02, 0.02, 0.02], [0.01, 0, 0]))
    block = _box([1.0, 1.0, 0.01], [0, 0, 0])
    assert _volume(hand, block, _pose(0.0)) == pytest.approx(0.03 * 0.02 * 0.01, rel=1e-6)


def test_links_apart_from_the_object_share_nothing():
    cube = _box([0.02, 0.02, 0.02], [0, 0, 0])
    assert _volume(_hand(cube), cube, _pose(0.0201)) == 0.0
    assert _volume(_hand(cube), cube, _pose(0.0199)) == pytest.approx(1e-4 * 0.02**2, rel=1e-3)


def test_hollow_links_are_filled():
    outer, inner = _box([0.04, 0.04, 0.04], [0, 0, 0]), _box([0.03, 0.03, 0.03], [0, 0, 0])
    inner.invert()
    shell = trimesh.util.concatenate([outer, inner])
    solid = filled_solid(_triangles(shell))
    assert solid is not None
    assert solid.volume() == pytest.approx(0.04**3, rel=1e-6)
    assert _volume(_hand(shell), _box([0.01, 0.01, 0.01], [0, 0, 0]), _pose(0.0)) == pytest.approx(1e-6, rel=1e-6)


def test_parts_of_a_link_that_overlap_are_counted_once():
    parts = trimesh.util.concatenate([_box([0.02, 0.02, 0.02], [0, 0, 0]), _box([0.02, 0.02, 0.02], [0.01, 0, 0])])
    assert _volume(_hand(parts), _box([1.0, 1.0, 1.0], [0, 0, 0]), _pose(0.0)) == pytest.approx(1.2e-5, rel=1e-6)


@pytest.mark.slow
def test_voxels_stand_in_where_a_mesh_has_holes():
    radius, distance = 0.03, 0.04
    ball = trimesh.creation.icosphere(subdivisions=3, radius=radius)
    holed = _torn(ball)
    assert filled_solid(_triangles(holed)) is None
    exact = _volume(_hand(ball), ball, _pose(distance))
    for hand, mesh in ((_hand(holed), ball), (_hand(ball), holed)):
        assert _volume(hand, mesh, _pose(distance), voxel_size=0.001) == pytest.approx(exact, rel=0.02)


def test_voxels_count_links_that_overlap_once():
    torn = _torn(_box([0.02, 0.02, 0.02], [0, 0, 0]).subdivide().subdivide().subdivide())
    other = _box([0.02, 0.02, 0.02], [0.01, 0, 0])
    block = _box([0.5, 0.5, 0.5], [0, 0, 0])
    assert _volume(_hand(torn, other), block, _pose(0.0)) == pytest.approx(1.2e-5, rel=0.02)


@pytest.mark.slow
def test_real_grasp_agrees_with_voxels():
    hand, obj = load_hand("allegro"), load_object("soup_can")
    joints = hand.joint_positions(hand.open_positions)[None]
    palm = np.array([[0.0, 0.045, 0.0, 0.0, 0.0, 0.0, 1.0]])
    exact = intersection_volumes(hand, obj, palm, joints)[0]
    torn = dataclasses.replace(obj, mesh=TriangleMesh(obj.mesh.vertices, obj.mesh.faces[:-1]))
    voxels = intersection_volumes(hand, torn, palm, joints)[0]
    assert exact > 1e-6
    assert voxels == pytest.approx(exact, rel=0.02)


def test_a_grasp_measures_the_same_alone_and_among_others():
    hand, obj = load_hand("allegro"), load_object("mug")
    joints = np.tile(hand.joint_positions(hand.open_positions), (3, 1))
    palms = np.array([[x, 0.045, 0.0, 0.0, 0.0, 0.0, 1.0] for x in (0.0, 0.02, 0.5)])
    together = intersection_volumes(hand, obj, palms, joints)
    alone = [intersection_volumes(hand, obj, palms[i : i + 1], joints[i : i + 1])[0] for i in range(3)]
    assert np.array_equal(together, alone)
    assert together[0] > 0.0
    assert together[2] == 0.0
