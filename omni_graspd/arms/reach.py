# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Which grasps an arm reaches: joint positions from the pregrasp to the lifted object, in one branch, free of touch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from omni_graspd.arms.chain import Chain
from omni_graspd.arms.inverse_kinematics import manipulability, solve
from omni_graspd.arms.reach_config import ReachConfig
from omni_graspd.arms.seed_bank import SeedBank
from omni_graspd.scenes.way_stations import STAGES, station_name

OUT_OF_REACH, LIMIT, JUMP, COLLISION = "out of reach", "limit", "jump", "collision"
"""How reasons begin."""
_FIRST_ITERATIONS, _NEXT_ITERATIONS = 25, 6
_WIDE_STARTS = 4
"""Starts without joint limits, by which grasps that only limits keep away are told from those out of reach."""
_SAME = 0.05
"""Solutions that differ less than this in every joint are the same [rad or m]."""

Touch = Callable[[int, int, np.ndarray], str]
"""Takes the number of a grasp, of a place of its way, and the arm's positions; returns what touches, or nothing."""


@dataclass(frozen=True)
class Reach:
    """What an arm can do about each of some grasps."""

    reachable: np.ndarray
    """Whether it reaches the grasp all the way, shape [grasp_count], bool."""
    reason: tuple[str, ...]
    """Why not, and where on the way; empty for reachable grasps."""
    arm_positions: np.ndarray
    """Joints of the arm at each place of the way [rad or m], [grasp_count, station_count, joint_count]; NaN where the
    grasp is not reachable."""
    manipulability: np.ndarray
    """Least manipulability on the way [m3], shape [grasp_count]; NaN where the grasp is not reachable."""
    limit_margin: np.ndarray
    """Least distance of a joint from its limits on the way [rad or m], shape [grasp_count]; NaN likewise."""

    @property
    def failures(self) -> tuple[str, ...]:
        """How the reasons of the grasps that are not reachable begin."""
        return tuple(reason.partition(" at ")[0] for reason in self.reason if reason)


@dataclass(frozen=True, eq=False)
class _Branches:
    """Ways in different branches of the inverse kinematics, of several grasps."""

    grasp: np.ndarray
    """Which grasp each is for, shape [branch_count]."""
    positions: np.ndarray
    """Joints at each place, shape [branch_count, station_count, joint_count]."""
    reason: list[str]
    """Why it ends early, or nothing."""


def find_reach(chain: Chain, bank: SeedBank, T_base_flange: np.ndarray, touch: Touch, config: ReachConfig) -> Reach:
    """Find the arm's way to each grasp.

    The grasp is solved from several starts; each solution is followed back to the pregrasp and on to the end of the
    lift. Of those that can be followed, the first that touches nothing is taken, in the order of how far they stay from
    joint limits and singular postures.

    Args:
        chain: Kinematics from the arm's base to its flange.
        bank: Starts.
        T_base_flange: Where the flange has to be, shape [grasp_count, station_count, 4, 4].
        touch: What the arm touches.
        config: Settings.
    """
    count, stations = T_base_flange.shape[:2]
    branches = _follow(chain, _solve_grasps(chain, bank, T_base_flange, config), T_base_flange, config.largest_step)
    reachable, reasons = np.zeros(count, dtype=bool), [""] * count
    found = np.full((count, stations, chain.joint_count), np.nan)
    free, margin = np.full(count, np.nan), np.full(count, np.nan)
    freedom, margins = _freedom(chain, branches.positions), _margins(chain, branches.positions)
    for grasp in range(count):
        rows = np.flatnonzero(branches.grasp == grasp)
        whole = np.array([row for row in rows if not branches.reason[row]], dtype=int)
        if not len(whole):
            reasons[grasp] = _most_frequent([branches.reason[row] for row in rows])
            continue
        score = freedom[whole] / max(freedom[whole].max(), 1e-12) + np.minimum(margins[whole], 0.5)
        for row in whole[np.argsort(-score, kind="stable")]:
            positions = branches.positions[row]
            touched = _first_touch(positions, lambda station, joints, grasp=grasp: touch(grasp, station, joints))
            reasons[grasp] = reasons[grasp] or touched  # that of the best way
            if not touched:
                reasons[grasp], reachable[grasp], found[grasp] = "", True, positions
                free[grasp], margin[grasp] = freedom[row], margins[row]
                break
    unsolved = np.flatnonzero([not good and not reason for good, reason in zip(reachable, reasons, strict=True)])
    for grasp, reason in zip(unsolved, _why_unsolved(chain, bank, T_base_flange[unsolved]), strict=True):
        reasons[grasp] = reason
    return Reach(reachable, tuple(reasons), found, free, margin)


def _solve_grasps(
    chain: Chain, bank: SeedBank, T_base_flange: np.ndarray, config: ReachConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Return solutions of the grasps, [branch_count, joint_count], and which grasp each is for."""
    wanted = T_base_flange[:, STAGES["grasp"]]
    starts = [bank.starts(pose, config.starts) for pose in wanted]
    grasp = np.repeat(np.arange(len(wanted)), [len(some) for some in starts])
    if not len(grasp):
        return np.zeros((0, chain.joint_count)), grasp
    found = solve(chain, wanted[grasp], np.concatenate(starts), _FIRST_ITERATIONS)
    kept: list[int] = []
    for row in np.flatnonzero(found.solved):
        others = [other for other in kept if grasp[other] == grasp[row]]
        if not others or (np.abs(found.positions[others] - found.positions[row]).max(axis=1) > _SAME).all():
            kept.append(int(row))
    return found.positions[kept], grasp[kept]


def _follow(
    chain: Chain, solutions: tuple[np.ndarray, np.ndarray], T_base_flange: np.ndarray, largest_step: float
) -> _Branches:
    """Follow the way from the grasp to both ends, all branches at once; one that is lost stays where it was."""
    middle, grasp = solutions
    start, stations = STAGES["grasp"], T_base_flange.shape[1]
    positions = np.repeat(middle[:, None], stations, axis=1)
    reason = [""] * len(grasp)
    for order in (range(start - 1, -1, -1), range(start + 1, stations)):
        previous = start
        for station in order:
            going = np.flatnonzero([not text for text in reason])
            before = positions[going, previous]
            found = solve(chain, T_base_flange[grasp[going], station], before, _NEXT_ITERATIONS)
            jumps = np.abs(found.positions - before).max(axis=1, initial=0.0) > largest_step
            positions[going, station] = found.positions
            for row, solved, jumped, limited in zip(going, found.solved, jumps, found.at_limit, strict=True):
                if not solved or jumped:
                    why = LIMIT if limited and not solved else JUMP if jumped else OUT_OF_REACH
                    reason[row] = f"{why} at {station_name(station)}"
            previous = station
    return _Branches(grasp, positions, reason)


def _most_frequent(reasons: Sequence[str]) -> str:
    """Return the reason that most branches end for; nothing if there are none."""
    return min(reasons, key=lambda text: (-reasons.count(text), text), default="")


def _why_unsolved(chain: Chain, bank: SeedBank, T_base_flange: np.ndarray) -> list[str]:
    """Return for grasps without a solution whether the limits are in the way, or the arm is too short."""
    if not len(T_base_flange):
        return []
    widest = np.where(chain.revolute, 2.0 * np.pi, np.inf)
    lower, upper = np.where(chain.revolute, -widest, chain.lower), np.where(chain.revolute, widest, chain.upper)
    wide = Chain(chain.frames, chain.revolute, lower, upper)
    wanted = T_base_flange[:, STAGES["grasp"]]
    starts = [bank.starts(pose, _WIDE_STARTS) for pose in wanted]
    grasp = np.repeat(np.arange(len(wanted)), [len(some) for some in starts])
    solved = solve(wide, wanted[grasp], np.concatenate(starts), _FIRST_ITERATIONS).solved
    return [f"{LIMIT if solved[grasp == row].any() else OUT_OF_REACH} at grasp" for row in range(len(wanted))]


def _first_touch(positions: np.ndarray, touch: Callable[[int, np.ndarray], str]) -> str:
    """Return what touches first on the way, the grasp looked at before all else; empty if nothing does."""
    first = STAGES["grasp"]
    for station in (first, *(other for other in range(len(positions)) if other != first)):
        if found := touch(station, positions[station]):
            return f"{COLLISION} at {station_name(station)}: {found}"
    return ""


def _freedom(chain: Chain, positions: np.ndarray) -> np.ndarray:
    """Return the least manipulability on each way, shape [branch_count]."""
    _, jacobian = chain.end_and_jacobian(positions.reshape(-1, chain.joint_count))
    return manipulability(jacobian).reshape(positions.shape[:2]).min(axis=1)


def _margins(chain: Chain, positions: np.ndarray) -> np.ndarray:
    """Return the least distance of a joint from its limits on each way, shape [branch_count]."""
    return np.minimum(positions - chain.lower, chain.upper - positions).min(axis=(1, 2))
