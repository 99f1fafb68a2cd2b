# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The shapes that a link collides with, as surfaces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import trimesh
from pxr import Usd, UsdGeom, UsdPhysics

from omni_graspd.hands.usd.link_reader import owning_body
from omni_graspd.usd.meshes import TriangleMesh, read_mesh
from omni_graspd.usd.shapes import is_shape, read_surface
from omni_graspd.usd.transforms import local_to_world

_SEGMENTS = 24
_NOTHING = TriangleMesh(np.zeros((0, 3)), np.zeros((0, 3), dtype=np.int32))


@dataclass(frozen=True)
class Collider:
    """One shape of a link that collides."""

    path: str
    """Path of its prim."""
    approximation: str
    """How physics simplifies a mesh, for example ``convexHull``; ``shape`` for balls, boxes and the like."""
    surface: TriangleMesh
    """Its surface as physics sees it, in the link's frame without scale [m]; convex pieces count as their mesh."""


def read_colliders(body: Usd.Prim) -> list[Collider]:
    """Read the enabled colliders that belong to a rigid body; shapes that cannot be turned into a surface are empty."""
    colliders = []
    for prim in Usd.PrimRange(body, Usd.TraverseInstanceProxies()):
        if not prim.HasAPI(UsdPhysics.CollisionAPI) or owning_body(prim) != body:
            continue
        if UsdPhysics.CollisionAPI(prim).GetCollisionEnabledAttr().Get() is not False:
            colliders += [_read_collider(shape, prim, body) for shape in _shapes(prim)]
    return colliders


def _shapes(prim: Usd.Prim) -> list[Usd.Prim]:
    """Return the prim, or the shapes below it where the schema is on a group, as some exporters have it."""
    if prim.IsA(UsdGeom.Gprim):
        return [prim]
    return [p for p in Usd.PrimRange(prim, Usd.TraverseInstanceProxies()) if p.IsA(UsdGeom.Gprim)]


def _read_collider(shape: Usd.Prim, prim: Usd.Prim, body: Usd.Prim) -> Collider:
    approximation = "shape"
    if shape.IsA(UsdGeom.Mesh):
        api = UsdPhysics.MeshCollisionAPI(shape if shape.HasAPI(UsdPhysics.MeshCollisionAPI) else prim)
        approximation = str(api.GetApproximationAttr().Get() or "none")
        surface = read_mesh(shape)
    else:
        surface = read_surface(shape, _SEGMENTS) if is_shape(shape) else _NOTHING
    vertices, faces = _in_body(surface.vertices, shape, body), surface.faces
    if approximation in ("convexHull", "boundingCube", "boundingSphere") and _is_solid(vertices):
        hull = trimesh.Trimesh(vertices, faces, process=False).convex_hull
        vertices, faces = np.asarray(hull.vertices), np.asarray(hull.faces, dtype=np.int32)
    return Collider(str(shape.GetPath()), approximation, TriangleMesh(vertices, faces))


def _in_body(points: np.ndarray, prim: Usd.Prim, body: Usd.Prim) -> np.ndarray:
    cache = UsdGeom.XformCache()
    T_world_body = local_to_world(body, cache)
    T_world_body[:3, :3] /= np.linalg.norm(T_world_body[:3, :3], axis=0)
    matrix = np.linalg.inv(T_world_body) @ local_to_world(prim, cache)
    return (points @ matrix[:3, :3].T + matrix[:3, 3]) * UsdGeom.GetStageMetersPerUnit(body.GetStage())


def _is_solid(vertices: np.ndarray) -> bool:
    return (
        len(vertices) >= 4
        and bool(np.isfinite(vertices).all())
        and bool(np.linalg.matrix_rank(vertices - vertices[0]) == 3)
    )
