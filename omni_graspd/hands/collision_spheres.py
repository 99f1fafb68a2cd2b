# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Spheres inside the links of a hand, to keep it from passing through itself."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import trimesh

from omni_graspd.geometry.winding_distance import winding_distances
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import IDENTITY, transform_points

_GRID = 12
_MAX_PER_LINK = 24
# Links that fill less of their convex hull are brackets or shells: their hull is filled instead.
_LEAST_SOLIDITY = 0.5
# Candidates thinner than this share of the link's thickest place are left out: they would add many tiny spheres.
_LEAST_RADIUS = 0.5


@dataclass(frozen=True)
class CollisionSpheres:
    """Spheres that fill the links from inside, and which links may overlap."""

    link_index: np.ndarray
    """Link of each sphere, ascending, shape [sphere_count]."""
    centers: np.ndarray
    """In the link's frame [m], shape [sphere_count, 3]."""
    radii: np.ndarray
    """Radii [m], shape [sphere_count]."""
    ignored_link_pairs: np.ndarray
    """Symmetric; True where overlap is not looked at: the same link, neighbours, and links that touch in the open
    posture; shape [link_count, link_count], bool."""


@functools.lru_cache(maxsize=8)
def self_collision_spheres(hand: Hand) -> CollisionSpheres:
    """Fill each link with the largest spheres that fit, until its thick parts are covered; once for each hand."""
    parts = [_fill(_solid(link.mesh)) for link in hand.links]
    link_index = np.concatenate([np.full(len(radii), link) for link, (_, radii) in enumerate(parts)]).astype(np.int64)
    centers = np.concatenate([centers for centers, _ in parts])
    radii = np.concatenate([radii for _, radii in parts])
    return CollisionSpheres(link_index, centers, radii, _ignored_pairs(hand, link_index, centers, radii))


def _solid(mesh: TriangleMesh) -> TriangleMesh:
    """Return the mesh, or its convex hull if it encloses little."""
    surface = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    if len(mesh.vertices) < 4 or np.linalg.matrix_rank(mesh.vertices - mesh.vertices[0]) < 3:
        return mesh
    hull = surface.convex_hull
    if surface.is_watertight and surface.volume > _LEAST_SOLIDITY * hull.volume:
        return mesh
    return TriangleMesh(np.asarray(hull.vertices), np.asarray(hull.faces, dtype=np.int32))


def _fill(mesh: TriangleMesh) -> tuple[np.ndarray, np.ndarray]:
    """Choose spheres on a grid inside a mesh: the largest first, then always the one farthest out of those chosen."""
    if not len(mesh.faces):
        return np.zeros((0, 3)), np.zeros(0)
    lower, upper = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    spacing = float((upper - lower).max()) / _GRID
    axes = [_centred_grid(low, high, spacing) for low, high in zip(lower, upper, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    depth = -winding_distances(mesh, grid, 1.0)
    keep = depth > _LEAST_RADIUS * depth.max(initial=0.0)
    points, depth = grid[keep], depth[keep]
    if not len(points):
        return np.zeros((0, 3)), np.zeros(0)
    chosen = [int(np.argmax(depth))]
    outside = np.linalg.norm(points - points[chosen[0]], axis=1) - depth[chosen[0]]
    while outside.max() > 0.0 and len(chosen) < _MAX_PER_LINK:
        chosen.append(int(np.argmax(outside)))
        outside = np.minimum(outside, np.linalg.norm(points - points[chosen[-1]], axis=1) - depth[chosen[-1]])
    return points[chosen], depth[chosen]


def _centred_grid(low: float, high: float, spacing: float) -> np.ndarray:
    """Return an odd number of evenly spaced values: the middle, where links are thickest, is among them."""
    half = int(0.5 * (high - low) / spacing)
    return 0.5 * (low + high) + spacing * np.arange(-half, half + 1)


def _ignored_pairs(hand: Hand, link_index: np.ndarray, centers: np.ndarray, radii: np.ndarray) -> np.ndarray:
    ignored = np.eye(len(hand.links), dtype=bool)
    for index, link in enumerate(hand.links):
        if link.parent >= 0:
            ignored[index, link.parent] = ignored[link.parent, index] = True
    poses = link_poses(hand, IDENTITY, hand.joint_positions(hand.open_positions))
    placed = np.array(
        [transform_points(poses[link], center[None])[0] for link, center in zip(link_index, centers, strict=True)]
    )
    for a in range(len(radii)):
        touching = np.linalg.norm(placed - placed[a], axis=1) < radii + radii[a]
        ignored[link_index[a], link_index[touching]] = True
        ignored[link_index[touching], link_index[a]] = True
    return ignored
