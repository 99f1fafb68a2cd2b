# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What reach tables say of base grasps, for conditions: in what share of its scenes an arm reaches each."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.table_gate import open_table
from omni_graspd.dataset.table_kinds import REACH
from omni_graspd.errors import GraspdError

REACHABLE = "reachable"
"""Column of a dataset with one arm; with several they are ``reachable_ARM``, which is there in any case."""


def reach_columns(layout: DatasetLayout, hand: str, object_name: str, indices: np.ndarray) -> dict[str, np.ndarray]:
    """Return in what share of the scenes in which a grasp is usable each arm reaches it.

    Args:
        layout: Paths of the dataset.
        hand: Name of the hand.
        object_name: Name of the object.
        indices: Numbers of the grasps, shape [grasp_count].

    Returns:
        ``reachable_ARM`` by arm, and ``reachable`` if there is only one, shape [grasp_count]; 0 for grasps that are
        usable nowhere. Empty where there is no reach table.

    Raises:
        GraspdError: If a table is damaged.
    """
    found = {f"{REACHABLE}_{arm}": _shares(layout, arm, hand, object_name, indices) for arm in layout.arms()}
    return found | ({REACHABLE: next(iter(found.values()))} if len(found) == 1 else {})


def scene_reach_columns(
    layout: DatasetLayout, hand: str, object_name: str, scene_index: int, indices: np.ndarray
) -> dict[str, np.ndarray]:
    """Return whether each arm reaches grasps in a scene; names as in :func:`reach_columns`, [grasp_count], bool."""
    found = {}
    for arm in layout.arms():
        path = layout.reach(arm, object_name, scene_index)
        if path.is_file():
            found[f"{REACHABLE}_{arm}"] = np.isin(indices, _rows(path, hand, reachable=True))
    return found | ({REACHABLE: next(iter(found.values()))} if len(found) == len(layout.arms()) == 1 else {})


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


def _shares(layout: DatasetLayout, arm: str, hand: str, object_name: str, indices: np.ndarray) -> np.ndarray:
    reached, usable = np.zeros(len(indices)), np.zeros(len(indices))
    for path in sorted(layout.reach(arm, object_name, 0).parent.glob("scene_*.parquet")):
        usable += np.isin(indices, _rows(path, hand, reachable=False))
        reached += np.isin(indices, _rows(path, hand, reachable=True))
    return reached / np.maximum(usable, 1.0)


def _rows(path: Path, hand: str, *, reachable: bool) -> np.ndarray:
    """Return the numbers of a hand's grasps in a table: of all, or of those that the arm reaches."""
    columns = open_table(path, REACH).arrays(["hand", "grasp_index", "reachable"])
    mine = columns["hand"] == hand
    return columns["grasp_index"][mine & columns["reachable"] if reachable else mine]
