# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Open surfaces made solid."""

from __future__ import annotations

import numpy as np
import trimesh

from omni_graspd.geometry.thickening import thickened
from omni_graspd.usd.meshes import TriangleMesh


def _solid(mesh: TriangleMesh) -> trimesh.Trimesh:
    return trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)


def test_a_sheet_becomes_a_board_behind_its_front():
    corners = np.array([[0.0, 0, 1], [2, 0, 1], [2, 3, 1], [0, 3, 1]])
    solid = _solid(thickened(TriangleMesh(corners, np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32)), 0.1))
    assert solid.is_watertight and solid.is_winding_consistent
    np.testing.assert_allclose(solid.volume, 2 * 3 * 0.1)
    np.testing.assert_allclose(solid.bounds[:, 2], [0.9, 1.0])


def test_triangles_that_share_no_vertices_are_one_sheet():
    soup = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 0, 0], [1, 1, 0], [0, 1, 0]])
    solid = _solid(thickened(TriangleMesh(soup, np.arange(6, dtype=np.int32).reshape(2, 3)), 0.1))
    assert solid.is_watertight
    np.testing.assert_allclose(solid.volume, 0.1)


def test_a_dome_without_floor_becomes_a_shell():
    ball = trimesh.creation.icosphere(3, 0.2)
    dome = TriangleMesh(ball.vertices, ball.faces[ball.triangles_center[:, 2] > 0].astype(np.int32))
    solid = _solid(thickened(dome, 0.01))
    assert solid.is_watertight
    np.testing.assert_allclose(solid.volume, 2 * np.pi * 0.2**2 * 0.01, rtol=0.1)


def test_a_closed_surface_stays_as_it_is():
    box = trimesh.creation.box((0.1, 0.2, 0.3))
    solid = _solid(thickened(TriangleMesh(box.vertices, box.faces.astype(np.int32)), 0.01))
    np.testing.assert_allclose(solid.bounds, box.bounds)
    np.testing.assert_allclose(solid.volume, box.volume)
