# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The grasps of a dataset on an arm, one by one, from its tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mujoco_arm_lift import ArmWay

from omni_graspd.arms.way_reach import pieces_of
from omni_graspd.dataset.grasp_numbers import rows_of
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.manifest import read_manifest
from omni_graspd.dataset.reach.reach_scene import scene_stations
from omni_graspd.dataset.reach.reach_table import ReachTable, read_reach
from omni_graspd.dataset.scene_files import read_rest_pose
from omni_graspd.dataset.tables import read_grasps, read_scene_grasps
from omni_graspd.objects.object_library import load_object
from omni_graspd.scenes.scene_writer import TABLE_PATH
from omni_graspd.scenes.way_stations import STAGES
from omni_graspd.usd.meshes import TriangleMesh, read_meshes_below
from omni_graspd.usd.stage import open_stage
from omni_graspd.usd.transforms import IDENTITY


@dataclass(frozen=True, eq=False)
class ArmCase:
    """A usable grasp in a scene, and what an arm can do about it."""

    object: str
    """Name of the object."""
    scene_index: int
    """Number of the scene."""
    hand: str
    """Name of the hand."""
    index: int
    """Number of the grasp."""
    reachable: bool
    """Whether the arm reaches it."""
    T_world_base: np.ndarray
    """Where the arm stands, shape [7]."""
    T_flange_palm: np.ndarray
    """How the hand is mounted, shape [7]."""
    T_world_object: np.ndarray
    """Rest pose of the object, shape [7]."""
    arm_positions: np.ndarray
    """Stored joints of the arm, shape [station_count, joint_count]."""
    hand_positions: np.ndarray
    """Joints of the hand, shape [station_count, joint_count]."""
    T_world_palm: np.ndarray
    """Where the palm should be, shape [station_count, 7]."""

    def way(self) -> ArmWay:
        """Return the way for the lift test."""
        lift = self.T_world_palm[STAGES["lift"], :3] - self.T_world_palm[STAGES["squeeze"], :3]
        up = lift / np.linalg.norm(lift)
        return ArmWay(self.T_world_base, self.T_world_object, self.arm_positions, self.hand_positions, up)

    def moved(self, pose: np.ndarray, station: int) -> np.ndarray:
        """Return where the grasped object is at a place of the way, which it leaves with the palm."""
        lifted = pose.copy()
        if station > STAGES["squeeze"]:
            lifted[:3] += self.T_world_palm[station, :3] - self.T_world_palm[STAGES["squeeze"], :3]
        return lifted

    def things(self, layout: DatasetLayout) -> list[tuple[Sequence[TriangleMesh], np.ndarray]]:
        """Return convex pieces and poses of object and table; neighbours are left out."""
        obj = load_object(str(layout.object(self.object)))
        return [(pieces_of(obj), self.T_world_object), ([self.table(layout)], IDENTITY)]

    def table(self, layout: DatasetLayout) -> TriangleMesh:
        """Return the table of the scene."""
        stage = open_stage(layout.scene(self.object, self.scene_index))
        return read_meshes_below(stage.GetPrimAtPath(TABLE_PATH))


def read_cases(root: Path, arm: str) -> list[ArmCase]:
    """Return the usable grasps of a dataset in all its scenes."""
    layout, cases = DatasetLayout(root), []
    for object_name in read_manifest(root).objects:
        for index in layout.scene_indices(object_name):
            table = read_reach(layout.reach(arm, object_name, index))
            for hand in table.mounts:
                cases += _of_hand(layout, table, hand)
    return cases


def _of_hand(layout: DatasetLayout, table: ReachTable, hand: str) -> list[ArmCase]:
    base = read_grasps(layout.grasps(hand, table.object))
    placed = read_scene_grasps(layout.scene_grasps(table.object, table.scene_index))
    T_world_object = read_rest_pose(layout.scene(table.object, table.scene_index))
    rows = table.of_hand(hand)
    numbers = table.grasp_indices[rows]
    mine = np.flatnonzero([name == hand for name in placed.hands])
    palms = placed.grasps.T_world_palm[mine[rows_of(placed.grasp_indices[mine], numbers)]]
    stations = scene_stations(T_world_object, palms, base.grasps.take(rows_of(base.indices, numbers)))
    return [
        ArmCase(
            object=table.object,
            scene_index=table.scene_index,
            hand=hand,
            index=int(numbers[k]),
            reachable=bool(table.reach.reachable[row]),
            T_world_base=table.T_world_base,
            T_flange_palm=table.mounts[hand],
            T_world_object=T_world_object,
            arm_positions=table.reach.arm_positions[row],
            hand_positions=np.array([station.joint_positions[k] for station in stations]),
            T_world_palm=np.array([station.T_world_palm[k] for station in stations]),
        )
        for k, row in enumerate(rows)
    ]
