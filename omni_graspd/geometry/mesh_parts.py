# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Connected parts of a surface: finding them, dropping debris, joining those that overlap."""

from __future__ import annotations

import numpy as np

from omni_graspd.geometry.manifold_surface import from_manifold, to_manifold
from omni_graspd.geometry.open_edges import edge_groups, open_edges
from omni_graspd.geometry.surface_orientation import part_bounds
from omni_graspd.usd.meshes import TriangleMesh, select_faces

_MOST_PARTS = 64
_OPEN_DEBRIS = 0.05
_CLOSED_DEBRIS = 1e-3


def connected_parts(mesh: TriangleMesh) -> np.ndarray:
    """Number the parts that share vertices; part of each face, shape [face_count]."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    shape = (len(mesh.vertices), len(mesh.vertices))
    one = mesh.faces[:, [0, 1]].ravel()
    other = mesh.faces[:, [1, 2]].ravel()
    _, part = connected_components(coo_array((np.ones(len(one)), (one, other)), shape=shape), directed=False)
    return np.unique(part[mesh.faces[:, 0]], return_inverse=True)[1].ravel()


def overlapping_part_count(mesh: TriangleMesh) -> int:
    """Count connected parts whose bounding boxes overlap another's; 1 where no parts do."""
    bounds = part_bounds(mesh.vertices, mesh.faces, connected_parts(mesh))
    meets = (bounds[:, None, 0] <= bounds[None, :, 1]).all(-1) & (bounds[:, None, 1] >= bounds[None, :, 0]).all(-1)
    return max(int((meets.sum(axis=1) > 1).sum()), 1)


def drop_debris(mesh: TriangleMesh) -> tuple[TriangleMesh, int]:
    """Drop small loose parts: open ones beside a closed one, and closed specks beside a much larger part.

    Scans float in such debris. An open part counts as small up to 5 % of all area, a closed one up to 0.1 % of the
    largest part's bounding box, if its box meets no other.

    Returns:
        The mesh, and how many parts were dropped.
    """
    part = connected_parts(mesh)
    part_count = int(part.max(initial=-1)) + 1
    if part_count < 2:
        return mesh, 0
    bounds = part_bounds(mesh.vertices, mesh.faces, part)
    sizes = (bounds[:, 1] - bounds[:, 0]).prod(axis=1)
    is_open = np.zeros(part_count, dtype=bool)
    edges = open_edges(mesh.faces)
    if edges.count:
        part_of_vertex = np.zeros(len(mesh.vertices), dtype=np.int64)
        part_of_vertex[mesh.faces] = part[:, None]
        is_open[part_of_vertex[np.concatenate([edges.edges.ravel(), edges.irregular_edges.ravel()])]] = True
    corners = mesh.vertices[mesh.faces]
    face_areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    areas = np.bincount(part, face_areas, part_count)
    debris = is_open & (areas <= _OPEN_DEBRIS * areas.sum()) if not is_open.all() else np.zeros(part_count, dtype=bool)
    lonely = _meets_none(bounds) if part_count <= 4096 else np.zeros(part_count, dtype=bool)
    debris |= ~is_open & lonely & (sizes < _CLOSED_DEBRIS * sizes[~is_open].max(initial=0.0))
    if not debris.any():
        return mesh, 0
    return select_faces(mesh, np.flatnonzero(~debris[part])), int(debris.sum())


def _meets_none(bounds: np.ndarray) -> np.ndarray:
    meets = (bounds[:, None, 0] <= bounds[None, :, 1]).all(-1) & (bounds[:, None, 1] >= bounds[None, :, 0]).all(-1)
    return meets.sum(axis=1) == 1


def join_overlapping_parts(mesh: TriangleMesh) -> tuple[TriangleMesh, int]:
    """Unite closed parts that run into each other, so that no volume counts twice and inner walls go.

    Parts that are inside out (voids) and surfaces that are not manifold are left as they are.

    Returns:
        The mesh, and how many parts were joined; 0 where nothing changed.
    """
    _, _, side_count = edge_groups(mesh.faces)
    if connected_parts(mesh).max() == 0 and (side_count == 2).all():
        return mesh, 0
    solid = to_manifold(mesh)
    # Boxes welded along a common side are two parts here, unlike above.
    parts = [] if solid is None else solid.decompose()
    if not 1 < len(parts) <= _MOST_PARTS or min(part.volume() for part in parts) <= 0.0:
        return mesh, 0
    import manifold3d

    joined = manifold3d.Manifold.batch_boolean(parts, manifold3d.OpType.Add)
    volume = sum(part.volume() for part in parts)
    overlap = volume - joined.volume()
    if joined.is_empty() or (overlap < 1e-6 * volume and len(joined.decompose()) == len(parts)):
        return mesh, 0
    return from_manifold(joined, has_uvs=mesh.uvs is not None), len(parts)
