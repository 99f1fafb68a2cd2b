# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Cells of a hull are small, convex, and together have the same hull."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from omni_graspd.geometry.hull_cells import hull_cells


def test_small_hull_is_one_cell_with_the_mesh_vertices():
    box = trimesh.creation.box((0.1, 0.2, 0.3))
    inside = np.vstack([box.vertices, [[0.0, 0.0, 0.0], [0.01, 0.02, 0.03]]])
    (cell,) = hull_cells(inside)
    assert {tuple(v) for v in cell.vertices} == {tuple(v) for v in box.vertices}
    assert trimesh.Trimesh(cell.vertices, cell.faces).volume == pytest.approx(0.006)


@pytest.mark.parametrize("limit", [16, 60])
def test_cells_of_a_ball_keep_every_vertex(limit: int):
    ball = trimesh.creation.icosphere(3, 0.035)
    cells = hull_cells(ball.vertices, limit)
    assert len(cells) > 1
    assert max(len(cell.vertices) for cell in cells) <= limit
    together = {tuple(v) for cell in cells for v in cell.vertices}
    assert {tuple(v) for v in ball.vertices} <= together
    for cell in cells:
        mesh = trimesh.Trimesh(cell.vertices, cell.faces)
        assert mesh.is_watertight
        assert mesh.is_convex
        assert mesh.volume > 0
