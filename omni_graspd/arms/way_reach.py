# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Which ways of a hand an arm carries out among the things that stand around it, and how its joints move."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from omni_graspd.arms.arm import Arm
from omni_graspd.arms.reach import Reach, find_reach
from omni_graspd.arms.reach_config import ReachConfig
from omni_graspd.arms.seed_bank import SeedBank
from omni_graspd.arms.workspace import Workspace
from omni_graspd.geometry.convex_decomposition import convex_pieces
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.scenes.way_stations import STAGES, Station
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import invert, pose_to_matrix

OBJECT = "object"
"""What the grasped object is called in a workspace."""


def reach_ways(
    arm: Arm,
    bank: SeedBank,
    workspace: Workspace,
    T_world_base: np.ndarray,
    T_flange_palm: np.ndarray,
    T_world_object: np.ndarray,
    stations: Sequence[Station],
    config: ReachConfig,
) -> Reach:
    """Find the arm's way for each grasp of one object.

    Args:
        arm: The arm.
        bank: Starts of its inverse kinematics.
        workspace: Arm, hand and things; all but :data:`OBJECT`, which rises with the hand, are where they are.
        T_world_base: Where the arm stands, shape [7].
        T_flange_palm: The palm in the frame of the flange, shape [7].
        T_world_object: Where the object lies, shape [7].
        stations: Places of the ways.
        config: Settings of the search.
    """
    workspace.stand(T_world_base)
    before_lift = stations[STAGES["squeeze"]].T_world_palm

    def touch(grasp: int, station: int, positions: np.ndarray) -> str:
        lifted = T_world_object.copy()
        if station > STAGES["squeeze"]:
            lifted[:3] += stations[station].T_world_palm[grasp, :3] - before_lift[grasp, :3]
        workspace.place(OBJECT, lifted)
        return workspace.collision(positions, stations[station].joint_positions[grasp])

    wanted = np.stack([pose_to_matrix(station.T_world_palm) for station in stations], axis=1)
    T_base_flange = pose_to_matrix(invert(T_world_base)) @ wanted @ pose_to_matrix(invert(T_flange_palm))
    return find_reach(arm.chain(), bank, T_base_flange, touch, config)


def pieces_of(obj: RigidObject) -> tuple[TriangleMesh, ...]:
    """Return the convex meshes that an object collides with, in its frame [m]."""
    return tuple(obj.convex_pieces or convex_pieces(obj.mesh))
