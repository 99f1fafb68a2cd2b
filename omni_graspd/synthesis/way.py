# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The way in: how an open hand gets to a grasp past a table and obstacles, and whether it can."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from omni_graspd.hands.placed_hands import PlacedHands
from omni_graspd.hands.preshapes import find_preshapes
from omni_graspd.ranges import require_not_negative, require_positive, require_within
from omni_graspd.synthesis.clearance import REACH, HandClearance
from omni_graspd.synthesis.crossing import crossing_links
from omni_graspd.synthesis.joint_motion import pressing_steps
from omni_graspd.usd.transforms import pose_to_matrix

CLOSING = np.array([0.0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875])
"""Shares of the way from hover to grasp at which the hand is checked."""

_FEELING = np.array([0.4, 0.7])
# How far the pregrasp may be from hover [m].
_RETREATS = np.array([0.02, 0.04, 0.06, 0.09, 0.12, 0.16, 0.2])
# How far apart the places between hover and pregrasp are at which the hand's triangles are tested [m].
_STATION = 0.01
# Surface nearer to the object than this moves away from it when the hand opens [m].
_NEAR = 0.01
# Points on the hand can be so much farther from the object than the hand is [m].
_BETWEEN_POINTS = 0.003

NO_WAY = ("", "no room for the open hand", "the closing hand hits the object", "no way out for the open hand")
"""Why there is no way, by the number of the fault; the first is none."""
_UNTRIED = len(NO_WAY)


@dataclass(frozen=True, kw_only=True)
class WayConfig:
    """What a way in keeps clear of."""

    clearance: float = 0.01
    """Distance of the pregrasp from the object, the table and obstacles [m]."""
    keep: float = 0.0025
    """Distance kept from the table while the hand closes [m]; falls to zero over the second half."""
    open_clearance: float = 0.002
    """Distance of the open hand from the object and obstacles between pregrasp and hover [m]."""
    back: float = 0.01
    """How far the palm retreats along its approach direction at hover [m]."""
    higher: float = 0.03
    """How much higher hover may be if the open hand does not fit beside the object [m]."""
    opening: float = 0.02
    """How far the touching surface moves away from the object as the hand opens [m]."""
    dent: float = 0.002
    """How much deeper the closing hand may reach into the object than the grasp does [m]."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_positive(self, "synthesis.way", "clearance", "opening", unit=" m", finite=True)
        require_not_negative(self, "synthesis.way", "keep", "higher", "open_clearance", "back", "dent")
        # What is farther is not measured, and no way would be found.
        require_within(self, "synthesis.way", 0.0, REACH - _BETWEEN_POINTS, "clearance", "open_clearance")


@dataclass(frozen=True)
class PlannedWays:
    """A way to each grasp; where there is none, the first that was tried."""

    T_object_pregrasp_palm: np.ndarray
    """Palm pose of the open hand before the object, shape [grasp_count, 7]."""
    T_object_hover_palm: np.ndarray
    """Palm pose where the open hand begins to close, shape [grasp_count, 7]."""
    opened: np.ndarray
    """Actuated positions of the open hand [rad or m], shape [grasp_count, actuated_count]."""
    pregrasp_clearance: np.ndarray
    """Distance of the pregrasp from everything, up to 2 cm [m], shape [grasp_count]."""
    approach_clearance: np.ndarray
    """Least distance from everything between pregrasp and hover, up to 2 cm [m], shape [grasp_count]."""
    closing_clearance: np.ndarray
    """Least distance from table and obstacles between hover and grasp [m], shape [grasp_count]."""
    fault: np.ndarray
    """Why there is no way, an index into :data:`NO_WAY`, shape [grasp_count]; 0 where there is one."""

    @classmethod
    def none_yet(cls, T_object_palm: np.ndarray, actuated: np.ndarray) -> PlannedWays:
        """Return ways that lead nowhere."""
        nothing = np.full((3, len(actuated)), -np.inf)
        faults = np.full(len(actuated), _UNTRIED)
        poses = T_object_palm.copy(), T_object_palm.copy(), actuated.copy()
        return cls(*poses, nothing[0], nothing[1], nothing[2], faults)

    def take(self, rows: np.ndarray, other: PlannedWays, chosen: np.ndarray) -> None:
        """Put the ``chosen`` ways of another in place of ``rows``."""
        for name in self.__dataclass_fields__:
            getattr(self, name)[rows] = getattr(other, name)[chosen]


def plan_ways(
    clearance: HandClearance, T_object_palm: np.ndarray, actuated: np.ndarray, config: WayConfig
) -> PlannedWays:
    """Find a way to each grasp past what stands around the object.

    Opening the hand where it grasps would press fingers into the table more often than not. So the palm descends
    while the fingers close: with h(s) the height of the lowest vertex of the hand at the grasp's palm pose with its
    joints a share s of the way from open to grasp, hover is raised by max_s (keep - h(s)) / (1 - s). From hover the
    open hand retreats: against its approach direction, straight up, or between the two. Openings are tried in turn.
    At none of the shares of :data:`CLOSING` may the hand touch table or obstacles, nor dent the object much more than
    the grasp itself does.

    Args:
        clearance: The hand among object and surroundings.
        T_object_palm: Palm poses of the grasps, shape [grasp_count, 7].
        actuated: Actuated positions of the grasps [rad or m], shape [grasp_count, actuated_count].
        config: Distances.
    """
    ways = PlannedWays.none_yet(T_object_palm, actuated)
    todo = np.arange(len(actuated))
    grasps = clearance.place(T_object_palm, clearance.hand.joint_positions(actuated))
    depths = np.minimum(clearance.object_gaps(grasps), 0.0)
    for opened in _openings(clearance, T_object_palm, actuated, config):
        for back, higher in ((config.back, 0.0), (0.0, 0.0), (0.0, config.higher)):
            if not len(todo):
                return ways
            offset = back, higher
            attempt = _Attempt(
                clearance, config, T_object_palm[todo], opened[todo], actuated[todo], depths[todo], offset
            )
            found = attempt.ways()
            better = (found.fault == 0) | (ways.fault[todo] == _UNTRIED)
            ways.take(todo[better], found, np.flatnonzero(better))
            todo = todo[found.fault > 0]
    return ways


def _openings(
    clearance: HandClearance, T_object_palm: np.ndarray, actuated: np.ndarray, config: WayConfig
) -> Iterator[np.ndarray]:
    """Yield open actuated positions, shape [grasp_count, actuated_count] each, the most natural ones first."""
    hand = clearance.hand
    lower = np.minimum(hand.joint_lower[hand.actuated], actuated)
    upper = np.maximum(hand.joint_upper[hand.actuated], actuated)
    closing = pressing_steps(
        hand, clearance.points, clearance.distance, T_object_palm, actuated, threshold=_NEAR, press=1.0
    )
    for factor in (1.0, 2.0, 0.5):
        yield np.clip(actuated - factor * config.opening * closing, lower, upper)
    preshapes = find_preshapes(hand)
    if preshapes:
        yield np.broadcast_to(preshapes[-1].actuated, actuated.shape)
    yield np.broadcast_to(hand.open_positions, actuated.shape)


class _Attempt:
    """One opening of the hand, tried for some grasps."""

    def __init__(
        self,
        clearance: HandClearance,
        config: WayConfig,
        T_object_palm: np.ndarray,
        opened: np.ndarray,
        actuated: np.ndarray,
        depths: np.ndarray,
        offset: tuple[float, float],
    ) -> None:
        self.clearance, self.config, self.poses = clearance, config, T_object_palm
        self.opened, self.actuated, self.depths = opened, actuated, depths
        self.back, self.higher = offset
        self.hand = clearance.hand
        self.approach = pose_to_matrix(T_object_palm)[:, :3, :3] @ self.hand.approach_direction
        self.up = np.zeros(3) if clearance.plane is None else clearance.plane[:3]

    def ways(self) -> PlannedWays:
        """Return what this opening leads to."""
        hover, closing = self._hover()
        opened = self.clearance.place(hover, self.hand.joint_positions(self.opened))
        gaps = self._gaps(opened)
        fault = np.where((gaps < self.config.open_clearance) | (closing < 0.0), 1, 0)
        fault = np.where((fault == 0) & self._dents(hover), 2, fault)
        pregrasp, reached, narrowest = self._retreat(hover, opened, gaps, fault == 0)
        fault = np.where((fault == 0) & (reached < self.config.clearance), 3, fault)
        fault = np.where((fault == 0) & self._crosses(pregrasp[:, :3] - hover[:, :3], opened), 3, fault)
        return PlannedWays(pregrasp, hover, self.opened, reached, narrowest, closing, fault)

    def _gaps(self, hands: PlacedHands) -> np.ndarray:
        return np.minimum(self.clearance.object_gaps(hands), self.clearance.obstacle_gaps(hands))

    def _joints(self, share: float) -> np.ndarray:
        return self.hand.joint_positions(self.opened + share * (self.actuated - self.opened))

    def _hover(self) -> tuple[np.ndarray, np.ndarray]:
        """Return hover poses and the least clearance from table and obstacles from there to the grasp."""
        offset = self.higher * self.up - self.back * self.approach
        left = 1.0 - CLOSING[:, None]
        joints = np.stack([self._joints(share) for share in CLOSING])
        drawn = np.repeat(self.poses[None], len(CLOSING), axis=0)
        drawn[..., :3] += left[..., None] * offset
        hands = self.clearance.place(drawn.reshape(-1, 7), joints.reshape(-1, self.hand.joint_count))
        heights = self.clearance.heights(hands).reshape(len(CLOSING), -1)
        rise = np.maximum((self.config.keep * np.minimum(1.0, 2.0 * left) - heights) / left, 0.0).max(axis=0)
        hover = self.poses.copy()
        hover[:, :3] += rise[:, None] * self.up + offset
        closing = (heights + rise * left).min(axis=0)
        if self.clearance.obstacles is not None:
            for share in CLOSING:
                closing = np.minimum(closing, self.clearance.obstacle_gaps(self._between(hover, share)))
        return hover, closing

    def _between(self, hover: np.ndarray, share: float) -> PlacedHands:
        """Return the hands with a share of the way from hover to grasp behind them."""
        placed = self.poses.copy()
        placed[:, :3] += (1.0 - share) * (hover[:, :3] - self.poses[:, :3])
        return self.clearance.place(placed, self._joints(share))

    def _dents(self, hover: np.ndarray) -> np.ndarray:
        """Tell whether the closing hand reaches deeper into the object than the grasp does."""
        deepest = [self.clearance.object_gaps(self._between(hover, share)) for share in _FEELING]
        return np.minimum.reduce(deepest) < self.depths - self.config.dent

    def _retreat(
        self, hover: np.ndarray, opened: PlacedHands, gaps: np.ndarray, wanted: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return pregrasps, how clear they are (-inf where there is none), and the narrowest place up to hover."""
        heights = self.clearance.heights(opened)
        pregrasp, reached = hover.copy(), np.full(len(hover), -np.inf)
        least = np.minimum(gaps, heights)
        for direction in self._directions():
            slope = (direction * self.up).sum(axis=1)
            todo = np.flatnonzero(wanted & (reached < self.config.clearance))
            narrowest = np.minimum(gaps, heights)
            for retreat in _RETREATS:
                if not len(todo):
                    break
                shift = retreat * direction[todo]
                placed = opened.rows(todo).moved(shift)
                clear = np.minimum(self._gaps(placed), heights[todo] + retreat * slope[todo])
                narrowest[todo] = np.minimum(narrowest[todo], clear)
                good = narrowest[todo] >= min(self.config.open_clearance, self.config.keep) - 1e-9
                done = good & (clear >= self.config.clearance + _BETWEEN_POINTS)
                if done.any():
                    corners = self.clearance.corner_gaps(placed.rows(done))
                    clear[done] = np.minimum(clear[done], corners)
                    done &= clear >= self.config.clearance
                rows = todo[done]
                pregrasp[rows, :3] += shift[done]
                reached[rows], least[rows] = clear[done], narrowest[rows]
                todo = todo[good & ~done]
        return pregrasp, reached, least

    def _directions(self) -> Iterator[np.ndarray]:
        yield -self.approach
        if self.up.any():
            between = self.up - self.approach
            yield between / np.maximum(np.linalg.norm(between, axis=1, keepdims=True), 1e-9)
            yield np.broadcast_to(self.up, self.approach.shape)

    def _crosses(self, way: np.ndarray, opened: PlacedHands) -> np.ndarray:
        """Tell whether any triangle of the open hand crosses object or obstacles from hover along a way [m]."""
        meshes = [part.mesh for part in (self.clearance.distance, self.clearance.obstacles) if part is not None]
        crosses = np.zeros(len(way), dtype=bool)
        length = np.linalg.norm(way, axis=1)
        for station in range(1 + int(np.ceil(length.max(initial=0.0) / _STATION))):
            rows = np.flatnonzero(~crosses & (length > (station - 1) * _STATION))
            share = np.minimum(station * _STATION / np.maximum(length[rows], 1e-9), 1.0)
            placed = opened.rows(rows).moved(share[:, None] * way[rows])
            for mesh in meshes:
                crosses[rows] |= crossing_links(placed, mesh).any(axis=1)
        return crosses
