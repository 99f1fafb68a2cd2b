# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The open posture: digits laid around a large ball on the palm, from all sides, thumb opposite the fingers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omni_graspd.geometry.sphere_directions import sphere_directions
from omni_graspd.hands.collision_spheres import self_collision_spheres
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.inference.digit_surface import (
    DigitSurface,
    closest_surface_point,
    frame_along,
    sample_postures,
)
from omni_graspd.hands.inference.digits import hand_bodies
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.usd.transforms import IDENTITY, pose_to_matrix

# Radius of the ball as a share of a digit's length; of 0.3 to 1.0, what gave the best grasps with three hands.
_RADIUS = 0.65
_DIRECTIONS = 150
# How much the terms count: gaps between the links and the ball against opposition, in which 1 is all that there is.
_GAP, _DEPTH, _EXTREME, _OVERLAP = 0.5, 20.0, 0.012, 100.0
# Links of different digits keep so far apart, as a share of a digit's length.
_CLEARANCE = 0.02
_SPHERES_PER_LINK = 10
# Links that overlap in so many of all postures are joined, whatever the joints say.
_ALWAYS = 0.9
_POSTURES = 256
_SHORT_LIST = 24
# Shares of the joints' ranges that are searched to both sides, round after round, first roughly, then about the best.
_SWEEPS = ((1.0, 0.25, 0.08), (0.3, 0.12, 0.05))


def infer_open_positions(surface: DigitSurface, point: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Return the posture that lays the digits around a ball on the palm.

    The ball is large: 0.65 of a digit's length in radius. Digits should touch it with all their links but not reach
    into it, and their tips should surround it together with the palm: of all directions the one that is farthest from
    any tip should be near to one. That turns a thumb against the fingers and spreads fingers that can be spread. Digits
    must not overlap; joints in mid-range are preferred where nothing else matters. Digit by digit, postures are drawn
    and the best is kept, first from all of the joints' ranges, then near the best. Digits without length surround
    nothing: their joints are in mid-range.

    Args:
        surface: The hand's digits and palm.
        point: Where the palm meets objects, in the palm frame [m], shape [3].
        direction: Unit direction out of the palm there, shape [3].

    Returns:
        Actuated positions [rad or m], shape [actuated_count].
    """
    hand = surface.hand
    lower, upper = hand.joint_lower[hand.actuated], hand.joint_upper[hand.actuated]
    if not surface.size > 0.0:
        return 0.5 * (lower + upper)
    ball = _ball(surface, point, direction)
    overlaps = _Overlaps.from_hand(hand, _CLEARANCE * surface.size)
    spread = upper - lower
    shares = (sample_postures(hand, _POSTURES) - lower) / np.where(spread > 0.0, spread, 1.0)
    best = np.full(hand.actuated_count, 0.5)
    for sweep in _SWEEPS:
        for columns in (np.flatnonzero(moved) for moved in surface.moved()):
            for width in sweep:
                drawn = np.repeat(best[None], len(shares), axis=0)
                near = np.clip(best[columns] + width * (2.0 * shares[1:, columns] - 1.0), 0.0, 1.0)
                drawn[1:, columns] = shares[1:, columns] if width == 1.0 else near
                scores = _scores(surface, ball, drawn, lower + drawn * spread)
                short = np.union1d(np.argsort(-scores, kind="stable")[:_SHORT_LIST], 0)
                scores = scores[short] - _OVERLAP / surface.size * overlaps.measure(lower + drawn[short] * spread)
                best = drawn[short[np.argmax(scores)]]
    return lower + best * spread


@dataclass(frozen=True)
class _Ball:
    """A ball on the palm."""

    center: np.ndarray
    """In the palm frame [m], shape [3]."""
    radius: float
    """Radius [m]."""
    directions: np.ndarray
    """Unit directions from its centre, all around, shape [direction_count, 3]."""
    palm_cosines: np.ndarray
    """Cosines between them and the direction to the palm, shape [direction_count]."""


def _ball(surface: DigitSurface, point: np.ndarray, direction: np.ndarray) -> _Ball:
    radius = _RADIUS * surface.size
    edge = np.array([1.0, 0.0, 0.0])
    if len(surface.palm.faces):
        _, face = closest_surface_point(surface.palm, point)
        corners = surface.palm.vertices[surface.palm.faces[face]]
        edge = corners[1] - corners[0]
    directions = sphere_directions(_DIRECTIONS) @ frame_along(direction, edge)
    return _Ball(point + radius * direction, radius, directions, -directions @ direction)


def _scores(surface: DigitSurface, ball: _Ball, shares: np.ndarray, actuated: np.ndarray) -> np.ndarray:
    """Return how well postures surround the ball, more is better, shape [posture_count].

    Args:
        surface: The digits.
        ball: The ball.
        shares: Joints as shares of their ranges, shape [posture_count, actuated_count].
        actuated: The same [rad or m].
    """
    points, tips = surface.place(actuated)
    gaps = np.linalg.norm(points - ball.center, axis=2) / ball.radius - 1.0
    gap, depth = np.zeros(len(actuated)), np.zeros(len(actuated))
    for rows in surface.rows:
        of_links = np.stack([gaps[:, link].min(axis=1) for link in rows], axis=1)
        outer = np.arange(1.0, len(rows) + 1.0)
        gap += np.clip(of_links, 0.0, 1.0) @ (outer / outer.sum()) / len(surface.rows)
        depth += np.maximum(-of_links, 0.0).max(axis=1) ** 2
    toward_tips = tips - ball.center
    toward_tips /= np.linalg.norm(toward_tips, axis=2, keepdims=True)
    cosines = np.einsum("bdi,wi->bdw", toward_tips, ball.directions).max(axis=1)
    surrounded = np.maximum(cosines, ball.palm_cosines).min(axis=1)
    extreme = ((shares - 0.5) ** 2).sum(axis=1)
    return surrounded - _GAP * gap - _DEPTH * depth - _EXTREME * extreme


@dataclass(frozen=True)
class _Overlaps:
    """Pairs of spheres inside links that must not overlap."""

    hand: Hand
    """The hand."""
    link_index: np.ndarray
    """Link of each sphere, shape [sphere_count]."""
    centers: np.ndarray
    """In the link's frame [m], shape [sphere_count, 3]."""
    pairs: np.ndarray
    """Indices of two spheres, shape [2, pair_count]."""
    reaches: np.ndarray
    """Sum of the radii of a pair and of the clearance [m], shape [pair_count]."""

    @classmethod
    def from_hand(cls, hand: Hand, clearance: float) -> _Overlaps:
        """Pair the spheres of links that are not neighbours and do not always overlap."""
        spheres = self_collision_spheres(hand)
        index = spheres.link_index
        kept = np.concatenate([np.flatnonzero(index == k)[:_SPHERES_PER_LINK] for k in range(len(hand.links))])
        index, radii = index[kept], spheres.radii[kept]
        pairs = np.stack(np.triu_indices(len(index), 1))
        apart = ~_neighbours(hand)[index[pairs[0]], index[pairs[1]]]
        pairs = pairs[:, apart]
        reaches = radii[pairs[0]] + radii[pairs[1]]
        overlaps = cls(hand, index, spheres.centers[kept], pairs, reaches)
        postures = sample_postures(hand, 64)
        _, hit, depths = overlaps.found(postures)
        loose = np.bincount(hit[depths > 0.0], minlength=len(reaches)) < _ALWAYS * len(postures)
        return cls(hand, index, spheres.centers[kept], pairs[:, loose], reaches[loose] + clearance)

    def found(self, actuated: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return posture, pair and depth [m] of overlaps, shape [overlap_count] each.

        Only pairs of links that are near are looked at: others are left out, some of depth 0 or less are not.
        """
        T_palm_link = pose_to_matrix(link_poses(self.hand, IDENTITY, self.hand.joint_positions(actuated)))
        T = T_palm_link[:, self.link_index]
        centers = np.einsum("bpij,pj->bpi", T[..., :3, :3], self.centers) + T[..., :3, 3]
        posture, pair = self._near(centers)
        apart = centers[posture, self.pairs[0][pair]] - centers[posture, self.pairs[1][pair]]
        return posture, pair, self.reaches[pair] - np.linalg.norm(apart, axis=1)

    def _near(self, centers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return posture and pair of spheres whose links' spheres are near.

        Args:
            centers: Spheres in the palm frame [m], shape [posture_count, sphere_count, 3].
        """
        links, starts = np.unique(self.link_index, return_index=True)
        row = np.searchsorted(links, self.link_index)
        low, high = np.minimum.reduceat(centers, starts, axis=1), np.maximum.reduceat(centers, starts, axis=1)
        gaps = np.maximum(low[:, :, None] - high[:, None], low[:, None] - high[:, :, None]).max(axis=3)
        key = row[self.pairs[0]] * len(links) + row[self.pairs[1]]
        farthest = np.zeros(len(links) ** 2)
        np.maximum.at(farthest, key, self.reaches)
        near = gaps.reshape(len(centers), -1) <= farthest
        posture, pair = np.nonzero(near[:, key])
        return posture, pair

    def measure(self, actuated: np.ndarray) -> np.ndarray:
        """Return the sum of all overlaps of each posture [m], shape [posture_count]."""
        posture, _, depths = self.found(actuated)
        return np.bincount(posture, np.maximum(depths, 0.0), minlength=len(actuated))


def _neighbours(hand: Hand) -> np.ndarray:
    """Tell which links are the same, or welded together, or joined by one joint, shape [link_count, link_count]."""
    bodies = np.array(hand_bodies(hand))
    parents = np.array([bodies[hand.links[body].parent] if body > 0 else -1 for body in bodies])
    return (bodies[:, None] == bodies) | (parents[:, None] == bodies) | (bodies[:, None] == parents)
