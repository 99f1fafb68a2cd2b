# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Making the faces of a surface agree and point outward."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from omni_graspd.geometry.open_edges import edge_groups
from omni_graspd.usd.meshes import TriangleMesh


def orient_outward(mesh: TriangleMesh) -> tuple[TriangleMesh, int]:
    """Turn faces so that neighbours agree and every part encloses a positive volume.

    A part that is consistently inside out and lies within another part's bounding box is a void, and stays.

    Args:
        mesh: A welded mesh.

    Returns:
        The mesh, and how many of its faces were turned.
    """
    part, flip = _agreeing_parts(mesh.faces)
    disagreed = np.zeros(part.max(initial=-1) + 1, dtype=bool)
    disagreed[part[flip]] = True
    faces = np.where(flip[:, None], mesh.faces[:, ::-1], mesh.faces)
    if signed_volumes(mesh.vertices, faces, np.zeros(len(faces), dtype=int)).sum() < 0:
        flip, faces = ~flip, faces[:, ::-1]
    volumes = signed_volumes(mesh.vertices, faces, part)
    inside_out = (volumes < 0) & (disagreed | ~_enclosed_parts(mesh.vertices, faces, part))
    flip = flip ^ inside_out[part]
    faces = np.where(flip[:, None], mesh.faces[:, ::-1], mesh.faces).astype(np.int32)
    uvs = None if mesh.uvs is None else np.where(flip[:, None, None], mesh.uvs[:, ::-1], mesh.uvs)
    return replace(mesh, faces=faces, uvs=uvs), int(flip.sum())


def enclosed_volume(vertices: np.ndarray, faces: np.ndarray) -> float:
    """Return the volume that a surface encloses [m3], negative where it is turned inward, 0 of a flat one.

    Args:
        vertices: Vertex positions [m], shape [vertex_count, 3].
        faces: Vertex indices, shape [face_count, 3].
    """
    return float(signed_volumes(vertices, faces, np.zeros(len(faces), dtype=np.int64))[0])


def signed_volumes(vertices: np.ndarray, faces: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Compute the volume enclosed by each part, negative where its faces point inward, shape [part_count].

    Args:
        vertices: Vertex positions [m], shape [vertex_count, 3].
        faces: Vertex indices, shape [face_count, 3].
        part: Part of each face, shape [face_count].
    """
    corners = vertices[faces]
    part_count = part.max(initial=-1) + 1
    # About each part's own centre, so that a small hole changes the volume only little.
    center = np.stack([np.bincount(part, corners.mean(axis=1)[:, k], part_count) for k in range(3)], axis=-1)
    center /= np.maximum(np.bincount(part, minlength=part_count), 1)[:, None]
    a, b, c = np.moveaxis(corners - center[part][:, None, :], 1, 0)
    return np.bincount(part, np.einsum("fk,fk->f", a, np.cross(b, c)) / 6.0, part_count)


def part_bounds(vertices: np.ndarray, faces: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Compute the bounding box of each part, lower then upper corner, shape [part_count, 2, 3]."""
    part_count = part.max(initial=-1) + 1
    bounds = np.stack([np.full((part_count, 3), np.inf), np.full((part_count, 3), -np.inf)], axis=1)
    np.minimum.at(bounds[:, 0], part, vertices[faces].min(axis=1))
    np.maximum.at(bounds[:, 1], part, vertices[faces].max(axis=1))
    return bounds


def _enclosed_parts(vertices: np.ndarray, faces: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Tell which parts lie within the bounding box of another, shape [part_count]."""
    bounds = part_bounds(vertices, faces, part)
    enclosed = np.zeros(len(bounds), dtype=bool)
    for i, (lower, upper) in enumerate(bounds):
        around = (bounds[:, 0] < lower).all(axis=1) & (bounds[:, 1] > upper).all(axis=1)
        enclosed[i] = around.any()
    return enclosed


def _agreeing_parts(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find parts connected over edges with two faces, and which faces to turn so that neighbours agree.

    Returns:
        Part of each face, and whether to turn it (the smaller side of each part is turned), both [face_count].
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import breadth_first_order, connected_components

    one, other, agree = _adjacent_faces(faces)
    shape = (len(faces), len(faces))
    graph = coo_array((np.ones(len(one)), (one, other)), shape=shape).tocsr()
    part_count, part = connected_components(graph, directed=False)
    flip = np.zeros(len(faces), dtype=bool)
    if agree.all():
        return part, flip
    disagreeing = {(i, j) for i, j in np.stack([one, other], axis=-1)[~agree].tolist()}
    disagreeing |= {(j, i) for i, j in disagreeing}
    _, roots = np.unique(part, return_index=True)
    for root in roots:
        order, previous = breadth_first_order(graph, root, directed=False)
        for face in order[1:].tolist():
            flip[face] = flip[previous[face]] ^ ((previous[face], face) in disagreeing)
    turned = np.bincount(part, flip, part_count) > 0.5 * np.bincount(part, minlength=part_count)
    return part, flip ^ turned[part]


def _adjacent_faces(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return pairs of faces that alone share an edge, and whether they run along it in opposite directions."""
    order, first, count = edge_groups(faces)
    one, other = order[first[count == 2]], order[first[count == 2] + 1]
    start = faces.ravel()
    return one // 3, other // 3, start[one] != start[other]
