# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What reach tables say of base grasps, for conditions: in what share of its scenes an arm reaches each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.table_gate import open_table
from omni_graspd.dataset.table_kinds import REACH
from omni_graspd.errors import GraspdError

REACHABLE = "reachable"
"""Column of a dataset with one arm; with several they are ``reachable_ARM``, which is there in any case."""
ARM_LIFTED = "arm_lifted"
"""Likewise, where the whole robot was tried."""
_USABLE = "usable"


def reach_columns(layout: DatasetLayout, hand: str, object_name: str, indices: np.ndarray) -> dict[str, np.ndarray]:
    """Return in what share of the scenes in which a grasp is usable each arm reaches it, and lifts the object.

    Args:
        layout: Paths of the dataset.
        hand: Name of the hand.
        object_name: Name of the object.
        indices: Numbers of the grasps, shape [grasp_count].

    Returns:
        ``reachable_ARM`` by arm, ``arm_lifted_ARM`` where the robot was tried, and without ``_ARM`` where there is only
        one arm, shape [grasp_count]; 0 for grasps that are usable nowhere. Empty where there is no reach table.

    Raises:
        GraspdError: If a table is damaged.
    """
    paths = {arm: layout.reach(arm, object_name, 0).parent.glob("scene_*.parquet") for arm in layout.arms()}
    found = {arm: [_rows(path, hand, indices) for path in sorted(files)] for arm, files in paths.items()}
    columns = _named(REACHABLE, {arm: np.zeros(len(indices)) for arm in found}, len(found))
    for name in (REACHABLE, ARM_LIFTED):
        told = {arm: [scene for scene in scenes if name in scene] for arm, scenes in found.items()}
        columns |= _named(name, {arm: _share(scenes, name) for arm, scenes in told.items() if scenes}, len(found))
    return columns


def scene_reach_columns(
    layout: DatasetLayout, hand: str, object_name: str, scene_index: int, indices: np.ndarray
) -> dict[str, np.ndarray]:
    """Return whether each arm reaches grasps in a scene, and lifts; names as in :func:`reach_columns`, bool."""
    paths = {arm: layout.reach(arm, object_name, scene_index) for arm in layout.arms()}
    found = {arm: _rows(path, hand, indices) for arm, path in paths.items() if path.is_file()}
    columns = {}
    for name in (REACHABLE, ARM_LIFTED):
        columns |= _named(name, {arm: values[name] for arm, values in found.items() if name in values}, len(paths))
    return columns


def reach_file(layout: DatasetLayout, arm: str, object_name: str, scene_index: int) -> Path:
    """Return the reach table of a scene.

    Raises:
        GraspdError: If there is none, as of scenes that were added since.
    """
    path = layout.reach(arm, object_name, scene_index)
    if not path.is_file():
        raise GraspdError(f"{path} is missing; run `graspd reach {layout.root} --arm {arm}`")
    return path


def scene_arm_columns(
    layout: DatasetLayout,
    arm: str,
    hand: str,
    object_name: str,
    scene_index: int,
    indices: np.ndarray,
    usable: np.ndarray,
) -> dict[str, np.ndarray]:
    """Return ``reachable``, bool, [grasp_count], and ``arm_positions`` [rad or m] of grasps in a scene.

    The latter have shape [grasp_count, station_count, joint_count], NaN where the arm does not reach the grasp.

    Args:
        layout: Paths of the dataset.
        arm: Name of the arm.
        hand: Name of the hand.
        object_name: Name of the object.
        scene_index: Number of the scene.
        indices: Numbers of the grasps, shape [grasp_count].
        usable: Which of them are usable, shape [grasp_count], bool; others are in no reach table, and not reachable.

    Raises:
        GraspdError: If the table is missing or damaged, or was made before some of the usable grasps.
    """
    from omni_graspd.dataset.reach.reach_table import read_reach  # it knows arms, which need USD

    path = reach_file(layout, arm, object_name, scene_index)
    table = read_reach(path)
    unknown = indices[usable & ~np.isin(indices, table.grasp_indices[table.of_hand(hand)])]
    if len(unknown):
        raise GraspdError(
            f"expected all usable grasps by {hand} in {path}, got none of number {unknown[0]}; "
            f"run `graspd reach {layout.root} --arm {arm}` again"
        )
    rows = {int(table.grasp_indices[row]): row for row in table.of_hand(hand) if table.reach.reachable[row]}
    positions = np.full((len(indices), *table.reach.arm_positions.shape[1:]), np.nan)
    found = [(place, rows[number]) for place, number in enumerate(indices.tolist()) if number in rows]
    for place, row in found:
        positions[place] = table.reach.arm_positions[row]
    return {REACHABLE: np.isin(indices, list(rows)), "arm_positions": positions}


def _named(name: str, values: dict[str, np.ndarray], arm_count: int) -> dict[str, np.ndarray]:
    """Return a column for each arm, and one without its name where the dataset has no other."""
    columns = {f"{name}_{arm}": each for arm, each in values.items()}
    return columns | ({name: next(iter(values.values()))} if len(values) == arm_count == 1 else {})


def _share(scenes: Sequence[dict[str, np.ndarray]], name: str) -> np.ndarray:
    """Return in what share of the scenes in which they are usable grasps are something, shape [grasp_count]."""
    usable = np.sum([scene[_USABLE] for scene in scenes], axis=0)
    return np.sum([scene[name] for scene in scenes], axis=0) / np.maximum(usable, 1.0)


def _rows(path: Path, hand: str, indices: np.ndarray) -> dict[str, np.ndarray]:
    """Return which grasps a table has of a hand, which are reachable, and, if tried, lifted; each [grasp_count]."""
    opened = open_table(path, REACH)
    names = [name for name in (REACHABLE, ARM_LIFTED) if name in opened.names]
    columns = opened.arrays(["hand", "grasp_index", *names])
    mine = columns["hand"] == hand
    numbers = columns["grasp_index"]
    return {_USABLE: np.isin(indices, numbers[mine])} | {
        name: np.isin(indices, numbers[mine & columns[name]]) for name in names
    }
