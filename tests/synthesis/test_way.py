# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The whole way of real grasps from a table, gone pose by pose and measured on all vertices of the hand."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from table_bench import find, posed_vertices, table, way_of

from omni_graspd.hands.hand_library import load_hand
from omni_graspd.objects.object_library import load_object

# Points on the hand, 1 cm apart, miss what stands out between them.
_SAMPLING = 0.004
_NEAR = 0.012
_LYING = (0.0, np.sqrt(0.5), 0.0, np.sqrt(0.5))


@pytest.fixture(scope="module", params=[("allegro", (0.0, 0.0, 0.0, 1.0)), ("barrett", _LYING)], ids=["up", "lying"])
def grasped(request):
    """A hand, the soup can, what it rests on, and its grasps."""
    hand, can = load_hand(request.param[0]), load_object("soup_can")
    around = table(can, request.param[1])
    return hand, can, around, find(hand, can, range(12), around)


def gap_between(can, vertices: np.ndarray, within: float = _NEAR) -> float:
    """How far the vertices are from the can [m], negative inside, at most ``within``."""
    surface = trimesh.Trimesh(can.mesh.vertices, can.mesh.faces, process=False)
    lower, upper = surface.bounds
    near = vertices[((vertices > lower - within) & (vertices < upper + within)).all(axis=1)]
    return min(within, -trimesh.proximity.signed_distance(surface, near).max()) if len(near) else within


def test_most_grasps_are_usable(grasped):
    assert grasped[3].usable.mean() >= 0.5


def test_the_hand_is_over_the_table_all_the_way(grasped):
    hand, _, around, batch = grasped
    for row in np.flatnonzero(batch.usable):
        moments = list(way_of(batch, row))
        assert len(moments) >= 12
        for stage, pose, joints in moments:
            heights = posed_vertices(hand, pose, joints) @ around.plane[:3] - around.plane[3]
            assert heights.min() >= 0.0, (row, stage)


def test_reported_clearances_from_the_table_are_those_of_the_lowest_vertex(grasped):
    hand, _, around, batch = grasped
    for row in range(len(batch.status)):
        for value, joints in (
            (batch.way.grasp_clearance[row], batch.joint_positions[row]),
            (batch.way.squeeze_clearance[row], batch.postures.squeeze_joint_positions[row]),
        ):
            heights = posed_vertices(hand, batch.T_object_palm[row], joints) @ around.plane[:3] - around.plane[3]
            assert value == pytest.approx(heights.min(), abs=1e-7)


def test_the_pregrasp_keeps_its_distance_from_can_and_table(grasped):
    hand, can, around, batch = grasped
    for row in np.flatnonzero(batch.usable):
        _, pose, joints = next(way_of(batch, row))
        vertices = posed_vertices(hand, pose, joints)
        assert (vertices @ around.plane[:3]).min() - around.plane[3] >= 0.01 - 1e-9
        assert gap_between(can, vertices) >= 0.01 - _SAMPLING
        assert batch.postures.pregrasp_clearance[row] >= 0.01


@pytest.mark.slow
def test_the_open_hand_does_not_touch_the_can_on_its_approach(grasped):
    hand, can, _, batch = grasped
    for row in np.flatnonzero(batch.usable):
        gaps = [
            gap_between(can, posed_vertices(hand, pose, joints))
            for stage, pose, joints in way_of(batch, row)
            if stage == "approach"
        ]
        assert min(gaps) > 0.0, row


def test_the_closing_hand_does_not_plough_into_the_can(grasped):
    hand, can, _, batch = grasped
    for row in np.flatnonzero(batch.usable)[:5]:
        closing = [moment for moment in way_of(batch, row) if moment.stage == "closing"][1::3]
        gaps = [gap_between(can, posed_vertices(hand, pose, joints), 0.0) for _, pose, joints in closing]
        # 2 mm of dent, and what the points miss.
        assert min(gaps) >= gaps[-1] - 0.002 - _SAMPLING, row


def test_hover_is_over_the_grasp_and_the_pregrasp_before_it(grasped):
    _, _, around, batch = grasped
    up = around.plane[:3]
    good = batch.usable
    hover, pregrasp = batch.way.T_object_hover_palm[good], batch.postures.T_object_pregrasp_palm[good]
    raised = hover[:, :3] - batch.T_object_palm[good, :3]
    assert (raised @ up > 0.0).all()
    assert (np.linalg.norm(raised, axis=1) < 0.08).all()
    retreat = np.linalg.norm(pregrasp[:, :3] - hover[:, :3], axis=1)
    assert ((retreat > 0.01) & (retreat < 0.21)).all()
    assert ((pregrasp[:, :3] - hover[:, :3]) @ up > -1e-3).all()
    # The palm does not turn on the way.
    for poses in (hover, pregrasp):
        np.testing.assert_array_equal(poses[:, 3:], batch.T_object_palm[good, 3:])


def test_joints_on_the_way_obey_couplings_and_limits(grasped):
    hand, _, _, batch = grasped
    opened = batch.postures.pregrasp_joint_positions
    for joints in (opened, batch.joint_positions, batch.postures.squeeze_joint_positions):
        np.testing.assert_allclose(joints, hand.joint_positions(joints[:, hand.actuated]), atol=1e-9)
    for joints in (opened, batch.joint_positions):
        driven = joints[:, hand.actuated]
        assert (driven >= hand.joint_lower[hand.actuated] - 1e-6).all()
        assert (driven <= hand.joint_upper[hand.actuated] + 1e-6).all()


def test_a_usable_grasp_says_so_everywhere(grasped):
    _, _, around, batch = grasped
    way = batch.way
    np.testing.assert_array_equal(way.usable, [status == "ok" for status in batch.status])
    np.testing.assert_array_equal(batch.usable, way.usable)
    for name in ("grasp_clearance", "squeeze_clearance", "closing_clearance", "approach_clearance"):
        assert (getattr(way, name)[way.usable] >= 0.0).all(), name
    assert np.isnan(way.lift_clearance).all()  # nothing but the table stands around
    assert (batch.losses["imbalance"][way.usable] <= 0.02).all()
    np.testing.assert_array_equal(way.table_plane, np.tile(around.plane, (len(batch.status), 1)))
    np.testing.assert_array_equal(way.lift_direction, np.tile(around.plane[:3], (len(batch.status), 1)))


def test_every_try_but_the_one_that_is_kept_has_a_reason(grasped):
    way = grasped[3].way
    assert (way.tries >= 1).all() and (way.tries <= 2).all()
    for tries, reasons in zip(way.tries, way.rejected, strict=True):
        found = reasons.split("; ") if reasons else []
        assert len(found) == tries - 1
        assert "ok" not in found
    # A grasp is given up only after all tries.
    assert (way.tries[~way.usable] == 2).all()
