# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Which rest poses of an object are the same up to a turn about gravity, and how often each occurs.

Two measures of the same: for counting how an object lies (:func:`cluster_rest_poses`), and, much stricter, for grasps
beside the table (:func:`same_table_groups`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SAME_POSE_ANGLE = float(np.radians(5.0))
"""Rest poses whose down directions differ by less are one [rad]."""
SAME_TABLE_ANGLE = float(np.radians(0.1))
SAME_TABLE_OFFSET = 5e-5
"""A grasp holds for all rest poses whose table tops differ by no more than these [rad, m]: as far as 25 cm from the
object's origin, its distance from the table then changes by less than half a millimetre."""


@dataclass(frozen=True)
class RestPoses:
    """Rest poses of one object, the most frequent first."""

    labels: np.ndarray
    """Number of the rest pose of each sample, shape [sample_count], int."""
    counts: np.ndarray
    """Samples of each rest pose, shape [rest_pose_count], int."""
    down_directions: np.ndarray
    """Direction of gravity in the object frame, of the first sample of each rest pose, shape [rest_pose_count, 3]."""

    def __repr__(self) -> str:
        """Say how often the object came to rest in which pose; the numbers of all samples would fill pages."""
        return f"RestPoses({', '.join(map(str, self.counts))} of {len(self.labels)} drops)"


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


def same_table(planes: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Tell which table tops are where a grasp that was made over another one expects it, shape [count], bool.

    Args:
        planes: Table tops in the object frame, unit normal and offset [m], shape [count, 4].
        reference: The other one, shape [4].
    """
    # The chord: an angle from a cosine would lose half of its digits.
    angles = 2.0 * np.arcsin(np.minimum(0.5 * np.linalg.norm(planes[:, :3] - reference[:3], axis=1), 1.0))
    return (angles <= SAME_TABLE_ANGLE) & (np.abs(planes[:, 3] - reference[3]) <= SAME_TABLE_OFFSET)


def same_table_groups(planes: np.ndarray) -> np.ndarray:
    """Number rest poses by their table tops, each with the first earlier one that is the same, else as a new one.

    Numbers do not depend on the rest poses that follow.

    Args:
        planes: Table tops in the object frame, unit normal and offset [m], shape [count, 4].

    Returns:
        Number of each, shape [count], int; a number's first rest pose is the one that stands for it.
    """
    labels = np.full(len(planes), -1)
    for first in range(len(planes)):
        if labels[first] < 0:
            same = same_table(planes, planes[first]) & (labels < 0)
            labels[same] = labels.max() + 1
    return labels
