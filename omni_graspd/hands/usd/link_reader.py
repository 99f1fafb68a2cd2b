# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A link's visible surface and mass, read from its rigid body prim."""

from __future__ import annotations

import numpy as np
import trimesh
from pxr import Usd, UsdPhysics

from omni_graspd.usd.meshes import TriangleMesh, merge_in_frame, mesh_prims

_DENSITY = 1000.0
"""Density of links without a mass [kg/m3]: plastic around metal."""


def read_link_mesh(body: Usd.Prim) -> TriangleMesh:
    """Read the meshes that belong to a body, in its frame [m]: visible ones, else its collision meshes.

    Bodies may be nested: a mesh belongs to the nearest body above it.
    """
    for purposes in (("default", "render"), ("default", "render", "guide", "proxy")):
        prims = [prim for prim in mesh_prims(body, purposes) if owning_body(prim) == body]
        if prims:
            return merge_in_frame(prims, body)
    return TriangleMesh(np.zeros((0, 3)), np.zeros((0, 3), dtype=np.int32))


def owning_body(prim: Usd.Prim) -> Usd.Prim:
    """Return the nearest rigid body at or above a prim; bodies may be nested. The pseudo-root where there is none."""
    while not (prim.HasAPI(UsdPhysics.RigidBodyAPI) or prim.IsPseudoRoot()):
        prim = prim.GetParent()
    return prim


def read_link_mass(body: Usd.Prim, mesh: TriangleMesh) -> float:
    """Return the authored mass, else one from the volume of the mesh's convex hull [kg]."""
    mass = UsdPhysics.MassAPI(body).GetMassAttr().Get() if body.HasAPI(UsdPhysics.MassAPI) else None
    if mass:
        return float(mass) * UsdPhysics.GetStageKilogramsPerUnit(body.GetStage())
    if len(mesh.vertices) < 4:
        return 0.0
    return _DENSITY * float(trimesh.Trimesh(mesh.vertices, mesh.faces, process=False).convex_hull.volume)
