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


def epsilon_quality(wrenches: np.ndarray) -> float:
    """Compute Ferrari and Canny's L1 quality; the same as of the whole hull, within 1e-9, in a fifth of the time.

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
    """Return the quality, or None where facets in common hyperplanes were merged so that the hull does not grow."""
    from scipy.spatial import ConvexHull

    taken = list(dict.fromkeys(np.argmax(_SEED_DIRECTIONS @ wrenches.T, axis=1).tolist()))
    hull = ConvexHull(wrenches[taken], incremental=True, qhull_options=_HULL_OPTIONS)
    try:
        while True:
            equations = hull.equations
            nearest = equations[np.argmax(equations[:, -1])]
            heights = wrenches @ nearest[:6] + nearest[6]
            farthest = int(np.argmax(heights))
            if heights[farthest] <= _TOLERANCE:
                return max(0.0, float(-nearest[6]))
            if farthest in taken:
                return None
            taken.append(farthest)
            hull.add_points(wrenches[[farthest]])
    finally:
        hull.close()
