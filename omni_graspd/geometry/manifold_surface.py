# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Surfaces to manifold3d and back, with texture coordinates; and simplification there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from omni_graspd.geometry.uv_transfer import transfer_uvs
from omni_graspd.usd.meshes import TriangleMesh

if TYPE_CHECKING:
    from manifold3d import Manifold

_FIRST_TOLERANCE = 2e-5
_LAST_TOLERANCE = 0.02


def to_manifold(mesh: TriangleMesh) -> Manifold | None:
    """Convert a closed, oriented surface; None if manifold3d does not take it.

    Args:
        mesh: Welded surface; texture coordinates become properties 3 and 4 of its vertices, seams stay.
    """
    import manifold3d

    vertices = np.ascontiguousarray(mesh.vertices, dtype=np.float64)
    faces = np.ascontiguousarray(mesh.faces, dtype=np.uint64)
    if mesh.uvs is None:
        solid = manifold3d.Manifold(manifold3d.Mesh64(vertices, faces))
    else:
        rows = np.concatenate([mesh.faces.reshape(-1, 1), mesh.uvs.reshape(-1, 2)], axis=1)
        unique, index = np.unique(rows, axis=0, return_inverse=True)
        vertex = unique[:, 0].astype(np.int64)
        # Copies of a vertex on both sides of a seam are the same point.
        first = np.full(len(vertices), -1, dtype=np.int64)
        first[vertex[::-1]] = np.arange(len(vertex))[::-1]
        copies = np.flatnonzero(first[vertex] != np.arange(len(vertex)))
        solid = manifold3d.Manifold(
            manifold3d.Mesh64(
                np.ascontiguousarray(np.concatenate([vertices[vertex], unique[:, 1:]], axis=1)),
                np.ascontiguousarray(index.reshape(-1, 3), dtype=np.uint64),
                merge_from_vert=copies.astype(np.uint64),
                merge_to_vert=first[vertex[copies]].astype(np.uint64),
            )
        )
    return None if solid.status() != manifold3d.Error.NoError or solid.is_empty() else solid


def from_manifold(solid: Manifold, *, has_uvs: bool) -> TriangleMesh:
    """Convert back to a welded surface."""
    mesh = solid.to_mesh64()
    properties = np.array(mesh.vert_properties)
    corners = np.array(mesh.tri_verts, dtype=np.int64)
    target = np.arange(len(properties))
    target[np.array(mesh.merge_from_vert, dtype=np.int64)] = np.array(mesh.merge_to_vert, dtype=np.int64)
    used, faces = np.unique(target[corners], return_inverse=True)
    uvs = properties[corners][:, :, 3:5] if has_uvs else None
    return TriangleMesh(properties[used, :3], faces.reshape(-1, 3).astype(np.int32), uvs)


def simplify_surface(mesh: TriangleMesh, most_faces: int) -> tuple[TriangleMesh, float] | None:
    """Remove detail, finest first, until a surface has few enough faces.

    Args:
        mesh: Closed, oriented surface.
        most_faces: Faces that it may have.

    Returns:
        The surface and how far it may be from the original [m]; None if manifold3d does not take it, or if details of
        2 % of its diagonal would have to go.
    """
    # Without texture coordinates: manifold3d would merge across seams.
    solid = to_manifold(replace(mesh, uvs=None))
    if solid is None:
        return None
    diagonal = float(np.linalg.norm(np.ptp(mesh.vertices, axis=0)))
    tolerance, moved = _FIRST_TOLERANCE, 0.0
    while solid.num_tri() > most_faces:
        if tolerance > _LAST_TOLERANCE:
            return None
        solid = solid.simplify(tolerance * diagonal)
        # Each round starts from the last one, so its error adds.
        moved += tolerance * diagonal
        tolerance *= 2.0
    return transfer_uvs(mesh, from_manifold(solid, has_uvs=False)), moved
