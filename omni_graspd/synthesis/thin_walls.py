# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Whether an object has walls so thin that hand points do not feel on which side of them they are."""

from __future__ import annotations

import numpy as np

from omni_graspd.geometry.rays import first_hits
from omni_graspd.geometry.signed_distance import SignedDistance
from omni_graspd.geometry.signed_distance_kernels import SIGN_FROM_NORMALS

THIN = 0.012
"""Walls thinner than this count [m]: hand points may reach a few millimetres into an object, and no farther than to the
middle of a wall do they feel which way is out."""
_SHARE = 0.005
_INSIDE = 1e-5


def thin_walled(distance: SignedDistance) -> bool:
    """Tell whether at least half a hundredth of the surface belongs to walls thinner than :data:`THIN`.

    A surface that bounds no volume is all wall.

    Args:
        distance: The object's surface.
    """
    if distance.sign_mode != int(SIGN_FROM_NORMALS):
        return True
    faces: np.ndarray = distance.mesh.indices.numpy().reshape(-1, 3)
    points: np.ndarray = distance.mesh.points.numpy()
    corners = points[faces]
    crosses = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    areas = np.linalg.norm(crosses, axis=1)
    inward = -crosses / np.maximum(areas, 1e-12)[:, None]
    thicknesses, _ = first_hits(distance.mesh, corners.mean(axis=1) + _INSIDE * inward, inward, THIN)
    thin = (thicknesses >= 0.0) & (thicknesses < THIN)
    return bool(areas[thin].sum() >= _SHARE * areas.sum())
