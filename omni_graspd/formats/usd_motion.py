# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Hands on a stage that move along the ways of their grasps: in, closing, and up with the object."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from pxr import Gf, Usd

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.posed_hand import animate_posed_hand
from omni_graspd.scenes.grasp_tests.lift_motion import HandWay, LiftPhases, hand_motion
from omni_graspd.usd.transforms import compose, invert

CODES_PER_SECOND = 60.0
"""Time codes in a second."""
_EVERY = 3
"""Shown motions have a sample at every so many time codes."""


def set_times(stage: Usd.Stage, phases: LiftPhases) -> None:
    """Let a stage play from the pregrasp to the end of the lift."""
    stage.SetTimeCodesPerSecond(CODES_PER_SECOND)
    stage.SetFramesPerSecond(CODES_PER_SECOND)
    stage.SetStartTimeCode(0.0)
    stage.SetEndTimeCode(round(CODES_PER_SECOND * phases.starts["end"], 6))


def animate_grasp(
    stage: Usd.Stage,
    hand_path: str,
    object_path: str,
    hand: Hand,
    way: HandWay,
    T_cell_object: np.ndarray,
    cell: np.ndarray,
    phases: LiftPhases,
) -> None:
    """Give a hand and its object time samples. It is what they should do: nothing is simulated.

    The joints stop at the grasp, the object goes where the palm takes it. At the default time all stays as it is.

    Args:
        stage: The stage.
        hand_path: Prim of :func:`~omni_graspd.hands.posed_hand.author_posed_hand`.
        object_path: Prim of the object, with translate and orient operations; need not be there.
        hand: The hand.
        way: The way, wherever the object is in it.
        T_cell_object: Where the object is in its cell [m], shape [7].
        cell: Where the cell is [m], shape [3]; it is not turned.
        phases: How long each part takes, and how high the lift goes.
    """
    motion = hand_motion(replace(way, joint_positions=way.joint_positions[[0, 1, 1]]), phases)
    shown = np.union1d(np.arange(0, len(motion.times), _EVERY), [len(motion.times) - 1])
    codes = (CODES_PER_SECOND * motion.times[shown]).round(6)
    T_cell_way = compose(T_cell_object, invert(way.T_world_object))
    palms = compose(T_cell_way[None], motion.T_world_palm[shown])
    in_stage = palms + np.append(cell, np.zeros(4))
    animate_posed_hand(stage, hand_path, hand, in_stage, motion.joint_positions[shown], codes)
    translate = stage.GetPrimAtPath(object_path).GetAttribute("xformOp:translate")
    if translate:
        for code, position in zip(codes, _carried(palms, codes, T_cell_object, phases), strict=True):
            translate.Set(Gf.Vec3d(*position.tolist()), float(code))


def _carried(palms: np.ndarray, codes: np.ndarray, T_cell_object: np.ndarray, phases: LiftPhases) -> np.ndarray:
    """Return where the object is, shape [count, 3]: from the lift on it goes with the palm."""
    lifting = codes > CODES_PER_SECOND * phases.starts["lift"] - 1e-6
    first = palms[np.flatnonzero(lifting)[0], :3]
    return T_cell_object[:3] + lifting[:, None] * (palms[:, :3] - first)
