# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Joining neighbouring convex pieces where that adds the least volume."""

from __future__ import annotations

import heapq
import itertools

import numpy as np

_FLAT = 1e-9
"""Flat are points that are so many times thinner than long."""


def merge_convex_pieces(pieces: list[np.ndarray], *, most: int, free_volume: float) -> list[np.ndarray]:
    """Replace pairs of convex pieces by their common hull, cheapest first.

    Much faster than the merging inside CoACD, and it only ever adds volume between pieces that touch. Flat pieces,
    which CoACD cuts off now and then, are left out: there is nothing in them.

    Args:
        pieces: Points of each piece, shape [point_count, 3] each.
        most: Merging goes on until there are at most this many.
        free_volume: Merges that add less volume are done in any case.

    Returns:
        Hull vertices of the remaining pieces, none if all are flat; the same for the same input.
    """
    hulls: dict[int, tuple[np.ndarray, float]] = {}
    for i, points in enumerate(pieces):
        if not _is_flat(points):
            hulls[i] = _hull(points)
    queue: list[tuple[float, int, int, tuple[np.ndarray, float]]] = []
    for i, j in itertools.combinations(hulls, 2):
        _consider(queue, hulls, i, j)
    following = len(pieces)
    while queue:
        added, i, j, hull = heapq.heappop(queue)
        if i not in hulls or j not in hulls:
            continue
        if added > free_volume and len(hulls) <= most:
            break
        del hulls[i], hulls[j]
        hulls[following] = hull
        for other in [key for key in hulls if key != following]:
            _consider(queue, hulls, other, following)
        following += 1
    return [points for points, _ in hulls.values()]


def _is_flat(points: np.ndarray) -> bool:
    """Tell whether points lie in a plane, up to what hulls can be computed of."""
    if len(points) < 4:
        return True
    sizes = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    return bool(sizes[2] <= _FLAT * sizes[0])


def _hull(points: np.ndarray) -> tuple[np.ndarray, float]:
    from scipy.spatial import ConvexHull

    hull = ConvexHull(points)
    return points[hull.vertices], float(hull.volume)


def _consider(queue: list, hulls: dict[int, tuple[np.ndarray, float]], i: int, j: int) -> None:
    """Queue the merge of two pieces whose bounding boxes touch."""
    (one, volume_one), (other, volume_other) = hulls[i], hulls[j]
    gap = 1e-6 + 1e-3 * max(np.ptp(one, axis=0).max(), np.ptp(other, axis=0).max())
    if np.any(one.min(axis=0) > other.max(axis=0) + gap) or np.any(other.min(axis=0) > one.max(axis=0) + gap):
        return
    merged = _hull(np.concatenate([one, other]))
    heapq.heappush(queue, (merged[1] - volume_one - volume_other, i, j, merged))
