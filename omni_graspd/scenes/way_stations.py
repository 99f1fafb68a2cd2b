# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The way of a hand as a row of poses: from the pregrasp to the lifted object, in the world."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omni_graspd.synthesis.grasp import Postures, Way
from omni_graspd.usd.transforms import compose, pose_to_matrix

LIFT_HEIGHT = 0.1
"""How far the object is lifted [m]."""
_APPROACH, _CLOSING, _LIFT = 6, 8, 3
"""Steps of the three parts of the way."""
STAGES = {
    "pregrasp": 0,
    "hover": _APPROACH,
    "grasp": _APPROACH + _CLOSING,
    "squeeze": _APPROACH + _CLOSING + 1,
    "lift": _APPROACH + _CLOSING + 1 + _LIFT,
}
"""Numbers of the stations at which a stage is reached; they rise."""
STATION_COUNT = STAGES["lift"] + 1
"""How many stations a way has."""


def station_name(station: int) -> str:
    """Return what a station is called: a stage, or a stage and how many steps are left to it, such as ``hover-2``."""
    stage, number = next(item for item in STAGES.items() if item[1] >= station)
    return stage if number == station else f"{stage}-{number - station}"


@dataclass(frozen=True)
class Station:
    """All hands of a batch at one place of their ways."""

    T_world_palm: np.ndarray
    """Palm poses, shape [grasp_count, 7]."""
    joint_positions: np.ndarray
    """All joints [rad or m], shape [grasp_count, joint_count]."""


def way_stations(
    T_world_object: np.ndarray, T_world_palm: np.ndarray, joint_positions: np.ndarray, postures: Postures, way: Way
) -> list[Station]:
    """Return the hands from place to place: pregrasp, approach, hover, closing, grasp, squeeze, lift.

    Open hands move straight from pregrasp to hover; on to the grasp, palm and joints move evenly; the lift is straight.

    Args:
        T_world_object: Rest pose of the object, shape [7].
        T_world_palm: Palm poses of the grasps, shape [grasp_count, 7]; NaN for grasps that are nowhere.
        joint_positions: All joints of the grasps [rad or m], shape [grasp_count, joint_count].
        postures: Pregrasp and squeeze.
        way: Hover and lift.
    """
    pregrasp = moved(T_world_object, postures.T_object_pregrasp_palm)
    hover = moved(T_world_object, way.T_object_hover_palm)
    opened, squeezed = postures.pregrasp_joint_positions, postures.squeeze_joint_positions
    stations = [Station(between_poses(pregrasp, hover, part), opened) for part in _parts(_APPROACH)]
    for part in _parts(_CLOSING)[1:]:
        joints = (1.0 - part) * opened + part * joint_positions
        stations.append(Station(between_poses(hover, T_world_palm, part), joints))
    up = way.lift_direction @ pose_to_matrix(T_world_object)[:3, :3].T
    for part in _parts(_LIFT):
        lifted = T_world_palm.copy()
        lifted[:, :3] += part * LIFT_HEIGHT * up
        stations.append(Station(lifted, squeezed))
    return stations


def moved(T_world_object: np.ndarray, T_object_palm: np.ndarray) -> np.ndarray:
    """Return palm poses in the world, shape [grasp_count, 7]; those of diverged grasps stay no numbers."""
    finite = np.isfinite(T_object_palm).all(axis=1)
    poses = np.full(T_object_palm.shape, np.nan)
    poses[finite] = compose(np.asarray(T_world_object)[None, :], T_object_palm[finite])
    return poses


def _parts(steps: int) -> np.ndarray:
    return np.linspace(0.0, 1.0, steps + 1)


def between_poses(one: np.ndarray, other: np.ndarray, part: float) -> np.ndarray:
    """Return the poses at a share ``part`` of the way from one to the other, [..., 7]; at the ends those given."""
    if part in (0.0, 1.0):
        return other if part else one
    near = np.where((one[:, 3:] * other[:, 3:]).sum(axis=1, keepdims=True) < 0.0, -other[:, 3:], other[:, 3:])
    turned = (1.0 - part) * one[:, 3:] + part * near
    turned /= np.linalg.norm(turned, axis=1, keepdims=True)
    return np.concatenate([(1.0 - part) * one[:, :3] + part * other[:, :3], turned], axis=1)
