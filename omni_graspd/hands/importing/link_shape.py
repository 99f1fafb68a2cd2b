# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What a described link looks like and collides with: its outside, shaded, and a few convex pieces."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import trimesh

from omni_graspd.geometry.convex_decomposition import ConvexDecompositionConfig, convex_pieces
from omni_graspd.geometry.convex_hull import convex_hull
from omni_graspd.geometry.open_edges import open_edges
from omni_graspd.geometry.winding_distance import winding_distances
from omni_graspd.hands.importing.outside_surface import outside_surface
from omni_graspd.hands.importing.source_hand import SourceLink
from omni_graspd.hands.inference.surface_samples import surface_samples
from omni_graspd.hands.usd.hand_design import LinkShape
from omni_graspd.usd.materials import Appearance
from omni_graspd.usd.meshes import TriangleMesh

_CREASE = 0.6
_MOST_FACES = 2000
"""Faces that a link should have at most, for drawing and for distances."""
_PIECES = ConvexDecompositionConfig(
    threshold=0.15, most_pieces=8, convex_volume=0.8, simplification=0.01, resolution=200
)
"""How closely pieces follow a collider that its hull does not."""
_HULL_DISTANCE, _HULL_SHARE = 0.01, 0.12
"""A hull that stands out of a collider by less than this [m], and than this share of its longest side, will do: the
pieces of a link of thin walls, as most are, stand out no less."""
_HULL_SAMPLES = 1000
_SMALL = 0.025
"""A hull will do for a collider whose longest side is below this [m], as the gimbals between links are."""


def design_shape(link: SourceLink, looks: dict[Appearance, str], roughly: bool) -> LinkShape | None:
    """Return what a link looks like and collides with, in its frame; None if it has no surface.

    Args:
        link: The link [m].
        looks: Names of the materials that are known; new ones are added.
        roughly: Let each collider be its hull.
    """
    visuals = outside_surface(link.visuals or link.colliders, _MOST_FACES)
    if not visuals:
        return None
    surface, part_index = _shaded([item.mesh for item in visuals])
    names = [_look_name(item.look or Appearance(), looks) for item in visuals]
    solids = [item.mesh for item in link.colliders or link.visuals]
    whole = None if roughly else together(solids)
    pieces = [piece for solid in solids for piece in _convex_pieces(solid, whole)]
    return LinkShape(
        _welded(triangles(surface)),
        np.asarray(surface.vertex_normals)[surface.faces],
        tuple(names[k] for k in part_index),
        tuple(pieces),
    )


def _shaded(parts: Sequence[trimesh.Trimesh]) -> tuple[trimesh.Trimesh, np.ndarray]:
    """Return all parts as one mesh with vertices split at creases, and the part of each face, shape [face_count].

    Faces without area are dropped, and so are repeats within a part.
    """
    whole = together(parts)
    part_index = np.repeat(np.arange(len(parts)), [len(part.faces) for part in parts])
    mesh = trimesh.Trimesh(whole.vertices, whole.faces, process=False)
    kept = mesh.nondegenerate_faces() & mesh.unique_faces()
    mesh.update_faces(kept)
    mesh.remove_unreferenced_vertices()
    # Flat regions stay flat from a tenth of the area of a part on.
    smooth = trimesh.graph.smooth_shade(mesh, angle=_CREASE, facet_minarea=10.0 * len(parts))
    groups = smooth.metadata.get("original_components")
    return smooth, part_index[kept] if groups is None else part_index[kept][np.concatenate(groups)]


def _welded(mesh: TriangleMesh) -> TriangleMesh:
    """Join equal vertices; the faces stay as many and in their order."""
    vertices, inverse = np.unique(mesh.vertices, axis=0, return_inverse=True)
    return TriangleMesh(vertices, inverse.ravel()[mesh.faces].astype(np.int32))


def _look_name(look: Appearance, looks: dict[Appearance, str]) -> str:
    return looks.setdefault(look, f"look_{len(looks)}")


def _convex_pieces(mesh: trimesh.Trimesh, whole: TriangleMesh | None) -> list[TriangleMesh]:
    """Cover a collider by its hull, or by a few convex pieces where the hull stands out too far.

    Args:
        mesh: The collider [m].
        whole: All colliders of its link, of which none stands out [m]; None if the hull will do in any case.
    """
    spread = mesh.vertices - mesh.vertices.mean(axis=0)
    if np.linalg.svd(spread, compute_uv=False)[-1] < 1e-6:
        return []
    hull = convex_hull(np.asarray(mesh.vertices, dtype=np.float64))
    welded = mesh.copy()
    welded.merge_vertices(merge_tex=True, merge_norm=True)
    longest = float(np.ptp(hull.vertices, axis=0).max())
    enough = min(_HULL_DISTANCE, _HULL_SHARE * longest)
    # Edges where four faces meet, as where a rib touches a wall, do not open a surface.
    if whole is None or longest < _SMALL or open_edges(welded.faces).count or _is_near(hull, whole, enough):
        return [hull]
    if welded.volume < 0.0:
        welded.invert()
    # Left and right fingers share meshes, and hands are added again: pieces come from the cache.
    return list(convex_pieces(triangles(welded), _PIECES))


def _is_near(hull: TriangleMesh, surface: TriangleMesh, distance: float) -> bool:
    """Tell whether all of a hull is inside a surface or nearer to it than a distance [m]."""
    points, _ = surface_samples(hull, _HULL_SAMPLES, "hull")
    # Looked for farther out, since distances are in single precision.
    return bool(winding_distances(surface, points, 2.0 * distance).max() < distance)


def together(parts: Sequence[trimesh.Trimesh]) -> TriangleMesh:
    """Return the triangles of all parts as one mesh."""
    faces = np.concatenate([part.faces + n for part, n in zip(parts, _starts(parts), strict=True)])
    return TriangleMesh(np.concatenate([part.vertices for part in parts]), faces.astype(np.int32))


def _starts(parts: Sequence[trimesh.Trimesh]) -> list[int]:
    return [0, *np.cumsum([len(part.vertices) for part in parts])[:-1].tolist()]


def triangles(mesh: trimesh.Trimesh) -> TriangleMesh:
    """Return a mesh of trimesh's as ours."""
    return TriangleMesh(np.asarray(mesh.vertices, dtype=np.float64), np.asarray(mesh.faces, dtype=np.int32))
