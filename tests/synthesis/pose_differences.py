# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Central differences by palm position, palm rotation and actuated joints."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from omni_graspd.usd.transforms import compose


class Slopes(NamedTuple):
    """A gradient in parts."""

    position: np.ndarray  # [3]
    rotation: np.ndarray  # [3], by rotation vectors about the palm's origin, in the axes of the object
    joints: np.ndarray  # [actuated]


def displaced(pose: np.ndarray, actuated: np.ndarray, step: float) -> tuple[np.ndarray, np.ndarray]:
    """Move a hand by ``step`` forward and back in each of its ways to move.

    Returns:
        Palm poses [2, way, 7] and actuated positions [2, way, actuated]; the ways are three shifts, three turns about
        the palm's origin, and the joints.
    """
    ways = 6 + len(actuated)
    poses, joints = np.tile(pose, (2, ways, 1)), np.tile(actuated, (2, ways, 1))
    for side, size in enumerate((step, -step)):
        for axis in range(3):
            poses[side, axis, axis] += size
            turn = np.concatenate([np.zeros(3), np.sin(size / 2) * np.eye(3)[axis], [np.cos(size / 2)]])
            poses[side, 3 + axis, 3:] = compose(turn, np.concatenate([np.zeros(3), pose[3:]]))[3:]
        joints[side, 6:] += size * np.eye(len(actuated))
    return poses, joints


def slopes(values: np.ndarray, step: float) -> Slopes:
    """Turn losses at :func:`displaced` states, shape [2, way], into slopes."""
    difference = (values[0] - values[1]) / (2.0 * step)
    return Slopes(difference[:3], difference[3:6], difference[6:])


def finite_differences(loss, pose: np.ndarray, actuated: np.ndarray, step: float = 1e-6) -> Slopes:
    """Differentiate ``loss(pose, actuated)``."""
    poses, joints = displaced(pose, actuated, step)
    values = [[loss(p, q) for p, q in zip(*side, strict=True)] for side in zip(poses, joints, strict=True)]
    return slopes(np.array(values), step)
