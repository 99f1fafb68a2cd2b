# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The line along which a grasp's contacts oppose each other: what a grasp is to a two-jaw gripper."""

from __future__ import annotations

import numpy as np

from omni_graspd.geometry.signed_distance import SignedDistance
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.surface_points import posed_points, sample_surface_points
from omni_graspd.metrics.contacts import exact_distance, surface_distances
from omni_graspd.metrics.evaluate import MetricsConfig
from omni_graspd.objects.rigid_object import RigidObject

_BEYOND = 0.01
"""How far a line goes on outside the object [m]: jaws start there."""
_OPPOSING = 0.3
"""Contacts whose normal has at least this share along the line belong to one of its ends."""
_SAMPLES = 200


def closing_lines(
    hand: Hand,
    obj: RigidObject,
    T_object_palm: np.ndarray,
    joint_positions: np.ndarray,
    config: MetricsConfig,
    *,
    device: str = "cpu",
) -> list[np.ndarray | None]:
    """Find for each grasp a line through the object whose ends are between opposing groups of contacts.

    The direction is that in which the contacts' normals are strongest (the first eigenvector of the sum of n nᵀ); the
    line goes through the middles of the contacts on both sides, to 1 cm beyond the object.

    Args:
        hand: The hand.
        obj: The object.
        T_object_palm: Palm poses in the object frame, shape [grasp_count, 7].
        joint_positions: All joints [rad or m], shape [grasp_count, joint_count].
        config: What counts as contact.
        device: Warp device for the distances.

    Returns:
        Both ends in the object frame [m], shape [2, 3] each; None where nothing is opposed, or the line misses the
        object.
    """
    points = posed_points(hand, sample_surface_points(hand, config.point_count), T_object_palm, joint_positions)
    exact = exact_distance(obj, device)
    diagonal = float(np.linalg.norm(np.ptp(obj.mesh.vertices, axis=0)))
    surface = surface_distances(points, exact, diagonal)
    lines = []
    for distances, positions, normals in zip(surface.distances, surface.positions, surface.normals, strict=True):
        touching = distances < config.contact_threshold
        ends = opposing_middles(positions[touching], normals[touching])
        lines.append(None if ends is None else _through_object(ends, exact, diagonal))
    return lines


def opposing_middles(positions: np.ndarray, normals: np.ndarray) -> np.ndarray | None:
    """Return the middles of the contacts on both sides of a grasp.

    Args:
        positions: Contacts on the object [m], shape [contact_count, 3].
        normals: Unit normals out of the object there, shape [contact_count, 3].

    Returns:
        Shape [2, 3]; None without contacts on two sides.
    """
    _, axes = np.linalg.eigh(normals.T @ normals)
    along = normals @ axes[:, -1]
    if not (along > _OPPOSING).any() or not (along < -_OPPOSING).any():
        return None
    return np.array([positions[along > _OPPOSING].mean(axis=0), positions[along < -_OPPOSING].mean(axis=0)])


def _through_object(ends: np.ndarray, exact: SignedDistance, diagonal: float) -> np.ndarray | None:
    """Lengthen a line at both ends until it is outside the object for good; None if it is never inside."""
    way = ends[1] - ends[0]
    length = float(np.linalg.norm(way))
    if length < 1e-4:
        return None
    steps = np.linspace(-diagonal, length + diagonal, _SAMPLES * 4)
    distances, _ = exact.query(ends[0] + steps[:, None] * way / length, diagonal)
    inside = steps[distances < 0.0]
    if not len(inside):
        return None
    first, last = min(inside[0], 0.0) - _BEYOND, max(inside[-1], length) + _BEYOND
    return ends[0] + np.array([[first], [last]]) * way / length
