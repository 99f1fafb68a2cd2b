# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grasps carried to a scene keep their place against the object and know their height over the table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation

from omni_graspd.hands.hand import Hand, Link
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.posed_hand import posed_mesh
from omni_graspd.scenes.transfer import transfer_grasps
from omni_graspd.synthesis.grasp import GraspBatch, Postures
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import IDENTITY, compose, invert

_PALM_RADIUS, _FINGER_LENGTH = 0.03, 0.1


def _link(name: str, parent: int, mesh: trimesh.Trimesh) -> Link:
    return Link(
        name=name,
        prim_path=f"/hand/{name}",
        parent=parent,
        joint=parent,
        joint_type="root" if parent < 0 else "revolute",
        axis=np.array([0.0, 1.0, 0.0]),
        T_parent_joint=IDENTITY,
        T_link_joint=IDENTITY,
        mesh=TriangleMesh(np.array(mesh.vertices), np.array(mesh.faces, dtype=np.int32)),
        mass=0.1,
    )


@pytest.fixture
def hand() -> Hand:
    """A cube for a palm and one needle of a finger along +X that turns about Y."""
    finger = trimesh.Trimesh([[0, 0, 0], [_FINGER_LENGTH, 0, 0], [0, 1e-6, 0]], [[0, 1, 2]], process=False)
    return Hand(
        name="needle",
        source=Path("needle.usda"),
        links=(_link("palm", -1, trimesh.creation.box([2 * _PALM_RADIUS] * 3)), _link("finger", 0, finger)),
        joint_names=("turn",),
        joint_lower=np.array([-4.0]),
        joint_upper=np.array([4.0]),
        actuated=np.array([0]),
        coupling=np.eye(1),
        coupling_offset=np.zeros(1),
        approach_direction=np.array([0.0, 0.0, 1.0]),
        approach_point=np.zeros(3),
        open_positions=np.zeros(1),
    )


def _random_poses(count: int) -> np.ndarray:
    random = np.random.default_rng(3)
    return np.concatenate(
        [random.uniform(-0.2, 0.2, (count, 3)), Rotation.random(count, random_state=random).as_quat()], axis=1
    )


def _batch(T_object_palm: np.ndarray, joint_positions: np.ndarray, postures: Postures | None = None) -> GraspBatch:
    return GraspBatch(T_object_palm, joint_positions, {}, ("ok",) * len(T_object_palm), postures)


def test_palm_poses_are_those_of_the_object_frame_moved_with_the_object(hand: Hand):
    T_object_palm, T_world_object = _random_poses(5), _random_poses(6)[5]
    grasps = transfer_grasps(hand, _batch(T_object_palm, np.zeros((5, 1))), T_world_object)
    back = compose(invert(T_world_object), grasps.T_world_palm)
    np.testing.assert_allclose(back[:, :3], T_object_palm[:, :3], atol=1e-12)
    np.testing.assert_allclose(np.abs(np.sum(back[:, 3:] * T_object_palm[:, 3:], axis=1)), 1.0, atol=1e-12)


def test_clearance_is_that_of_the_lowest_point_of_palm_and_finger(hand: Hand):
    height = 0.08
    T_object_palm = np.tile([0, 0, height - 0.02, 0, 0, 0, 1.0], (4, 1))
    T_world_object = np.array([0.3, 0.1, 0.02, 0, 0, 0, 1.0])
    turns = np.array([0.0, np.pi / 6, np.pi / 2, -np.pi / 2])
    grasps = transfer_grasps(hand, _batch(T_object_palm, turns[:, None]), T_world_object)
    expected = height - np.maximum(_PALM_RADIUS, _FINGER_LENGTH * np.sin(turns))
    np.testing.assert_allclose(grasps.table_clearance, expected, atol=1e-9)
    assert grasps.collides.tolist() == [False, False, True, False]


def test_no_grasps_give_no_rows(hand: Hand):
    grasps = transfer_grasps(hand, _batch(np.zeros((0, 7)), np.zeros((0, 1))), IDENTITY)
    assert grasps.T_world_palm.shape == (0, 7)
    assert grasps.table_clearance.shape == grasps.collides.shape == grasps.from_above.shape == (0,)


def test_a_hand_that_is_nowhere_counts_as_colliding(hand: Hand):
    poses = np.add(_random_poses(3), [0, 0, 1, 0, 0, 0, 0])
    poses[1] = np.nan
    postures = Postures(poses, np.zeros((3, 1)), np.ones(3), np.zeros((3, 1)))
    grasps = transfer_grasps(hand, _batch(poses, np.zeros((3, 1)), postures), IDENTITY)
    assert grasps.collides.tolist() == [False, True, False]
    assert not grasps.from_above[1]
    assert np.isnan(grasps.T_world_palm).any(axis=1).tolist() == [False, True, False]


def _from(angle: float, height: float) -> np.ndarray:
    """Return a palm at some height that looks straight down, turned by ``angle`` about X."""
    turn = Rotation.from_euler("x", np.pi + angle).as_quat()
    return np.array([[0.0, 0.0, height, *turn]])


@pytest.mark.parametrize(("angle", "above"), [(0.0, True), (1.0, True), (1.1, False), (np.pi, False)])
def test_a_hand_comes_from_above_within_sixty_degrees(hand: Hand, angle: float, above: bool):
    pose, joints = _from(angle, 0.5), np.zeros((1, 1))
    grasps = transfer_grasps(hand, _batch(pose, joints, Postures(pose, joints, np.ones(1), joints)), IDENTITY)
    assert grasps.approach_angle[0] == pytest.approx(angle, abs=1e-7)
    assert grasps.from_above.tolist() == [above]


def test_the_open_hand_on_its_way_must_clear_the_table_too(hand: Hand):
    pose, closed, opened = _from(0.0, 0.08), np.zeros((1, 1)), np.full((1, 1), -np.pi / 2)
    postures = Postures(_from(0.0, 0.3), opened, np.ones(1), closed)
    grasps = transfer_grasps(hand, _batch(pose, closed, postures), IDENTITY)
    assert grasps.table_clearance[0] == pytest.approx(0.08 - _PALM_RADIUS)
    # Upside down the open finger points down, and reaches 2 cm below the table when the palm is in place.
    assert grasps.approach_clearance[0] == pytest.approx(0.08 - _FINGER_LENGTH)
    assert not grasps.collides[0]
    assert not grasps.from_above[0]


def test_without_a_pregrasp_nothing_is_said_to_come_from_above(hand: Hand):
    grasps = transfer_grasps(hand, _batch(_from(0.0, 0.5), np.zeros((1, 1))), IDENTITY)
    assert np.isnan(grasps.approach_clearance[0])
    assert not grasps.from_above[0]


@pytest.mark.parametrize("name", ["allegro", "barrett"])
def test_clearance_of_a_real_hand_is_that_of_its_posed_mesh(name: str):
    hand, random = load_hand(name), np.random.default_rng(5)
    poses = _random_poses(100)
    joints = hand.joint_positions(
        random.uniform(hand.joint_lower, hand.joint_upper, (100, hand.joint_count))[:, hand.actuated]
    )
    T_world_object = _random_poses(7)[6]
    grasps = transfer_grasps(hand, _batch(poses, joints), T_world_object)
    for row in range(100):
        mesh = posed_mesh(hand, compose(T_world_object, poses[row]), joints[row])
        lowest = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False).bounds[0, 2]
        assert grasps.table_clearance[row] == pytest.approx(lowest, abs=1e-6)
        assert grasps.collides[row] == (lowest < 0.0)
