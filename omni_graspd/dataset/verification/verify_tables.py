# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Whether the rows of a dataset's tables make sense, and whether tables, hands and scenes agree."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from omni_graspd.dataset.grasp_numbers import rest_pose_of, rows_of
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.tables import GraspTable, SceneGraspTable, read_grasps, read_scene_grasps
from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand import Hand
from omni_graspd.metrics.columns import METRICS, faults
from omni_graspd.plain_text import shortened
from omni_graspd.scenes.rest_poses import same_table
from omni_graspd.scenes.scene_writer import OBJECT_PATH
from omni_graspd.synthesis.surroundings import table_under
from omni_graspd.usd.stage import open_stage
from omni_graspd.usd.transforms import compose, local_to_world, matrix_to_pose

_UNIT_TOLERANCE = 1e-6
# The limits are a soft loss: a joint may pass one by so much of its range, or by so much [rad or m].
_BEYOND_SHARE, _BEYOND = 0.15, 0.05
_POSE_TOLERANCE = 1e-5


def check_grasp_table(
    path: Path, hand: Hand, object_name: str, expected: np.ndarray | None, *, imported: bool = False
) -> tuple[GraspTable, list[str]]:
    """Check a table of base grasps.

    Args:
        path: The table.
        hand: The hand of the dataset.
        object_name: The object it should be about.
        expected: Numbers of the grasps that the run asks for, rising; None where that is not known.
        imported: The grasps come from elsewhere, where joints may have had other limits.

    Returns:
        The table, and what is wrong with it.

    Raises:
        GraspdError: If the table cannot be read.
    """
    table = read_grasps(path)
    problems = [*_header_problems(table, hand, object_name, expected), *_value_problems(table), *_way_problems(table)]
    return table, problems if imported else [*problems, *_limit_problems(table, hand)]


def _header_problems(table: GraspTable, hand: Hand, object_name: str, expected: np.ndarray | None) -> Iterator[str]:
    if (table.hand, table.object) != (hand.name, object_name):
        yield (
            f"expected grasps of {object_name} by {hand.name}, got grasps of {shortened(table.object)} by "
            f"{shortened(table.hand)}"
        )
    if table.joint_names != hand.joint_names:
        yield f"expected the joints {', '.join(hand.joint_names)}, got {shortened(', '.join(table.joint_names))}"
    numbers: np.ndarray = np.arange(len(table.indices)) if expected is None else expected
    if expected is None and table.rest_poses is not None:
        numbers = table.indices  # how many rest poses there are is not known
    if len(table.indices) != len(numbers):
        yield f"expected {len(numbers)} grasps, got {len(table.indices)}"
    elif not np.array_equal(table.indices, numbers):
        yield "grasps are not numbered without gaps from 0, or from a million times their rest pose"
    if table.rest_poses is not None and not np.array_equal(table.rest_poses, rest_pose_of(table.indices)):
        yield "the rest poses do not match the grasp numbers"
    if any(not status for status in table.grasps.status):
        yield "some rows have no status"


def _value_problems(table: GraspTable) -> Iterator[str]:
    ok = table.grasps.ok
    poses, joints = table.grasps.T_object_palm, table.grasps.joint_positions
    finite = np.isfinite(poses).all(axis=1) & np.isfinite(joints).all(axis=1)
    yield from _rows(ok & ~finite, "finite poses and joint positions where the status is ok")
    usable = ok & finite
    yield from _rows(usable & ~_unit(poses), "unit quaternions in T_object_palm")
    for name, metric in METRICS.items():
        values = table.metrics.get(name)
        if values is not None and metric.least is not None:
            yield from _rows(usable & ~(values >= metric.least), f"{name} of {metric.least:g} or more")
    for name in faults():
        values = table.metrics.get(name)
        if values is not None and table.grasps.way is not None:
            yield from _rows(table.grasps.usable & (values > 0), f"no {METRICS[name].label} where grasps are usable")


def _way_problems(table: GraspTable) -> Iterator[str]:
    way = table.grasps.way
    if way is None:
        return
    yield from _rows(way.usable & ~table.grasps.ok, "status ok where grasps are usable")
    yield from _rows(way.usable & ~_unit(way.T_object_hover_palm), "unit quaternions in T_object_hover_palm")
    for name in ("table_plane", "lift_direction"):
        lengths = np.linalg.norm(getattr(way, name)[:, :3], axis=1)
        yield from _rows(way.usable & ~(np.abs(lengths - 1.0) < _UNIT_TOLERANCE), f"unit vectors in {name}")
    for name in ("approach_clearance", "closing_clearance", "grasp_clearance", "squeeze_clearance"):
        yield from _rows(way.usable & ~(getattr(way, name) >= 0.0), f"{name} of 0 or more where grasps are usable")
    yield from _rows(way.tries < 1, "tries of 1 or more")


def _limit_problems(table: GraspTable, hand: Hand) -> Iterator[str]:
    joints = table.grasps.joint_positions
    if joints.shape[1] != hand.joint_count:
        return
    ok = table.grasps.ok & np.isfinite(joints).all(axis=1)
    slack = np.maximum(_BEYOND, _BEYOND_SHARE * (hand.joint_upper - hand.joint_lower))
    beyond = (joints < hand.joint_lower - slack) | (joints > hand.joint_upper + slack)
    yield from _rows(ok & beyond.any(axis=1), "joint positions near their limits")


def _unit(poses: np.ndarray) -> np.ndarray:
    return np.abs(np.linalg.norm(poses[:, 3:], axis=1) - 1.0) < _UNIT_TOLERANCE


def _rows(wrong: np.ndarray, expected: str) -> Iterator[str]:
    rows = np.flatnonzero(wrong)
    if len(rows):
        more = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
        yield f"expected {expected}, got something else in row {rows[0]}{more}"


def check_scene_table(
    path: Path, layout: DatasetLayout, object_name: str, base: dict[str, GraspTable]
) -> Iterator[str]:
    """Check a table of scene grasps against the base grasps and the scene.

    Args:
        path: The table.
        layout: Paths of the dataset.
        object_name: The object of the scene.
        base: Base grasps by hand, for the tables that are good.

    Yields:
        What is wrong with it.
    """
    try:
        table = read_scene_grasps(path)
    except GraspdError as error:
        yield str(error)
        return
    if table.object != object_name:
        yield f"expected grasps of {object_name}, got grasps of {shortened(table.object)}"
    scene = layout.scene(object_name, table.scene_index)
    try:
        stage = open_stage(scene)
    except GraspdError as error:
        yield str(error)
        return
    prim = stage.GetPrimAtPath(OBJECT_PATH)
    if not prim:
        yield f"there is no object at {OBJECT_PATH} in {scene.name}"
        return
    T_world_object = matrix_to_pose(local_to_world(prim))
    for hand, grasps in base.items():
        yield from _placing_problems(table, hand, grasps.of_rest_pose(table.rest_pose or 0), T_world_object)
    unknown = sorted(set(table.hands) - set(base))
    if unknown and base:
        yield f"expected hands among {', '.join(base)}, got {shortened(', '.join(unknown))}"


def _placing_problems(table: SceneGraspTable, hand: str, base: GraspTable, T_world_object: np.ndarray) -> Iterator[str]:
    """Compare the scene grasps of a hand with the base grasps that belong to the scene."""
    rows = np.flatnonzero(np.array(table.hands, dtype=object) == hand)
    if not np.array_equal(np.sort(table.grasp_indices[rows]), base.indices):
        yield f"expected each of the {len(base.indices)} base grasps by {hand} once, got {len(rows)} rows"
        return
    base_rows = rows_of(base.indices, table.grasp_indices[rows])
    ok = np.array([table.status[row] == "ok" for row in rows], dtype=bool)
    own, found = base.grasps.T_object_palm[base_rows][ok], table.grasps.T_world_palm[rows][ok]
    placed, finite = np.full_like(own, np.nan), np.isfinite(own).all(axis=1)
    placed[finite] = compose(T_world_object, own[finite])
    near = np.linalg.norm(placed[:, :3] - found[:, :3], axis=1) <= _POSE_TOLERANCE
    near &= np.abs((placed[:, 3:] * found[:, 3:]).sum(axis=1)) >= 1.0 - _POSE_TOLERANCE
    yield from _rows(~near, f"the base grasps by {hand} carried along with the object")
    way, top = base.grasps.way, table_under(T_world_object).plane
    if way is None or top is None or table.grasps.usable is None:
        return
    known = np.isfinite(way.table_plane).all(axis=1)
    yield from _rows(known & ~same_table(way.table_plane, top), f"grasps by {hand} made for how the object lies here")
    promised = table.grasps.usable[rows] & ~base.grasps.usable[base_rows]
    yield from _rows(promised, f"usable base grasps by {hand} where the scene says usable")
