# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A grasp is usable in a scene if the hand gets there and up again: over the table, and past what lies beside."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation

from omni_graspd.hands.hand import Hand, Link
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.posed_hand import posed_mesh
from omni_graspd.objects.object_library import load_object
from omni_graspd.scenes.clutter import Neighbour
from omni_graspd.scenes.scene_grasps import SceneGrasps
from omni_graspd.scenes.transfer import join_scene_grasps, transfer_grasps
from omni_graspd.scenes.way_stations import LIFT_HEIGHT, way_stations
from omni_graspd.synthesis.grasp import GraspBatch, Postures, Way
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import IDENTITY, compose

_FINGER = 0.1
_DOWN = np.array([1.0, 0.0, 0.0, 0.0])
"""Half a turn about X: the palm's approach direction, +Z, looks straight down."""


@pytest.fixture
def needle() -> Hand:
    """A small cube for a palm, and one needle of a finger along +X that turns about Y."""
    meshes = (
        trimesh.creation.box([0.002] * 3),
        trimesh.Trimesh([[0, 0, 0], [_FINGER, 0, 0], [0, 1e-6, 0]], [[0, 1, 2]], process=False),
    )
    links = [
        Link(
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
        for name, parent, mesh in zip(("palm", "finger"), (-1, 0), meshes, strict=True)
    ]
    return Hand(
        name="needle",
        source=Path("needle.usda"),
        links=tuple(links),
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


def _batch(
    pregrasp: float, hover: float, grasp: float, opened: float, closed: float, *, usable: bool = True
) -> GraspBatch:
    """One grasp at three heights of the palm and two angles of the finger, looking straight down."""
    poses = [np.array([[0.0, 0.0, height, *_DOWN]]) for height in (pregrasp, hover, grasp)]
    open_joints, closed_joints = np.array([[opened]]), np.array([[closed]])
    number = np.ones(1)
    way = Way(
        table_plane=np.array([[0.0, 0.0, 1.0, 0.0]]),
        T_object_hover_palm=poses[1],
        lift_direction=np.array([[0.0, 0.0, 1.0]]),
        approach_clearance=number,
        closing_clearance=number,
        grasp_clearance=number,
        squeeze_clearance=number,
        lift_clearance=np.full(1, np.nan),
        usable=np.array([usable]),
        tries=np.ones(1, dtype=np.int32),
        rejected=("",),
    )
    return GraspBatch(
        poses[2], closed_joints, {}, ("ok",), Postures(poses[0], open_joints, number, closed_joints), way=way
    )


def test_a_finger_that_sweeps_through_the_table_while_it_closes_is_noticed(needle: Hand) -> None:
    # From pointing along +X to along -X by way of straight down; the palm descends from 12 to 6 cm.
    batch = _batch(0.2, 0.12, 0.06, opened=0.0, closed=-np.pi)
    grasps = transfer_grasps(needle, batch, IDENTITY)
    shares = np.linspace(0.0, 1.0, 9)
    swept = (0.12 - 0.06 * shares) - _FINGER * np.abs(np.sin(np.pi * shares))
    sign = np.sign(grasps.approach_clearance[0])
    assert swept.min() < 0.0 and grasps.table_clearance[0] == pytest.approx(0.059)
    assert sign < 0.0, "turned the other way, the finger would sweep above the palm"
    assert grasps.approach_clearance[0] == pytest.approx(swept.min(), abs=1e-6)
    assert not grasps.collides[0]
    assert grasps.usable.tolist() == grasps.from_above.tolist() == [False]


def test_the_other_way_round_it_is_usable(needle: Hand) -> None:
    grasps = transfer_grasps(needle, _batch(0.2, 0.12, 0.06, opened=0.0, closed=np.pi), IDENTITY)
    assert grasps.approach_clearance[0] == pytest.approx(0.059, abs=1e-6)
    assert grasps.usable.tolist() == grasps.from_above.tolist() == [True]


@pytest.mark.parametrize("spoil", ["base", "status"])
def test_what_is_not_usable_as_it_is_made_is_not_in_a_scene(needle: Hand, spoil: str) -> None:
    batch = _batch(0.2, 0.12, 0.06, opened=0.0, closed=np.pi, usable=spoil != "base")
    if spoil == "status":
        batch = dataclasses.replace(batch, status=("diverged",))
    grasps = transfer_grasps(needle, batch, IDENTITY)
    assert grasps.usable.tolist() == [False]
    assert grasps.from_above.tolist() == [True]


def test_a_squeeze_into_the_table_is_not_usable(needle: Hand) -> None:
    batch = _batch(0.2, 0.12, 0.06, opened=0.0, closed=0.0)
    assert batch.postures is not None
    pressed = dataclasses.replace(batch.postures, squeeze_joint_positions=np.array([[-np.pi / 2]]))
    grasps = transfer_grasps(needle, dataclasses.replace(batch, postures=pressed), IDENTITY)
    assert grasps.approach_clearance[0] == pytest.approx(0.06 - _FINGER, abs=1e-6)
    assert grasps.usable.tolist() == [False]


def test_without_a_way_nothing_is_said_of_its_use(needle: Hand) -> None:
    batch = dataclasses.replace(_batch(0.2, 0.12, 0.06, opened=0.0, closed=np.pi), way=None)
    grasps = transfer_grasps(needle, batch, IDENTITY)
    assert grasps.usable is None
    joined = join_scene_grasps([grasps, grasps])
    assert joined.usable is None and len(joined.T_world_palm) == 2


_PLACES = {  # where a neighbour lies, and what of the way it bars
    "at the grasp": (0.0, 0.06, True, False),
    "at hover": (0.0, 0.16, False, False),
    "over the pregrasp": (0.0, 0.36, False, True),
    "beside": (0.3, 0.06, False, True),
}


@pytest.mark.parametrize("place", _PLACES)
def test_neighbours_bar_the_way_where_they_stand_in_it(needle: Hand, place: str) -> None:
    x, height, collides, usable = _PLACES[place]
    shape = trimesh.creation.icosphere(2, 0.02)
    mesh = TriangleMesh(np.array(shape.vertices), np.array(shape.faces, dtype=np.int32))
    ball = dataclasses.replace(load_object("baseball"), name="ball", mesh=mesh, convex_pieces=())
    neighbour = Neighbour(ball, np.array([x, 0.0, height, 0.0, 0.0, 0.0, 1.0]))
    grasps = transfer_grasps(needle, _batch(0.26, 0.16, 0.06, opened=0.0, closed=np.pi), IDENTITY, [neighbour])
    assert grasps.collides.tolist() == [collides]
    assert grasps.usable.tolist() == [usable]


def _random_ways(hand: Hand, count: int) -> GraspBatch:
    random = np.random.default_rng(6)
    palm = np.concatenate(
        [random.uniform(-0.1, 0.1, (count, 3)), Rotation.random(count, random_state=random).as_quat()], axis=1
    )
    hover, pregrasp = palm.copy(), palm.copy()
    hover[:, :3] += random.uniform(0.0, 0.03, (count, 3))
    pregrasp[:, :3] += random.uniform(0.03, 0.1, (count, 3))
    closed, opened = (
        hand.joint_positions(
            random.uniform(hand.joint_lower, hand.joint_upper, (count, hand.joint_count))[:, hand.actuated]
        )
        for _ in range(2)
    )
    number = np.ones(count)
    way = Way(
        table_plane=np.tile([0.0, 0.0, 1.0, 0.0], (count, 1)),
        T_object_hover_palm=hover,
        lift_direction=np.tile([0.0, 0.0, 1.0], (count, 1)),
        approach_clearance=number,
        closing_clearance=number,
        grasp_clearance=number,
        squeeze_clearance=number,
        lift_clearance=number,
        usable=np.ones(count, dtype=bool),
        tries=np.ones(count, dtype=np.int32),
        rejected=("",) * count,
    )
    return GraspBatch(palm, closed, {}, ("ok",) * count, Postures(pregrasp, opened, number, closed), way=way)


def test_the_way_leads_from_pregrasp_over_hover_and_grasp_straight_up() -> None:
    hand = load_hand("barrett")
    batch = _random_ways(hand, 5)
    assert batch.postures is not None and batch.way is not None
    T_world_object = np.array([0.1, -0.2, 0.3, *Rotation.from_euler("xyz", (0.2, 0.4, 0.6)).as_quat()])
    palm = compose(T_world_object[None], batch.T_object_palm)
    stations = way_stations(T_world_object, palm, batch.joint_positions, batch.postures, batch.way)
    assert len(stations) >= 10
    tracks = np.stack([station.T_world_palm for station in stations])
    joints = np.stack([station.joint_positions for station in stations])
    np.testing.assert_allclose(tracks[0], compose(T_world_object[None], batch.postures.T_object_pregrasp_palm))
    np.testing.assert_array_equal(joints[0], batch.postures.pregrasp_joint_positions)
    hover = compose(T_world_object[None], batch.way.T_object_hover_palm)
    (at_hover,) = [number for number, pose in enumerate(tracks) if np.allclose(pose, hover, atol=1e-12)]
    at_grasp = next(number for number, pose in enumerate(tracks) if np.array_equal(pose, palm))
    assert 0 < at_hover < at_grasp < len(stations) - 1
    # Open up to hover, then palm and joints move evenly.
    assert (joints[: at_hover + 1] == joints[0]).all()
    steps = np.diff(tracks[at_hover : at_grasp + 1, :, :3], axis=0)
    np.testing.assert_allclose(steps, np.tile(steps[0], (len(steps), 1, 1)), atol=1e-12)
    turns = np.diff(joints[at_hover : at_grasp + 1], axis=0)
    np.testing.assert_allclose(turns, np.tile(turns[0], (len(turns), 1, 1)), atol=1e-12)
    np.testing.assert_array_equal(joints[at_grasp], batch.joint_positions)
    # The lift is along what is up in the object frame.
    up = Rotation.from_quat(T_world_object[3:]).apply([0.0, 0.0, 1.0])
    np.testing.assert_allclose(tracks[-1, :, :3] - palm[:, :3], np.tile(LIFT_HEIGHT * up, (5, 1)), atol=1e-12)
    np.testing.assert_array_equal(joints[-1], batch.postures.squeeze_joint_positions)


@pytest.mark.parametrize("name", ["allegro", "barrett"])
def test_a_real_hand_is_nowhere_lower_than_its_posed_meshes_say(name: str) -> None:
    hand = load_hand(name)
    batch = _random_ways(hand, 12)
    assert batch.postures is not None and batch.way is not None
    T_world_object = np.array([0.0, 0.0, 0.12, *Rotation.from_euler("z", 0.8).as_quat()])
    grasps = transfer_grasps(hand, batch, T_world_object)
    palm = compose(T_world_object[None], batch.T_object_palm)
    stations = way_stations(T_world_object, palm, batch.joint_positions, batch.postures, batch.way)
    for row in range(12):
        lowest = min(
            posed_mesh(hand, station.T_world_palm[row], station.joint_positions[row]).vertices[:, 2].min()
            for station in stations
        )
        assert grasps.approach_clearance[row] == pytest.approx(lowest, abs=1e-6)
        assert grasps.usable[row] == (lowest >= 0.0)
    assert 0 < grasps.usable.sum() < 12


def test_grasps_that_are_nowhere_are_not_usable() -> None:
    hand = load_hand("barrett")
    batch = _random_ways(hand, 3)
    poses = np.add(batch.T_object_palm, [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0])
    poses[1] = np.nan
    grasps: SceneGrasps = transfer_grasps(hand, dataclasses.replace(batch, T_object_palm=poses), IDENTITY)
    assert grasps.usable is not None and not grasps.usable[1]
