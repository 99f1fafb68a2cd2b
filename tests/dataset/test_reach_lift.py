# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The robot's lift test of rows of a reach table: each row follows its own way, also where an event loop is running."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from armed_jaws import BASE, MOUNT, make_robot
from lift_jaws import make_block, make_grasp, make_jaws

from omni_graspd.arms.arm import Arm
from omni_graspd.arms.arm_lift import ArmLiftTest, RobotWay
from omni_graspd.arms.reach import Reach, find_reach
from omni_graspd.arms.reach_config import ReachConfig
from omni_graspd.arms.seed_bank import SeedBank
from omni_graspd.dataset.reach import reach_lift
from omni_graspd.dataset.reach.reach_lift import NOT_REACHABLE, lift_rows, lifts_of
from omni_graspd.dataset.reach.reach_table import ReachTable
from omni_graspd.hands.hand import Hand
from omni_graspd.scenes.grasp_tests.lift_config import LiftConfig
from omni_graspd.scenes.grasp_tests.lift_trials import LiftOutcome
from omni_graspd.scenes.way_stations import STAGES, STATION_COUNT, Station, way_stations
from omni_graspd.usd.transforms import IDENTITY, invert, pose_to_matrix

_STIFFNESS = LiftConfig().drive.stiffness / 0.05**2
"""Of the jaws' drives [N/m]."""
# The block weighs 0.98 N; the lift takes up to 1.3 times as much. At friction 0.6 each jaw has to press with 1.07 N.
_ENOUGH, _TOO_LITTLE = 1.8 / _STIFFNESS, 0.6 / _STIFFNESS


@pytest.fixture(scope="module")
def robot(tmp_path_factory: pytest.TempPathFactory) -> tuple[Arm, Hand]:
    return make_robot(tmp_path_factory.mktemp("robot"))


def _stations(squeezes: list[float]) -> list[Station]:
    """Return the places of the ways of grasps that press by so much."""
    each = []
    for squeeze in squeezes:
        batch = make_grasp(squeeze)
        each.append(way_stations(IDENTITY, batch.T_object_palm, batch.joint_positions, batch.postures, batch.way))
    return [
        Station(*(np.concatenate([getattr(s, part) for s in same]) for part in ("T_world_palm", "joint_positions")))
        for same in zip(*each, strict=True)
    ]


def _table(reach: Reach) -> ReachTable:
    count = len(reach.reachable)
    where = {"T_world_base": BASE, "mounts": {"jaws": MOUNT}}
    rows = {"hands": ("jaws",) * count, "grasp_indices": np.arange(count, dtype=np.int32), "reach": reach}
    names = tuple(str(number) for number in range(reach.arm_positions.shape[2]))
    return ReachTable("seven", names, "block", 0, "", **where, **rows)


def _stub_reach(reachable: list[bool]) -> Reach:
    count = len(reachable)
    positions = np.arange(count * STATION_COUNT * 7, dtype=float).reshape(count, STATION_COUNT, 7)
    return Reach(np.array(reachable), ("",) * count, positions, np.ones(count), np.ones(count))


def test_each_row_has_its_own_way_also_in_a_running_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    ways: list[RobotWay] = []

    async def lift(self: ArmLiftTest, way: RobotWay) -> LiftOutcome:
        ways.append(way)
        pressed = way.hand_positions[STAGES["squeeze"], 0] - way.hand_positions[STAGES["grasp"], 0]
        return LiftOutcome(0.0, 0.0, "" if pressed > 0.005 else "slipped")

    monkeypatch.setattr(ArmLiftTest, "lift", lift)
    monkeypatch.setattr(reach_lift, "_prepared", lambda obj: (obj, (obj.mesh,)))
    robot = cast(Arm, None), make_jaws(tmp_path)
    table, stations = _table(_stub_reach([True, False, True])), _stations([0.01, 0.02, 0.003])

    async def in_a_notebook() -> list[str]:
        return lift_rows(table, np.arange(3), robot, make_block(), IDENTITY, stations)

    reasons = asyncio.run(in_a_notebook())
    assert reasons == ["", NOT_REACHABLE, "slipped"]
    for way, row in zip(ways, (0, 2), strict=True):
        np.testing.assert_array_equal(way.arm_positions, table.reach.arm_positions[row])
        np.testing.assert_array_equal(way.hand_positions, [station.joint_positions[row] for station in stations])
        np.testing.assert_allclose(way.up, [0.0, 0.0, 1.0], atol=1e-12)


@pytest.mark.slow
def test_rows_whose_jaws_press_enough_are_lifted(robot):
    arm, stations = robot[0], _stations([_ENOUGH, _TOO_LITTLE])
    palms = np.stack([pose_to_matrix(station.T_world_palm) for station in stations], axis=1)
    wanted = pose_to_matrix(invert(BASE)) @ palms @ pose_to_matrix(invert(MOUNT))
    bank = SeedBank.of(arm.chain(), 2000)
    reach = find_reach(arm.chain(), bank, wanted, lambda grasp, station, positions: "", ReachConfig(starts=4))
    assert reach.reachable.all()
    reasons = lift_rows(_table(reach), np.arange(2), robot, make_block(), IDENTITY, stations)
    assert reasons == ["", "slipped"]
    assert lifts_of(reasons, "").lifted.tolist() == [True, False]
