# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Texture coordinates of a simplified surface, from the surface that it was made from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from omni_graspd.usd.meshes import TriangleMesh

_TOWARD_CENTER = 0.15
"""How far into its face a corner is looked up, so that it is found on the right side of a seam."""
_SEAM = 0.05
"""Texture coordinates that differ by more than this from what the face's middle suggests lie across a seam."""
_SLIVER = 0.02
"""Faces thinner than this have no usable map."""


def transfer_uvs(source: TriangleMesh, target: TriangleMesh) -> TriangleMesh:
    """Give a surface the texture coordinates of a nearby, finer one.

    Each corner takes those of the nearest source face, as that face maps space to texture. Where that is across a seam,
    it takes the map of the face nearest to the middle of its own face.

    Args:
        source: Surface with texture coordinates.
        target: Surface without.
    """
    from scipy.spatial import KDTree

    if source.uvs is None:
        return target
    corners = source.vertices[source.faces]
    usable = np.flatnonzero(_thickness(corners) > _SLIVER)
    usable = usable if len(usable) else np.arange(len(corners))
    tree = KDTree(corners[usable].mean(axis=1))
    wanted = target.vertices[target.faces]
    centers = wanted.mean(axis=1, keepdims=True)
    inward = wanted + _TOWARD_CENTER * (centers - wanted)
    own = usable[tree.query(inward.reshape(-1, 3))[1]]
    middle = np.repeat(usable[tree.query(centers[:, 0])[1]], 3)
    flat = wanted.reshape(-1, 3)
    uvs, suggested = (_mapped(corners[face], source.uvs[face], flat) for face in (own, middle))
    across = np.abs(uvs - suggested).max(axis=1, keepdims=True) > _SEAM
    return replace(target, uvs=np.where(across, suggested, uvs).reshape(-1, 3, 2))


def _thickness(corners: np.ndarray) -> np.ndarray:
    """Return each face's double area over its longest side squared, shape [face_count]."""
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    longest = ((np.roll(corners, -1, axis=1) - corners) ** 2).sum(axis=2).max(axis=1)
    return area / np.maximum(longest, 1e-300)


def _mapped(corners: np.ndarray, uvs: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Map points to texture, each by the affine map of one triangle, shape [point_count, 2].

    Args:
        corners: Triangle of each point, shape [point_count, 3, 3].
        uvs: Its texture coordinates, shape [point_count, 3, 2].
        points: Points beside the triangles, shape [point_count, 3].
    """
    one, other, offset = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0], points - corners[:, 0]
    a, b, c = ((x * y).sum(axis=1) for x, y in ((one, one), (one, other), (other, other)))
    p, q = (offset * one).sum(axis=1), (offset * other).sum(axis=1)
    determinant = np.maximum(a * c - b * b, 1e-300)
    s, t = (c * p - b * q) / determinant, (a * q - b * p) / determinant
    return uvs[:, 0] + s[:, None] * (uvs[:, 1] - uvs[:, 0]) + t[:, None] * (uvs[:, 2] - uvs[:, 0])
