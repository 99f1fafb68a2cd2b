# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How far posed hands are from the object and from what stands around it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import warp as wp

from omni_graspd.geometry.signed_distance import SignedDistance
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.link_bounds import link_bounds
from omni_graspd.hands.lowest_point import link_hulls
from omni_graspd.hands.placed_hands import PlacedHands
from omni_graspd.hands.surface_points import HandPoints, chain
from omni_graspd.synthesis.clearance_kernels import gap_kernel, height_kernel, lowest_kernel
from omni_graspd.synthesis.crossing import crossing_links
from omni_graspd.synthesis.walls import pierced_links, sphere_depths

# A hand whose points are clear, but that crosses an obstacle between them, is that deep in it [m].
_CROSSED = 1e-6
REACH = 0.02
"""Distances from object and obstacles are measured up to here [m]."""


@dataclass(frozen=True)
class HandClearance:
    """Measures hands against one object and its surroundings, in single precision.

    Distances from the table are those of all vertices. Those from object and obstacles are those of points on the hand;
    what such points miss is found by :func:`~omni_graspd.synthesis.crossing.crossing_links`.
    """

    hand: Hand
    """The hand."""
    points: HandPoints
    """Points on its surface."""
    distance: SignedDistance
    """The object."""
    plane: np.ndarray | None
    """Table top: unit normal and offset in the object frame [m], shape [4]; None without a table."""
    obstacles: SignedDistance | None = None
    """What else stands around, in the object frame."""
    thin_walled: bool = False
    """Whether the object has walls that can be in a hand without its points noticing."""

    def place(self, T_object_palm: np.ndarray, joint_positions: np.ndarray) -> PlacedHands:
        """Place hands to be measured.

        Args:
            T_object_palm: Palm poses, shape [grasp_count, 7].
            joint_positions: All joints [rad or m], shape [grasp_count, joint_count].
        """
        return PlacedHands.of(self.hand, T_object_palm, joint_positions, self._device)

    def object_gaps(self, hands: PlacedHands) -> np.ndarray:
        """Return the distance of each hand from the object [m], negative inside, shape [grasp_count]."""
        return self._gaps(self.distance, self._points, hands)

    def depths(self, hands: PlacedHands) -> np.ndarray:
        """Return how deep each hand and the object are in one another [m], shape [grasp_count].

        Negative where no point of the hand is inside the object, and no thin wall in the spheres inside the links.
        """
        depths = -self.object_gaps(hands)
        if not self.thin_walled:
            return depths
        spheres = sphere_depths(hands, self.distance)
        return np.maximum(depths, np.where(spheres > 0.0, spheres, -np.inf))

    def pierced(self, hands: PlacedHands) -> np.ndarray:
        """Tell which hands the object passes through, shape [grasp_count], bool."""
        return np.asarray(pierced_links(hands, self.distance).any(axis=1))

    def heights(self, hands: PlacedHands) -> np.ndarray:
        """Return the height of the lowest vertex over the table [m], infinite without one, shape [grasp_count]."""
        return np.full(len(hands), np.inf) if self.plane is None else heights_over(self.plane, hands, self._device)

    def link_heights(self, hands: PlacedHands) -> np.ndarray:
        """Return the height of each link's lowest vertex over the table [m], shape [grasp_count, link_count].

        It is infinite for links without surface, and without a table.
        """
        shape = hands.T_root_link.shape[:2]
        if self.plane is None:
            return np.full(shape, np.inf)
        corners, device = _corners(self.hand, self._device), self._device
        heights = wp.empty(shape, dtype=float, device=device)
        inputs = [*_plane_of(self.plane), hands.on(device), corners.starts, corners.positions]
        wp.launch(height_kernel, dim=shape, inputs=inputs, outputs=[heights], device=device)
        return heights.numpy().astype(np.float64)

    def obstacle_gaps(self, hands: PlacedHands) -> np.ndarray:
        """Return the distance of each hand from the obstacles [m], infinite without any, shape [grasp_count].

        It is negative wherever a triangle of the hand crosses one, between points on the hand, too.
        """
        if self.obstacles is None:
            return np.full(len(hands), np.inf)
        gaps = self._gaps(self.obstacles, self._points, hands)
        rows = np.flatnonzero(gaps >= 0.0)
        crosses = crossing_links(hands.rows(rows), self.obstacles.mesh)
        gaps[rows[crosses.any(axis=1)]] = -_CROSSED
        return gaps

    def corner_gaps(self, hands: PlacedHands) -> np.ndarray:
        """Return the distance of the nearest corner of the links' hulls from object and obstacles [m], [grasp_count].

        It finds what lies between points on the hand; for hands that are apart.
        """
        corners = _corners(self.hand, self._device)
        surfaces = [surface for surface in (self.distance, self.obstacles) if surface is not None]
        return np.minimum.reduce([self._gaps(surface, corners, hands) for surface in surfaces])

    def around(self, hands: PlacedHands) -> np.ndarray:
        """Return the distance of each hand from table and obstacles [m], shape [grasp_count]."""
        return np.minimum(self.heights(hands), self.obstacle_gaps(hands))

    @property
    def _device(self) -> str:
        return self.distance.device

    @functools.cached_property
    def _points(self) -> _LinkPoints:
        return _LinkPoints.on_device(self.points.link_index, self.points.positions, len(self.hand.links), self._device)

    def _gaps(self, surface: SignedDistance, points: _LinkPoints, hands: PlacedHands) -> np.ndarray:
        """Return the distance of each hand's nearest point from a surface [m], at most :data:`REACH`, [grasp_count]."""
        device = self._device
        gaps = wp.empty(len(hands), dtype=float, device=device)
        inputs = [surface.mesh.id, surface.corner_normals, surface.sign_mode, surface.phong_alpha, *surface.bounds]
        inputs += [REACH, hands.on(device), points.starts, points.positions, points.bound_center, points.bound_radius]
        wp.launch(gap_kernel, dim=len(hands), inputs=inputs, outputs=[gaps], device=device)
        return gaps.numpy().astype(np.float64)


def heights_over(plane: np.ndarray, hands: PlacedHands, device: str = "cpu") -> np.ndarray:
    """Return the height of each hand's lowest vertex over a plane, in single precision.

    Args:
        plane: Unit normal and offset in the frame of the hands [m], shape [4].
        hands: The hands.
        device: Warp device.

    Returns:
        Heights [m], negative below the plane, shape [hand_count].
    """
    corners = _corners(hands.hand, device)
    lowest = wp.empty(len(hands), dtype=float, device=device)
    inputs = [*_plane_of(plane), hands.on(device), corners.starts, corners.positions]
    inputs += [corners.bound_center, corners.bound_radius]
    wp.launch(lowest_kernel, dim=len(hands), inputs=inputs, outputs=[lowest], device=device)
    return lowest.numpy().astype(np.float64)


@dataclass(frozen=True, eq=False)
class _LinkPoints:
    """Points on links on a device, sorted by link."""

    starts: wp.array
    """Where each link's points begin and the last one's end, int, shape [link_count + 1]."""
    positions: wp.array
    """In the link's frame [m], vec3, shape [point_count]."""
    bound_center: wp.array
    """Centre of a sphere about each link's points, vec3, shape [link_count]."""
    bound_radius: wp.array
    """Its radius [m], float, shape [link_count]."""

    @classmethod
    def on_device(cls, link_index: np.ndarray, positions: np.ndarray, link_count: int, device: str) -> _LinkPoints:
        starts = np.searchsorted(link_index, np.arange(link_count + 1))
        # Neighbours follow one another: what is known of one says much of the next.
        chains = [start + chain(positions[start:end]) for start, end in pairwise(starts)]
        positions = positions[np.concatenate(chains)]
        bounds = link_bounds(link_index, positions, link_count)
        return cls(
            wp.array(starts.astype(np.int32), dtype=int, device=device),
            wp.array(positions.astype(np.float32), dtype=wp.vec3, device=device),
            wp.array(bounds[:, :3].astype(np.float32), dtype=wp.vec3, device=device),
            wp.array(bounds[:, 3].astype(np.float32), dtype=float, device=device),
        )


@functools.lru_cache(maxsize=16)
def _corners(hand: Hand, device: str) -> _LinkPoints:
    """Return the corners of the links' hulls."""
    hulls = link_hulls(hand)
    owners = np.repeat(np.arange(len(hulls)), [len(vertices) for vertices in hulls])
    return _LinkPoints.on_device(owners, np.concatenate(hulls), len(hulls), device)


def _plane_of(plane: np.ndarray) -> tuple[wp.vec3, float]:
    return wp.vec3(*plane[:3]), float(plane[3])
