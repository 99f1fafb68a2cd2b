# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The scenes of a grasp, and how an arm carries it out there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from omni_graspd.arms.arm import Arm
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.reach.reach_table import read_reach
from omni_graspd.dataset.scene_files import read_rest_pose
from omni_graspd.inspection.grasp_catalog import CatalogGrasp
from omni_graspd.scenes.rest_poses import same_table
from omni_graspd.scenes.way_stations import STAGES
from omni_graspd.synthesis.surroundings import table_under
from omni_graspd.usd.transforms import compose, invert


@dataclass(frozen=True, eq=False)
class ArmMotion:
    """An arm at a grasp in a scene."""

    arm: Arm
    """The arm."""
    scene_index: int
    """Number of the scene."""
    T_object_base: np.ndarray
    """Where the arm stands in the frame of the object as it lay at first, shape [7]."""
    reason: str
    """Why it does not reach the grasp; empty where it does."""
    positions: np.ndarray
    """Its joints at each place of the way [rad or m], [station_count, joint_count]; NaN where it does not reach it."""

    def positions_at(self, names: Sequence[str], place: float) -> np.ndarray:
        """Return the joints at a place of the motion [rad or m], shape [joint_count]; evenly between two of the way.

        Args:
            names: What the frames of the motion are called.
            place: Number of the frame from which, and with its fraction how far on the way to the next.
        """
        station = np.interp(place, np.arange(len(names)), [STAGES[name] for name in names])
        before = min(int(station), len(self.positions) - 2)
        part = station - before
        return (1.0 - part) * self.positions[before] + part * self.positions[before + 1]


def scenes_of_grasp(layout: DatasetLayout, grasp: CatalogGrasp) -> list[int]:
    """Return the scenes to which a grasp belongs: those in which its object lies as it expects.

    Args:
        layout: Paths of the dataset.
        grasp: The grasp.

    Raises:
        GraspdError: If a scene is damaged.
    """
    indices = layout.scene_indices(grasp.object)
    if grasp.table_plane is None:
        return indices
    tops = [table_under(read_rest_pose(layout.scene(grasp.object, index))).plane for index in indices]
    belongs = same_table(np.array(tops).reshape(-1, 4), grasp.table_plane)
    return [index for index, belongs_here in zip(indices, belongs, strict=True) if belongs_here]


def arm_motion(layout: DatasetLayout, arm: Arm, grasp: CatalogGrasp, scenes: Sequence[int]) -> ArmMotion | None:
    """Return how an arm carries out a grasp in the first scene in which it reaches it, else why not in the first.

    Args:
        layout: Paths of the dataset.
        arm: The arm.
        grasp: The grasp.
        scenes: Numbers of the scenes that are looked at.

    Returns:
        None where no reach table of these scenes has the grasp: they have those that are usable.

    Raises:
        GraspdError: If a table or a scene is damaged.
    """
    first = None
    for index in scenes:
        path = layout.reach(arm.name, grasp.object, index)
        if not path.is_file():
            continue
        table = read_reach(path)
        rows = table.of_hand(grasp.hand)
        rows = rows[table.grasp_indices[rows] == grasp.index]
        if not len(rows):
            continue
        row = int(rows[0])
        T_object_base = compose(invert(read_rest_pose(layout.scene(grasp.object, index))), table.T_world_base)
        found = ArmMotion(arm, index, T_object_base, table.reach.reason[row], table.reach.arm_positions[row])
        if table.reach.reachable[row]:
            return found
        first = first or found
    return first
