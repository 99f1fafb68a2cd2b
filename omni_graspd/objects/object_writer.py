# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Writing an object as a USD rigid body that any simulator and renderer of USD takes as it is."""

from __future__ import annotations

import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
from pxr import Gf, Kind, Usd, UsdGeom

from omni_graspd.atomic import atomic_path
from omni_graspd.geometry.convex_decomposition import ConvexDecompositionConfig, convex_pieces
from omni_graspd.geometry.corner_normals import corner_normals
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.usd.materials import Appearance, author_material, bind_material
from omni_graspd.usd.meshes import TriangleMesh, author_mesh
from omni_graspd.usd.physics import (
    apply_collider,
    apply_rigid_body,
    author_physics_material,
    bind_physics_material,
)
from omni_graspd.usd.semantics import apply_label
from omni_graspd.usd.stage import create_stage, prim_name, save_stage

FRICTION = 0.5
"""Friction of the objects we write, as in the paper's grasp synthesis."""
SHADING_CREASE_ANGLE = math.radians(40.0)
"""Edges sharper than this are drawn sharp [rad]."""


def write_object(
    rigid: RigidObject, path: Path, config: ConvexDecompositionConfig | None = None, *, piece_unit: float = 1.0
) -> None:
    """Write an object as a USD rigid body; a texture is copied to ``textures/`` beside it.

    The default prim ``/<name>`` is the body, with mass properties and semantic label. Below it lie ``visual`` (the
    surface as drawn), ``collisions/piece_NN`` (convex pieces, purpose ``guide``) and ``materials``.

    Args:
        rigid: The object. Its own convex pieces are written where it has any.
        path: USD file to write, all or nothing.
        config: How the collision pieces are made where the object has none.
        piece_unit: Length of a unit in the meshes of the collision pieces [m]; their parent scales them.
    """
    pieces = rigid.convex_pieces or convex_pieces(rigid.mesh, config)
    appearance = _copy_texture(rigid, path)
    stage = create_stage(prim_name(rigid.name), path)
    root = stage.GetDefaultPrim()
    Usd.ModelAPI(root).SetKind(Kind.Tokens.component)
    Usd.ModelAPI(root).SetAssetName(rigid.name)
    apply_rigid_body(root, mass=rigid.mass, center_of_mass=rigid.center_of_mass, inertia=rigid.inertia)
    apply_label(root, rigid.label)
    UsdGeom.Scope.Define(stage, f"{root.GetPath()}/materials")
    _author_visual(stage, rigid.visual, appearance)
    _author_collisions(stage, pieces, piece_unit)
    save_stage(stage, path)


def _author_visual(stage: Usd.Stage, mesh: TriangleMesh, appearance: Appearance) -> None:
    root = stage.GetDefaultPrim().GetPath()
    prim = author_mesh(stage, f"{root}/visual", mesh, normals=_shading_normals(mesh))
    bind_material(prim.GetPrim(), author_material(stage, f"{root}/materials/surface", appearance))


def _author_collisions(stage: Usd.Stage, pieces: tuple[TriangleMesh, ...], unit: float) -> None:
    root = stage.GetDefaultPrim().GetPath()
    material = author_physics_material(stage, f"{root}/materials/contact", friction=FRICTION, restitution=0.0)
    folder = UsdGeom.Xform.Define(stage, f"{root}/collisions")
    folder.CreatePurposeAttr(UsdGeom.Tokens.guide)
    if unit != 1.0:
        folder.AddScaleOp().Set(Gf.Vec3f(unit, unit, unit))
    for i, piece in enumerate(pieces):
        path = f"{folder.GetPath()}/piece_{i:02d}"
        normals = _shading_normals(piece)
        scaled = TriangleMesh(piece.vertices / unit, piece.faces)
        prim = author_mesh(stage, path, scaled, purpose=UsdGeom.Tokens.guide, normals=normals).GetPrim()
        apply_collider(prim)
        bind_physics_material(prim, material)


def _shading_normals(mesh: TriangleMesh) -> np.ndarray:
    """Compute normals per face corner; three digits are plenty and keep text files small."""
    return np.round(corner_normals(mesh, crease_angle=SHADING_CREASE_ANGLE), 3) + 0.0


def _copy_texture(rigid: RigidObject, path: Path) -> Appearance:
    """Copy the texture beside the USD file and return the look with the relative path."""
    if rigid.appearance.texture is None or rigid.visual.uvs is None:
        return replace(rigid.appearance, texture=None)
    source = Path(rigid.appearance.texture)
    target = path.parent / "textures" / f"{rigid.name}{source.suffix.lower()}"
    if not (target.exists() and target.samefile(source)):
        with atomic_path(target) as temporary:
            shutil.copyfile(source, temporary)
    return replace(rigid.appearance, texture=f"./textures/{target.name}")
