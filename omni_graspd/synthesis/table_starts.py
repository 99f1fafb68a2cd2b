# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Where grasps of an object on a table start: from above and from the side, thumb and fingers on either side of it.

Two kinds take turns. *Opposed* starts put the gap of a preshape across the object where it is narrow and near its centre
of mass, at a depth between a pinch with the fingertips and a wrap with the palm near the object. *Facing* starts put
the palm before the upper hull in any turn, as starts without a table do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import warp as wp

from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.preshapes import find_preshapes
from omni_graspd.hands.surface_points import HandPoints, posed_points, spread_subset
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.ranges import require_at_least, require_not_negative
from omni_graspd.seeding import random_generator
from omni_graspd.synthesis.clearance import REACH, HandClearance
from omni_graspd.synthesis.ray_kernels import first_hit_kernel
from omni_graspd.synthesis.starts import _Hull, _hull, _points_on_triangles, _rotations_between, _tilted
from omni_graspd.usd.transforms import IDENTITY, pose_to_matrix

_DEPTH_POINTS = 200
# A hand that is drawn back out of the object stays this far from it [m].
_MARGIN = 0.002
_LINES = 8
_NUMBERS = 10 + 5 * _LINES


@dataclass(frozen=True, kw_only=True)
class TableStartConfig:
    """How starts over a table are sampled."""

    opposed: float = 0.75
    """Share of starts with thumb and fingers on either side of the object; the others face its hull in any turn."""
    clearance: float = 0.006
    """Height over the table to which a start is lifted that is lower [m]."""
    max_lift: float = 0.05
    """A start that has to be lifted by more is drawn again [m]."""
    max_depth: float = 0.003
    """A start that reaches deeper into the object is drawn again [m]."""
    attempts: int = 6
    """How often a start is drawn at most; the best is taken when all fail."""
    room: float = 0.02
    """How much wider than the object the gap between thumb and fingers starts [m]."""
    jitter: float = 0.08
    """Joints start within this share of their range from the preshape."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_at_least(self, "synthesis.table_start", 1, "attempts")
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
    """Sample palm poses and joint positions over a table.

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
    shares = np.array([stream.random() for stream in streams])
    least = 1.0 - (1.0 - config.opposed) * sampler.wrapping
    opposed = (shares < least) if sampler.preshapes else np.zeros(len(streams), dtype=bool)
    for _ in range(config.attempts):
        again = np.flatnonzero(faults > 0.0)
        if not len(again):
            break
        numbers = np.array([streams[row].random(_NUMBERS + hand.actuated_count) for row in again])
        drawn, drawn_actuated, drawn_faults = sampler.draw(numbers, opposed[again])
        better = drawn_faults < faults[again]
        poses[again[better]], actuated[again[better]] = drawn[better], drawn_actuated[better]
        faults[again[better]] = drawn_faults[better]
    return poses, actuated


class _Sampler:
    """What all starts of one object at one rest pose have in common."""

    def __init__(
        self,
        hand: Hand,
        obj: RigidObject,
        clearance: HandClearance,
        config: TableStartConfig,
    ) -> None:
        self.hand, self.config, self.mesh = hand, config, clearance.distance.mesh
        self.middle = np.asarray(obj.center_of_mass, dtype=np.float64)
        vertices, plane = obj.mesh.vertices, clearance.plane
        # Without a table nothing says which way is up, and all starts face the hull.
        self.normal = np.zeros(3) if plane is None else plane[:3]
        self.preshapes = () if plane is None else find_preshapes(hand)
        self.height = 0.0 if plane is None else float((vertices @ self.normal).max() - plane[3])
        self.lower, self.upper = vertices.min(axis=0), vertices.max(axis=0)
        self.size = float(np.linalg.norm(self.upper - self.lower))
        self.hull = _upper_hull(_hull(obj), self.normal)
        # What is low is pinched from above; what is tall is wrapped from any side, too.
        self.max_tilt = np.pi if plane is None else min(1.4, 0.3 + 9.0 * self.height)
        self.wrapping = float(np.clip((self.height - 0.03) / 0.04, 0.0, 1.0))
        points = clearance.points
        open_points = posed_points(hand, points, IDENTITY[None], hand.joint_positions(hand.open_positions)[None])[0]
        keep = np.sort(spread_subset(open_points, _DEPTH_POINTS))
        few = HandPoints(points.link_index[keep], points.positions[keep], points.normals[keep], points.areas[keep])
        self.clearance = replace(clearance, points=few)

    def draw(self, numbers: np.ndarray, opposed: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Draw one start from each row of numbers over [0, 1); returns poses, actuated positions, and what is wrong."""
        poses, actuated = np.zeros((len(numbers), 7)), np.zeros((len(numbers), self.hand.actuated_count))
        for kind, draw in ((True, self._draw_opposed), (False, self._draw_facing)):
            rows = np.flatnonzero(opposed == kind)
            if len(rows):
                poses[rows], actuated[rows] = draw(numbers[rows])
        lower, upper = self.hand.joint_lower[self.hand.actuated], self.hand.joint_upper[self.hand.actuated]
        shifts = self.config.jitter * (upper - lower) * (2.0 * numbers[:, _NUMBERS:] - 1.0)
        actuated = np.clip(actuated + shifts, lower, upper)
        return poses, actuated, self._back_off(poses, self.hand.joint_positions(actuated))

    def _back_off(self, poses: np.ndarray, joints: np.ndarray) -> np.ndarray:
        """Draw hands back out of the object and lift them off the table; returns what is still wrong [m]."""
        lifts, depths = np.zeros(len(poses)), np.full(len(poses), np.inf)
        approach = pose_to_matrix(poses)[:, :3, :3] @ self.hand.approach_direction
        rows = np.arange(len(poses))
        for last in (False, False, True):
            rise = np.maximum(self.config.clearance - self.clearance.heights(poses[rows], joints[rows]), 0.0)
            poses[rows, :3] += rise[:, None] * self.normal
            lifts[rows] += rise
            depths[rows] = -self.clearance.object_gaps(poses[rows], joints[rows])
            rows = np.flatnonzero(depths > self.config.max_depth)
            if last or not len(rows):
                break
            poses[rows, :3] -= np.minimum(depths[rows] + _MARGIN, REACH)[:, None] * approach[rows]
        hidden = np.maximum(_MARGIN - self.clearance.obstacle_gaps(poses, joints), 0.0)
        too_deep = np.maximum(depths - self.config.max_depth, 0.0)
        return np.maximum(lifts - self.config.max_lift, 0.0) + too_deep + hidden

    def _draw_opposed(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        from scipy.spatial.transform import Rotation

        tilt, azimuth, roll, side, depth, wide = numbers[:, :6].T
        approach = self._approach(self.max_tilt * tilt, 2.0 * np.pi * azimuth)
        across = self._across(approach, tilt * self.max_tilt, roll, side)
        middle, width, across = self._narrow_place(approach, across, numbers[:, 10:_NUMBERS])
        chosen = self._preshape_numbers(width + self.config.room * (0.5 + wide))
        actuated = np.array([self.preshapes[k].actuated for k in chosen])
        centers = np.array([self.preshapes[k].center for k in chosen])
        axes = np.array([self.preshapes[k].axis for k in chosen])
        rotations = Rotation.from_matrix(
            _frames(approach, across)
            @ np.swapaxes(_frames(np.broadcast_to(self.hand.approach_direction, axes.shape), axes), 1, 2)
        )
        positions = middle - rotations.apply(centers)
        # From fingertips level with the middle of the object to the palm close to it.
        palms = positions + rotations.apply(self.hand.approach_point)
        distances, _ = self._first_hits(palms, approach)
        room = np.where(distances > 0.0, np.maximum(distances - 0.01, 0.0), 0.0)
        positions = positions + (self.wrapping * np.minimum(depth * 1.2, 1.0) * room)[:, None] * approach
        return np.concatenate([positions, rotations.as_quat(canonical=True)], axis=1), actuated

    def _approach(self, tilt: np.ndarray, azimuth: np.ndarray) -> np.ndarray:
        """Return approach directions that lean from straight down by ``tilt``, shape [n, 3]."""
        first, second = _plane_axes(self.normal)
        sideways = np.cos(azimuth)[:, None] * first + np.sin(azimuth)[:, None] * second
        return -np.cos(tilt)[:, None] * self.normal + np.sin(tilt)[:, None] * sideways

    def _across(self, approach: np.ndarray, tilt: np.ndarray, roll: np.ndarray, side: np.ndarray) -> np.ndarray:
        """Return directions from thumb to fingers: level, or nearly so, but in any turn where the hand comes from above."""
        level = np.cross(self.normal, approach)
        first, _ = _plane_axes(self.normal)
        sine = np.linalg.norm(level, axis=1, keepdims=True)
        level = np.where(sine > 1e-6, level / np.maximum(sine, 1e-6), np.cross(first, approach))
        spread = np.where(tilt < 0.5, np.pi, 0.5)
        angle = spread * (2.0 * roll - 1.0) + np.where(side < 0.5, 0.0, np.pi)
        return np.cos(angle)[:, None] * level + np.sin(angle)[:, None] * np.cross(approach, level)

    def _narrow_place(
        self, approach: np.ndarray, across: np.ndarray, numbers: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Choose among lines across the object near its centre of mass; returns their middles, widths and directions."""
        count = len(approach)
        numbers = numbers.reshape(count, _LINES, 5)
        beside = np.cross(approach, across)
        # From above any direction will do, so that a narrow one can be found.
        steep = (-(approach @ self.normal) > np.cos(0.5))[:, None]
        angle = np.where(steep, 0.5 * np.pi, 0.5) * (2.0 * numbers[..., 3] - 1.0)
        directions = np.cos(angle)[..., None] * across[:, None] + np.sin(angle)[..., None] * beside[:, None]
        spread = 0.5 * (self.upper - self.lower) * (2.0 * numbers[..., :3] - 1.0)
        centers = self.middle + 0.4 * spread
        start = centers - self.size * directions
        near, near_normals = self._first_hits(start.reshape(-1, 3), directions.reshape(-1, 3))
        end = centers + self.size * directions
        far, far_normals = self._first_hits(end.reshape(-1, 3), -directions.reshape(-1, 3))
        shape = (count, _LINES)
        near, far = near.reshape(shape), far.reshape(shape)
        width = np.where((near > 0.0) & (far > 0.0), 2.0 * self.size - near - far, np.nan)
        middles = centers + (0.5 * (near - far))[..., None] * directions
        facing = -(near_normals.reshape(*shape, 3) * directions).sum(axis=-1)
        facing = np.minimum(facing, (far_normals.reshape(*shape, 3) * directions).sum(axis=-1))
        offset = middles - self.middle
        offset = offset - (offset * approach[:, None]).sum(axis=-1, keepdims=True) * approach[:, None]
        widest = self.preshapes[-1].aperture - 0.01
        costs = 2.0 * (1.0 - facing) + np.linalg.norm(offset, axis=-1) / 0.03 + np.maximum(width - widest, 0.0) / 0.01
        costs = costs + width / 0.05
        costs = np.where(np.isfinite(costs), costs, 1e6)
        best = costs.argmin(axis=1)
        rows = np.arange(count)
        lost = ~np.isfinite(width[rows, best])
        middles = np.where(lost[:, None], self.middle, middles[rows, best])
        return middles, np.where(lost, 0.05, width[rows, best]), directions[rows, best]

    def _preshape_numbers(self, gaps: np.ndarray) -> np.ndarray:
        apertures = np.array([preshape.aperture for preshape in self.preshapes])
        return np.minimum(np.searchsorted(apertures, gaps), len(apertures) - 1)

    def _draw_facing(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        from scipy.spatial.transform import Rotation

        area, u, v, height, azimuth, roll, gap, share = numbers[:, :8].T[..., None]
        faces = np.searchsorted(self.hull.cumulative_area, area[:, 0] * self.hull.cumulative_area[-1])
        faces = np.minimum(faces, len(self.hull.normals) - 1)
        surface = _points_on_triangles(self.hull.triangles[faces], u, v)
        normals = _tilted(self.hull.normals[faces], 0.3, height, 2.0 * np.pi * azimuth)
        # Hands beside a low object come from higher up.
        up = normals @ self.normal
        lacking = np.maximum(np.cos(self.max_tilt) - up, 0.0)
        normals = normals + lacking[:, None] * self.normal
        normals = normals / np.linalg.norm(normals, axis=1, keepdims=True)
        rotations = _rotations_between(np.broadcast_to(self.hand.approach_direction, normals.shape), -normals)
        rotations = Rotation.from_rotvec(2.0 * np.pi * roll * normals) * rotations
        positions = surface + (0.005 + 0.025 * gap) * normals - rotations.apply(self.hand.approach_point)
        opened = np.broadcast_to(self.hand.open_positions, (len(numbers), self.hand.actuated_count))
        if self.preshapes:
            opened = opened + share * (self.preshapes[-1].actuated - opened)
        return np.concatenate([positions, rotations.as_quat(canonical=True)], axis=1), opened

    def _first_hits(self, origins: np.ndarray, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return how far rays go until they hit the object [m], -1 where they do not, and the normals there."""
        device = self.mesh.device
        distances = wp.empty(len(origins), dtype=float, device=device)
        normals = wp.empty(len(origins), dtype=wp.vec3, device=device)
        inputs = [wp.array(values.astype(np.float32), dtype=wp.vec3, device=device) for values in (origins, directions)]
        wp.launch(
            first_hit_kernel,
            dim=len(origins),
            inputs=[self.mesh.id, *inputs, 4.0 * self.size],
            outputs=[distances, normals],
            device=device,
        )
        return distances.numpy().astype(np.float64), normals.numpy().astype(np.float64)


def _plane_axes(normal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return two unit directions across a unit normal."""
    first = np.cross(normal, np.eye(3)[int(np.argmin(np.abs(normal)))])
    first /= np.linalg.norm(first)
    return first, np.cross(normal, first)


def _frames(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return rotation matrices whose first two columns are orthogonal unit vectors [n, 3]."""
    return np.stack([first, second, np.cross(first, second)], axis=-1)


def _upper_hull(hull: _Hull, normal: np.ndarray) -> _Hull:
    """Return the faces of a hull that a hand over the table can face."""
    keep = hull.normals @ normal > -0.35
    areas = np.diff(hull.cumulative_area, prepend=0.0)[keep]
    return _Hull(hull.triangles[keep], hull.normals[keep], np.cumsum(areas))
