# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The way in: how an open hand gets to a grasp past a table and other obstacles, and whether it can."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.lowest_point import lowest_heights
from omni_graspd.hands.preshapes import find_preshapes
from omni_graspd.hands.surface_points import HandPoints, posed_points
from omni_graspd.objects.signed_distance import SignedDistance
from omni_graspd.ranges import require_not_negative, require_positive
from omni_graspd.synthesis.squeeze import opening_steps
from omni_graspd.usd.transforms import pose_to_matrix

_CLOSING = np.array([0.0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875])
"""Where the way from hover (0) to grasp (1) is looked at."""
_FEELING = np.array([0.0, 0.4, 0.7])
"""Where on it the object is looked for, too."""
_RETREATS = np.array([0.02, 0.04, 0.06, 0.09, 0.12, 0.16, 0.2])
"""How far the pregrasp may be from hover [m]."""
_REACH = 0.02


@dataclass(frozen=True, kw_only=True)
class WayConfig:
    """What a way in keeps clear of."""

    clearance: float = 0.01
    """Distance of the pregrasp from object, table and obstacles [m]."""
    keep: float = 0.0025
    """Distance from table and obstacles while the hand closes [m]; falls to zero on the second half of the way."""
    open_clearance: float = 0.002
    """Distance of the open hand from the object between pregrasp and hover [m]."""
    back: float = 0.01
    """How far the palm is drawn back against its approach direction at hover [m]."""
    opening: float = 0.02
    """How far touching surface moves away from the object when the hand opens [m]."""
    dent: float = 0.002
    """How much deeper than in the grasp the closing hand may reach into the object [m]."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_positive(self, "synthesis.way", "clearance", "opening", unit=" m", finite=True)
        require_not_negative(self, "synthesis.way", "keep", "open_clearance", "back", "dent")


@dataclass
class PlannedWays:
    """Ways of some grasps; failed ones hold the last that was tried."""

    T_object_pregrasp_palm: np.ndarray
    T_object_hover_palm: np.ndarray
    opened: np.ndarray
    pregrasp_clearance: np.ndarray
    approach_clearance: np.ndarray
    closing_clearance: np.ndarray
    fault: np.ndarray


_FAULTS = ("", "no room for the open hand", "the closing hand hits the object", "no way in")


def plan_ways(
    hand: Hand,
    points: HandPoints,
    distance: SignedDistance,
    plane: np.ndarray,
    T_object_palm: np.ndarray,
    actuated: np.ndarray,
    config: WayConfig,
) -> PlannedWays:
    """Find a way to each grasp over a table.

    Opening the hand where it grasps would press fingers into the table more often than not. So the palm descends
    while the fingers close: with h(s) the height of the lowest vertex of the hand at the grasp's palm pose with its
    joints a share s of the way from open to grasp, hover is raised by max_s (keep - h(s)) / (1 - s). From hover the
    open hand retreats: against its approach direction, straight up, or between the two. Openings are tried in turn.
    """
    ways = _empty(T_object_palm, actuated)
    todo = np.arange(len(actuated))
    grasp_depths = _gaps(hand, points, distance, T_object_palm, hand.joint_positions(actuated))
    for opened in _openings(hand, points, distance, T_object_palm, actuated, config):
        if not len(todo):
            break
        for back in (config.back, 0.0):
            if len(todo):
                fault = _try(
                    hand, points, distance, plane, T_object_palm, actuated, opened, back, grasp_depths, config, ways, todo
                )
                todo = todo[fault > 0]
    return ways


def _empty(T_object_palm: np.ndarray, actuated: np.ndarray) -> PlannedWays:
    count = len(actuated)
    nothing = np.full(count, -np.inf)
    return PlannedWays(
        T_object_palm.copy(),
        T_object_palm.copy(),
        actuated.copy(),
        nothing.copy(),
        nothing.copy(),
        nothing.copy(),
        np.full(count, 9),
    )


def _openings(
    hand: Hand,
    points: HandPoints,
    distance: SignedDistance,
    T_object_palm: np.ndarray,
    actuated: np.ndarray,
    config: WayConfig,
) -> Iterator[np.ndarray]:
    """Yield open joint positions, shape [grasp_count, actuated_count] each, the most natural ones first."""
    lower, upper = hand.joint_lower[hand.actuated], hand.joint_upper[hand.actuated]
    steps = opening_steps(hand, points, distance, T_object_palm, actuated)
    yield np.clip(actuated + config.opening * steps, np.minimum(lower, actuated), np.maximum(upper, actuated))
    yield np.clip(actuated + 2.0 * config.opening * steps, np.minimum(lower, actuated), np.maximum(upper, actuated))
    yield np.clip(actuated + 0.5 * config.opening * steps, np.minimum(lower, actuated), np.maximum(upper, actuated))
    preshapes = find_preshapes(hand)
    if preshapes:
        yield np.broadcast_to(preshapes[-1].actuated, actuated.shape)
    yield np.broadcast_to(hand.open_positions, actuated.shape)


def _try(
    hand: Hand,
    points: HandPoints,
    distance: SignedDistance,
    plane: np.ndarray,
    T_object_palm: np.ndarray,
    actuated: np.ndarray,
    opened: np.ndarray,
    back: float,
    grasp_gaps: np.ndarray,
    config: WayConfig,
    ways: PlannedWays,
    todo: np.ndarray,
) -> np.ndarray:
    """Try one opening for the grasps in ``todo``; notes what is better than before and returns the faults."""
    normal = plane[:3]
    poses, start, end = T_object_palm[todo], opened[todo], actuated[todo]
    approach = pose_to_matrix(poses)[:, :3, :3] @ hand.approach_direction
    # Postures at the grasp's palm pose, drawn back by what is left of the way.
    shares = _CLOSING[:, None, None]
    joints = hand.joint_positions(start + shares * (end - start))
    drawn = np.repeat(poses[None], len(_CLOSING), axis=0)
    drawn[..., :3] -= (1.0 - shares) * back * approach
    heights = lowest_heights(hand, plane, drawn, joints)
    left = 1.0 - _CLOSING[:, None]
    rise = np.maximum((config.keep * np.minimum(1.0, 2.0 * left) - heights) / left, 0.0).max(axis=0)
    hover = poses.copy()
    hover[:, :3] += rise[:, None] * normal - back * approach
    closing = (heights + rise * left).min(axis=0)
    # The object, felt on the way down.
    gaps = []
    for share in _FEELING:
        placed = poses.copy()
        placed[:, :3] += (1.0 - share) * (hover[:, :3] - poses[:, :3])
        gaps.append(_gaps(hand, points, distance, placed, hand.joint_positions(start + share * (end - start))))
    open_joints = hand.joint_positions(start)
    fault = np.where(gaps[0] < config.open_clearance, 1, 0)
    deepest = np.minimum.reduce(gaps[1:])
    fault = np.where((fault == 0) & (deepest < np.minimum(grasp_gaps[todo], 0.0) - config.dent), 2, fault)
    pregrasp, approach_gap, pregrasp_gap = _retreat(
        hand, points, distance, plane, hover, open_joints, approach, gaps[0], config, fault == 0
    )
    fault = np.where((fault == 0) & (pregrasp_gap < config.clearance), 3, fault)
    better = (fault == 0) | (ways.fault[todo] == 9)
    rows = todo[better]
    ways.T_object_pregrasp_palm[rows] = pregrasp[better]
    ways.T_object_hover_palm[rows] = hover[better]
    ways.opened[rows] = start[better]
    ways.pregrasp_clearance[rows] = pregrasp_gap[better]
    ways.approach_clearance[rows] = approach_gap[better]
    ways.closing_clearance[rows] = closing[better]
    ways.fault[rows] = fault[better]
    return fault


def _retreat(
    hand: Hand,
    points: HandPoints,
    distance: SignedDistance,
    plane: np.ndarray,
    hover: np.ndarray,
    joints: np.ndarray,
    approach: np.ndarray,
    hover_gap: np.ndarray,
    config: WayConfig,
    wanted: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return pregrasps, the least clearance from there to hover, and that of the pregrasp, -inf where there is none."""
    normal = plane[:3]
    hover_height = lowest_heights(hand, plane, hover, joints)
    pregrasp = hover.copy()
    least = np.minimum(hover_gap, hover_height)
    reached = np.full(len(hover), -np.inf)
    between = -approach + normal
    between = between / np.maximum(np.linalg.norm(between, axis=1, keepdims=True), 1e-9)
    up = np.broadcast_to(normal, approach.shape)
    for direction in (-approach, between, up):
        slope = (direction * normal).sum(axis=1)
        todo = np.flatnonzero(wanted & (reached < config.clearance))
        narrowest = np.minimum(hover_gap, hover_height)
        for retreat in _RETREATS:
            if not len(todo):
                break
            placed = hover[todo].copy()
            placed[:, :3] += retreat * direction[todo]
            gaps = _gaps(hand, points, distance, placed, joints[todo])
            clear = np.minimum(gaps, hover_height[todo] + retreat * slope[todo])
            narrowest[todo] = np.minimum(narrowest[todo], clear)
            good = narrowest[todo] >= min(config.open_clearance, config.keep) - 1e-9
            done = good & (clear >= config.clearance)
            rows = todo[done]
            pregrasp[rows], reached[rows], least[rows] = placed[done], clear[done], narrowest[rows]
            todo = todo[good & ~done]
    return pregrasp, least, reached


def _gaps(
    hand: Hand, points: HandPoints, distance: SignedDistance, poses: np.ndarray, joints: np.ndarray
) -> np.ndarray:
    """Return the least distance of hand points from the object [m], at most 2 cm, shape [grasp_count]."""
    placed = posed_points(hand, points, poses, joints)
    distances, _ = distance.query(placed.reshape(-1, 3), _REACH)
    return distances.reshape(len(poses), -1).min(axis=1).astype(np.float64)
