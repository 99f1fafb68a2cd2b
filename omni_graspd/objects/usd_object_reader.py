# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Objects from USD files, our own and anyone's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from pxr import Usd, UsdGeom, UsdPhysics

from omni_graspd.errors import GraspdError
from omni_graspd.objects.source_surface import SourceSurface
from omni_graspd.objects.texture_atlas import join_parts
from omni_graspd.objects.usd_surface_parts import placed_mesh, surface_parts
from omni_graspd.usd.mesh_soundness import MOST_MESHES
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.missing_files import missing_files
from omni_graspd.usd.placed_prims import PlacedPrim, placed_prims
from omni_graspd.usd.semantics import read_label
from omni_graspd.usd.shapes import is_shape, is_surface, read_surface
from omni_graspd.usd.stage import open_stage, reading_usd
from omni_graspd.usd.still_stage import hold_at_start
from omni_graspd.usd.transforms import local_to_world

USD_SUFFIXES = (".usd", ".usda", ".usdc", ".usdz")

_PIECE_SEGMENTS = 16
"""Sides around a shape that is a collision piece: PhysX takes 64 vertices."""
_Z_UP_FROM_Y_UP = np.array([[1.0, 0, 0, 0], [0, 0, -1.0, 0], [0, 1.0, 0, 0], [0, 0, 0, 1.0]])


def read_usd_object(path: Path) -> SourceSurface:
    """Read the visible meshes and shapes of a USD file in its world frame, turned to Z up, with mass and label.

    Instances and point instancers are expanded, all transforms applied, and animation is read at its start. Without a
    default prim the whole stage is read.

    Raises:
        GraspdError: If the file is not readable, has no visible mesh, or more than one rigid body.
    """
    with reading_usd(path):
        return _read_stage(open_stage(path, is_quiet=True), path)


def _read_stage(stage: Usd.Stage, path: Path) -> SourceSurface:
    moving = hold_at_start(stage)
    root = stage.GetDefaultPrim() or stage.GetPseudoRoot()
    drawn = list(islice(placed_prims(root), MOST_MESHES + 1))
    if len(drawn) > MOST_MESHES:
        raise GraspdError(
            f"expected an object of at most {MOST_MESHES} meshes and shapes, got more in {path}; join them"
        )
    placed = [one for one in drawn if is_surface(one.prim)]
    if not placed:
        raise GraspdError(f"expected a visible mesh or shape in {path}, got none; convert curves and points to meshes")
    bodies = [prim for prim in Usd.PrimRange(root) if prim.HasAPI(UsdPhysics.RigidBodyAPI)]
    if len(bodies) > 1:
        names = ", ".join(prim.GetName() for prim in bodies[:5])
        raise GraspdError(f"expected one rigid body in {path}, got {len(bodies)} ({names}); export them one by one")
    y_up = UsdGeom.GetStageUpAxis(stage) == UsdGeom.Tokens.y
    to_z_up = _Z_UP_FROM_Y_UP if y_up else np.eye(4)
    cache = UsdGeom.XformCache()
    parts = [part for one in placed for part in surface_parts(one.prim, to_z_up @ one.T_world_prim)]
    mesh, appearance, notes = join_parts([part.mesh for part in parts], [part.appearance for part in parts])
    notes += tuple(dict.fromkeys(note for part in parts for note in part.notes))
    notes += _left_out(drawn) + tuple(missing.note for missing in missing_files(stage))
    if moving:
        notes += ("read as it is at the start of its animation",)
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
        convex_pieces=_convex_pieces(root, to_z_up),
        notes=notes,
        **_mass_properties(body, to_z_up @ local_to_world(body, cache) if body.IsA(UsdGeom.Xformable) else to_z_up),
    )


def _left_out(drawn: Sequence[PlacedPrim]) -> tuple[str, ...]:
    """Return a note on visible geometry that is no surface with an inside, for example curves."""
    kinds = Counter(str(one.prim.GetTypeName()) for one in drawn if not is_surface(one.prim))
    return tuple(f"left out {count} {kind}: no surface of a solid" for kind, count in sorted(kinds.items()))


def _convex_pieces(root: Usd.Prim, to_z_up: np.ndarray) -> tuple[TriangleMesh, ...]:
    """Read shapes, and meshes that stand for their convex hulls, that are there for collisions only."""
    pieces = []
    for one in placed_prims(root, purposes=("guide",)):
        approximation = UsdPhysics.MeshCollisionAPI(one.prim).GetApproximationAttr().Get()
        is_convex = is_shape(one.prim) or (one.prim.IsA(UsdGeom.Mesh) and approximation == UsdPhysics.Tokens.convexHull)
        if one.prim.HasAPI(UsdPhysics.CollisionAPI) and is_convex:
            placed = placed_mesh(read_surface(one.prim, _PIECE_SEGMENTS), to_z_up @ one.T_world_prim)
            pieces.append(TriangleMesh(placed.vertices, placed.faces))
    return tuple(pieces)


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
