# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Small holes are closed with fans."""

from __future__ import annotations

import numpy as np

from omni_graspd.geometry.open_edges import open_edges
from omni_graspd.usd.meshes import TriangleMesh


def fill_holes(mesh: TriangleMesh, largest: float) -> tuple[TriangleMesh, int]:
    """Close holes up to ``largest`` parts of the diagonal with fans around their centroids.

    Returns:
        The mesh, and how many holes were filled.
    """
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
