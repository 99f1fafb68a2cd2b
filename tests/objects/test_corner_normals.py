# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Corner normals: smooth across soft edges, split at hard ones."""

from __future__ import annotations

import math

import numpy as np
import trimesh

from omni_graspd.geometry.corner_normals import corner_normals
from omni_graspd.usd.meshes import TriangleMesh


def normals_of(mesh: trimesh.Trimesh) -> np.ndarray:
    triangles = TriangleMesh(np.array(mesh.vertices), np.array(mesh.faces, dtype=np.int32))
    return corner_normals(triangles, crease_angle=math.radians(40.0))


def test_box_corners_keep_their_face_normals() -> None:
    box = trimesh.creation.box((1, 2, 3))
    np.testing.assert_allclose(normals_of(box), np.repeat(box.face_normals[:, None], 3, axis=1), atol=1e-12)


def test_sphere_corners_point_along_the_radius() -> None:
    sphere = trimesh.creation.icosphere(subdivisions=2)
    np.testing.assert_allclose(normals_of(sphere), sphere.vertices[sphere.faces], atol=0.02)


def test_cylinder_rim_is_split_between_side_and_lid() -> None:
    cylinder = trimesh.creation.cylinder(radius=1.0, height=2.0, sections=32)
    normals = normals_of(cylinder)
    lid = np.abs(cylinder.face_normals[:, 2]) > 0.9
    np.testing.assert_allclose(np.abs(normals[lid][..., 2]), 1.0, atol=1e-9)
    np.testing.assert_allclose(normals[~lid][..., 2], 0.0, atol=1e-9)
    corners = cylinder.vertices[cylinder.faces][~lid]
    np.testing.assert_allclose(normals[~lid][..., :2], corners[..., :2], atol=1e-6)


def test_faces_of_opposite_orientation_do_not_share_normals() -> None:
    sphere = trimesh.creation.icosphere(subdivisions=2)
    faces = np.array(sphere.faces)
    faces[0] = faces[0, ::-1]
    flipped = trimesh.Trimesh(sphere.vertices, faces, process=False)
    normals = normals_of(flipped)
    np.testing.assert_allclose(normals[0], np.repeat(flipped.face_normals[:1], 3, axis=0), atol=1e-12)
    assert np.all(np.sum(normals[1:] * sphere.vertices[faces[1:]], axis=-1) > 0.9)
