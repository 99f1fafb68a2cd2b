# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Convex hulls: orientation, and points without volume."""

from __future__ import annotations

import numpy as np
import pytest

from omni_graspd.errors import GraspdError
from omni_graspd.geometry.convex_hull import convex_hull


def test_faces_of_a_hull_are_counter_clockwise_seen_from_outside():
    points = np.random.default_rng(0).standard_normal((50, 3))
    hull = convex_hull(points)
    corners = hull.vertices[hull.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    outward = corners.mean(axis=1) - hull.vertices.mean(axis=0)
    assert np.all(np.einsum("ij,ij->i", normals, outward) > 0)


def test_points_in_one_plane_are_refused_in_one_line():
    with pytest.raises(GraspdError, match="expected an object with volume, got a flat one") as error:
        convex_hull(np.random.default_rng(0).standard_normal((20, 3)) * [1.0, 1.0, 0.0])
    assert "\n" not in str(error.value)
