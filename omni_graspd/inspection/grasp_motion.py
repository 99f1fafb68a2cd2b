# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The motion of a grasp, to be looked at: pregrasp, hover, grasp, squeeze and lift, and everything between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omni_graspd.inspection.grasp_catalog import CatalogGrasp
from omni_graspd.scenes.way_stations import LIFT_HEIGHT, between_poses


@dataclass(frozen=True, eq=False)
class MotionFrame:
    """One place of the motion."""

    name: str
    """What it is called: ``pregrasp``, ``hover``, ``grasp``, ``squeeze``, ``lift``."""
    T_object_palm: np.ndarray
    """Palm pose in the frame of the object as it lay at first, shape [7]."""
    joint_positions: np.ndarray
    """All joints [rad or m], shape [joint_count]."""
    lifted: np.ndarray
    """How far the object has been moved [m], shape [3]."""


def motion_frames(grasp: CatalogGrasp) -> tuple[MotionFrame, ...]:
    """Return the places of a grasp's motion that its table knows, in order; a floating grasp has no hover and lift.

    Args:
        grasp: The grasp as its table has it.
    """
    still = np.zeros(3)
    pose, joints = grasp.T_object_palm, grasp.joint_positions
    opened, squeezed = grasp.pregrasp_joint_positions, grasp.squeeze_joint_positions
    frames = []
    if grasp.T_object_pregrasp_palm is not None and opened is not None:
        frames.append(MotionFrame("pregrasp", grasp.T_object_pregrasp_palm, opened, still))
        if grasp.T_object_hover_palm is not None:
            frames.append(MotionFrame("hover", grasp.T_object_hover_palm, opened, still))
    frames.append(MotionFrame("grasp", pose, joints, still))
    if squeezed is not None:
        frames.append(MotionFrame("squeeze", pose, squeezed, still))
        if grasp.lift_direction is not None:
            rise = LIFT_HEIGHT * grasp.lift_direction
            frames.append(MotionFrame("lift", np.concatenate([pose[:3] + rise, pose[3:]]), squeezed, rise))
    return tuple(frames)


def motion_at(frames: tuple[MotionFrame, ...], place: float) -> MotionFrame:
    """Return the hand at a place of its motion; palm, joints and object move evenly between two frames.

    Args:
        frames: The motion.
        place: Number of the frame from which, and with its fraction how far on the way to the next, from 0 to the last.
    """
    number = min(int(place), len(frames) - 1)
    part, one = place - number, frames[number]
    if not part or number + 1 == len(frames):
        return one
    other = frames[number + 1]
    pose = between_poses(one.T_object_palm[None], other.T_object_palm[None], part)[0]
    joints = (1.0 - part) * one.joint_positions + part * other.joint_positions
    return MotionFrame(other.name, pose, joints, (1.0 - part) * one.lifted + part * other.lifted)
