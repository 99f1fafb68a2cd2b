# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Checks of a hand's joints: axes, limits, frames, drives."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from omni_graspd.hands.checks.articulation_survey import ArticulationSurvey, SurveyedJoint
from omni_graspd.hands.checks.finding import Finding

_FRAME_DISTANCE = 0.5e-3
"""How far apart the two bodies may place a joint [m]."""
_FRAME_ANGLE = 0.5
"""How much the two bodies may turn a joint frame off its axis [degree]."""
_FULL_TURN = 360.0


def check_axes(survey: ArticulationSurvey) -> Iterator[Finding]:
    """Find joints without a usable axis."""
    for joint in survey.joints:
        if joint.kind in ("revolute", "prismatic") and joint.axis not in ("X", "Y", "Z"):
            yield Finding(
                "invalid-axis",
                "error",
                joint.path,
                f"expected physics:axis to be X, Y or Z, got {joint.axis!r}",
                "name an axis of the joint frame; turn physics:localRot0 and localRot1 for an oblique one",
            )


def check_limits(survey: ArticulationSurvey) -> Iterator[Finding]:
    """Find limits that are swapped, equal, missing, or in radians."""
    movable = [joint for joint in survey.joints if joint.is_movable and joint.kind != "other"]
    turning = [joint for joint in movable if joint.kind == "revolute"]
    if len(turning) > 1 and 0.0 < _largest_limit(turning) < 2.0 * math.pi:
        yield Finding(
            "limits-in-radians",
            "error",
            str(survey.root.GetPath()),
            f"expected limits in degrees, got at most {_largest_limit(turning):.3g} on {len(turning)} joints",
            "USD counts in degrees: multiply physics:lowerLimit and upperLimit by 180 / pi",
        )
        return
    for joint in movable:
        yield from _check_limits_of(joint)


def _largest_limit(joints: list[SurveyedJoint]) -> float:
    limits = np.array([[joint.lower, joint.upper] for joint in joints])
    return float(np.abs(limits).max()) if np.isfinite(limits).all() else math.inf


def _check_limits_of(joint: SurveyedJoint) -> Iterator[Finding]:
    unit, factor = ("degrees", 1.0) if joint.kind == "revolute" else ("mm", 1000.0)
    span = f"{factor * joint.lower:.4g} to {factor * joint.upper:.4g} {unit}"
    if joint.lower > joint.upper:
        yield Finding(
            "swapped-limits",
            "error",
            joint.path,
            f"expected the lower limit below the upper one, got {span}",
            "swap physics:lowerLimit and physics:upperLimit",
        )
    elif joint.lower == joint.upper:
        yield Finding(
            "zero-range",
            "warning",
            joint.path,
            f"expected a range to move in, got {span}",
            "set the limits, or make it a fixed joint",
        )
    elif not np.isfinite([joint.lower, joint.upper]).all() and not np.isnan([joint.lower, joint.upper]).any():
        yield Finding(
            "no-limits",
            "warning" if joint.kind == "revolute" else "error",
            joint.path,
            f"expected finite limits, got {span}",
            "set physics:lowerLimit and physics:upperLimit; the reader takes half a turn to each side of a hinge",
        )
    elif joint.kind == "revolute" and joint.upper - joint.lower > _FULL_TURN:
        yield Finding(
            "wide-limits",
            "warning",
            joint.path,
            f"expected at most one turn, got {span}",
            "check the unit: degrees may have been converted twice",
        )


def check_frames(survey: ArticulationSurvey) -> Iterator[Finding]:
    """Find joints that their two bodies place differently: in a simulator the links jump at the first step."""
    for joint in survey.joints:
        if joint.T_world_joint is None or joint.kind == "other" or joint.axis not in ("X", "Y", "Z"):
            continue
        shift, turn, position = _across_joint(joint)
        if shift > _FRAME_DISTANCE or turn > _FRAME_ANGLE:
            yield Finding(
                "joint-frames-disagree",
                "error",
                joint.path,
                f"expected both bodies to place the joint alike, got {1e3 * shift:.3g} mm and {turn:.3g} degrees apart",
                "move the child link or mend physics:localPos and localRot, so that both frames coincide at rest",
            )
        elif joint.is_movable and _is_outside(joint, position):
            yield _rest_outside(joint, position)


def _across_joint(joint: SurveyedJoint) -> tuple[float, float, float]:
    """Return by how much the frames differ besides the joint's own motion [m, degree], and its position at rest."""
    from scipy.spatial.transform import Rotation

    assert joint.T_world_joint is not None
    motion = np.linalg.inv(joint.T_world_joint[0]) @ joint.T_world_joint[1]
    index = "XYZ".index(joint.axis)
    shift, turn = motion[:3, 3].copy(), np.degrees(Rotation.from_matrix(motion[:3, :3]).as_rotvec())
    position = 0.0
    if joint.kind == "prismatic":
        position, shift[index] = float(shift[index]), 0.0
    elif joint.kind == "revolute":
        position, turn[index] = float(turn[index]), 0.0
    return float(np.linalg.norm(shift)), float(np.linalg.norm(turn)), position


def _is_outside(joint: SurveyedJoint, position: float) -> bool:
    slack = 1.0 if joint.kind == "revolute" else 1e-3
    return joint.lower <= joint.upper and not joint.lower - slack <= position <= joint.upper + slack


def _rest_outside(joint: SurveyedJoint, position: float) -> Finding:
    unit, factor = ("degrees", 1.0) if joint.kind == "revolute" else ("mm", 1000.0)
    return Finding(
        "rest-outside-limits",
        "warning",
        joint.path,
        f"expected the links to stand within the limits, got {factor * position:.4g} {unit} where "
        f"{factor * joint.lower:.4g} to {factor * joint.upper:.4g} are allowed",
        "move the child link so that the joint is within its limits in the file",
    )


def check_drives(survey: ArticulationSurvey) -> Iterator[Finding]:
    """Find hands without motors, and motors that cannot hold or push."""
    movable = [joint for joint in survey.joints if joint.is_movable]
    if movable and not any(joint.is_driven for joint in movable):
        yield Finding(
            "no-drives",
            "error",
            str(survey.root.GetPath()),
            "expected drives on the actuated joints, got none with a gain",
            "apply PhysicsDriveAPI with stiffness, damping and maxForce to each joint that has a motor",
        )
        return
    for joint in movable:
        for drive in joint.drives:
            if joint.is_driven and drive.max_force <= 0.0:
                yield Finding(
                    "drive-without-force",
                    "error",
                    joint.path,
                    f"expected a largest force above 0, got {drive.max_force:g}",
                    "set drive:*:physics:maxForce to the motor's limit",
                )
            elif drive.stiffness <= 0.0 < drive.damping:
                yield Finding(
                    "drive-without-stiffness",
                    "warning",
                    joint.path,
                    "expected a stiffness above 0, got 0: the drive does not go to a position",
                    "set drive:*:physics:stiffness",
                )
            elif drive.stiffness > 0.0 and math.isinf(drive.max_force):
                yield Finding(
                    "drive-without-limit",
                    "note",
                    joint.path,
                    "has no largest force: grasps in physics will press as hard as the gain has it",
                    "set drive:*:physics:maxForce to the motor's limit",
                )
