# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Where grasps start that have to get past a table or obstacles.

Two kinds share the starts. *Opposed* ones put the gap of a preshape across the object where it is narrow and near its
centre of mass, at a depth between a pinch with the fingertips and a wrap with the palm near the object. *Facing* ones
put the palm before the upper hull in any turn, as starts without a table do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.preshapes import find_preshapes
from omni_graspd.hands.surface_points import HandPoints, posed_points, spread_subset
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.ranges import require_at_least, require_not_negative
from omni_graspd.seeding import random_generator
from omni_graspd.synthesis.clearance import REACH, HandClearance
from omni_graspd.synthesis.opposed_starts import LINE_NUMBERS, OpposedStarts, RestingShape
from omni_graspd.synthesis.start_geometry import (
    ObjectHull,
    object_hull,
    points_on_triangles,
    rotated,
    rotations_between,
    tilted,
)
from omni_graspd.synthesis.walls import PIERCED_DEPTH
from omni_graspd.usd.transforms import IDENTITY

_DEPTH_POINTS = 200
_MARGIN = 0.002
"""A hand that is drawn back out of the object stays this far from it [m]; so far are starts from obstacles."""
_POSE_NUMBERS = 8
_FACING_TILT = 0.3
_FACING_GAP = (0.005, 0.03)
# Faces of the hull that look down more steeply than this are not faced.
_LOWEST_FACE = -0.35


@dataclass(frozen=True, kw_only=True)
class TableStartConfig:
    """How starts over a table are sampled."""

    candidates: int = 4
    """Starts tried per grasp; replaces the draft's number."""
    opposed: float = 0.75
    """Fraction of starts with thumb and fingers on opposite sides of the object, more for low objects. The others face
    its hull at a random roll."""
    clearance: float = 0.006
    """Starts closer to the table than this are lifted to this height [m]."""
    max_lift: float = 0.05
    """Starts that would have to be lifted by more than this are redrawn [m]."""
    max_depth: float = 0.003
    """Starts that reach deeper into the object than this are redrawn [m]."""
    attempts: int = 6
    """Most draws per start; if all fail, the best is taken."""
    room: float = 0.02
    """Initial clearance between the object and the thumb and fingers around it, both sides together [m]; varied by
    half."""
    jitter: float = 0.08
    """Random offset of the joints from the preshape [fraction of their range]."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_at_least(self, "synthesis.table_start", 1, "attempts", "candidates")
        require_not_negative(
            self, "synthesis.table_start", "clearance", "max_lift", "max_depth", "room", "jitter", "opposed"
        )
        if self.opposed > 1.0:
            raise GraspdError(f"expected synthesis.table_start.opposed to be in [0, 1], got {self.opposed}")


def sample_table_starts(
    hand: Hand,
    obj: RigidObject,
    clearance: HandClearance,
    grasp_indices: Sequence[int],
    config: TableStartConfig,
    *,
    candidates: int,
    attempt: int,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Sample palm poses and joint positions past a table and obstacles.

    Args:
        hand: The hand.
        obj: The object.
        clearance: The hand among object and surroundings.
        grasp_indices: Which grasps; a start depends on its index, not on the others.
        config: Sampling settings.
        candidates: Starts per grasp.
        attempt: Number of the try, from 0; each has streams of its own.
        seed: The run's seed.

    Returns:
        T_object_palm, shape [grasp_count * candidates, 7], and actuated positions [rad or m], shape
        [grasp_count * candidates, actuated_count]; the candidates of a grasp follow one another.
    """
    streams = [
        random_generator(seed, "table start", hand.name, obj.name, int(index), candidate + 1, attempt + 1)
        for index in grasp_indices
        for candidate in range(candidates)
    ]
    sampler = _Sampler(hand, obj, clearance, config)
    poses, actuated = np.zeros((len(streams), 7)), np.zeros((len(streams), hand.actuated_count))
    faults = np.full(len(streams), np.inf)
    # Which kind a start is does not change from draw to draw: else the easy kind would crowd out the other.
    opposed = np.array([stream.random() for stream in streams]) < sampler.opposed_share
    for _ in range(config.attempts):
        again = np.flatnonzero(faults > 0.0)
        if not len(again):
            break
        numbers = np.array([streams[row].random(sampler.number_count) for row in again])
        drawn, drawn_actuated, drawn_faults = sampler.draw(numbers, opposed[again])
        better = drawn_faults < faults[again]
        poses[again[better]], actuated[again[better]] = drawn[better], drawn_actuated[better]
        faults[again[better]] = drawn_faults[better]
    return poses, actuated


class _Sampler:
    """Draws starts of one object where it lies, and draws them back from what they reach into."""

    def __init__(self, hand: Hand, obj: RigidObject, clearance: HandClearance, config: TableStartConfig) -> None:
        self.hand, self.config = hand, config
        self.shape = RestingShape.of(obj, clearance.plane)
        self.hull = _upper_hull(object_hull(obj), self.shape.up)
        self.preshapes = find_preshapes(hand) if self.shape.up.any() else ()
        self.opposed = (
            OpposedStarts(hand, self.preshapes, self.shape, clearance.distance.mesh, config.room)
            if self.preshapes
            else None
        )
        self.clearance = replace(clearance, points=_few(hand, clearance.points))
        self.number_count = _POSE_NUMBERS + LINE_NUMBERS + hand.actuated_count

    @property
    def opposed_share(self) -> float:
        """Return the share of opposed starts."""
        return 1.0 - (1.0 - self.config.opposed) * self.shape.wrapping if self.opposed else 0.0

    def draw(self, numbers: np.ndarray, opposed: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Draw one start from each row of numbers over [0, 1); returns poses, actuated positions, and what is wrong."""
        poses, actuated = np.zeros((len(numbers), 7)), np.zeros((len(numbers), self.hand.actuated_count))
        across, facing = np.flatnonzero(opposed), np.flatnonzero(~opposed)
        if self.opposed and len(across):
            lines = numbers[across, _POSE_NUMBERS : _POSE_NUMBERS + LINE_NUMBERS]
            poses[across], actuated[across] = self.opposed.draw(numbers[across], lines)
        if len(facing):
            poses[facing], actuated[facing] = self._facing(numbers[facing])
        lower, upper = self.hand.joint_lower[self.hand.actuated], self.hand.joint_upper[self.hand.actuated]
        shifts = self.config.jitter * (upper - lower) * (2.0 * numbers[:, _POSE_NUMBERS + LINE_NUMBERS :] - 1.0)
        actuated = np.clip(actuated + shifts, lower, upper)
        return poses, actuated, self._back_off(poses, self.hand.joint_positions(actuated))

    def _facing(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Put the palm before a face of the hull, in any turn."""
        from scipy.spatial.transform import Rotation

        area, u, v, height, azimuth, roll, gap, share = numbers[:, :_POSE_NUMBERS].T[..., None]
        faces = np.searchsorted(self.hull.cumulative_area, area[:, 0] * self.hull.cumulative_area[-1])
        surface = points_on_triangles(self.hull.triangles[faces], u, v)
        normals = tilted(self.hull.normals[faces], _FACING_TILT, height, 2.0 * np.pi * azimuth)
        # Hands beside a low object come from higher up.
        lacking = np.maximum(np.cos(self.shape.max_tilt) - (normals * self.shape.up).sum(axis=1), 0.0)
        normals = normals + lacking[:, None] * self.shape.up
        normals = normals / np.linalg.norm(normals, axis=1, keepdims=True)
        rotations = rotations_between(np.broadcast_to(self.hand.approach_direction, normals.shape), -normals)
        rotations = Rotation.from_rotvec(2.0 * np.pi * roll * normals) * rotations
        least, most = _FACING_GAP
        positions = surface + (least + (most - least) * gap) * normals - rotated(rotations, self.hand.approach_point)
        opened = np.broadcast_to(self.hand.open_positions, (len(numbers), self.hand.actuated_count))
        if self.preshapes:
            opened = opened + share * (self.preshapes[-1].actuated - opened)
        return np.concatenate([positions, rotations.as_quat(canonical=True)], axis=1), opened

    def _back_off(self, poses: np.ndarray, joints: np.ndarray) -> np.ndarray:
        """Draw hands back out of the object and lift them off the table; returns what is still wrong [m]."""
        from scipy.spatial.transform import Rotation

        lifts, depths = np.zeros(len(poses)), np.full(len(poses), np.inf)
        approach = rotated(Rotation.from_quat(poses[:, 3:]), self.hand.approach_direction)
        hands, shifts = self.clearance.place(poses, joints), np.zeros((len(poses), 3))
        rows = np.arange(len(poses))
        for last in (False, False, True):
            placed = hands.rows(rows).moved(shifts[rows])
            rise = np.maximum(self.config.clearance - self.clearance.heights(placed), 0.0)
            lifts[rows] += rise
            raised = rise[:, None] * self.shape.up
            shifts[rows] += raised
            depths[rows] = self.clearance.depths(placed.moved(raised))
            rows = np.flatnonzero(depths > self.config.max_depth)
            if last or not len(rows):
                break
            shifts[rows] -= np.minimum(depths[rows] + _MARGIN, REACH)[:, None] * approach[rows]
        poses[:, :3] += shifts
        hands = hands.moved(shifts)
        too_near = np.maximum(_MARGIN - self.clearance.obstacle_gaps(hands), 0.0)
        too_deep = np.maximum(depths - self.config.max_depth, 0.0)
        pierced = self.clearance.pierced(hands)
        return (
            np.maximum(lifts - self.config.max_lift, 0.0) + too_deep + too_near + np.where(pierced, PIERCED_DEPTH, 0.0)
        )


def _few(hand: Hand, points: HandPoints) -> HandPoints:
    """Return points enough to draw a hand back by."""
    placed = posed_points(hand, points, IDENTITY[None], hand.joint_positions(hand.open_positions)[None])[0]
    keep = np.sort(spread_subset(placed, _DEPTH_POINTS))
    return HandPoints(points.link_index[keep], points.positions[keep], points.normals[keep], points.areas[keep])


def _upper_hull(hull: ObjectHull, up: np.ndarray) -> ObjectHull:
    """Return the faces of a hull that a hand over the table can face."""
    keep = (hull.normals * up).sum(axis=1) > _LOWEST_FACE
    areas = np.diff(hull.cumulative_area, prepend=0.0)[keep]
    return ObjectHull(hull.triangles[keep], hull.normals[keep], np.cumsum(areas))
