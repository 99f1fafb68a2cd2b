# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Inverse kinematics of many poses at once: damped least squares within the joint limits, from given starts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omni_graspd.arms.chain import Chain

_LENGTH = 0.3
"""Metres that weigh as much as a radian [m]."""
_DAMPING = 1e-7
"""Damping that is left at the solution, in squares of the Jacobian [m2]."""
_LONGEST_STEP = 0.6
"""A joint moves at most this far in an iteration [rad or m]."""
POSITION_TOLERANCE, ANGLE_TOLERANCE = 1e-5, 1e-4
"""A pose is reached when the end is this near [m], [rad]."""


@dataclass(frozen=True)
class Solutions:
    """What was found for each pose."""

    positions: np.ndarray
    """Joint positions, within the limits [rad or m], shape [count, joint_count]."""
    solved: np.ndarray
    """Whether the end is there, shape [count], bool."""
    at_limit: np.ndarray
    """Whether a joint is at a limit, shape [count], bool."""


def solve(chain: Chain, T_base_end: np.ndarray, start: np.ndarray, iterations: int) -> Solutions:
    """Move the end of a chain to each of many poses.

    The damping falls with the remaining error, so that steps are short far away and near singular postures and Newton's
    close to the solution. Joints that would leave their range stay at its end, and the others make up for it.

    Args:
        chain: The chain.
        T_base_end: Where the end should be, shape [count, 4, 4].
        start: Where the joints begin [rad or m], shape [count, joint_count].
        iterations: Most steps.

    References:
        Sugihara, "Solvability-unconcerned inverse kinematics by the Levenberg-Marquardt method", 2011.
    """
    positions = np.clip(start, chain.lower, chain.upper)
    solved = np.zeros(len(positions), dtype=bool)
    going = np.arange(len(positions))
    for iteration in range(iterations + 1):
        end, jacobian = chain.end_and_jacobian(positions[going])
        error = pose_error(end, T_base_end[going])
        there = np.linalg.norm(error[:, :3], axis=1) <= POSITION_TOLERANCE
        there &= np.linalg.norm(error[:, 3:], axis=1) <= ANGLE_TOLERANCE
        solved[going[there]] = True
        if iteration == iterations or there.all():
            break
        going, error, jacobian = going[~there], error[~there], jacobian[~there]
        positions[going] = _stepped(chain, positions[going], jacobian, error)
    reach = 1e-9
    at_limit = (positions <= chain.lower + reach) | (positions >= chain.upper - reach)
    return Solutions(positions, solved, np.asarray(at_limit.any(axis=1)))


def pose_error(T_base_end: np.ndarray, T_base_wanted: np.ndarray) -> np.ndarray:
    """Return what leads from poses to others: shift [m] and rotation vector [rad] in the base's frame, [count, 6].

    Args:
        T_base_end: Where the end is, shape [count, 4, 4].
        T_base_wanted: Where it should be, shape [count, 4, 4].
    """
    turn = T_base_wanted[:, :3, :3] @ T_base_end[:, :3, :3].transpose(0, 2, 1)
    skew = 0.5 * np.stack(
        [turn[:, 2, 1] - turn[:, 1, 2], turn[:, 0, 2] - turn[:, 2, 0], turn[:, 1, 0] - turn[:, 0, 1]], axis=1
    )
    sine = np.linalg.norm(skew, axis=1)
    angle = np.arctan2(sine, 0.5 * (np.trace(turn, axis1=1, axis2=2) - 1.0))
    scale = np.where(sine > 1e-12, angle / np.maximum(sine, 1e-12), 1.0)
    turned = scale[:, None] * skew
    half = np.flatnonzero((sine <= 1e-12) & (angle > 1.0))
    if len(half):  # A half turn has no skew part; its axis is any column of turn + 1.
        columns = turn[half] + np.eye(3)
        longest = np.linalg.norm(columns, axis=1).argmax(axis=1)
        axes = columns[np.arange(len(half)), :, longest]
        turned[half] = np.pi * axes / np.linalg.norm(axes, axis=1, keepdims=True)
    return np.concatenate([T_base_wanted[:, :3, 3] - T_base_end[:, :3, 3], turned], axis=1)


def _stepped(chain: Chain, positions: np.ndarray, jacobian: np.ndarray, error: np.ndarray) -> np.ndarray:
    weight = np.array([1.0, 1.0, 1.0, _LENGTH, _LENGTH, _LENGTH])
    jacobian, error = weight[:, None] * jacobian, weight * error
    step = _least_squares(jacobian, error)
    out = ((positions <= chain.lower) & (step < 0.0)) | ((positions >= chain.upper) & (step > 0.0))
    blocked = np.flatnonzero(out.any(axis=1))
    if len(blocked):
        step[blocked] = _least_squares(jacobian[blocked] * ~out[blocked, None, :], error[blocked])
    longest = np.abs(step).max(axis=1, keepdims=True)
    step *= np.minimum(1.0, _LONGEST_STEP / np.maximum(longest, 1e-12))
    return np.clip(positions + step, chain.lower, chain.upper)


def _least_squares(jacobian: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Return the damped step of each problem, shape [count, joint_count]."""
    damping = 0.5 * (error**2).sum(axis=1) + _DAMPING
    square = jacobian @ jacobian.transpose(0, 2, 1) + damping[:, None, None] * np.eye(6)
    return (jacobian.transpose(0, 2, 1) @ np.linalg.solve(square, error[..., None]))[..., 0]


def manipulability(jacobian: np.ndarray) -> np.ndarray:
    """Return how freely the end can move, 0 where it is stuck in a direction [m3], shape [count].

    Args:
        jacobian: Derivatives of the end's pose, shape [count, 6, joint_count].

    References:
        Yoshikawa, "Manipulability of robotic mechanisms", 1985.
    """
    square = jacobian @ jacobian.transpose(0, 2, 1)
    return np.sqrt(np.maximum(np.linalg.det(square), 0.0))
