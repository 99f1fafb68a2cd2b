# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Rest poses share grasps where the table is at the same place under the object, to less than half a millimetre."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from omni_graspd.objects.object_library import load_object
from omni_graspd.scenes.drop import DropConfig, drop_objects
from omni_graspd.scenes.rest_poses import SAME_TABLE_ANGLE, SAME_TABLE_OFFSET, same_table, same_table_groups
from omni_graspd.standalone.simulate import simulate
from omni_graspd.synthesis.surroundings import table_under
from omni_graspd.usd.transforms import compose

_REST = np.array([0.02, -0.01, 0.05, *Rotation.from_euler("xyz", (0.3, 0.7, -1.1)).as_quat()])


def _plane(T_world_object: np.ndarray) -> np.ndarray:
    plane = table_under(T_world_object).plane
    assert plane is not None
    return plane


def _tilted(plane: np.ndarray, angle: float) -> np.ndarray:
    """Return a plane whose normal is turned by an angle about a line through the object's origin."""
    axis = np.cross(plane[:3], [0.0, 0.0, 1.0])
    turned = Rotation.from_rotvec(angle * axis / np.linalg.norm(axis)).apply(plane[:3])
    return np.append(turned, plane[3])


def test_place_and_turn_on_the_table_make_no_difference() -> None:
    random = np.random.default_rng(2)
    for _ in range(50):
        turn = Rotation.from_euler("z", random.uniform(-np.pi, np.pi)).as_quat()
        moved = compose(np.array([*random.uniform(-1.0, 1.0, 2), 0.0, *turn]), _REST)
        np.testing.assert_allclose(_plane(moved), _plane(_REST), atol=1e-14)


@pytest.mark.parametrize(("angle", "offset", "same"), [
    (0.99 * SAME_TABLE_ANGLE, 0.0, True),
    (1.01 * SAME_TABLE_ANGLE, 0.0, False),
    (np.pi, 0.0, False),
    (0.0, 0.99 * SAME_TABLE_OFFSET, True),
    (0.0, -1.01 * SAME_TABLE_OFFSET, False),
])  # fmt: skip
def test_tables_are_the_same_up_to_the_tolerances(angle: float, offset: float, same: bool) -> None:
    plane = _plane(_REST)
    other = np.add(_tilted(plane, angle), [0.0, 0.0, 0.0, offset])
    assert same_table(other[None], plane).tolist() == [same]


def test_clearance_of_a_grasp_stays_true_within_half_a_millimetre() -> None:
    random = np.random.default_rng(3)
    points = random.normal(size=(10_000, 3))
    points *= 0.25 * random.uniform(size=(10_000, 1)) / np.linalg.norm(points, axis=1, keepdims=True)
    plane = _plane(_REST)
    other = np.add(_tilted(plane, SAME_TABLE_ANGLE), [0.0, 0.0, 0.0, SAME_TABLE_OFFSET])
    heights = [points @ normal[:3] - normal[3] for normal in (plane, other)]
    assert 4e-4 < np.abs(heights[1] - heights[0]).max() < 5e-4


def test_numbers_go_by_first_come_and_do_not_change_with_what_follows() -> None:
    random = np.random.default_rng(4)
    turns = Rotation.random(5, random_state=random).as_quat()
    kinds = np.array([_plane(np.array([0.0, 0.0, 0.05, *turn])) for turn in turns])
    drawn = random.integers(5, size=60)
    planes = np.array([_tilted(kinds[kind], random.uniform(0.0, 0.4 * SAME_TABLE_ANGLE)) for kind in drawn])
    labels = same_table_groups(planes)
    names = {kind: number for number, kind in enumerate(dict.fromkeys(drawn.tolist()))}
    assert labels.tolist() == [names[kind] for kind in drawn]
    for count in range(60):
        np.testing.assert_array_equal(same_table_groups(planes[:count]), labels[:count])


def test_the_first_one_stands_for_its_group_so_that_groups_do_not_creep() -> None:
    plane = _plane(_REST)
    planes = np.array([_tilted(plane, share * SAME_TABLE_ANGLE) for share in (0.0, 0.8, 1.6, 2.4)])
    assert same_table_groups(planes).tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("name", ["wood_block", "screwdriver"])
def test_drops_that_end_on_the_same_face_are_equal_to_rounding(name: str) -> None:
    drops = asyncio.run(drop_objects(load_object(name), range(20), DropConfig(), 0, simulate))
    planes = np.array([_plane(drop.T_world_object) for drop in drops])
    labels = same_table_groups(planes)
    assert 1 < labels.max() + 1 < 10
    for label in range(labels.max() + 1):
        group = planes[labels == label]
        np.testing.assert_allclose(group, np.tile(group[0], (len(group), 1)), atol=1e-12)
