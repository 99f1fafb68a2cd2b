# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a surface from a file can be reckoned with: what its faces name is there, and where it is are numbers."""

from __future__ import annotations

import numpy as np

from omni_graspd.errors import GraspdError

FARTHEST = 1e9
"""Coordinates are smaller than that, in any unit: their powers must not overflow."""
MOST_MESHES = 4096
"""Meshes that an object may consist of, copies included; one of more than 64 loose parts is refused in the end."""


def check_surface(vertices: np.ndarray, faces: np.ndarray, source: object) -> None:
    """Refuse a surface whose faces name vertices that are not there, or lie where no number says.

    Vertices that no face uses may be anywhere.

    Args:
        vertices: Positions, in any unit.
        faces: Vertex indices.
        source: File or prim that it comes from, for the message.

    Raises:
        GraspdError: If arrays are not of the shapes [vertex_count, 3] and [face_count, 3], an index has no vertex, or a
            position is not finite or beyond :data:`FARTHEST`.
    """
    if vertices.shape[1:] != (3,) or faces.shape[1:] != (3,) or faces.dtype.kind not in "iu":
        raise GraspdError(
            f"expected vertices of three coordinates and triangles in {source}, got arrays of the shapes "
            f"{vertices.shape} and {faces.shape}; export it again"
        )
    if not len(faces):
        return
    if not 0 <= faces.min() <= faces.max() < len(vertices):
        wrong = int(faces.min() if faces.min() < 0 else faces.max())
        raise GraspdError(
            f"expected faces of the {len(vertices)} vertices in {source}, got one that names vertex {wrong}; "
            "export it again"
        )
    used = np.zeros(len(vertices), dtype=bool)
    used[faces] = True
    if not np.isfinite(vertices[used]).all():
        raise GraspdError(f"expected finite vertex positions, got NaN or infinity in {source}; export it again")
    farthest = np.abs(vertices[used]).max()
    if farthest > FARTHEST:
        raise GraspdError(
            f"expected coordinates up to {FARTHEST:g} units, got {farthest:g} in {source}; export it again"
        )
