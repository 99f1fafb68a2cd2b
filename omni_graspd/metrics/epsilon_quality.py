# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Epsilon quality without the whole grasp wrench space: the hull is grown only where it is nearest to the origin."""

from __future__ import annotations

import numpy as np

from omni_graspd.metrics.force_closure import RANK_TOLERANCE, epsilon_and_volume

# A facet beyond which no wrench lies farther than this is a facet of the whole hull.
_TOLERANCE = 1e-10
# The hull begins with the wrenches that lie farthest along these.
_SEED_DIRECTIONS = np.concatenate([np.eye(6), -np.eye(6)])
_HULL_OPTIONS = "Qx"
# So many facets take the wrench that lies farthest beyond them at a time: fewer hulls are built on the way.
_FACETS = 8


def epsilon_quality(wrenches: np.ndarray) -> float:
    """Compute Ferrari and Canny's L1 quality; the same as of the whole hull, within 1e-9, in a third of the time.

    The hull of a few wrenches lies inside the whole one. Its facet nearest to the origin is a lower bound; where no
    wrench lies beyond that facet, it is a facet of the whole hull, too, and the bound is the quality. Otherwise the
    farthest wrench beyond it joins the few.

    Args:
        wrenches: Primitive wrenches, shape [wrench_count, 6].

    Returns:
        Epsilon, 0 where the origin is not inside.

    References:
        Ferrari and Canny, "Planning optimal grasps", ICRA 1992; van den Bergen, "Proximity queries and penetration
        depth computation on 3D game objects", GDC 2001 (the expanding polytope, there in three dimensions).
    """
    from scipy.spatial import QhullError

    if len(wrenches) < 7 or np.linalg.matrix_rank(wrenches - wrenches.mean(axis=0), tol=RANK_TOLERANCE) < 6:
        return 0.0
    try:
        epsilon = _grown(wrenches)
    except QhullError:
        epsilon = None
    return epsilon_and_volume(wrenches)[0] if epsilon is None else epsilon


def _grown(wrenches: np.ndarray) -> float | None:
    """Return the quality, or None where facets in common hyperplanes were merged so that the hull does not grow.

    Each hull is built anew: SciPy's hulls that points are added to end the process where Qhull meets a fault.
    """
    from scipy.spatial import ConvexHull

    taken = list(dict.fromkeys(np.argmax(_SEED_DIRECTIONS @ wrenches.T, axis=1).tolist()))
    while True:
        equations = ConvexHull(wrenches[taken], qhull_options=_HULL_OPTIONS).equations
        nearest = equations[np.argsort(-equations[:, -1], kind="stable")[:_FACETS]]
        heights = nearest[:, :6] @ wrenches.T + nearest[:, 6:]
        farthest = np.argmax(heights, axis=1).tolist()
        if heights[0, farthest[0]] <= _TOLERANCE:
            return max(0.0, float(-nearest[0, 6]))
        if farthest[0] in taken:
            return None
        beyond = [wrench for row, wrench in enumerate(farthest) if heights[row, wrench] > _TOLERANCE]
        taken += dict.fromkeys(wrench for wrench in beyond if wrench not in taken)
