# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The benchmark's independent check of a way, where every distance is known."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation

from omni_graspd.hands.hand import Hand, Link
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.kinematics import link_matrices
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.synthesis.grasp import GraspBatch, Postures, Way
from omni_graspd.usd.materials import Appearance
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import IDENTITY, compose, invert, matrix_to_pose, pose_to_matrix, transform_points

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))
import table_check

_HEIGHT = 0.06
# The object's frame is turned against the world, to make errors show.
_REST = np.array([0.3, -0.2, 0.1, *Rotation.from_euler("xyz", [0.5, 1.2, -0.4]).as_quat()])
_LEVEL = np.array([0.0, 0.0, 0.0, 1.0])


def _box(size, center=(0.0, 0.0, 0.0)) -> TriangleMesh:
    box = trimesh.creation.box(size, trimesh.transformations.translation_matrix(center))
    return TriangleMesh(np.array(box.vertices), np.array(box.faces, dtype=np.int32))


def _hand(size=(0.02, 0.02, 0.02)) -> Hand:
    """A single link, and no joints."""
    palm = Link("palm", "/none", -1, -1, "root", np.zeros(3), IDENTITY, IDENTITY, _box(size), 0.3)
    return Hand(
        name="box",
        source=Path("box.usda"),
        links=(palm,),
        joint_names=(),
        joint_lower=np.zeros(0),
        joint_upper=np.zeros(0),
        actuated=np.zeros(0, dtype=int),
        coupling=np.zeros((0, 0)),
        coupling_offset=np.zeros(0),
        approach_direction=np.array([0.0, 0.0, -1.0]),
        approach_point=np.zeros(3),
        open_positions=np.zeros(0),
    )


def _block(size=(0.04, 0.04, _HEIGHT)) -> RigidObject:
    """A block that stands on the table over the world's origin."""
    upright = _box(size, (0.0, 0.0, size[2] / 2))
    mesh = TriangleMesh(transform_points(invert(_REST), upright.vertices), upright.faces)
    return RigidObject("block", Path("block.obj"), mesh, mesh, Appearance(), True, 1.0, np.zeros(3), np.eye(3), "block")


def _batch(pregrasp, hover, grasp, turn=_LEVEL) -> GraspBatch:
    """One grasp by the places of the palm in the world; the palm does not turn."""

    def palm(place) -> np.ndarray:
        return compose(invert(_REST), np.array([*place, *turn]))[None]

    zeros, up = np.zeros(1), pose_to_matrix(_REST)[2, :3][None]
    way = Way(np.full((1, 4), np.nan), palm(hover), up, *[zeros] * 5, np.array([True]), np.ones(1, np.int32), ("",))
    postures = Postures(palm(pregrasp), np.zeros((1, 0)), zeros, np.zeros((1, 0)))
    return GraspBatch(palm(grasp), np.zeros((1, 0)), {}, ("ok",), postures, way=way)


def _faults(batch: GraspBatch, hand: Hand | None = None, obj: RigidObject | None = None) -> list[str]:
    return table_check.WayCheck(hand or _hand(), obj or _block()).faults(_REST, batch, 0)


def test_a_clear_way_passes_and_the_closed_hand_may_touch_the_object():
    assert _faults(_batch([0, 0, 0.10], [0, 0, 0.0701], [0, 0, 0.06])) == []


@pytest.mark.parametrize("gap, faults", [(0.0096, []), (0.0094, ["palm 9.40 mm from the object at the pregrasp"])])
def test_the_pregrasp_keeps_its_distance(gap: float, faults: list[str]):
    height = _HEIGHT + 0.01 + gap
    assert _faults(_batch([0.1, 0, height], [0.1, 0, height], [0.1, 0, height])) == []
    assert _faults(_batch([0, 0, height], [0, 0, height], [0, 0, height])) == faults


def test_distances_between_edges_count():
    """An upper edge of the block lies along y; the nearest edge of the hand crosses it at right angles, 9 mm away."""
    outward = np.array([1.0, 0.0, 1.0]) / np.sqrt(2.0)
    along_block = np.array([0.0, 1.0, 0.0])
    # The hand's x and y are at 45 degrees to ``outward``, so that an edge along its z looks at the block.
    x, y = (outward + along_block) / np.sqrt(2.0), (outward - along_block) / np.sqrt(2.0)
    turn = Rotation.from_matrix(np.stack([x, y, np.cross(x, y)], axis=1))
    middle = np.array([0.02, 0.0, _HEIGHT]) + (0.009 + 0.01 * np.sqrt(2.0)) * outward
    (fault,) = _faults(_batch(middle, middle, middle, turn.as_quat()))
    assert fault.endswith("from the object at the pregrasp")
    assert float(fault.split()[1]) == pytest.approx(9.0, abs=0.15)


def test_the_depth_below_the_table_is_that_of_the_lowest_vertex():
    faults = _faults(_batch([0.1, 0, 0.05], [0.1, 0, 0.02], [0.1, 0, 0.0075]))
    assert faults[-1] == "palm 2.500 mm below the table at squeeze"
    # From hover the palm sinks by 12.5 mm, of which the last fifth is too much.
    assert faults[:-1] == [
        f"palm {depth:.3f} mm below the table at closing {share:.2f}"
        for share in np.arange(1, 8) / 7
        if (depth := 12.5 * share - 10.0) > 0.0
    ]


@pytest.mark.parametrize(
    "hand, block, place",
    [
        ((0.01, 0.01, 0.01), (0.04, 0.04, 0.06), 0.03),  # inside the object
        ((0.2, 0.2, 0.2), (0.04, 0.04, 0.06), 0.11),  # around the object
        ((0.2, 0.01, 0.01), (0.04, 0.04, 0.06), 0.03),  # only the hand's edges cross it
        ((0.04, 0.04, 0.01), (0.01, 0.01, 0.06), 0.03),  # only the object's edges cross it
    ],
    ids=["inside", "around", "bar", "pole"],
)
def test_the_open_hand_may_not_touch_the_object(hand, block, place: float):
    faults = _faults(_batch([0, 0, 0.3], [0, 0, place], [0, 0, place]), _hand(hand), _block(block))
    assert "palm touches the object at approach 1.00" in faults
    assert not any("approach 0.00" in fault for fault in faults)


def test_a_hand_that_passes_through_is_seen_between_clear_ends():
    faults = _faults(_batch([-0.1, 0, 0.03], [0.1, 0, 0.03], [0.1, 0, 0.03]))
    # The boxes are 3 cm from middle to middle when they touch, of 20 cm from end to end.
    assert faults == [
        f"palm touches the object at approach {share:.2f}"
        for share in table_check.APPROACH
        if abs(0.2 * share - 0.1) < 0.03
    ]


@pytest.mark.parametrize("name", ["allegro", "shadow", "barrett"])
def test_links_are_where_the_library_has_them(name: str):
    hand = load_hand(name)
    random = np.random.default_rng(3)
    joints = hand.joint_positions(random.uniform(-0.5, 1.0, hand.actuated_count))
    found = table_check.link_matrices(hand, pose_to_matrix(_REST), joints)
    assert np.allclose(found, link_matrices(hand, _REST, joints), atol=1e-12)
    assert np.allclose(matrix_to_pose(found[0]), _REST, atol=1e-12)


def test_winding_numbers_of_a_box():
    box = trimesh.creation.box((2.0, 2.0, 2.0))
    points = np.array([[0.0, 0.0, 0.0], [0.9, -0.9, 0.9], [1.1, 0.0, 0.0], [5.0, 5.0, 5.0]])
    assert np.allclose(table_check.winding_numbers(box.triangles, points), [1.0, 1.0, 0.0, 0.0], atol=1e-12)
    # Without its lid a box covers five of six equal solid angles about its middle.
    open_box = box.triangles[box.face_normals[:, 2] < 0.5]
    assert table_check.winding_numbers(open_box, points[:1])[0] == pytest.approx(5.0 / 6.0)
