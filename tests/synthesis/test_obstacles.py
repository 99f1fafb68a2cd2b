# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grasps beside a wall, with a table and without: the hand stays out of it all the way."""

from __future__ import annotations

import numpy as np
import pytest
from box_hands import box_mesh
from table_bench import find, posed_vertices, table, way_of

from omni_graspd.objects.object_library import load_object
from omni_graspd.synthesis.surroundings import Surroundings
from omni_graspd.usd.transforms import pose_to_matrix

# The can's radius is 3.3 cm: the wall begins 3 cm beside it.
_HALF, _CENTER = np.array([0.05, 0.3, 0.15]), np.array([0.0632 + 0.05, 0.0, 0.15])
_WALL = box_mesh(_HALF, _CENTER)
_UP = np.array([0.0, 0.0, 1.0])


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def can():
    return load_object("soup_can")


@pytest.fixture(
    scope="module",
    params=["table", *(pytest.param(name, marks=pytest.mark.slow) for name in ("no table", "no table but up"))],
)
def beside_wall(request, hand, can):
    around = {
        "table": table(can, obstacles=(_WALL,)),
        "no table": Surroundings(obstacles=(_WALL,)),
        "no table but up": Surroundings(obstacles=(_WALL,), up=_UP),
    }[request.param]
    return around, find(hand, can, range(12), around)


def from_wall(points: np.ndarray) -> np.ndarray:
    """Signed distance of points from the wall [m]."""
    beyond = np.abs(points - _CENTER) - _HALF
    return np.linalg.norm(np.maximum(beyond, 0.0), axis=-1) + np.minimum(beyond.max(axis=-1), 0.0)


def test_no_usable_grasp_touches_the_wall_on_its_way(hand, beside_wall):
    _, batch = beside_wall
    assert batch.usable.sum() >= 3
    for row in np.flatnonzero(batch.usable):
        for stage, pose, joints in way_of(batch, row):
            assert from_wall(posed_vertices(hand, pose, joints)).min() >= 0.0, (row, stage)


def test_the_wall_is_where_hands_would_be_without_it(hand, can):
    free = find(hand, can, range(12), table(can))
    inside = [
        min(from_wall(posed_vertices(hand, pose, joints)).min() for _, pose, joints in way_of(free, row)) < 0.0
        for row in np.flatnonzero(free.usable)
    ]
    assert sum(inside) >= 3


def test_the_grasp_clearance_has_the_sign_that_all_vertices_have(hand, beside_wall):
    around, batch = beside_wall
    assert np.isfinite(batch.way.lift_clearance).all()
    for row in range(len(batch.status)):
        vertices = posed_vertices(hand, batch.T_object_palm[row], batch.joint_positions[row])
        gap = from_wall(vertices).min()
        if around.plane is not None:
            gap = min(gap, vertices[:, 2].min())
        assert (batch.way.grasp_clearance[row] < 0.0) == (gap < 0.0), row


def test_the_lift_is_against_gravity_or_the_way_the_hand_came(hand, beside_wall):
    around, batch = beside_wall
    if around.plane is not None or around.up is not None:
        expected = np.tile(_UP, (len(batch.status), 1))
    else:
        expected = -pose_to_matrix(batch.T_object_palm)[:, :3, :3] @ hand.approach_direction
    np.testing.assert_allclose(batch.way.lift_direction, expected, atol=1e-9)
    assert np.isnan(batch.way.table_plane).all() == (around.plane is None)


def test_under_a_lid_there_is_no_room_to_lift(hand, can):
    """A wide lid 10 cm over the can."""
    lid = box_mesh((0.25, 0.25, 0.005), (0.0, 0.0, 0.2))
    batch = find(hand, can, range(12), table(can, obstacles=(lid,)), tries=1)
    assert not batch.usable.any()
    assert "no room to lift" in batch.status
    # Hands from above hit it on their way out.
    assert "no way out for the open hand" in batch.status
