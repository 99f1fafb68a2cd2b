# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Points spread over a surface, the same ones for the same name."""

from __future__ import annotations

import numpy as np
import trimesh

from omni_graspd.seeding import random_generator
from omni_graspd.usd.meshes import TriangleMesh


def surface_samples(mesh: TriangleMesh, count: int, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Draw points evenly by area.

    Args:
        mesh: A surface with at least one face; one without area gives its vertices.
        count: How many.
        name: Whose surface; the stream depends on it.

    Returns:
        Points [m], shape [count, 3], and the faces they lie on, shape [count].
    """
    surface = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    if not surface.area > 0.0:
        faces = np.arange(count) % len(mesh.faces)
        return mesh.vertices[mesh.faces[faces, 0]], faces
    seed = int(random_generator(0, "hand inference", name).integers(2**31))
    points, faces = trimesh.sample.sample_surface(surface, count, seed=seed)[:2]
    return np.asarray(points), np.asarray(faces)
