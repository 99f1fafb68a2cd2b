# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Assemblies of parts become their outside, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from omni_graspd.geometry.surface_rays import sky_shares
from omni_graspd.hands.importing.outside_surface import outside_surface
from omni_graspd.hands.importing.source_hand import SourceShape
from omni_graspd.usd.meshes import TriangleMesh


def _box(size: float, x: float = 0.0, *, inward: bool = False) -> trimesh.Trimesh:
    mesh = trimesh.creation.box([size] * 3)
    mesh.apply_translation([x, 0.0, 0.0])
    if inward:
        mesh.invert()
    return mesh


def test_overlapping_boxes_are_joined_and_hollows_filled() -> None:
    """Two cubes of 20 mm that overlap by half, and a cavity of 5 mm in one: the outside of a bar of 30 mm."""
    parts = [_box(0.02), _box(0.02, 0.01), _box(0.005, -0.004, inward=True)]
    joined = trimesh.util.concatenate([shape.mesh for shape in outside_surface([SourceShape(p) for p in parts], 500)])
    assert joined.is_watertight
    assert joined.volume == pytest.approx(0.03 * 0.02 * 0.02, rel=1e-6)
    assert joined.area == pytest.approx(2 * 0.02 * 0.02 + 4 * 0.03 * 0.02, rel=1e-6)


def test_open_shells_lose_what_is_hidden_and_face_outward() -> None:
    """A box without one face, turned inside out, and a sheet inside a closed box."""
    open_box = _box(0.02, 0.1, inward=True)
    open_box.update_faces(np.arange(12) > 0)
    sheet = _box(0.01)
    sheet.update_faces(np.arange(12) < 2)
    shapes = outside_surface([SourceShape(m) for m in (_box(0.02), open_box, sheet)], 500)
    kept = trimesh.util.concatenate([shape.mesh for shape in shapes])
    assert len(kept.faces) == 12 + 11
    outward = np.einsum(
        "fi,fi->f",
        kept.face_normals,
        kept.triangles_center - np.where(kept.triangles_center[:, :1] > 0.05, [[0.1, 0.0, 0.0]], [[0.0, 0.0, 0.0]]),
    )
    assert (outward > 0.0).all()


def test_sky_over_a_plate_beside_a_wall_is_half() -> None:
    """A point at the foot of a very high, long wall sees half of its half space; the open top sees all."""
    wall = trimesh.creation.box([0.001, 200.0, 200.0])
    wall.apply_translation([0.0006, 0.0, 0.0])
    mesh = TriangleMesh(np.asarray(wall.vertices), np.asarray(wall.faces, dtype=np.int32))
    points = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 101.0]])
    shares = sky_shares(mesh, points, np.array([[0.0, 0.0, 1.0]] * 2))
    np.testing.assert_allclose(shares, [0.5, 1.0], atol=0.06)


@pytest.mark.filterwarnings("error")
def test_a_flat_shell_is_dropped_without_a_warning():
    flat = trimesh.Trimesh([[0, 0, 0], [0.01, 0, 0], [0, 0.01, 0]], [[0, 1, 2], [0, 2, 1]], process=False)
    assert flat.is_watertight
    kept = outside_surface([SourceShape(_box(0.02)), SourceShape(flat)], 500)
    assert sum(len(shape.mesh.faces) for shape in kept) == 12


def test_detail_of_many_open_shells_is_thinned_shell_by_shell():
    """300 sheets with four vertices less than 0.1 mm apart, a hair above one another: each keeps its plane."""
    sheets = []
    for number in range(300):
        corners = np.array([[0, 0, 0], [0.01, 0, 0], [0.01, 0.01, 0], [0, 0.01, 0], [2e-5, 2e-5, 0]])
        faces = [[0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4]]
        sheets.append(
            trimesh.Trimesh(corners + np.array([0.02 * number, 0, 2e-5 * (number % 2)]), faces, process=False)
        )
    kept = outside_surface([SourceShape(trimesh.util.concatenate(sheets))], 100)
    # Two of each sheet's four triangles are thinner than the detail that goes.
    assert [len(shape.mesh.faces) for shape in kept] == [2] * 300
    heights = [float(shape.mesh.vertices[:, 2].max()) for shape in kept]
    np.testing.assert_allclose(heights, [2e-5 * (number % 2) for number in range(300)], atol=1e-9)
