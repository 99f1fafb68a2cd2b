# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Triangles that lie side by side become one surface: welding, sewing of cracks, dropping of useless faces."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from omni_graspd.geometry.open_edges import open_edges
from omni_graspd.geometry.unique_rows import unique_rows
from omni_graspd.usd.meshes import TriangleMesh, select_faces, used_vertices


def weld(mesh: TriangleMesh, tolerance: float) -> TriangleMesh:
    """Merge vertices that fall into the same cell of a fine grid; vertices without faces go.

    Args:
        mesh: Any triangles.
        tolerance: Size of the cells as a part of the bounding box's diagonal.
    """
    used = used_vertices(mesh)
    points = mesh.vertices[used]
    cell = max(float(np.linalg.norm(np.ptp(points, axis=0))) * tolerance, 1e-300)
    first, inverse, _ = unique_rows(np.round((points - points.min(axis=0)) / cell).astype(np.int64))
    # In the order of first use, so that a welded file keeps its vertex order.
    order = np.argsort(first, kind="stable")
    rank = np.empty(len(order), dtype=np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    index = np.zeros(len(mesh.vertices), dtype=np.int32)
    index[used] = rank[inverse]
    return replace(mesh, vertices=mesh.vertices[used[first[order]]], faces=index[mesh.faces])


def sew(mesh: TriangleMesh, tolerance: float) -> TriangleMesh:
    """Merge vertices at open edges that are near each other, where that leaves fewer edges open.

    Args:
        mesh: A welded mesh.
        tolerance: What counts as near, as a part of the bounding box's diagonal.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import KDTree

    before = open_edges(mesh.faces)
    rim = np.unique(before.edges)
    if not len(rim):
        return mesh
    diagonal = float(np.linalg.norm(np.ptp(mesh.vertices, axis=0)))
    pairs = KDTree(mesh.vertices[rim]).query_pairs(tolerance * diagonal, output_type="ndarray")
    if not len(pairs):
        return mesh
    graph = coo_array((np.ones(len(pairs)), (rim[pairs[:, 0]], rim[pairs[:, 1]])), shape=2 * (len(mesh.vertices),))
    _, group = connected_components(graph, directed=False)
    _, first = np.unique(group, return_index=True)
    sewn = drop_useless_faces(replace(mesh, faces=first[group][mesh.faces].astype(np.int32)))
    return sewn if len(sewn.faces) and open_edges(sewn.faces).count < before.count else mesh


def drop_useless_faces(mesh: TriangleMesh) -> TriangleMesh:
    """Drop faces with a repeated corner, and repeated faces; pairs that fold flat onto each other go where that closes.

    Faces of zero area with three different corners stay: without them the surface would tear.
    """
    a, b, c = mesh.faces.T
    mesh = select_faces(mesh, np.flatnonzero((a != b) & (b != c) & (c != a)))
    first, _, count = unique_rows(np.sort(mesh.faces, axis=1))
    single = select_faces(mesh, np.sort(first))
    if (count == 1).all():
        return single
    without_folds = select_faces(mesh, np.sort(first[count % 2 == 1]))
    if len(without_folds.faces) and open_edges(without_folds.faces).count < open_edges(single.faces).count:
        return without_folds
    return single
