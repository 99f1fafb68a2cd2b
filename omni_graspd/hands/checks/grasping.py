# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Checks of what grasp synthesis takes from a hand: palm, approach, closing, surface points."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from omni_graspd.hands.checks.articulation_survey import ArticulationSurvey
from omni_graspd.hands.checks.finding import Finding
from omni_graspd.hands.closing import closed_positions, fingertip_positions
from omni_graspd.hands.hand import Hand

CHECKED_POINT_COUNT = 1200
"""How many surface points are drawn for the check; as many as synthesis takes by default."""
_FEWEST_ON_TIP = 12
_BEHIND = 0.005
"""Fingertips may close this far behind the palm's approach point [m]."""


def check_palm(survey: ArticulationSurvey) -> Iterator[Finding]:
    """Find hands whose palm is a guess: no link with several digits, or several alike."""
    if survey.settings.palm is not None or not survey.parents:
        return
    digits = _digit_counts(survey)
    most = max(digits.values())
    candidates = [path for path, count in digits.items() if count == most]
    if most < 2:
        yield Finding(
            "palm-ambiguous",
            "warning",
            str(survey.root.GetPath()),
            "expected a link that at least two digits branch from, got a single chain",
            'name the palm in hand.toml beside the file: palm = "..."',
        )
    elif len(candidates) > 1:
        names = ", ".join(path.rpartition("/")[2] for path in candidates)
        yield Finding(
            "palm-ambiguous",
            "warning",
            candidates[0],
            f"expected one link that most digits branch from, got {len(candidates)}: {names}",
            'name the palm in hand.toml beside the file: palm = "..."',
        )


def check_left_out(survey: ArticulationSurvey, hand: Hand) -> Iterator[Finding]:
    """Note the links with a surface that grasps know nothing of: those above the palm, and excluded ones."""
    known = {link.prim_path for link in hand.links}
    left = [link.name for link in survey.links if link.path not in known and len(link.mesh.faces)]
    if left:
        yield Finding(
            "left-out-links",
            "note",
            hand.links[0].prim_path,
            f"expected nothing above the palm, got {', '.join(left)}: grasps are made without, and it may pass through "
            "objects and the table",
            "check grasps against the arm that carries the hand; nothing to do where the hand is mounted otherwise",
        )


def _digit_counts(survey: ArticulationSurvey) -> dict[str, int]:
    """Return how many chains with a movable joint start at each link."""
    counts = dict.fromkeys(survey.parents, 0)
    moving: set[str] = set()
    for path in reversed(list(survey.parents)):
        parent = survey.parents[path]
        if parent is not None and (parent[1].is_movable or path in moving):
            moving.add(parent[0])
            counts[parent[0]] += 1
    return counts


def check_approach(hand: Hand) -> Iterator[Finding]:
    """Find an approach direction that points away from where the fingertips close."""
    tips = fingertip_positions(hand, hand.joint_positions(closed_positions(hand)))
    ahead = float((tips.mean(axis=0) - hand.approach_point) @ hand.approach_direction)
    if ahead < -_BEHIND:
        direction = ", ".join(f"{v:.2g}" for v in hand.approach_direction)
        yield Finding(
            "approach-away",
            "warning",
            hand.links[0].prim_path,
            f"expected fingertips to close in front of the palm, "
            f"got {-1e3 * ahead:.0f} mm behind it along ({direction})",
            "set approach_direction, out of the palm toward the object, and approach_point in hand.toml",
        )


def check_surface_points(hand: Hand, point_counts: np.ndarray) -> Iterator[Finding]:
    """Find fingertips with so few surface points that grasps do not see them.

    Args:
        hand: The hand.
        point_counts: Surface points of each link out of ``CHECKED_POINT_COUNT``, shape [link_count].
    """
    inner = {link.parent for link in hand.links}
    for index, link in enumerate(hand.links):
        if index in inner or not len(link.mesh.faces) or point_counts[index] >= _FEWEST_ON_TIP:
            continue
        yield Finding(
            "few-surface-points",
            "warning",
            link.prim_path,
            f"expected at least {_FEWEST_ON_TIP} of {CHECKED_POINT_COUNT} surface points on a fingertip, "
            f"got {point_counts[index]}",
            "exclude large links that do not grasp (excluded_links in hand.toml), or take more points "
            "(--synthesis.point-count)",
        )
