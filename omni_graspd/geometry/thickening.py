# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Open surfaces as solids: a ground plane as a slab, a sheet as a board."""

from __future__ import annotations

import numpy as np

from omni_graspd.geometry.open_edges import open_edges
from omni_graspd.geometry.welding import weld
from omni_graspd.usd.meshes import TriangleMesh

_SAME = 1e-6
"""Vertices so near are one, as a part of the bounding box's diagonal."""


def thickened(mesh: TriangleMesh, thickness: float) -> TriangleMesh:
    """Return a closed mesh: the same where the surface is closed, else with a copy of it behind and walls between.

    Args:
        mesh: A surface; the side from which its triangles run counterclockwise is its front, which stays where it is.
        thickness: How far behind the copy lies [m].
    """
    mesh = weld(TriangleMesh(mesh.vertices, mesh.faces), _SAME)
    faces = mesh.faces[_has_area(mesh)]
    edges = open_edges(faces)
    if not len(faces) or not edges.count:
        return TriangleMesh(mesh.vertices, faces)
    count = len(mesh.vertices)
    behind = mesh.vertices - thickness * _vertex_normals(mesh.vertices, faces)
    # A wall's triangles run along the open edge the other way than the face that has it.
    start, end = edges.edges.T
    walls = np.concatenate(
        [np.stack([end, start, start + count], axis=1), np.stack([end, start + count, end + count], 1)]
    )
    return TriangleMesh(
        np.concatenate([mesh.vertices, behind]),
        np.concatenate([faces, faces[:, ::-1] + count, walls]).astype(np.int32),
    )


def _has_area(mesh: TriangleMesh) -> np.ndarray:
    a, b, c = mesh.faces.T
    return (a != b) & (b != c) & (c != a)


def _vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Return unit normals at vertices, faces by area, shape [vertex_count, 3]; zero where there is none."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    area = np.cross(b - a, c - a)
    normals = np.zeros_like(vertices)
    for k in range(3):
        np.add.at(normals, faces[:, k], area)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-300)
