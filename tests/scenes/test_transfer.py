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
from omni_graspd.scenes.transfer import transfer_grasps
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


def test_palm_poses_are_those_of_the_object_frame_moved_with_the_object(hand: Hand):
    T_object_palm, T_world_object = _random_poses(5), _random_poses(6)[5]
    grasps = transfer_grasps(hand, T_object_palm, np.zeros((5, 1)), T_world_object)
    back = compose(invert(T_world_object), grasps.T_world_palm)
    np.testing.assert_allclose(back[:, :3], T_object_palm[:, :3], atol=1e-12)
    np.testing.assert_allclose(np.abs(np.sum(back[:, 3:] * T_object_palm[:, 3:], axis=1)), 1.0, atol=1e-12)


def test_clearance_is_that_of_the_lowest_point_of_palm_and_finger(hand: Hand):
    height = 0.08
    T_object_palm = np.tile([0, 0, height - 0.02, 0, 0, 0, 1.0], (4, 1))
    T_world_object = np.array([0.3, 0.1, 0.02, 0, 0, 0, 1.0])
    turns = np.array([0.0, np.pi / 6, np.pi / 2, -np.pi / 2])
    grasps = transfer_grasps(hand, T_object_palm, turns[:, None], T_world_object)
    expected = height - np.maximum(_PALM_RADIUS, _FINGER_LENGTH * np.sin(turns))
    np.testing.assert_allclose(grasps.table_clearance, expected, atol=1e-9)
    assert grasps.collides.tolist() == [False, False, True, False]


def test_no_grasps_give_no_rows(hand: Hand):
    grasps = transfer_grasps(hand, np.zeros((0, 7)), np.zeros((0, 1)), IDENTITY)
    assert grasps.T_world_palm.shape == (0, 7)
    assert grasps.table_clearance.shape == grasps.collides.shape == (0,)
