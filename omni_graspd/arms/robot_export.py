# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""An arm with a hand as one MuJoCo model."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from omni_graspd.arms.arm import Arm
from omni_graspd.arms.arm_drive import DAMPING, LINEAR_DAMPING, LINEAR_STIFFNESS, STIFFNESS
from omni_graspd.arms.robot_model import ARM, HAND, add_robot, new_spec
from omni_graspd.atomic import atomic_path
from omni_graspd.hands.hand import Hand

_ARM_DRIVE = {"kp": STIFFNESS, "kv": DAMPING}
_ARM_SLIDE = {"kp": LINEAR_STIFFNESS, "kv": LINEAR_DAMPING}
_HAND_DRIVE = {"kp": 5.0, "kv": 0.1}
_GEOMETRY = {"contype": 1, "conaffinity": 0}


def write_robot(arm: Arm, hand: Hand, T_flange_palm: np.ndarray, T_world_base: np.ndarray, path: Path) -> None:
    """Write a model of an arm that holds a hand, with gravity compensated and a position drive for each driven joint.

    Names are those of the files with ``arm/`` or ``hand/`` before them. Joints that follow one other are bound to it.
    Links are their convex pieces; they collide with what is put around them, not with each other.

    Args:
        arm: The arm.
        hand: The hand.
        T_flange_palm: The palm in the frame of the flange, shape [7].
        T_world_base: Where the arm stands, shape [7].
        path: XML file to write, all or nothing.

    Raises:
        GraspdError: If MuJoCo is not installed.
    """
    spec = new_spec()
    spec.modelname = f"{arm.name} with {hand.name}"
    spec.option.gravity = [0.0, 0.0, -9.81]
    add_robot(spec, arm, hand, T_flange_palm, T_world_base, arm_geometry=_GEOMETRY, hand_geometry=_GEOMETRY)
    for body in spec.bodies[1:]:
        body.gravcomp = 1.0
    for link in arm.articulation.links:
        if link.joint >= 0:
            gains = _ARM_SLIDE if link.joint_type == "prismatic" else _ARM_DRIVE
            _add_drive(spec, f"{ARM}{arm.joint_names[link.joint]}", gains)
    _drive_hand(spec, hand)
    spec.compile()
    with atomic_path(path) as temporary:
        temporary.write_text(spec.to_xml(), encoding="utf-8")


def _drive_hand(spec, hand: Hand) -> None:
    import mujoco

    for number, name in enumerate(hand.joint_names):
        leaders = np.flatnonzero(hand.coupling[number])
        if number in hand.actuated or len(leaders) > 1:
            _add_drive(spec, f"{HAND}{name}", _HAND_DRIVE)
            continue
        bound = spec.add_equality(type=mujoco.mjtEq.mjEQ_JOINT, objtype=mujoco.mjtObj.mjOBJ_JOINT)
        bound.name1 = f"{HAND}{name}"
        bound.data[:5] = [hand.coupling_offset[number], 0.0, 0.0, 0.0, 0.0]
        if len(leaders):
            bound.name2 = f"{HAND}{hand.joint_names[hand.actuated[leaders[0]]]}"
            bound.data[1] = hand.coupling[number, leaders[0]]


def _add_drive(spec, joint: str, gains: dict[str, float]) -> None:
    import mujoco

    spec.joint(joint).armature = 0.1 if joint.startswith(ARM) else 2e-4
    actuator = spec.add_actuator(name=joint, target=joint, trntype=mujoco.mjtTrn.mjTRN_JOINT)
    actuator.set_to_position(**gains)
