# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Edges of a triangle mesh: which faces share them, and where a surface is not closed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class OpenEdges:
    """Where a surface is not closed: edges with an odd number of faces."""

    edges: np.ndarray
    """Directed edges (start, end) as the one face at a hole runs along them, shape [edge_count, 2]."""
    irregular_edges: np.ndarray
    """Edges with three, five, … faces, which no patch can close, shape [irregular_count, 2]."""

    @property
    def count(self) -> int:
        """Number of open edges of both kinds."""
        return len(self.edges) + len(self.irregular_edges)


def edge_groups(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Group the sides of all faces by edge.

    Args:
        faces: Vertex indices, shape [face_count, 3].

    Returns:
        Sides in the order of their edges, shape [3 * face_count] (side ``s`` is that of face ``s // 3``), and of each
        edge the position of its first side in that order and the number of its sides, both [edge_count].
    """
    directed = np.stack([faces, np.roll(faces, -1, axis=1)], axis=-1).reshape(-1, 2).astype(np.int64)
    # One number per edge sorts many times faster than pairs.
    key = directed.min(axis=1) * (int(faces.max(initial=0)) + 1) + directed.max(axis=1)
    order = np.argsort(key, kind="stable")
    first = np.flatnonzero(np.diff(key[order], prepend=-1))
    return order, first, np.diff(first, append=len(key))


def open_edges(faces: np.ndarray) -> OpenEdges:
    """Find the edges shared by an odd number of faces; a surface without any encloses a volume."""
    directed = np.stack([faces, np.roll(faces, -1, axis=1)], axis=-1).reshape(-1, 2)
    order, first, count = edge_groups(faces)
    irregular = (count % 2 == 1) & (count > 1)
    return OpenEdges(directed[order[first[count == 1]]], np.sort(directed[order[first[irregular]]], axis=1))


def edge_patches(faces: np.ndarray) -> np.ndarray:
    """Number the patches connected over edges with exactly two faces; patch of each face, shape [face_count]."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    order, first, count = edge_groups(faces)
    one, other = order[first[count == 2]] // 3, order[first[count == 2] + 1] // 3
    graph = coo_array((np.ones(len(one)), (one, other)), shape=(len(faces), len(faces)))
    return connected_components(graph, directed=False)[1]
