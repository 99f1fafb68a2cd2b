# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""From triangles as they come to one welded, outward-oriented, closed surface.

Texture coordinates belong to face corners and follow every step.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from omni_graspd.objects.surface_orientation import orient_outward
from omni_graspd.usd.meshes import TriangleMesh


@dataclass(frozen=True, kw_only=True)
class SurfaceRepairConfig:
    """What counts as the same point and as a small hole."""

    weld_tolerance: float = 1e-6
    """Vertices closer than this part of the bounding box's diagonal become one."""
    largest_hole: float = 0.1
    """Holes up to this part of the bounding box's diagonal are filled."""


@dataclass(frozen=True)
class OpenEdges:
    """Where a surface is not closed: edges with an odd number of faces."""

    edges: np.ndarray
    """Directed edges (start, end) as the one face at a hole runs along them, shape [edge_count, 2]."""
    irregular_count: int
    """Edges with three, five, … faces, which no patch can close."""

    @property
    def count(self) -> int:
        """Number of open edges of both kinds."""
        return len(self.edges) + self.irregular_count


def repair_surface(mesh: TriangleMesh, config: SurfaceRepairConfig) -> tuple[TriangleMesh, tuple[str, ...]]:
    """Weld vertices, drop useless faces, turn faces outward, and fill small holes.

    Args:
        mesh: Any triangles; vertices may be repeated per face.
        config: Tolerances.

    Returns:
        The surface, and one sentence for each thing that was changed. It may still be open; ask :func:`open_edges`.
    """
    notes = []
    welded = _weld(mesh, config.weld_tolerance)
    cleaned = _drop_useless_faces(welded)
    if len(cleaned.faces) < len(welded.faces):
        notes.append(f"dropped {len(welded.faces) - len(cleaned.faces)} degenerate or repeated faces")
    oriented, turned = orient_outward(cleaned)
    if turned:
        notes.append(f"turned {turned} faces outward")
    filled, hole_count = _fill_holes(oriented, config.largest_hole)
    if hole_count:
        notes.append(f"filled {hole_count} small {'hole' if hole_count == 1 else 'holes'}")
    return filled, tuple(notes)


def open_edges(faces: np.ndarray) -> OpenEdges:
    """Find the edges shared by an odd number of faces; a surface without any encloses a volume."""
    directed = np.stack([faces, np.roll(faces, -1, axis=1)], axis=-1).reshape(-1, 2)
    _, first, count = np.unique(np.sort(directed, axis=1), axis=0, return_index=True, return_counts=True)
    return OpenEdges(directed[first[count == 1]], int(np.sum((count % 2 == 1) & (count > 1))))


def _select(mesh: TriangleMesh, faces: np.ndarray) -> TriangleMesh:
    """Keep some faces, and the vertices that they use, in their order."""
    kept = mesh.faces[faces]
    used = np.zeros(len(mesh.vertices), dtype=bool)
    used[kept] = True
    index = (np.cumsum(used) - 1).astype(np.int32)
    return TriangleMesh(mesh.vertices[used], index[kept], None if mesh.uvs is None else mesh.uvs[faces])


def _weld(mesh: TriangleMesh, tolerance: float) -> TriangleMesh:
    """Merge vertices that fall into the same cell of a fine grid; vertices without faces go."""
    cell = max(float(np.linalg.norm(np.ptp(mesh.vertices, axis=0))) * tolerance, 1e-300)
    used = np.unique(mesh.faces)
    keys = np.round((mesh.vertices[used] - mesh.vertices[used].min(axis=0)) / cell).astype(np.int64)
    _, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    # In the order of first use, so that a welded file keeps its vertex order.
    order = np.argsort(first, kind="stable")
    rank = np.empty(len(order), dtype=np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    index = np.zeros(len(mesh.vertices), dtype=np.int32)
    index[used] = rank[inverse.ravel()]
    return replace(mesh, vertices=mesh.vertices[used[first[order]]], faces=index[mesh.faces])


def _drop_useless_faces(mesh: TriangleMesh) -> TriangleMesh:
    """Drop faces with a repeated corner, and repeated faces; pairs that fold flat onto each other go where that closes.

    Faces of zero area with three different corners stay: without them the surface would tear.
    """
    a, b, c = mesh.faces.T
    mesh = _select(mesh, np.flatnonzero((a != b) & (b != c) & (c != a)))
    _, first, count = np.unique(np.sort(mesh.faces, axis=1), axis=0, return_index=True, return_counts=True)
    single = _select(mesh, np.sort(first))
    without_folds = _select(mesh, np.sort(first[count % 2 == 1]))
    if len(without_folds.faces) and open_edges(without_folds.faces).count < open_edges(single.faces).count:
        return without_folds
    return single


def _fill_holes(mesh: TriangleMesh, largest: float) -> tuple[TriangleMesh, int]:
    """Close holes up to ``largest`` parts of the diagonal with fans around their centroids."""
    diagonal = float(np.linalg.norm(np.ptp(mesh.vertices, axis=0)))
    vertices, faces, uvs = [mesh.vertices], [mesh.faces], [] if mesh.uvs is None else [mesh.uvs]
    hole_count = 0
    for loop in _boundary_loops(open_edges(mesh.faces).edges):
        rim = mesh.vertices[loop]
        if np.linalg.norm(np.ptp(rim, axis=0)) > largest * diagonal:
            continue
        center = len(mesh.vertices) + hole_count
        hole_count += 1
        vertices.append(rim.mean(axis=0, keepdims=True))
        faces.append(np.stack([np.roll(loop, -1), loop, np.full(len(loop), center)], axis=-1).astype(np.int32))
        if mesh.uvs is not None:
            uvs.append(np.repeat(_uv_at(mesh, mesh.uvs, loop)[:, None, :], 3, axis=1))
    joined = np.concatenate(uvs) if mesh.uvs is not None else None
    return TriangleMesh(np.concatenate(vertices), np.concatenate(faces), joined), hole_count


def _uv_at(mesh: TriangleMesh, uvs: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """Return the texture coordinates of any face corner at each vertex, shape [vertex_count, 2]."""
    _, first = np.unique(mesh.faces, return_index=True)
    return uvs.reshape(-1, 2)[first[vertices]]


def _boundary_loops(edges: np.ndarray) -> list[np.ndarray]:
    """Chain directed boundary edges into closed loops of vertex indices; chains that do not close are left out."""
    following: dict[int, list[int]] = {}
    for start, end in edges.tolist():
        following.setdefault(start, []).append(end)
    loops = []
    for first in list(following):
        loop, vertex = [], first
        while following.get(vertex):
            loop.append(vertex)
            vertex = following[vertex].pop()
            if vertex == first:
                loops.append(np.array(loop, dtype=np.int32))
                loop = []
    return loops
