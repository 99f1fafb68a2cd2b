# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Checks of a hand's couplings: lost in conversion, broken, not readable, or against the limits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from pxr import Usd

from omni_graspd.hands.checks.articulation_survey import ArticulationSurvey, SurveyedJoint, applied_schemas
from omni_graspd.hands.checks.finding import Finding

_PARALLEL = 0.99
_MIMIC_SCHEMAS = ("PhysxMimicJointAPI", "NewtonMimicAPI")
_TENDONS = ("MjcTendon", "MjcEquality", "PhysxTendonAxis", "PhysxTendonAttachment")
_LEAST_COMMON_RANGE = 0.1


def check_couplings(survey: ArticulationSurvey) -> Iterator[Finding]:
    """Find couplings that name no joint, go in a circle, or leave the joint that follows almost no range."""
    movable = {joint.path: joint for joint in survey.joints if joint.is_movable}
    for joint in movable.values():
        problem = _broken(joint, movable)
        if problem is not None:
            yield Finding(
                "broken-coupling",
                "error",
                joint.path,
                f"expected its mimic schema to name a joint to follow, got {problem}",
                "set the schema's joint relationship and factor (referenceJoint and gearing, or newton:mimicJoint)",
            )
        elif joint.mimic is not None:
            yield from _check_common_range(joint, movable[str(joint.mimic.leader)])


def _broken(joint: SurveyedJoint, movable: dict[str, SurveyedJoint]) -> str | None:
    """Say what is wrong with a joint's mimic schema; None if it has none or nothing is wrong."""
    if joint.mimic is None:
        applied = [schema for schema in joint.schemas if schema.startswith(_MIMIC_SCHEMAS)]
        off = joint.prim.GetAttribute("newton:mimicEnabled")
        return f"{applied[0]} without one" if applied and not (off and off.Get() is False) else None
    if joint.mimic.multiplier == 0.0:
        return "the factor 0"
    seen, follower = {joint.path}, joint
    while follower.mimic is not None:
        leader = str(follower.mimic.leader)
        if leader not in movable:
            return f"{leader}, which is no movable joint"
        if leader in seen:
            return f"a circle through {leader}"
        seen.add(leader)
        follower = movable[leader]
    return None


def _check_common_range(joint: SurveyedJoint, leader: SurveyedJoint) -> Iterator[Finding]:
    assert joint.mimic is not None
    offset = np.degrees(joint.mimic.offset) if joint.kind == "revolute" else joint.mimic.offset
    if joint.kind != leader.kind or not np.isfinite([leader.lower, leader.upper, joint.lower, joint.upper]).all():
        return
    low, high = sorted(joint.mimic.multiplier * limit + offset for limit in (leader.lower, leader.upper))
    common = min(high, joint.upper) - max(low, joint.lower)
    have_ranges = joint.lower < joint.upper and leader.lower < leader.upper
    if have_ranges and common < _LEAST_COMMON_RANGE * (joint.upper - joint.lower):
        yield Finding(
            "coupling-against-limits",
            "warning",
            joint.path,
            f"expected the coupling to stay within {joint.lower:.4g} to {joint.upper:.4g}, got {low:.4g} to "
            f"{high:.4g} as it follows {leader.name}",
            "turn the sign of the coupling's factor, or mend the limits",
        )


def check_unmoved_joints(survey: ArticulationSurvey) -> Iterator[Finding]:
    """Find joints that neither a drive nor a coupling moves.

    A coupling is supposed where the other digits' joints at the same place do not have a drive of their own either.
    """
    movable = [joint for joint in survey.joints if joint.is_movable]
    if not any(joint.is_driven for joint in movable):
        return
    leaders = {str(joint.mimic.leader) for joint in movable if joint.mimic is not None}
    paths = {joint.path: joint for joint in movable}
    place = {joint.path: (joint.kind, _joints_to_tip(survey, joint)) for joint in movable}
    for joint in movable:
        if joint.is_driven or joint.mimic is not None or _broken(joint, paths) is not None:
            continue
        twins = [other for other in movable if other is not joint and place[other.path] == place[joint.path]]
        leader = _likely_leader(survey, joint, twins)
        driven = sum(twin.is_driven for twin in twins)
        is_pair = len(twins) == 1 and any(other.mimic is not None for other in movable)
        lost = leader is not None and joint.path not in leaders and (2 * driven <= len(twins) or is_pair)
        yield _lost_coupling(joint, leader) if lost and leader is not None else _undriven(joint)


def _undriven(joint: SurveyedJoint) -> Finding:
    return Finding(
        "undriven-joint",
        "error",
        joint.path,
        "expected a drive or a coupling, got neither: the joint dangles in a simulator",
        "apply PhysicsDriveAPI with stiffness, damping and maxForce, or couple it to the joint that moves it",
    )


def _lost_coupling(joint: SurveyedJoint, leader: SurveyedJoint) -> Finding:
    ratio = (joint.upper - joint.lower) / (leader.upper - leader.lower) if leader.upper != leader.lower else 1.0
    return Finding(
        "lost-coupling",
        "error",
        joint.path,
        f"expected a drive or a coupling, got neither; it probably followed {leader.name} before conversion",
        f"apply PhysxMimicJointAPI with {leader.name} as referenceJoint and the published factor "
        f"(the ranges suggest {ratio:.2g}; gearing is minus the factor), or a drive if it has a motor",
    )


def _likely_leader(
    survey: ArticulationSurvey, joint: SurveyedJoint, twins: list[SurveyedJoint]
) -> SurveyedJoint | None:
    """Return the joint above it with a parallel axis, else the twin on the same parent link."""
    for path in joint.bodies:
        above = survey.parents.get(path or "")
        if above is not None and above[1] is not joint and above[1].is_movable and _are_parallel(joint, above[1]):
            return above[1]
    return next((twin for twin in twins if twin.is_driven and set(twin.bodies) & set(joint.bodies)), None)


def _are_parallel(a: SurveyedJoint, b: SurveyedJoint) -> bool:
    axes = []
    for joint in (a, b):
        if joint.T_world_joint is None or joint.axis not in ("X", "Y", "Z"):
            return False
        axes.append(joint.T_world_joint[0][:3, "XYZ".index(joint.axis)])
    return a.kind == b.kind and abs(float(axes[0] @ axes[1])) > _PARALLEL


def _joints_to_tip(survey: ArticulationSurvey, joint: SurveyedJoint) -> int:
    """Return the largest number of movable joints between a joint and a tip that it moves."""
    counts = [0]
    for tip in survey.tips:
        count, parent = 0, survey.parents[tip]
        while parent is not None and parent[1] is not joint:
            count += parent[1].is_movable
            parent = survey.parents[parent[0]]
        if parent is not None:
            counts.append(count)
    return max(counts)


def check_unread_couplings(survey: ArticulationSurvey) -> Iterator[Finding]:
    """Find tendons and equality constraints: couplings in a form that is not read."""
    for prim in Usd.PrimRange(survey.root, Usd.TraverseInstanceProxies()):
        kinds = [name for name in (str(prim.GetTypeName()), *applied_schemas(prim)) if name.startswith(_TENDONS)]
        if kinds:
            yield Finding(
                "unread-coupling",
                "warning",
                str(prim.GetPath()),
                f"expected couplings as mimic joints, got {kinds[0]}, which is not read",
                "write it as PhysxMimicJointAPI or NewtonMimicAPI on the joint that follows",
            )
