# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Edges whose two faces lie almost back to back: knife edges, cracks, and the flaps that scans are full of."""

from __future__ import annotations

import numpy as np

# Length of the sum of two unit face normals below which they are back to back: 12 degrees from a closed fold.
_FOLDED = 0.2


def faces_at_folds(faces: np.ndarray, edge_of_side: np.ndarray, edge_normals: np.ndarray) -> np.ndarray:
    """Tell which faces share a vertex with a folded edge.

    There the sum of two opposite face normals is rounding noise, and where a face is folded over its neighbour the
    nearest face can be the inverted one: pseudo-normals do not tell inside from outside.

    Args:
        faces: Vertex indices, shape [face_count, 3].
        edge_of_side: Edge of each face's sides ij, jk, ki, shape [face_count, 3].
        edge_normals: Sum of the unit face normals at each edge, shape [edge_count, 3].

    Returns:
        Flags, shape [face_count].
    """
    used = np.bincount(edge_of_side.ravel(), minlength=len(edge_normals))
    folded = (used == 2) & (np.linalg.norm(edge_normals, axis=1) < _FOLDED)
    at_fold = folded[edge_of_side]
    vertices = np.zeros(int(faces.max(initial=-1)) + 1, dtype=bool)
    vertices[faces[at_fold]] = True
    vertices[np.roll(faces, -1, axis=1)[at_fold]] = True
    return np.asarray(vertices[faces].any(axis=1))
