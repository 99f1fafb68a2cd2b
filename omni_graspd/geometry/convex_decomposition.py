# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Convex pieces that stand in for a concave object in rigid-body simulation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omni_graspd.full_install import require_installed
from omni_graspd.geometry.convex_hull import convex_hull
from omni_graspd.geometry.convex_merging import merge_convex_pieces
from omni_graspd.geometry.piece_cache import cached_pieces
from omni_graspd.geometry.surface_orientation import enclosed_volume
from omni_graspd.usd.meshes import TriangleMesh


@dataclass(frozen=True, kw_only=True)
class ConvexDecompositionConfig:
    """How closely convex pieces follow the surface."""

    threshold: float = 0.05
    """Concavity that CoACD leaves in a piece, as a fraction of half the bounding box's longest side."""
    most_pieces: int = 48
    """Pieces are merged until there are at most this many. With 16, a mug's pieces stand off its surface by 8 mm."""
    free_volume: float = 2e-4
    """Pieces are always merged where that adds less than this fraction of the convex hull's volume."""
    convex_volume: float = 0.97
    """An object that fills at least this fraction of its convex hull counts as convex and gets one piece."""
    simplification: float = 0.003
    """Surface detail up to this fraction of the longest side is removed before decomposing."""
    resolution: int = 1000
    """Points on the surface at which CoACD measures concavity."""
    seed: int = 0
    """Seed of CoACD's tree search."""


_METHOD = "convex pieces 2"
"""To be changed with the code below, so that pieces made by older code are not taken from the cache."""


def convex_pieces(mesh: TriangleMesh, config: ConvexDecompositionConfig | None = None) -> tuple[TriangleMesh, ...]:
    """Return :func:`decompose_convex`'s pieces of a surface, from the user's cache where they were made before.

    Args:
        mesh: Closed, welded, outward-oriented surface [m].
        config: How closely.
    """
    config = config or ConvexDecompositionConfig()
    return cached_pieces(mesh, f"{_METHOD} {config}", lambda: decompose_convex(mesh, config))


def decompose_convex(mesh: TriangleMesh, config: ConvexDecompositionConfig) -> tuple[TriangleMesh, ...]:
    """Cover a closed surface by convex pieces with CoACD; a convex one is covered by its hull.

    Args:
        mesh: Closed, welded, outward-oriented surface [m].
        config: How closely.

    Returns:
        Closed convex meshes [m], one at least; the same for the same input.

    References:
        Wei et al., "Approximate convex decomposition for 3D meshes with collision-aware concavity and tree search",
        SIGGRAPH 2022.
    """
    hull = convex_hull(mesh.vertices, vertex_limit=len(mesh.vertices))
    if enclosed_volume(mesh.vertices, mesh.faces) >= config.convex_volume * enclosed_volume(hull.vertices, hull.faces):
        return (convex_hull(hull.vertices),)
    require_installed("coacd", "an object with hollows")
    import coacd

    coacd.set_log_level("off")
    simple, is_solid = _simplify(mesh, config.simplification)
    found = coacd.run_coacd(
        coacd.Mesh(simple.vertices, simple.faces),
        threshold=config.threshold,
        # CoACD's own test whether a surface is a solid ends the process at triangles that almost touch, and remeshes
        # what it does not like: slower and coarser.
        preprocess_mode="off" if is_solid else "auto",
        preprocess_resolution=30,
        resolution=config.resolution,
        mcts_iterations=20,
        mcts_nodes=10,
        mcts_max_depth=2,
        merge=False,
        seed=config.seed,
    )
    merged = merge_convex_pieces(
        [np.asarray(vertices, dtype=np.float64) for vertices, _ in found],
        most=config.most_pieces,
        free_volume=config.free_volume * enclosed_volume(hull.vertices, hull.faces),
    )
    return tuple(convex_hull(points) for points in merged or [hull.vertices])


def _simplify(mesh: TriangleMesh, tolerance: float) -> tuple[TriangleMesh, bool]:
    """Remove detail smaller than ``tolerance`` times the longest side.

    Returns:
        The surface, and whether manifold3d took it as a solid; otherwise it stays as it is.
    """
    import manifold3d

    longest = float(np.ptp(mesh.vertices, axis=0).max())
    solid = manifold3d.Manifold(
        manifold3d.Mesh64(
            np.ascontiguousarray(mesh.vertices, dtype=np.float64), np.ascontiguousarray(mesh.faces, dtype=np.uint64)
        )
    )
    if solid.status() != manifold3d.Error.NoError:
        return mesh, False
    simple = solid.simplify(tolerance * longest).to_mesh64()
    return TriangleMesh(np.array(simple.vert_properties)[:, :3], np.array(simple.tri_verts, dtype=np.int32)), True
