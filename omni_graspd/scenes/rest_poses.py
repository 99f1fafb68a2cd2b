# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Which rest poses of an object are the same up to a turn about gravity, and how often each occurs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SAME_POSE_ANGLE = float(np.radians(5.0))
"""Rest poses whose down directions differ by less are one [rad]."""


@dataclass(frozen=True)
class RestPoses:
    """Rest poses of one object, the most frequent first."""

    labels: np.ndarray
    """Number of the rest pose of each sample, shape [sample_count], int."""
    counts: np.ndarray
    """Samples of each rest pose, shape [rest_pose_count], int."""
    down_directions: np.ndarray
    """Direction of gravity in the object frame, of the first sample of each rest pose, shape [rest_pose_count, 3]."""


def down_directions(T_world_object: np.ndarray) -> np.ndarray:
    """Return the direction of gravity, world -Z, in the object frame for each pose [count, 7]; shape [count, 3].

    Where an object lies and how it is turned about gravity makes no difference to it.
    """
    x, y, z, w = np.asarray(T_world_object, dtype=np.float64)[:, 3:].T
    return -np.stack([2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)], axis=1)


def cluster_rest_poses(directions: np.ndarray, *, angle: float = SAME_POSE_ANGLE) -> RestPoses:
    """Group down directions that a chain of steps smaller than ``angle`` connects.

    So all ways in which a can lies on its side are one rest pose once there are samples enough.

    Args:
        directions: Unit directions of gravity in the object frame, shape [sample_count, 3], as from
            :func:`down_directions`.
        angle: Longest step [rad].
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    count = len(directions)
    if count == 0:
        return RestPoses(np.zeros(0, dtype=int), np.zeros(0, dtype=int), np.zeros((0, 3)))
    pairs = cKDTree(directions).query_pairs(2.0 * np.sin(0.5 * angle), output_type="ndarray")
    graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    _, found = connected_components(graph, directed=False)
    names, first, sizes = np.unique(found, return_index=True, return_counts=True)
    order = np.lexsort((first, -sizes))
    rank = np.empty(len(names), dtype=int)
    rank[order] = np.arange(len(names))
    return RestPoses(rank[found], sizes[order], directions[first[order]])
