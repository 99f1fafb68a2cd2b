# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A sphere about what each link has of something, so that what is far from it is passed over at once."""

from __future__ import annotations

import numpy as np


def link_bounds(
    link_index: np.ndarray, centers: np.ndarray, link_count: int, radii: np.ndarray | None = None
) -> np.ndarray:
    """Return one sphere about the points or spheres of each link.

    Args:
        link_index: Link of each point or sphere, shape [count].
        centers: Where they are, in their link's frame [m], shape [count, 3].
        link_count: Number of links.
        radii: Radii of spheres [m], shape [count]; None for points.

    Returns:
        Centre and radius [m], zero for links that have none, shape [link_count, 4].
    """
    radii = np.zeros(len(centers)) if radii is None else radii
    bounds = np.zeros((link_count, 4))
    for link in range(link_count):
        own = link_index == link
        if own.any():
            middle, radius = centers[own], radii[own, None]
            bounds[link, :3] = 0.5 * ((middle - radius).min(axis=0) + (middle + radius).max(axis=0))
            bounds[link, 3] = (np.linalg.norm(middle - bounds[link, :3], axis=1) + radius[:, 0]).max()
    return bounds
