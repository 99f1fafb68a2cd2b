# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The solid that a mesh bounds: overlapping parts united, cavities filled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from omni_graspd.usd.meshes import TriangleMesh

if TYPE_CHECKING:
    from manifold3d import Manifold


def filled_solid(mesh: TriangleMesh) -> Manifold | None:
    """Return the solid that a mesh bounds, its parts united and its cavities filled; None where it bounds none."""
    import manifold3d

    whole = _manifold(mesh.vertices, mesh.faces)
    if whole is None:
        return None
    parts = [part if part.volume() > 0.0 else _turned(part) for part in whole.decompose()]
    return manifold3d.Manifold.batch_boolean(parts, manifold3d.OpType.Add)


def filled_surface(mesh: TriangleMesh) -> tuple[TriangleMesh, bool]:
    """Return the surface of :func:`filled_solid` and True, or the mesh itself and False where it bounds no solid."""
    solid = filled_solid(mesh)
    if solid is None:
        return mesh, False
    surface = solid.to_mesh64()
    vertices = np.array(surface.vert_properties, dtype=np.float64)[:, :3]
    return TriangleMesh(vertices, np.array(surface.tri_verts, dtype=np.int32)), True


def _turned(cavity: Manifold) -> Manifold:
    """Turn a surface that looks inward, the wall of a cavity, into a solid."""
    mesh = cavity.to_mesh64()
    vertices, faces = np.asarray(mesh.vert_properties)[:, :3], np.asarray(mesh.tri_verts)
    turned = _manifold(vertices, faces[:, ::-1])
    return cavity if turned is None else turned


def _manifold(vertices: np.ndarray, faces: np.ndarray) -> Manifold | None:
    import manifold3d

    # Copies: manifold3d takes neither read-only nor strided arrays.
    mesh = manifold3d.Mesh64(
        np.array(vertices, dtype=np.float64, order="C"), np.array(faces, dtype=np.uint64, order="C")
    )
    mesh.merge()
    solid = manifold3d.Manifold(mesh)
    return solid if solid.status() == manifold3d.Error.NoError and not solid.is_empty() else None
