# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A doctor's report on a hand: what its file holds, what is wrong with it, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.geometry.surface_quality import SurfaceQuality, measure_surface
from omni_graspd.hands.checks.articulation_survey import ArticulationSurvey, survey_articulation
from omni_graspd.hands.checks.couplings import check_couplings, check_unmoved_joints, check_unread_couplings
from omni_graspd.hands.checks.finding import SEVERITIES, Finding
from omni_graspd.hands.checks.grasping import (
    CHECKED_POINT_COUNT,
    check_approach,
    check_left_out,
    check_palm,
    check_surface_points,
)
from omni_graspd.hands.checks.joints import check_axes, check_drives, check_frames, check_limits
from omni_graspd.hands.checks.links import check_colliders, check_masses, check_surfaces
from omni_graspd.hands.checks.overlaps import check_collider_overlaps, check_link_overlaps
from omni_graspd.hands.checks.stage import (
    check_instances,
    check_loose_meshes,
    check_names,
    check_numbers,
    check_root,
    check_scale,
    check_size,
    check_tree,
    check_unit_is_stated,
)
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.surface_points import sample_surface_points
from omni_graspd.hands.usd.hand_reader import read_hand

_CHECKS_WITHOUT_LENGTHS = (
    check_unit_is_stated,
    check_numbers,
    check_names,
    check_scale,
    check_instances,
    check_root,
    check_tree,
    check_loose_meshes,
    check_axes,
    check_limits,
    check_drives,
    check_couplings,
    check_unmoved_joints,
    check_unread_couplings,
    check_palm,
)
_CHECKS_WITH_LENGTHS = (check_frames, check_colliders, check_masses, check_collider_overlaps)


@dataclass(frozen=True, eq=False)
class HandReport:
    """What a check of one hand found."""

    survey: ArticulationSurvey
    """The file as it is."""
    hand: Hand | None
    """The hand as grasp synthesis takes it; None if it cannot be read."""
    qualities: dict[str, SurfaceQuality]
    """Figures of the links' surfaces, by path of the link."""
    point_counts: dict[str, int]
    """Surface points of each link, by path of the link; empty if the hand cannot be read."""
    findings: tuple[Finding, ...]
    """Errors first, then warnings, then notes."""

    @property
    def error_count(self) -> int:
        """Number of findings that are errors."""
        return sum(finding.severity == "error" for finding in self.findings)


def check_hand(path: Path) -> HandReport:
    """Check a hand's file.

    Faults do not stop the check: what the reader refuses becomes a finding. Checks of lengths, shapes and masses are
    left out where the unit is wrong, since they would only repeat that.

    Args:
        path: USD file of the hand.

    Raises:
        GraspdError: If the file is missing or not USD, or the hand.toml beside it cannot be read.
    """
    survey = survey_articulation(path)
    findings = list(check_size(survey))
    has_lengths = not any(finding.severity == "error" for finding in findings)
    for check in _CHECKS_WITHOUT_LENGTHS:
        findings += check(survey)
    qualities = {link.path: measure_surface(link.mesh) for link in survey.links if len(link.mesh.faces)}
    findings += check_surfaces(survey, qualities)
    if has_lengths:
        for check in _CHECKS_WITH_LENGTHS:
            findings += check(survey)
    hand, refusal = _read(path)
    if refusal is not None:
        findings.append(_unreadable(survey, refusal, findings))
    counts = np.zeros(0, dtype=np.int64)
    if has_lengths:
        findings += check_link_overlaps(survey, hand)
        if hand is not None:
            counts = _point_counts(hand)
            findings += check_left_out(survey, hand)
            findings += check_approach(hand)
            findings += check_surface_points(hand, counts)
    named = zip(hand.links, counts.tolist(), strict=False) if hand is not None else ()
    return HandReport(
        survey=survey,
        hand=hand,
        qualities=qualities,
        point_counts={link.prim_path: count for link, count in named},
        findings=tuple(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))),
    )


def _read(path: Path) -> tuple[Hand | None, str | None]:
    """Return the hand, or why it cannot be read."""
    try:
        hand = read_hand(path)
    except GraspdError as error:
        return None, str(error)
    # A file with faults that are reported one by one can stop the reader anywhere.
    except (ValueError, KeyError, IndexError, ZeroDivisionError, np.linalg.LinAlgError) as error:
        return None, f"expected a sound file, got {type(error).__name__} ({error}); mend the errors above first"
    return (hand, None) if _is_finite(hand) else (None, "expected numbers in the links and joints, got NaN; mend them")


def _is_finite(hand: Hand) -> bool:
    arrays = [hand.joint_lower, hand.joint_upper, hand.open_positions, hand.approach_direction, hand.approach_point]
    for link in hand.links:
        arrays += [link.axis, link.T_parent_joint, link.T_link_joint, link.mesh.vertices]
    return all(np.isfinite(array).all() for array in arrays)


def _unreadable(survey: ArticulationSurvey, refusal: str, findings: list[Finding]) -> Finding:
    """Say that the hand cannot be read; only a note if an error says why already."""
    message, _, remedy = refusal.rpartition("; ")
    explained = any(finding.severity == "error" for finding in findings)
    return Finding(
        "unreadable",
        "note" if explained else "error",
        str(survey.root.GetPath()),
        message or refusal,
        "mend the errors first; checks of the whole hand were left out" if explained else remedy,
    )


def _point_counts(hand: Hand) -> np.ndarray:
    """Return surface points per link, shape [link_count]; zeros if there is no surface at all."""
    try:
        points = sample_surface_points(hand, CHECKED_POINT_COUNT)
    except GraspdError:
        return np.zeros(len(hand.links), dtype=np.int64)
    return np.bincount(points.link_index, minlength=len(hand.links))


def findings_above_note(report: HandReport) -> Iterator[Finding]:
    """Yield errors and warnings."""
    yield from (finding for finding in report.findings if finding.severity != "note")
