# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Neighbours lie on the table, apart from each other, and hands that run into them are told."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path

import numpy as np
import pytest
import trimesh

from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.posed_hand import posed_mesh
from omni_graspd.objects.object_library import load_object
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.scenes.clutter import Neighbour, scatter_neighbours
from omni_graspd.scenes.drop import DropConfig
from omni_graspd.scenes.neighbour_clearance import REACH, NeighbourClearance
from omni_graspd.scenes.scene_writer import SceneConfig, author_scene, neighbour_path
from omni_graspd.scenes.transfer import transfer_grasps
from omni_graspd.standalone.simulate import simulate
from omni_graspd.synthesis.grasp import GraspBatch
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import local_to_world, pose_to_matrix, transform_points

_AT_REST = np.array([0.0, 0.0, 0.05, 0.0, 0.0, 0.0, 1.0])


@pytest.fixture(scope="module")
def objects() -> tuple[RigidObject, ...]:
    return tuple(load_object(name) for name in ("wood_block", "card_box", "low_can"))


def _scatter(objects, count: int, index: int = 0, table=(0.8, 0.8)) -> tuple[Neighbour, ...]:
    return asyncio.run(
        scatter_neighbours(objects[0], _AT_REST, objects, count, index, table, DropConfig(), 0, simulate)
    )


@pytest.mark.slow
def test_neighbours_lie_on_the_table_and_touch_nothing(objects):
    neighbours = _scatter(objects, 4)
    assert {neighbour.obj.name for neighbour in neighbours} <= {"card_box", "low_can"}
    solids = [(objects[0], _AT_REST), *((n.obj, n.T_world_object) for n in neighbours)]
    points = [transform_points(pose, obj.mesh.vertices) for obj, pose in solids]
    for own in points[1:]:
        assert abs(own[:, 2].min()) < 1e-3
        assert np.abs(own[:, :2]).max() <= 0.4
    for i, own in enumerate(points):
        for other in points[:i]:
            flat = [np.c_[p[:, :2], np.zeros(len(p))] for p in (own, other)]
            nearest = min(np.linalg.norm(flat[1] - p, axis=1).min() for p in flat[0])
            assert nearest > 0.004


@pytest.mark.slow
def test_same_seed_scatters_the_same_and_scenes_differ(objects):
    first, again, other = _scatter(objects, 2), _scatter(objects, 2), _scatter(objects, 2, index=1)
    assert [n.T_world_object.tobytes() for n in first] == [n.T_world_object.tobytes() for n in again]
    assert not np.array_equal(first[0].T_world_object, other[0].T_world_object)


def test_full_table_is_refused_in_one_line(objects):
    with pytest.raises(GraspdError, match=r"room for 40 objects beside wood_block .* lower scene.clutter"):
        _scatter(objects, 40, table=(0.3, 0.3))


def test_alone_the_object_has_copies_of_itself_beside_it(objects):
    assert [n.obj.name for n in _scatter(objects[:1], 1)] == ["wood_block"]


def test_scene_has_every_neighbour_at_its_pose(objects, tmp_path: Path):
    poses = [_AT_REST + np.array([x, 0, 0, 0, 0, 0, 0]) for x in (0.2, -0.2)]
    others = [(objects[1].source, poses[0]), (objects[2].source, poses[1])]
    path = tmp_path / "scenes" / "wood_block" / "scene_0000.usda"
    stage = author_scene(path, objects[0].source, objects[0], _AT_REST, 0, SceneConfig(), 0, others)
    for number, pose in enumerate(poses):
        prim = stage.GetPrimAtPath(neighbour_path(number))
        np.testing.assert_allclose(local_to_world(prim), pose_to_matrix(pose), atol=1e-12)
    assert not stage.GetPrimAtPath(neighbour_path(2))


def _ball(radius: float) -> RigidObject:
    shape = trimesh.creation.icosphere(4, radius)
    mesh = TriangleMesh(np.array(shape.vertices), np.array(shape.faces, dtype=np.int32))
    return dataclasses.replace(load_object("baseball"), name="ball", mesh=mesh, convex_pieces=())


@pytest.mark.slow
def test_clearance_is_the_distance_of_the_meshes():
    hand, ball = load_hand("allegro"), _ball(0.02)
    joints = np.tile(hand.open_positions, (4, 1))
    palm = np.array([[0.0, 0.0, height, 0.0, 1.0, 0.0, 0.0] for height in (0.3, 0.32, 0.35, 1.0)])
    palm[:, 0] = [0.0, 0.02, 0.05, 0.0]
    near = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0])
    lowest = trimesh.Trimesh(*_posed(hand, palm[0], joints[0])).vertices
    near[:3] = lowest[np.argmin(lowest[:, 2])] - [0.0, 0.0, 0.03]
    found = NeighbourClearance(hand, [Neighbour(ball, near)]).measure(palm, joints)
    for row in range(4):
        posed = trimesh.Trimesh(*_posed(hand, palm[row], joints[row]), process=False)
        _, distance, _ = trimesh.proximity.closest_point(posed, near[None, :3])
        # The ball's facets lie up to 0.03 mm inside the sphere.
        assert found[row] == pytest.approx(min(REACH, max(0.0, distance[0] - 0.02)), abs=5e-5)
    assert found[0] < 0.0101
    assert found[3] == REACH


def _posed(hand, palm, joints) -> tuple[np.ndarray, np.ndarray]:
    mesh = posed_mesh(hand, palm, joints)
    return mesh.vertices, mesh.faces


def test_hand_in_a_neighbour_collides_and_one_that_is_nowhere_too():
    hand, ball = load_hand("allegro"), _ball(0.05)
    poses = np.array([[0.0, 0.0, 0.5, 0, 0, 0, 1.0], [2.0, 0.0, 0.5, 0, 0, 0, 1.0], [np.nan] * 7])
    batch = GraspBatch(poses, np.tile(hand.open_positions, (3, 1)), {}, ("ok",) * 3, None)
    neighbour = Neighbour(ball, np.array([0.0, 0.0, 0.5, 0, 0, 0, 1.0]))
    grasps = transfer_grasps(hand, batch, np.array([0, 0, 0.5, 0, 0, 0, 1.0]), [neighbour])
    assert transfer_grasps(hand, batch, _AT_REST).neighbour_clearance is None
    assert grasps.neighbour_clearance is not None
    near = dataclasses.replace(neighbour, T_world_object=np.array([0.0, 0.0, 1.0, 0, 0, 0, 1.0]))
    again = transfer_grasps(hand, batch, np.array([0, 0, 0.5, 0, 0, 0, 1.0]), [near])
    assert again.collides.tolist() == [True, False, True]
    assert again.neighbour_clearance is not None
    assert again.neighbour_clearance[0] == 0.0
    assert again.neighbour_clearance[1] == REACH
    assert np.isnan(again.neighbour_clearance[2])


@pytest.mark.slow
def test_what_touches_is_told_without_measuring():
    hand, random = load_hand("barrett"), np.random.default_rng(7)
    joints = hand.joint_positions(
        random.uniform(hand.joint_lower, hand.joint_upper, (24, hand.joint_count))[:, hand.actuated]
    )
    turns = random.normal(size=(24, 4))
    palm = np.concatenate(
        [random.uniform(-0.15, 0.15, (24, 3)), turns / np.linalg.norm(turns, axis=1, keepdims=True)], axis=1
    )
    palm[7] = np.nan
    near = [Neighbour(_ball(0.03), np.array([x, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0])) for x in (-0.1, 0.1)]
    obstacles = NeighbourClearance(hand, near)
    clears = obstacles.clears(palm, joints)
    np.testing.assert_array_equal(clears, obstacles.measure(palm, joints) > 0.0)
    assert 4 < clears.sum() < 20 and not clears[7]
