# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Tables of what an arm can do about the grasps of a scene."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from omni_graspd.arms.reach import Reach
from omni_graspd.dataset.table_files import write_table
from omni_graspd.dataset.table_gate import open_table
from omni_graspd.dataset.table_kinds import REACH
from omni_graspd.dataset.table_schema import ARM_LIFT_COLUMNS, REACH_COLUMNS
from omni_graspd.scenes.way_stations import STATION_COUNT, station_name


@dataclass(frozen=True)
class ArmLifts:
    """What became of the grasps when the whole robot followed its joint positions."""

    settings: str
    """The protocol, and what else it depends on."""
    lifted: np.ndarray
    """Whether the object came along, shape [row_count], bool."""
    reasons: tuple[str, ...]
    """Why not; empty where it did."""


@dataclass(frozen=True)
class ReachTable:
    """What an arm can do about the usable grasps of a scene, hand by hand."""

    arm: str
    """Name of the arm."""
    joint_names: tuple[str, ...]
    """Names of its joints, in the order of the arm positions."""
    object: str
    """Name of the object."""
    scene_index: int
    """Number of the scene."""
    settings: str
    """Settings with which it was found out, and what else it depends on."""
    T_world_base: np.ndarray
    """Where the arm stands, shape [7]."""
    mounts: Mapping[str, np.ndarray]
    """T_flange_palm by hand, shape [7] each."""
    hands: tuple[str, ...]
    """Name of the hand of each row."""
    grasp_indices: np.ndarray
    """Number of the base grasp of each row, shape [row_count], int32."""
    reach: Reach
    """What the arm can do."""
    lifts: ArmLifts | None = None
    """The robot's lift test; None where it was not made."""

    def of_hand(self, hand: str) -> np.ndarray:
        """Return the rows of a hand."""
        return np.flatnonzero([name == hand for name in self.hands])


def write_reach(table: ReachTable, path: Path) -> None:
    """Write a table: all or nothing, same bytes for the same content."""
    reach = table.reach
    values = {
        "hand": table.hands,
        "grasp_index": table.grasp_indices,
        "reachable": reach.reachable,
        "reason": reach.reason,
        "arm_positions": reach.arm_positions,
        "manipulability": reach.manipulability,
        "limit_margin": reach.limit_margin,
    }
    metadata = {
        "object": table.object,
        "scene_index": str(table.scene_index),
        "arm": table.arm,
        "arm_joint_names": json.dumps(table.joint_names),
        "stations": json.dumps([station_name(k) for k in range(STATION_COUNT)]),
        "settings": table.settings,
        "T_world_base": json.dumps(np.asarray(table.T_world_base).tolist()),
        "mounts": json.dumps({hand: np.asarray(pose).tolist() for hand, pose in table.mounts.items()}),
    }
    names = [*REACH_COLUMNS]
    if table.lifts is not None:
        names += ARM_LIFT_COLUMNS
        values |= {"arm_lifted": table.lifts.lifted, "arm_lift_reason": table.lifts.reasons}
        metadata["lift_settings"] = table.lifts.settings
    wide = REACH.columns({"stations": range(STATION_COUNT), "arm_joint_names": table.joint_names})
    write_table({name: wide[name] for name in names}, values, metadata, path)


def read_reach(path: Path) -> ReachTable:
    """Read a table.

    Raises:
        GraspdError: If it is missing, or not as the gate for tables wants it.
    """
    opened = open_table(path, REACH)
    values, metadata = opened.arrays(), opened.metadata
    shape = (opened.row_count, len(metadata["stations"]), len(metadata["arm_joint_names"]))
    return ReachTable(
        arm=metadata["arm"],
        joint_names=metadata["arm_joint_names"],
        object=metadata["object"],
        scene_index=metadata["scene_index"],
        settings=metadata["settings"],
        T_world_base=np.array(metadata["T_world_base"]),
        mounts={hand: np.array(pose) for hand, pose in metadata["mounts"].items()},
        hands=tuple(values["hand"].tolist()),
        grasp_indices=values["grasp_index"],
        reach=Reach(
            values["reachable"],
            tuple(values["reason"].tolist()),
            values["arm_positions"].reshape(shape),
            values["manipulability"],
            values["limit_margin"],
        ),
        lifts=_lifts(values, metadata),
    )


def _lifts(values: Mapping[str, np.ndarray], metadata: Mapping[str, Any]) -> ArmLifts | None:
    if "arm_lifted" not in values:
        return None
    reasons = tuple(values["arm_lift_reason"].tolist())
    return ArmLifts(metadata.get("lift_settings", ""), values["arm_lifted"], reasons)
