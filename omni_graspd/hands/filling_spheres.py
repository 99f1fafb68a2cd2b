# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Spheres that fill the links of a hand into their corners, so that no wall gets through between them."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from omni_graspd.geometry.winding_distance import winding_distances
from omni_graspd.hands.collision_spheres import self_collision_spheres
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.surface_points import HandPoints, sample_surface_points
from omni_graspd.usd.meshes import TriangleMesh

SURFACE_POINTS = 600
"""Points that tell where a link's surface is."""
_NEAR = 0.004
"""Spheres come so close to all points on the surface [m], where the link is thick enough."""
_SMALLEST = 0.002
_MOST = 12
"""Further spheres of a link at most."""
_ALONG = np.linspace(0.3, 1.0, 15)


@dataclass(frozen=True, eq=False)
class FillingSpheres:
    """Spheres inside the links, sorted by link."""

    link_index: np.ndarray
    """Link of each sphere, ascending, shape [sphere_count]."""
    centers: np.ndarray
    """In the link's frame [m], shape [sphere_count, 3]."""
    radii: np.ndarray
    """Radii [m], shape [sphere_count]."""


NO_SPHERES = FillingSpheres(np.zeros(0, dtype=np.int64), np.zeros((0, 3)), np.zeros(0))


@functools.lru_cache(maxsize=8)
def filling_spheres(hand: Hand) -> FillingSpheres:
    """Return the spheres that keep links apart, and smaller ones for the corners; made once for each hand."""
    large, points = self_collision_spheres(hand), hand_surface(hand)
    parts = []
    for link, mesh in enumerate(link.mesh for link in hand.links):
        own = large.link_index == link
        surface = points.positions[points.link_index == link]
        centers, radii = _into_corners(mesh, large.centers[own], large.radii[own], surface)
        parts.append((np.full(len(radii), link), centers, radii))
    return FillingSpheres(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def hand_surface(hand: Hand) -> HandPoints:
    """Return points on the surface of a hand, always the same ones."""
    return sample_surface_points(hand, SURFACE_POINTS)


def _into_corners(
    mesh: TriangleMesh, centers: np.ndarray, radii: np.ndarray, surface: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Add spheres until all points on the surface are near one, those farthest from all first."""
    if not len(radii) or not len(surface):
        return centers, radii
    left = np.ones(len(surface), dtype=bool)
    for _ in range(_MOST):
        gaps = np.linalg.norm(surface[:, None] - centers, axis=-1) - radii
        farthest = int(np.where(left, gaps.min(axis=1), -np.inf).argmax())
        if not left.any() or gaps[farthest].min() <= _NEAR:
            break
        left[farthest] = False
        # On the line from the nearest sphere to the point lies the largest sphere that comes close to it.
        start = centers[gaps[farthest].argmin()]
        along = start + _ALONG[:, None] * (surface[farthest] - start)
        depths = -winding_distances(mesh, along, 0.1)
        reaches = np.linalg.norm(surface[farthest] - along, axis=1) - depths
        good = (depths >= _SMALLEST) & (reaches <= _NEAR)
        if good.any():
            best = int(np.where(good, depths, 0.0).argmax())
            centers, radii = np.concatenate([centers, along[best, None]]), np.append(radii, depths[best])
    return centers, radii
