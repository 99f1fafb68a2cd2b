# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Starts with thumb and fingers on either side of an object on a table, where it is narrow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import warp as wp

from omni_graspd.geometry.rays import first_hits
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.preshapes import Preshape
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.synthesis.start_geometry import frames, plane_axes, rotated

_LINES = 20
"""Lines across the object of which the best is taken."""
LINE_NUMBERS = 4 * _LINES
"""Random numbers that they take."""
_STEEP = 0.5
"""A hand that leans less from straight down may turn about its approach direction as it likes [rad]."""
_SLANT = 0.5
"""How far the line from thumb to fingers of any other may slant from level [rad]."""
_OFF_CENTER = 0.4
"""Lines pass the centre of mass within this share of half the object's extent."""
_PALM_GAP = 0.01
"""Distance at which the palm stops before the object [m]."""


@dataclass(frozen=True, eq=False)
class RestingShape:
    """How an object lies, in its own frame; without a table all directions are as good."""

    up: np.ndarray
    """Unit normal of the table, shape [3]; zero without one."""
    center: np.ndarray
    """Centre of mass [m], shape [3]."""
    extent: np.ndarray
    """Of the bounding box along the object's axes [m], shape [3]."""
    height: float
    """Over the table [m]."""

    @classmethod
    def of(cls, obj: RigidObject, plane: np.ndarray | None) -> RestingShape:
        """Measure an object over a table top: unit normal and offset [m], shape [4]."""
        up = np.zeros(3) if plane is None else plane[:3]
        height = 0.0 if plane is None else float((obj.mesh.vertices @ up).max() - plane[3])
        return cls(up, np.asarray(obj.center_of_mass, dtype=np.float64), np.ptp(obj.mesh.vertices, axis=0), height)

    @property
    def size(self) -> float:
        """Diagonal of the bounding box [m]."""
        return float(np.linalg.norm(self.extent))

    @property
    def max_tilt(self) -> float:
        """How far a hand may lean from straight down [rad]: what is low is reached from above."""
        return min(1.4, 0.3 + 9.0 * self.height) if self.up.any() else np.pi

    @property
    def wrapping(self) -> float:
        """How deep the palm may come, 0 to 1: what is low is pinched with the fingertips."""
        return float(np.clip((self.height - 0.03) / 0.04, 0.0, 1.0))


@dataclass(frozen=True)
class _Line:
    """Lines through the object, one per start."""

    middle: np.ndarray
    """Middle between the two sides of the object [m], shape [n, 3]."""
    width: np.ndarray
    """Distance between them [m], shape [n]."""
    direction: np.ndarray
    """Unit direction, shape [n, 3]."""


class OpposedStarts:
    """Draws starts whose preshape has the object in its gap."""

    def __init__(
        self, hand: Hand, preshapes: tuple[Preshape, ...], shape: RestingShape, mesh: wp.Mesh, room: float
    ) -> None:
        """Prepare.

        Args:
            hand: The hand.
            preshapes: Its preshapes, narrow ones first; at least one.
            shape: How the object lies; there must be a table.
            mesh: The object.
            room: How much wider than the object the gap is [m].
        """
        self.hand, self.shape, self.mesh, self.room = hand, shape, mesh, room
        self.apertures = np.array([preshape.aperture for preshape in preshapes])
        self.actuated = np.array([preshape.actuated for preshape in preshapes])
        self.centers = np.array([preshape.center for preshape in preshapes])
        self.axes = np.array([preshape.axis for preshape in preshapes])

    def draw(self, numbers: np.ndarray, line_numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Draw a palm pose and actuated positions from each row of numbers over [0, 1), at least 6 and LINE_NUMBERS."""
        from scipy.spatial.transform import Rotation

        tilt, azimuth, roll, side, depth, wide = numbers[:, :6].T
        tilt = self.shape.max_tilt * tilt
        approach = self._approach(tilt, 2.0 * np.pi * azimuth)
        line = self._line(approach, self._across(approach, tilt, roll, side), tilt, line_numbers)
        gaps = line.width + self.room * (0.5 + wide)
        chosen = np.minimum(np.searchsorted(self.apertures, gaps), len(self.apertures) - 1)
        axes = self.axes[chosen]
        in_palm = frames(np.broadcast_to(self.hand.approach_direction, axes.shape), axes)
        rotations = Rotation.from_matrix(frames(approach, line.direction) @ np.swapaxes(in_palm, 1, 2))
        positions = line.middle - rotated(rotations, self.centers[chosen])
        # From fingertips level with the middle of the object to the palm close to it.
        way, _ = self._first_hits(positions + rotated(rotations, self.hand.approach_point), approach)
        way = np.where(way > 0.0, np.maximum(way - _PALM_GAP, 0.0), 0.0)
        positions = positions + (self.shape.wrapping * np.minimum(1.2 * depth, 1.0) * way)[:, None] * approach
        return np.concatenate([positions, rotations.as_quat(canonical=True)], axis=1), self.actuated[chosen]

    def _approach(self, tilt: np.ndarray, azimuth: np.ndarray) -> np.ndarray:
        """Return approach directions that lean from straight down by ``tilt``, shape [n, 3]."""
        first, second = plane_axes(self.shape.up)
        sideways = np.cos(azimuth)[:, None] * first + np.sin(azimuth)[:, None] * second
        return -np.cos(tilt)[:, None] * self.shape.up + np.sin(tilt)[:, None] * sideways

    def _across(self, approach: np.ndarray, tilt: np.ndarray, roll: np.ndarray, side: np.ndarray) -> np.ndarray:
        """Return directions from thumb to fingers, nearly level unless the hand comes from above, shape [n, 3]."""
        level = np.cross(self.shape.up, approach)
        sine = np.linalg.norm(level, axis=1, keepdims=True)
        any_level = np.cross(plane_axes(self.shape.up)[0], approach)
        level = np.where(sine > 1e-6, level / np.maximum(sine, 1e-6), any_level)
        angle = np.where(tilt < _STEEP, np.pi, _SLANT) * (2.0 * roll - 1.0) + np.where(side < 0.5, 0.0, np.pi)
        return _turned(level, np.cross(approach, level), angle)

    def _line(self, approach: np.ndarray, across: np.ndarray, tilt: np.ndarray, numbers: np.ndarray) -> _Line:
        """Choose among lines across the object: one that is short, near the centre of mass, and meets it squarely."""
        numbers = numbers.reshape(len(approach), _LINES, 4)
        # From above any direction will do, so that a narrow one can be found.
        angle = np.where(tilt < _STEEP, 0.5 * np.pi, _SLANT)[:, None] * (2.0 * numbers[..., 3] - 1.0)
        direction = _turned(across[:, None], np.cross(approach, across)[:, None], angle)
        center = self.shape.center + _OFF_CENTER * self.shape.extent * (numbers[..., :3] - 0.5)
        size = self.shape.size
        near, near_normal = self._first_hits(center - size * direction, direction)
        far, far_normal = self._first_hits(center + size * direction, -direction)
        width = np.where((near > 0.0) & (far > 0.0), 2.0 * size - near - far, np.nan)
        middle = center + (0.5 * (near - far))[..., None] * direction
        squareness = np.minimum(-(near_normal * direction).sum(axis=-1), (far_normal * direction).sum(axis=-1))
        beside = middle - self.shape.center
        beside = beside - (beside * approach[:, None]).sum(axis=-1, keepdims=True) * approach[:, None]
        costs = 4.0 * (1.0 - squareness) + np.linalg.norm(beside, axis=-1) / 0.03 + width / 0.05
        costs = costs + np.maximum(width - (self.apertures[-1] - _PALM_GAP), 0.0) / 0.01
        best = np.arange(len(approach)), np.where(np.isfinite(costs), costs, np.inf).argmin(axis=1)
        lost = ~np.isfinite(width[best])
        return _Line(
            np.where(lost[:, None], self.shape.center, middle[best]),
            np.where(lost, self.apertures[0], width[best]),
            direction[best],
        )

    def _first_hits(self, origins: np.ndarray, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return how far rays go until they hit the object [m], -1 where they do not, and the normals there."""
        return first_hits(self.mesh, origins, directions, 4.0 * self.shape.size)


def _turned(first: np.ndarray, second: np.ndarray, angle: np.ndarray) -> np.ndarray:
    return np.cos(angle)[..., None] * first + np.sin(angle)[..., None] * second
