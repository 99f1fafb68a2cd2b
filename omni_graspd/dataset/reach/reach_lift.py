# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The robot's lift test of the reachable grasps of one scene, in PhysX."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import lru_cache

import numpy as np

from omni_graspd.arms.arm import Arm
from omni_graspd.arms.arm_lift import ArmLiftTest, RobotWay
from omni_graspd.backend import load_backend
from omni_graspd.blocking import run_to_end
from omni_graspd.dataset.reach.reach_table import ArmLifts, ReachTable
from omni_graspd.hands.hand import Hand
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.scenes.grasp_tests.lift import prepared_object
from omni_graspd.scenes.grasp_tests.lift_config import LiftConfig
from omni_graspd.scenes.way_stations import STAGES, Station
from omni_graspd.usd.meshes import TriangleMesh

NOT_REACHABLE = "not reachable"
_FORMAT = 1
"""To be counted up when the same input comes out otherwise."""


def lift_settings(reach_settings: str) -> str:
    """Return what the test depends on; if that changes, the outcome may.

    Args:
        reach_settings: What the joint positions depend on.
    """
    protocol = {key: value for key, value in asdict(LiftConfig()).items() if key != "noise"}
    return json.dumps({"format": _FORMAT, "protocol": protocol, "reach": reach_settings}, sort_keys=True)


def lift_rows(
    table: ReachTable,
    rows: np.ndarray,
    robot: tuple[Arm, Hand],
    obj: RigidObject,
    T_world_object: np.ndarray,
    stations: list[Station],
) -> list[str]:
    """Try grasps of one hand; return why each is not lifted, empty where it is.

    Args:
        table: What the arm reaches.
        rows: Rows of the hand in the table.
        robot: Arm and hand.
        obj: The object.
        T_world_object: Its rest pose, shape [7].
        stations: Places of the ways of these rows.
    """
    arm, hand = robot
    simulate = load_backend("standalone").simulate
    test = ArmLiftTest(simulate, arm, hand, table.mounts[hand.name], *_prepared(obj))
    reasons = []
    for number, row in enumerate(rows):
        if not table.reach.reachable[row]:
            reasons.append(NOT_REACHABLE)
            continue
        palms = np.array([station.T_world_palm[number] for station in stations])
        rise = palms[STAGES["lift"], :3] - palms[STAGES["squeeze"], :3]
        way = RobotWay(
            T_world_base=table.T_world_base,
            T_world_object=T_world_object,
            arm_positions=table.reach.arm_positions[row],
            hand_positions=np.array([station.joint_positions[number] for station in stations]),
            up=rise / np.linalg.norm(rise),
        )
        reasons.append(run_to_end(test.lift(way)).reason)
    return reasons


def lifts_of(reasons: list[str], settings: str) -> ArmLifts:
    """Return the outcome as it is kept in a table."""
    return ArmLifts(settings, np.array([not reason for reason in reasons], dtype=bool), tuple(reasons))


@lru_cache(maxsize=4)
def _prepared(obj: RigidObject) -> tuple[RigidObject, tuple[TriangleMesh, ...]]:
    """Return the object with its mass and convex pieces in the test; scenes of the same object share them."""
    heavy, pieces = prepared_object(obj, LiftConfig())
    return heavy, tuple(pieces)
