# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Pieces to lie on have the hull of the object, stay small, and leave cavities free."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from omni_graspd.geometry.hull_cells import face_cells
from omni_graspd.objects.object_library import load_object
from omni_graspd.objects.resting_pieces import resting_pieces, support_points


@pytest.mark.parametrize("name", ["soup_can", "mug", "apple"])
def test_pieces_together_have_the_hull_of_the_support_points(name: str):
    obj = load_object(name)
    pieces = resting_pieces(obj)
    together = trimesh.convex.convex_hull(np.concatenate([piece.vertices for piece in pieces]))
    expected = trimesh.convex.convex_hull(support_points(obj.mesh))
    assert together.volume == pytest.approx(expected.volume, rel=1e-6)
    np.testing.assert_allclose(together.bounds, expected.bounds, atol=1e-7)
    assert max(len(piece.vertices) for piece in pieces) <= 64


def test_support_points_of_a_ball_follow_it_to_a_fifth_of_a_millimetre():
    obj = load_object("baseball")
    hull = trimesh.convex.convex_hull(support_points(obj.mesh))
    outside = -trimesh.proximity.signed_distance(hull, obj.mesh.vertices[::7])
    assert outside.max() < 2.1e-4


def test_the_inside_of_a_mug_stays_free():
    obj = load_object("mug")
    middle = 0.5 * (obj.mesh.vertices.min(axis=0) + obj.mesh.vertices.max(axis=0))
    upper = [*obj.center_of_mass[:2], middle[2] + 0.02]
    for piece in resting_pieces(obj):
        assert not trimesh.Trimesh(piece.vertices, piece.faces).contains([upper])[0]


def test_each_face_of_the_hull_is_that_of_a_cell():
    ball = trimesh.creation.icosphere(3, 0.035)
    cells = face_cells(ball.vertices)
    assert max(len(cell.vertices) for cell in cells) <= 60
    outer = []
    for cell in cells:
        corners = cell.vertices[cell.faces]
        on_ball = np.isclose(np.linalg.norm(corners, axis=2), 0.035, atol=1e-9).all(axis=1)
        outer += [tuple(sorted(map(tuple, np.round(face, 9)))) for face in corners[on_ball]]
    hull = {tuple(sorted(map(tuple, np.round(face, 9)))) for face in ball.vertices[ball.faces]}
    assert hull <= set(outer)
