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
    matrices = link_matrices(hand, T_a_palm, joint_positions)
    normal, offset = np.asarray(plane, dtype=np.float64)[:3], float(plane[3])
    # Sums of three products and not matrix products, whose rounding depends on how many hands there are.
    across = (normal[:, None] * matrices[..., :3, :3]).sum(axis=-2)
    heights = (normal * matrices[..., :3, 3]).sum(axis=-1) - offset
    for link, vertices in enumerate(link_hulls(hand)):
        if len(vertices):
            direction = across[..., link, :, None]
            along = direction[..., 0, :] * vertices[:, 0] + direction[..., 1, :] * vertices[:, 1]
            along = along + direction[..., 2, :] * vertices[:, 2]
            heights[..., link] += along.min(axis=-1)
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
    return link_heights(hand, plane, T_a_palm, joint_positions).min(axis=-1)


@functools.lru_cache(maxsize=16)
def link_hulls(hand: Hand) -> tuple[np.ndarray, ...]:
    """Return the vertices of each link's convex hull in its frame [m], shape [vertex_count, 3]; all of a flat link."""
    return tuple(_hull_vertices(link.mesh.vertices) for link in hand.links)


def _hull_vertices(vertices: np.ndarray) -> np.ndarray:
    if len(vertices) < 4 or np.linalg.matrix_rank(vertices - vertices[0], tol=1e-9) < 3:
        return np.asarray(vertices)
    return np.array(trimesh.PointCloud(vertices).convex_hull.vertices)
