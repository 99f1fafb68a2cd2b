# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""USD's own shapes (Cube, Sphere, Capsule, Cylinder, Cone) as triangle meshes."""

from __future__ import annotations

import numpy as np
import trimesh
from pxr import Usd, UsdGeom

from omni_graspd.usd.meshes import TriangleMesh, is_drawn, read_mesh

_SHAPES = (UsdGeom.Cube, UsdGeom.Sphere, UsdGeom.Capsule, UsdGeom.Cylinder, UsdGeom.Cone)


def surface_prims(root: Usd.Prim, purposes: tuple[str, ...] = ("default", "render")) -> list[Usd.Prim]:
    """Return the visible meshes and shapes at and below ``root``, instances included, in stage order."""
    prims = Usd.PrimRange(root, Usd.TraverseInstanceProxies())
    return [prim for prim in prims if (prim.IsA(UsdGeom.Mesh) or is_shape(prim)) and is_drawn(prim, purposes)]


def is_surface(prim: Usd.Prim) -> bool:
    """Tell whether a prim is a mesh, or a box, ball, capsule, cylinder or cone."""
    return prim.IsA(UsdGeom.Mesh) or is_shape(prim)


def is_shape(prim: Usd.Prim) -> bool:
    """Tell whether a prim is a box, ball, capsule, cylinder or cone."""
    return any(prim.IsA(kind) for kind in _SHAPES)


def read_surface(prim: Usd.Prim, segments: int = 64) -> TriangleMesh:
    """Read a mesh as it is, or a shape as a closed mesh, in its own coordinates and stage units.

    Args:
        prim: One of :func:`surface_prims`.
        segments: Sides around a full circle of a shape.
    """
    if not is_shape(prim):
        return read_mesh(prim)
    surface = _shape(prim, segments)
    return TriangleMesh(np.asarray(surface.vertices, dtype=np.float64), np.asarray(surface.faces, dtype=np.int32))


def _shape(prim: Usd.Prim, segments: int) -> trimesh.Trimesh:
    if prim.IsA(UsdGeom.Cube):
        return trimesh.creation.box(3 * [UsdGeom.Cube(prim).GetSizeAttr().Get()])
    if prim.IsA(UsdGeom.Sphere):
        # Each subdivision halves the edges; an icosahedron's great circle has about 6.
        subdivisions = max(round(np.log2(segments / 6.0)), 1)
        return trimesh.creation.icosphere(subdivisions, radius=UsdGeom.Sphere(prim).GetRadiusAttr().Get())
    makers = ((UsdGeom.Capsule, _capsule), (UsdGeom.Cylinder, _cylinder), (UsdGeom.Cone, _cone))
    shape, create = next((kind(prim), create) for kind, create in makers if prim.IsA(kind))
    surface = create(shape.GetRadiusAttr().Get(), shape.GetHeightAttr().Get(), segments)
    # Trimesh stands them along z; cyclic shifts of the axes are rotations.
    surface.vertices = np.roll(surface.vertices, "ZXY".index(shape.GetAxisAttr().Get()), axis=1)
    return surface


def _capsule(radius: float, height: float, segments: int) -> trimesh.Trimesh:
    surface = trimesh.creation.capsule(height=height, radius=radius, count=[segments, segments])
    surface.vertices -= surface.bounds.mean(axis=0)
    return surface


def _cylinder(radius: float, height: float, segments: int) -> trimesh.Trimesh:
    return trimesh.creation.cylinder(radius=radius, height=height, sections=segments)


def _cone(radius: float, height: float, segments: int) -> trimesh.Trimesh:
    surface = trimesh.creation.cone(radius=radius, height=height, sections=segments)
    surface.vertices -= surface.bounds.mean(axis=0)
    return surface
