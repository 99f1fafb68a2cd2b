# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Objects from USD files, our own and anyone's."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
from pxr import Usd, UsdGeom, UsdPhysics, UsdShade

from omni_graspd.errors import GraspdError
from omni_graspd.objects.source_surface import SourceSurface
from omni_graspd.objects.texture_atlas import join_parts
from omni_graspd.objects.texture_cache import keep_image, open_image
from omni_graspd.usd.asset_content import read_asset
from omni_graspd.usd.materials import Appearance, read_appearance
from omni_graspd.usd.meshes import TriangleMesh, select_faces
from omni_graspd.usd.semantics import read_label
from omni_graspd.usd.shapes import is_shape, read_surface, surface_prims
from omni_graspd.usd.stage import open_stage
from omni_graspd.usd.transforms import local_to_world

USD_SUFFIXES = (".usd", ".usda", ".usdc", ".usdz")

_PIECE_SEGMENTS = 16
"""Sides around a shape that is a collision piece: PhysX takes 64 vertices."""
_Z_UP_FROM_Y_UP = np.array([[1.0, 0, 0, 0], [0, 0, -1.0, 0], [0, 1.0, 0, 0], [0, 0, 0, 1.0]])


def read_usd_object(path: Path) -> SourceSurface:
    """Read the visible meshes and shapes of a USD file in its world frame, turned to Z up, with mass and label.

    Instances are expanded and all transforms applied. Without a default prim the whole stage is read.

    Raises:
        GraspdError: If the file is not readable, has no visible mesh, more than one rigid body, or a broken texture.
    """
    stage = open_stage(path)
    root = stage.GetDefaultPrim() or stage.GetPseudoRoot()
    prims = surface_prims(root)
    if not prims:
        raise GraspdError(f"expected a visible mesh or shape in {path}, got none; convert curves and points to meshes")
    bodies = [prim for prim in Usd.PrimRange(root) if prim.HasAPI(UsdPhysics.RigidBodyAPI)]
    if len(bodies) > 1:
        names = ", ".join(prim.GetName() for prim in bodies[:5])
        raise GraspdError(f"expected one rigid body in {path}, got {len(bodies)} ({names}); export them one by one")
    y_up = UsdGeom.GetStageUpAxis(stage) == UsdGeom.Tokens.y
    to_z_up = _Z_UP_FROM_Y_UP if y_up else np.eye(4)
    cache = UsdGeom.XformCache()
    parts = [part for prim in prims for part in _parts(prim, to_z_up @ local_to_world(prim, cache))]
    looks, texture_notes = zip(*(_with_texture_file(read_appearance(prim)) for _, prim in parts), strict=True)
    mesh, appearance, notes = join_parts([mesh for mesh, _ in parts], list(looks))
    notes += tuple(dict.fromkeys(note for part in texture_notes for note in part))
    if y_up:
        notes += ("turned from Y up to Z up",)
    body = bodies[0] if bodies else root
    # USD takes centimetres where a file states nothing, but many exporters then mean metres: that is guessed later.
    stated = UsdGeom.StageHasAuthoredMetersPerUnit(stage)
    return SourceSurface(
        mesh=mesh,
        appearance=appearance,
        metres_per_unit=UsdGeom.GetStageMetersPerUnit(stage) if stated else None,
        label=_find_label(root),
        convex_pieces=_convex_pieces(root, to_z_up, cache),
        notes=notes,
        **_mass_properties(body, to_z_up @ local_to_world(body, cache) if body.IsA(UsdGeom.Xformable) else to_z_up),
    )


def _convex_pieces(root: Usd.Prim, to_z_up: np.ndarray, cache: UsdGeom.XformCache) -> tuple[TriangleMesh, ...]:
    """Read shapes, and meshes that stand for their convex hulls, that are there for collisions only."""
    pieces = []
    for prim in surface_prims(root, purposes=("guide",)):
        approximation = UsdPhysics.MeshCollisionAPI(prim).GetApproximationAttr().Get()
        is_convex = is_shape(prim) or approximation == UsdPhysics.Tokens.convexHull
        if prim.HasAPI(UsdPhysics.CollisionAPI) and is_convex:
            placed = _placed(read_surface(prim, _PIECE_SEGMENTS), to_z_up @ local_to_world(prim, cache))
            pieces.append(TriangleMesh(placed.vertices, placed.faces))
    return tuple(pieces)


def _placed(mesh: TriangleMesh, T_object_mesh: np.ndarray) -> TriangleMesh:
    vertices = mesh.vertices @ T_object_mesh[:3, :3].T + T_object_mesh[:3, 3]
    if np.linalg.det(T_object_mesh[:3, :3]) > 0:
        return TriangleMesh(vertices, mesh.faces, mesh.uvs)
    uvs = None if mesh.uvs is None else mesh.uvs[:, ::-1]
    return TriangleMesh(vertices, np.ascontiguousarray(mesh.faces[:, ::-1]), uvs)


def _parts(prim: Usd.Prim, T_object_prim: np.ndarray) -> list[tuple[TriangleMesh, Usd.Prim]]:
    """Read a mesh or shape in parts: one for each of its subsets with a material, and what is left.

    Returns:
        Surface in the object frame and the prim that the material is bound to, of each part.
    """
    mesh = _placed(read_surface(prim), T_object_prim)
    parts, rest = [], np.ones(len(mesh.faces), dtype=bool)
    for subset in UsdShade.MaterialBindingAPI(prim).GetMaterialBindSubsets():
        counts = np.array(UsdGeom.Mesh(prim).GetFaceVertexCountsAttr().Get() or [], dtype=np.int64)
        polygon = np.repeat(np.arange(len(counts)), np.maximum(counts - 2, 0))
        chosen = np.isin(polygon, np.array(subset.GetIndicesAttr().Get() or [], dtype=np.int64)) & rest
        rest &= ~chosen
        if chosen.any():
            parts.append((select_faces(mesh, np.flatnonzero(chosen)), subset.GetPrim()))
    if rest.any() or not parts:
        parts.append((select_faces(mesh, np.flatnonzero(rest)) if parts else mesh, prim))
    return parts


def _with_texture_file(appearance: Appearance) -> tuple[Appearance, tuple[str, ...]]:
    """Give a texture that lies inside a USDZ package a file of its own; drop one that cannot be read, with a note."""
    if appearance.texture is None:
        return appearance, ()
    content = read_asset(appearance.texture)
    image = "missing" if content is None else open_image(content)
    if isinstance(image, str):
        name = re.sub(r".*[/\\\\[]", "", appearance.texture).rstrip("]")
        return replace(appearance, texture=None), (f"lost its texture {name}: {image}",)
    if Path(appearance.texture).is_file():
        return appearance, ()
    return replace(appearance, texture=str(keep_image(image))), ()


def _find_label(root: Usd.Prim) -> str | None:
    labels = (read_label(prim) for prim in Usd.PrimRange(root))
    return next((label for label in labels if label is not None), None)


def _mass_properties(body: Usd.Prim, T_object_body: np.ndarray) -> dict:
    """Read what UsdPhysics.MassAPI states; values at their defaults (0, -inf) mean: compute it."""
    if not body.HasAPI(UsdPhysics.MassAPI):
        return {}
    api = UsdPhysics.MassAPI(body)
    kilograms = UsdPhysics.GetStageKilogramsPerUnit(body.GetStage())
    metres = UsdGeom.GetStageMetersPerUnit(body.GetStage())
    mass, density = (float(attr.Get() or 0.0) for attr in (api.GetMassAttr(), api.GetDensityAttr()))
    result: dict = {}
    if mass > 0.0:
        result["mass"] = mass * kilograms
    elif density > 0.0:
        result["density"] = density * kilograms / metres**3
    center = np.array(api.GetCenterOfMassAttr().Get() or [-np.inf] * 3, dtype=np.float64)
    if np.isfinite(center).all():
        result["center_of_mass"] = T_object_body[:3, :3] @ center + T_object_body[:3, 3]
    diagonal = np.array(api.GetDiagonalInertiaAttr().Get() or [0.0] * 3, dtype=np.float64)
    if not UsdGeom.StageHasAuthoredMetersPerUnit(body.GetStage()):
        # Mass and centre need no unit of length, or take the guessed one.
        result.pop("density", None)
    elif "mass" in result and (diagonal > 0.0).all():
        result["inertia"] = _inertia(api, diagonal, T_object_body) * kilograms * metres**2
    return result


def _inertia(api: UsdPhysics.MassAPI, diagonal: np.ndarray, T_object_body: np.ndarray) -> np.ndarray:
    from scipy.spatial.transform import Rotation

    quat = api.GetPrincipalAxesAttr().Get()
    xyzw = [*quat.GetImaginary(), quat.GetReal()] if quat is not None else [0.0, 0.0, 0.0, 0.0]
    axes = np.eye(3) if np.linalg.norm(xyzw) == 0.0 else Rotation.from_quat(xyzw).as_matrix()
    rotation = T_object_body[:3, :3] / np.linalg.norm(T_object_body[:3, :3], axis=0) @ axes
    return rotation @ np.diag(diagonal) @ rotation.T
