# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A rod and thin walls: what passes through a link and what does not, and how far it is from being free."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh

from omni_graspd.geometry.signed_distance import SignedDistance, SignedDistanceConfig
from omni_graspd.hands.hand import Hand, Link
from omni_graspd.hands.skeleton import hand_skeleton
from omni_graspd.metrics.walls import measure_walls
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import IDENTITY

_RADIUS, _LENGTH, _WALL = 0.008, 0.08, 0.003


def as_mesh(shape: trimesh.Trimesh) -> TriangleMesh:
    return TriangleMesh(np.array(shape.vertices), np.array(shape.faces, dtype=np.int32))


def distance_to(shape: trimesh.Trimesh, *, closed: bool = True) -> SignedDistance:
    exact = SignedDistanceConfig(phong_alpha=0.0)
    return SignedDistance.build(as_mesh(shape), closed=closed, device="cpu", config=exact)


@pytest.fixture(scope="module")
def rod() -> Hand:
    """A hand of one link: a capsule along z, its middle at the origin, 8 cm and the round ends long."""
    shape = trimesh.creation.capsule(height=_LENGTH, radius=_RADIUS, count=[24, 24])
    shape.apply_translation(-shape.bounds.mean(axis=0))
    palm = Link("palm", "/palm", -1, -1, "root", np.array([1.0, 0, 0]), IDENTITY, IDENTITY, as_mesh(shape), 0.1)
    nothing = np.zeros(0)
    return Hand(
        name="rod",
        source=Path("rod"),
        links=(palm,),
        joint_names=(),
        joint_lower=nothing,
        joint_upper=nothing,
        actuated=np.zeros(0, dtype=int),
        coupling=np.zeros((0, 0)),
        coupling_offset=nothing,
        approach_direction=np.array([0.0, 0.0, 1.0]),
        approach_point=np.zeros(3),
        open_positions=nothing,
    )


@pytest.fixture(scope="module")
def plate() -> SignedDistance:
    """A plate of 20 x 20 cm and 3 mm about the plane z = 0."""
    return distance_to(trimesh.creation.box((0.2, 0.2, _WALL)))


def at(*position: float, lying: bool = False) -> np.ndarray:
    half = np.sqrt(0.5)
    return np.array([*position, *((half, 0.0, 0.0, half) if lying else (0.0, 0.0, 0.0, 1.0))])


def measure(rod: Hand, distance: SignedDistance, *poses: np.ndarray):
    walls = measure_walls(rod, distance, np.array(poses), np.zeros((len(poses), 0)))
    return walls.pierced.tolist(), 1e3 * walls.depth


@pytest.mark.slow
def test_lines_are_inside_the_link(rod):
    skeleton = hand_skeleton(rod)
    shape = trimesh.Trimesh(rod.links[0].mesh.vertices, rod.links[0].mesh.faces)
    for share in (0.0, 0.5, 1.0):
        points = skeleton.starts + share * (skeleton.ends - skeleton.starts)
        assert trimesh.proximity.signed_distance(shape, points).min() > -0.0015
    assert skeleton.bones.any() and (~skeleton.bones).any()


def test_a_rod_through_a_plate_is_pierced_and_free_only_when_it_is_out(rod, plate):
    reach = _LENGTH / 2 + _RADIUS
    pierced, depth = measure(rod, plate, at(0.0, 0.0, 0.0), at(0.0, 0.0, reach - 0.02))
    assert pierced == [1, 1]
    # Out along z: the rod's far end must come past the plate, in steps of 2 mm, up to 1 mm of touch.
    assert depth[1] == pytest.approx(20.0 + 1.5, abs=2.5)
    assert depth[0] > 40.0


def test_a_tip_that_looks_out_on_the_other_side_is_pierced(rod, plate):
    reach = _LENGTH / 2 + _RADIUS
    through = at(0.0, 0.0, -reach + 0.5 * _WALL + 0.006)  # 6 mm of the tip beyond the plate
    pierced, depth = measure(rod, plate, through)
    assert pierced == [1]
    assert depth[0] == pytest.approx(6.0 + 3.0, abs=2.5)


def test_a_rod_that_touches_or_dents_the_plate_is_not(rod, plate):
    reach = _LENGTH / 2 + _RADIUS
    beside, on_end, on_side = at(0.12, 0.0, 0.0), at(0, 0, reach + 0.5 * _WALL - 0.001), at(0, 0, 0.008, lying=True)
    pierced, depth = measure(rod, plate, beside, on_end, on_side)
    assert pierced == [0, 0, 0]
    np.testing.assert_allclose(depth, [0.0, 1.0, 1.5], atol=0.3)


def test_a_rod_through_a_tube_and_one_inside_it(rod):
    tube = distance_to(trimesh.creation.annulus(r_min=0.02, r_max=0.02 + _WALL, height=0.1))
    across, inside, beside = at(0.0, 0.03, 0.0, lying=True), at(0.005, 0.0, 0.0), at(0.032, 0.0, 0.0)
    pierced, depth = measure(rod, tube, across, inside, beside)
    assert pierced == [1, 0, 0]
    assert depth[0] > 10.0
    np.testing.assert_allclose(depth[1:], 0.0, atol=0.1)


def test_a_rod_that_rests_in_a_bowl_is_not_pierced(rod):
    shapes = [
        trimesh.creation.icosphere(subdivisions=4, radius=0.063),
        trimesh.creation.icosphere(subdivisions=4, radius=0.060),
        trimesh.creation.box(bounds=[[-0.1, -0.1, 0.0], [0.1, 0.1, 0.1]]),
    ]
    bowl = distance_to(trimesh.boolean.difference(shapes, engine="manifold"))
    resting = at(0.0, 0.0, -0.060 + _LENGTH / 2 + _RADIUS)
    through_the_wall = at(0.055, 0.0, -0.02)
    pierced, depth = measure(rod, bowl, resting, through_the_wall)
    assert pierced == [0, 1]
    assert depth[0] < 0.5


def test_a_rod_stuck_in_a_solid_is_as_deep_as_it_is_in(rod):
    block = distance_to(trimesh.creation.box(bounds=[[-0.1, -0.1, -0.2], [0.1, 0.1, 0.0]]))
    reach = _LENGTH / 2 + _RADIUS
    pierced, depth = measure(rod, block, at(0.0, 0.0, reach - 0.004), at(0.0, 0.0, reach - 0.03))
    assert pierced == [0, 1]
    assert depth[0] == pytest.approx(4.0, abs=0.3)
    assert depth[1] == pytest.approx(30.0, abs=2.5)


def test_an_open_sheet_pierces_too(rod):
    sheet = trimesh.Trimesh([[-0.1, -0.1, 0], [0.1, -0.1, 0], [0.1, 0.1, 0], [-0.1, 0.1, 0]], [[0, 1, 2], [0, 2, 3]])
    pierced, _ = measure(rod, distance_to(sheet, closed=False), at(0.01, 0.003, 0.0), at(0.0, 0.0, 0.06))
    assert pierced == [1, 0]
