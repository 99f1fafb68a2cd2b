# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Convex pieces on which an object lies as it does on its own surface.

Pieces of a convex decomposition stand off the surface by a millimetre or two. Woken in a simulation, an object settles
anew on them, and one with round sides rolls. On a flat table nothing but the convex hull touches, so it suffices that
the pieces together have the hull of the object.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from omni_graspd.geometry.convex_decomposition import convex_pieces
from omni_graspd.geometry.convex_hull import convex_hull
from omni_graspd.geometry.hull_cells import CELL_VERTEX_LIMIT, face_cells, telling_vertices
from omni_graspd.geometry.piece_cache import cached_pieces
from omni_graspd.objects.object_writer import write_object
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.usd.meshes import TriangleMesh

HULL_TOLERANCE = 2e-4
"""Where a convex hull has more than ``HULL_VERTICES``, those that stand out by less are left out of the colliders [m]:
the noise of a scan."""
HULL_VERTICES = 360
"""Convex hulls with up to this many vertices are taken as they are."""

PIECE_UNIT = 0.01
"""Length of a unit in the meshes of the pieces, as they are written [m]. PhysX leaves out hull vertices that stand out
by less than 0.7 thousandths of a unit: with metres a lying can would roll onto a new facet."""

_METHOD = "resting pieces 1"
"""To be changed with the code below, so that pieces made by older code are not taken from the cache."""


def support_points(mesh: TriangleMesh) -> np.ndarray:
    """Return the points on which an object can lie: the vertices of its convex hull, for scans the telling ones.

    Returns:
        Vertices of the mesh [m], shape [point_count, 3].

    Raises:
        GraspdError: If the mesh is flat.
    """
    hull = convex_hull(mesh.vertices, vertex_limit=len(mesh.vertices))
    if len(hull.vertices) <= HULL_VERTICES:
        return hull.vertices
    (support,) = cached_pieces(hull, f"support 1 {HULL_TOLERANCE}", lambda: (_support_hull(hull.vertices),))
    return support.vertices


def _support_hull(points: np.ndarray) -> TriangleMesh:
    kept = points[telling_vertices(points, HULL_TOLERANCE)]
    return convex_hull(kept, vertex_limit=len(kept))


def write_resting_object(rigid: RigidObject, path: Path) -> None:
    """Write an object with :func:`resting_pieces`, such that PhysX takes them as they are.

    Args:
        rigid: The object.
        path: USD file to write, all or nothing.
    """
    write_object(replace(rigid, convex_pieces=resting_pieces(rigid)), path, piece_unit=PIECE_UNIT)


def resting_pieces(rigid: RigidObject) -> tuple[TriangleMesh, ...]:
    """Return an object's convex pieces, grown and cut so that together they have the hull of :func:`support_points`.

    A convex object gets cells of its hull. Pieces of others are cut where they stand out of the hull, and each support
    point becomes a vertex of the piece that is nearest. Pieces with too many vertices for PhysX are divided. The
    result is kept in the user's cache.

    Args:
        rigid: The object; its own pieces are the start, else a decomposition.
    """
    pieces = rigid.convex_pieces or convex_pieces(rigid.mesh)
    key = np.concatenate([rigid.mesh.vertices, *(piece.vertices for piece in pieces)])
    recipe = f"{_METHOD} {HULL_TOLERANCE} {HULL_VERTICES} {[len(piece.vertices) for piece in pieces]}"
    return cached_pieces(TriangleMesh(key, rigid.mesh.faces), recipe, lambda: _conform(rigid.mesh, pieces))


def _conform(mesh: TriangleMesh, pieces: tuple[TriangleMesh, ...]) -> tuple[TriangleMesh, ...]:
    points = support_points(mesh)
    if len(pieces) == 1:
        return face_cells(points)
    clipped = [cut for cut in (_inside(piece.vertices, points) for piece in pieces) if cut is not None]
    owners = _nearest(points, clipped)
    result: list[TriangleMesh] = []
    for index, cut in enumerate(clipped):
        own = points[owners == index]
        joined = _hull_points(np.concatenate([own, cut]))
        telling = joined[telling_vertices(joined, HULL_TOLERANCE)]
        result += face_cells(np.concatenate([own, telling]), CELL_VERTEX_LIMIT)
    return tuple(result)


def _inside(vertices: np.ndarray, points: np.ndarray) -> np.ndarray | None:
    """Return the vertices of the part of a convex piece inside the hull of points; None where there is none."""
    import manifold3d

    common = manifold3d.Manifold.hull_points(vertices) ^ manifold3d.Manifold.hull_points(points)
    found = np.array(common.to_mesh64().vert_properties)[:, :3]
    thick = len(found) >= 4 and np.linalg.matrix_rank(found - found[0], tol=1e-5) == 3
    return _hull_points(found) if thick else None


def _hull_points(points: np.ndarray) -> np.ndarray:
    return convex_hull(points, vertex_limit=len(points)).vertices


def _nearest(points: np.ndarray, pieces: list[np.ndarray]) -> np.ndarray:
    """Return for each point the piece out of which it stands least, shape [point_count]."""
    from scipy.spatial import ConvexHull

    distances = []
    for piece in pieces:
        planes = ConvexHull(piece).equations
        distances.append((points @ planes[:, :3].T + planes[:, 3]).max(axis=1))
    return np.argmin(distances, axis=0)
