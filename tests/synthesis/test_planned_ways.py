# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Ways of a gripper made of boxes to a block on a table, in closed form, and each reason why there is none."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import trimesh
from box_hands import box_mesh, gripper

from omni_graspd.errors import GraspdError
from omni_graspd.geometry.signed_distance import SignedDistance, SignedDistanceConfig
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.surface_points import HandPoints, sample_surface_points
from omni_graspd.synthesis.clearance import HandClearance
from omni_graspd.synthesis.models import SurroundingsModel
from omni_graspd.synthesis.surroundings import Surroundings
from omni_graspd.synthesis.way import NO_WAY, PlannedWays, WayConfig, plan_ways
from omni_graspd.usd.meshes import TriangleMesh

_TABLE = np.array([0.0, 0.0, 1.0, 0.0])
_BLOCK = box_mesh((0.03, 0.02, 0.025), (0.0, 0.0, 0.025))
# Jaws that touch the block, and how far their tips are before the palm's frame [m].
_CLOSED, _TIPS = np.array([0.02, 0.02]), 0.095
_DOWN, _ALONG_X = np.array([1.0, 0.0, 0.0, 0.0]), np.array([0.0, np.sqrt(0.5), 0.0, np.sqrt(0.5)])


@functools.cache
def hand_and_points() -> tuple[Hand, HandPoints]:
    hand = gripper()
    return hand, sample_surface_points(hand, 1000)


def way_to(mesh: TriangleMesh, pose: np.ndarray, *obstacles: TriangleMesh, **options: float) -> PlannedWays:
    """Plan the way to one grasp of an object that stands on the table."""
    hand, points = hand_and_points()
    around = SurroundingsModel(Surroundings(_TABLE, obstacles))
    exact = SignedDistanceConfig(phong_alpha=0.0)
    distance = SignedDistance.build(mesh, closed=True, device="cpu", config=exact)
    clearance = HandClearance(hand, points, distance, _TABLE, around.obstacles)
    return plan_ways(clearance, pose[None], _CLOSED[None], WayConfig(**options))


def from_above(height: float) -> np.ndarray:
    """Palm pose over the block with the tips at a height over the table."""
    return np.array([0.0, 0.0, height + _TIPS, *_DOWN])


@pytest.mark.parametrize(
    ("height", "options", "raised"),
    [
        # Drawn back by 1 cm, which is up.
        (0.01, {}, 0.01),
        (0.0, {}, 0.01),
        (0.01, {"back": 0.0}, 0.0),
        # On the second half of the way 2 keep (1 - s) are kept, so that hover is 2 keep over a grasp on the table.
        (0.0, {"back": 0.0}, 0.005),
        # The most is lacking half way, where keep - height are made up for by half of it.
        (0.001, {"back": 0.0}, 2.0 * (0.0025 - 0.001)),
        (0.001, {"back": 0.0, "keep": 0.004}, 2.0 * (0.004 - 0.001)),
    ],
)
def test_hover_is_as_high_as_the_closing_hand_needs(height, options, raised):
    ways = way_to(_BLOCK, from_above(height), **options)
    assert ways.fault[0] == 0
    np.testing.assert_allclose(ways.T_object_hover_palm[0, :2], 0.0, atol=1e-9)
    assert ways.T_object_hover_palm[0, 2] == pytest.approx(height + _TIPS + raised, abs=1e-7)


def test_the_jaws_open_about_as_far_as_they_should():
    opened = way_to(_BLOCK, from_above(0.01)).opened[0]
    np.testing.assert_allclose(opened, _CLOSED + 0.02, atol=0.004)
    assert (way_to(_BLOCK, from_above(0.01), opening=0.01).opened[0] < opened - 0.005).all()


def test_the_pregrasp_is_the_first_clear_pose_on_the_way_back():
    ways = way_to(_BLOCK, from_above(0.01))
    # Straight up against the approach direction; 2 cm is the first distance that is tried.
    np.testing.assert_allclose(ways.T_object_pregrasp_palm[0, :3], [0.0, 0.0, 0.01 + _TIPS + 0.01 + 0.02], atol=1e-9)
    # Beside the jaws there are 2 cm, below the palm more.
    assert ways.pregrasp_clearance[0] == pytest.approx(0.02, abs=0.004)
    wide = way_to(_BLOCK, from_above(0.01), clearance=0.016, opening=0.012)
    # Jaws 1.2 cm beside the block have to go past its top, 4 cm over the tips.
    assert wide.T_object_pregrasp_palm[0, 2] - wide.T_object_hover_palm[0, 2] > 0.02
    assert wide.fault[0] == 0


@pytest.mark.parametrize("name", ["clearance", "open_clearance"])
def test_a_distance_that_is_not_measured_is_refused(name):
    with pytest.raises(GraspdError, match=f"synthesis.way.{name}"):
        WayConfig(**{name: 0.02})


def test_clearances_while_closing_are_those_over_the_table():
    """The least is that of the last moment before the grasp: 1/8 of the way from it."""
    assert way_to(_BLOCK, from_above(0.002)).closing_clearance[0] == pytest.approx(0.002 + 0.01 / 8.0, abs=1e-7)
    raised = way_to(_BLOCK, from_above(0.001), back=0.0)
    assert raised.closing_clearance[0] == pytest.approx(0.001 + 0.003 / 8.0, abs=1e-7)


def fault_of(ways: PlannedWays) -> str:
    return NO_WAY[ways.fault[0]]


def test_walls_beside_the_jaws_leave_no_room_to_open():
    walls = [box_mesh((0.2, 0.01, 0.2), (0.0, side * 0.046, 0.2)) for side in (-1.0, 1.0)]
    # 4 mm beyond the jaws.
    assert fault_of(way_to(_BLOCK, from_above(0.01), *walls)) == "no room for the open hand"
    apart = [box_mesh((0.2, 0.01, 0.2), (0.0, side * 0.1, 0.2)) for side in (-1.0, 1.0)]
    assert fault_of(way_to(_BLOCK, from_above(0.01), *apart)) == ""


def test_under_a_ceiling_there_is_no_way_out():
    palm_top = 0.01 + _TIPS + 0.015
    low, high = (box_mesh((0.3, 0.3, 0.01), (0.0, 0.0, palm_top + room + 0.01)) for room in (0.018, 0.06))
    assert fault_of(way_to(_BLOCK, from_above(0.01), low)) == "no way out for the open hand"
    assert fault_of(way_to(_BLOCK, from_above(0.01), high)) == ""


def test_a_rim_is_in_the_way_of_jaws_that_close_while_they_descend():
    """Jaws 2 cm high reach under a rim from the side: open beside it, closed with 1 mm of room below it."""
    stem, rim = trimesh.creation.box((0.05, 0.04, 0.06)), trimesh.creation.box((0.05, 0.074, 0.03))
    stem.apply_translation((0.0, 0.0, 0.03))
    rim.apply_translation((0.0, 0.0, 0.032 + 0.015))
    union = trimesh.boolean.union([stem, rim], engine="manifold")
    mesh = TriangleMesh(np.array(union.vertices), union.faces.astype(np.int32))
    # The palm, 4 cm high, is 1 mm over the table.
    pose = np.array([-_TIPS, 0.0, 0.001 + 0.02, *_ALONG_X])
    assert fault_of(way_to(mesh, pose)) == ""
    # Farther over the table than there is room under the rim.
    assert fault_of(way_to(mesh, pose, keep=0.02)) == "the closing hand hits the object"
