# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Walls and fins where three faces meet at an edge: what encloses no volume of its own is dropped."""

from __future__ import annotations

import numpy as np

from omni_graspd.geometry.open_edges import edge_patches, open_edges
from omni_graspd.geometry.surface_orientation import enclosed_volume, orient_outward
from omni_graspd.usd.meshes import TriangleMesh, select_faces

_MOST_PATCHES = 48


def drop_inner_walls(mesh: TriangleMesh) -> tuple[TriangleMesh, int]:
    """Drop patches of a surface so that no edge has three, five, … faces, keeping as much volume as can be.

    A patch is what edges with exactly two faces connect. Patches are taken away one at a time, that which leaves the
    fewest open edges, and among equals the largest volume.

    Args:
        mesh: A welded mesh.

    Returns:
        The mesh, and how many faces were dropped; unchanged if some such edges would remain.
    """
    edges = open_edges(mesh.faces)
    if not len(edges.irregular_edges):
        return mesh, 0
    best = mesh
    while len(edges.irregular_edges):
        patch = edge_patches(best.faces)
        patch_count = int(patch.max()) + 1
        if not 1 < patch_count <= _MOST_PATCHES:
            return mesh, 0
        rest = [select_faces(best, np.flatnonzero(patch != index)) for index in range(patch_count)]
        open_counts = [open_edges(candidate.faces).count for candidate in rest]
        fewest = min(open_counts)
        if fewest >= edges.count:
            return mesh, 0
        best = max((c for c, count in zip(rest, open_counts, strict=True) if count == fewest), key=_volume)
        edges = open_edges(best.faces)
    return best, len(mesh.faces) - len(best.faces)


def _volume(mesh: TriangleMesh) -> float:
    oriented, _ = orient_outward(mesh)
    return enclosed_volume(oriented.vertices, oriented.faces)
