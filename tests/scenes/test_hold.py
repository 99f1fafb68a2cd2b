# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The hold test on grasps whose outcome is plain to see."""

from __future__ import annotations

import asyncio
import dataclasses
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import trimesh

from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.usd.hand_design import HandDesign, JointDesign, LinkDesign, LinkShape
from omni_graspd.hands.usd.hand_reader import read_hand
from omni_graspd.hands.usd.hand_writer import write_hand
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.scenes.grasp_tests.driven_hold import measure_driven_hold
from omni_graspd.scenes.grasp_tests.hand_colliders import hand_colliders
from omni_graspd.scenes.grasp_tests.hold import HoldConfig, HoldResult, measure_hold
from omni_graspd.scenes.grasp_tests.hold_stage import HoldPhysics
from omni_graspd.standalone.simulate import simulate
from omni_graspd.usd.materials import Appearance
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import IDENTITY

_RADIUS = 0.03
_FAR = np.array([0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0])


# What would be inferred otherwise, for which these tests do not ask.
_SETTINGS = """
approach_direction = [0.0, 0.0, 1.0]
approach_point = [0.0, 0.0, 0.0]
[open_positions]
bend = 0.0
"""


def _box(size: tuple[float, float, float], center: tuple[float, float, float]) -> TriangleMesh:
    box = trimesh.creation.box(size, trimesh.transformations.translation_matrix(center))
    return TriangleMesh(np.array(box.vertices), np.array(box.faces, dtype=np.int32))


def _object(mesh: trimesh.Trimesh) -> RigidObject:
    mesh.density = 500.0
    surface = TriangleMesh(np.array(mesh.vertices), np.array(mesh.faces, dtype=np.int32))
    return RigidObject(
        name="thing",
        source=Path("thing.obj"),
        mesh=surface,
        visual=surface,
        appearance=Appearance(),
        closed=True,
        mass=float(mesh.mass),
        center_of_mass=np.array(mesh.center_mass),
        inertia=np.array(mesh.moment_inertia),
        label="thing",
    )


def _ball() -> RigidObject:
    return _object(trimesh.creation.icosphere(subdivisions=1, radius=_RADIUS))


def _hand(folder: Path, palm: list[TriangleMesh]) -> Hand:
    """A palm of boxes, with a fingertip a metre away from it."""

    def link(name: str, pieces: list[TriangleMesh], joint: JointDesign | None) -> LinkDesign:
        parts = [trimesh.Trimesh(piece.vertices, piece.faces) for piece in pieces]
        solid = trimesh.util.concatenate(parts)
        mesh = TriangleMesh(np.array(solid.vertices), np.array(solid.faces, dtype=np.int32))
        normals = np.repeat(solid.face_normals[:, None], 3, axis=1)
        shape = LinkShape(mesh, normals, ("grey",) * len(mesh.faces), tuple(pieces))
        return LinkDesign(name, None if joint is None else "palm", joint, shape, 0.1)

    joint = JointDesign("bend", np.array([0, 1.0, 0, 0, 0, 0, 1.0]), (1, 0, 0), 0.0, 1.0)
    links = (link("palm", palm, None), link("tip", [_box((0.01, 0.01, 0.01), (0, 0, 0))], joint))
    write_hand(HandDesign("boxes", "hand", links, {"grey": Appearance()}), folder / "boxes.usda", {})
    (folder / "hand.toml").write_text(_SETTINGS)
    return read_hand(folder / "boxes.usda")


def _cage(sides: str, gap: float = 0.0005) -> list[TriangleMesh]:
    """Plates beside a ball of _RADIUS at the origin; ``sides`` names them, for example ``"+x-x"``."""
    plates = []
    for sign, axis in zip(sides[::2], sides[1::2], strict=True):
        size, center = np.full(3, 0.05), np.zeros(3)
        size["xyz".index(axis)] = 0.01
        center["xyz".index(axis)] = float(f"{sign}1") * (_RADIUS + gap + 0.005)
        plates.append(_box(tuple(size), tuple(center)))
    return plates


def _measure(hand: Hand, obj: RigidObject, poses: np.ndarray, config: HoldConfig | None = None) -> HoldResult:
    joints = np.zeros((len(poses), hand.joint_count))
    return asyncio.run(measure_hold(simulate, hand, obj, poses, joints, config))


def test_colliders_are_the_pieces_of_the_file(tmp_path):
    pieces = hand_colliders(_hand(tmp_path, _cage("+x-x+y")))
    assert [len(link) for link in pieces] == [3, 1]
    np.testing.assert_allclose(pieces[0][0].vertices.min(axis=0), [_RADIUS + 0.0005, -0.025, -0.025], atol=1e-6)


def test_caged_ball_is_held_in_all_directions(tmp_path):
    hand = _hand(tmp_path, _cage("+x-x+y-y+z-z"))
    result = _measure(hand, _ball(), IDENTITY[None])
    assert result.held.tolist() == [[True] * 6]
    assert result.displacements.max() < 0.002  # the gap, and what the ball's flats add
    assert result.displacements.min() > 0.0003  # gravity acts


def test_ball_leaves_an_open_cage_on_its_open_side_only(tmp_path):
    hand = _hand(tmp_path, _cage("+x-x+y-y-z"))
    half = np.sqrt(0.5)
    # The palm's +z, the open side, points along +z, -z, +x and -y of the object.
    turns = np.array([[0, 0, 0, 1], [1, 0, 0, 0], [0, half, 0, half], [half, 0, 0, half]])
    poses = np.concatenate([np.zeros((4, 3)), turns], axis=1)
    result = _measure(hand, _ball(), poses)
    assert [np.flatnonzero(~held).tolist() for held in result.held] == [[4], [5], [0], [3]]


@pytest.mark.parametrize(("friction", "held"), [(0.0, [True, True, False, False, False, False]), (0.5, [True] * 6)])
def test_two_opposite_plates_hold_by_friction(tmp_path, friction: float, held: list[bool]):
    hand = _hand(tmp_path, _cage("+x-x", gap=-0.0005))
    brick = _object(trimesh.creation.box([2 * _RADIUS, 0.04, 0.04]))
    result = _measure(hand, brick, IDENTITY[None], HoldConfig(physics=HoldPhysics(friction=friction)))
    assert result.held.tolist() == [held]


def test_two_opposite_points_without_friction_hold_in_two_directions_at_most(tmp_path):
    points = [_box((0.002, 0.002, 0.002), (sign * (_RADIUS + 0.001), 0, 0)) for sign in (-1, 1)]
    result = _measure(
        _hand(tmp_path, points),
        _object(trimesh.creation.icosphere(subdivisions=3, radius=_RADIUS)),
        IDENTITY[None],
        HoldConfig(physics=HoldPhysics(friction=0.0)),
    )
    assert result.held.sum() <= 2


@pytest.mark.parametrize("mass", [0.1, None])
def test_open_hand_holds_nothing_and_the_object_falls_freely(tmp_path, mass: float | None):
    hand = _hand(tmp_path, _cage("+x-x"))
    obj = dataclasses.replace(_ball(), center_of_mass=np.array([0.01, 0.0, -0.005]))
    result = _measure(hand, obj, _FAR[None], HoldConfig(object_mass=mass, duration=0.3))
    assert not result.held.any()
    # Semi-implicit Euler is early by at most g t dt / 2.
    np.testing.assert_allclose(result.displacements, 0.5 * 9.81 * 0.3**2, atol=0.5 * 9.81 * 0.3 / 240 + 1e-5)


@pytest.mark.parametrize(("duration", "pushed"), [(0.03, 0.003), (0.5, 0.004)])
def test_deep_overlap_is_pushed_out_at_limited_speed_and_throws_nothing(tmp_path, duration: float, pushed: float):
    hand = _hand(tmp_path, _cage("+x", gap=-0.004))
    config = HoldConfig(duration=duration, physics=HoldPhysics(gravity=1e-6, max_depenetration_speed=0.1))
    result = _measure(hand, _ball(), IDENTITY[None], config)
    np.testing.assert_allclose(result.displacements, pushed, atol=0.0015)


@pytest.mark.slow
def test_a_grasp_has_the_same_outcome_alone_and_among_others(tmp_path):
    hand = _hand(tmp_path, _cage("+x-x", gap=-0.001))
    random = np.random.default_rng(0)
    poses = np.tile(IDENTITY, (4, 1))
    poses[:, :3] = random.uniform(-0.004, 0.004, size=(4, 3))
    together, backwards = _measure(hand, _ball(), poses), _measure(hand, _ball(), poses[::-1])
    alone = [_measure(hand, _ball(), pose[None]).displacements[0] for pose in poses]
    assert np.array_equal(together.displacements, alone)
    assert np.array_equal(together.displacements, backwards.displacements[::-1])
    assert len(np.unique(together.displacements)) > 12


def test_grasps_that_are_not_finite_are_not_held_and_cost_the_others_nothing(tmp_path):
    hand = _hand(tmp_path, _cage("+x-x+y-y+z-z"))
    result = _measure(hand, _ball(), np.array([np.full(7, np.nan), IDENTITY]))
    assert result.held.tolist() == [[False] * 6, [True] * 6]
    assert np.isnan(result.displacements[0]).all()
    assert _measure(hand, _ball(), np.zeros((0, 7))).held.shape == (0, 6)


@pytest.mark.parametrize("driven", [False, True])
def test_a_hand_that_the_object_passes_through_is_not_tried(tmp_path, driven: bool):
    """A plate through a block that is the palm: physics would leave it wedged there, and so held."""
    hand = _hand(tmp_path, [_box((0.04, 0.04, 0.04), (0, 0, 0))])
    plate = _object(trimesh.creation.box((0.2, 0.2, 0.002)))
    poses = np.array([[0, 0, 0, 0, 0, 0, 1.0], [0, 0, 0.0205, 0, 0, 0, 1.0]])
    joints = np.zeros((2, 1))
    test = partial(measure_driven_hold, simulate, hand, plate, poses, joints, joints)
    held = asyncio.run(test() if driven else measure_hold(simulate, hand, plate, poses, joints))
    assert not held.held[0].any()
    assert np.isnan(held.displacements).all(axis=1).tolist() == [True, False]


def test_wrong_joint_count_is_refused(tmp_path):
    hand = _hand(tmp_path, _cage("+x-x"))
    with pytest.raises(GraspdError, match=r"joint positions \[grasp_count, 1\]"):
        asyncio.run(measure_hold(simulate, hand, _ball(), IDENTITY[None], np.zeros((1, 3))))
