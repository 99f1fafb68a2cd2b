# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How high a posed hand is over a plane, exactly: the lowest point of a mesh is a vertex of its convex hull."""

from __future__ import annotations

import functools

import numpy as np
import trimesh

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.kinematics import link_matrices


def link_heights(hand: Hand, plane: np.ndarray, T_a_palm: np.ndarray, joint_positions: np.ndarray) -> np.ndarray:
    """Return the height of each link's lowest vertex over a plane; see :func:`lowest_heights`.

    Returns:
        Heights [m], shape [..., link_count]; infinite for links without surface.
    """
    across, heights = _over(hand, plane, T_a_palm, joint_positions)
    for link, vertices in enumerate(link_hulls(hand)):
        if len(vertices):
            heights[..., link] += _along(across[..., link, :], vertices).min(axis=-1)
        else:
            heights[..., link] = np.inf
    return heights


def lowest_heights(hand: Hand, plane: np.ndarray, T_a_palm: np.ndarray, joint_positions: np.ndarray) -> np.ndarray:
    """Return the height of each posed hand's lowest vertex over a plane.

    Args:
        hand: The hand.
        plane: Unit normal and offset in frame a [m], shape [4]; heights are normal · p - offset.
        T_a_palm: Palm poses, shape [..., 7].
        joint_positions: All joints [rad or m], shape [..., joint_count].

    Returns:
        Heights [m], negative below the plane, shape [...]; infinite for a hand without surface.
    """
    across, heights = _over(hand, plane, T_a_palm, joint_positions)
    # A link's lowest vertex is at or below its middle, by no more than its radius: most links cannot be the lowest.
    middles, radii = _link_balls(hand)
    surfaced = radii > 0.0
    above = np.where(surfaced, heights + (across * middles).sum(axis=-1), np.inf)
    asked = ~(above - radii > above.min(axis=-1, keepdims=True, initial=np.inf)) & surfaced
    lowest = np.full(heights.shape, np.inf)
    for link, vertices in enumerate(link_hulls(hand)):
        rows = asked[..., link]
        if rows.any():
            lowest[rows, link] = heights[rows, link] + _along(across[rows, link], vertices).min(axis=-1)
    return lowest.min(axis=-1)


def _over(
    hand: Hand, plane: np.ndarray, T_a_palm: np.ndarray, joint_positions: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the plane's normal in each link's frame, shape [..., link_count, 3], and the heights of their origins."""
    matrices = link_matrices(hand, T_a_palm, joint_positions)
    normal, offset = np.asarray(plane, dtype=np.float64)[:3], float(plane[3])
    across = (normal[:, None] * matrices[..., :3, :3]).sum(axis=-2)
    return across, (normal * matrices[..., :3, 3]).sum(axis=-1) - offset


def _along(directions: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """Return how far vertices are along directions [..., 3], shape [..., vertex_count].

    Sums of three products and not matrix products, whose rounding depends on how many hands there are.
    """
    x, y, z = (directions[..., axis, None] for axis in range(3))
    return x * vertices[:, 0] + y * vertices[:, 1] + z * vertices[:, 2]


@functools.lru_cache(maxsize=16)
def _link_balls(hand: Hand) -> tuple[np.ndarray, np.ndarray]:
    """Return the middle of each link's hull, shape [link_count, 3], and a radius about it [m]; 0 without surface."""
    middles, radii = np.zeros((len(hand.links), 3)), np.zeros(len(hand.links))
    for link, vertices in enumerate(link_hulls(hand)):
        if len(vertices):
            middles[link] = vertices.mean(axis=0)
            radii[link] = np.linalg.norm(vertices - middles[link], axis=1).max() + 1e-9
    return middles, radii


@functools.lru_cache(maxsize=16)
def link_hulls(hand: Hand) -> tuple[np.ndarray, ...]:
    """Return the vertices of each link's convex hull in its frame [m], shape [vertex_count, 3]; all of a flat link."""
    return tuple(_hull_vertices(link.mesh.vertices) for link in hand.links)


def _hull_vertices(vertices: np.ndarray) -> np.ndarray:
    if len(vertices) < 4 or np.linalg.matrix_rank(vertices - vertices[0], tol=1e-9) < 3:
        return np.asarray(vertices)
    return np.array(trimesh.PointCloud(vertices).convex_hull.vertices)
