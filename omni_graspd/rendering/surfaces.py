# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What a renderer draws: the visible geometry of a stage as triangles in the world, with normals, UVs and looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import trimesh
from pxr import Usd, UsdGeom, UsdShade

from omni_graspd.objects.corner_normals import corner_normals
from omni_graspd.usd.materials import Appearance, read_appearance
from omni_graspd.usd.meshes import TriangleMesh, read_mesh, triangulate
from omni_graspd.usd.semantics import labelled_ancestor
from omni_graspd.usd.transforms import local_to_world

_CREASE_ANGLE = np.radians(40.0)
_AXIS_ROTATIONS = {
    "Z": np.eye(4),
    "X": trimesh.transformations.rotation_matrix(np.pi / 2, [0, 1, 0]),
    "Y": trimesh.transformations.rotation_matrix(-np.pi / 2, [1, 0, 0]),
}


@dataclass(frozen=True)
class Surface:
    """Triangles of one look, in the world, in stage units. Corners are not shared between faces."""

    prim_path: str
    """The geometry's prim."""
    label_path: str | None
    """Nearest prim upward with a semantic class, or None."""
    corners: np.ndarray
    """Corner positions, counter-clockwise from outside, shape [face_count, 3, 3], float64."""
    normals: np.ndarray
    """Unit shading normals per corner, shape [face_count, 3, 3], float64."""
    uvs: np.ndarray | None
    """Texture coordinates per corner with the origin at the lower left, shape [face_count, 3, 2], or None."""
    appearance: Appearance
    """Colour or texture, roughness, metallic."""


def read_surfaces(stage: Usd.Stage) -> list[Surface]:
    """Read all visible geometry with purpose default or render, instances included, in stage order.

    Meshes, cubes, spheres, cylinders, capsules, cones and planes are read; a mesh with material subsets gives one
    surface per subset. Authored normals are kept; without them edges up to 40 degrees are smoothed.
    """
    cache = UsdGeom.XformCache()
    surfaces = []
    for prim in Usd.PrimRange(stage.GetPseudoRoot(), Usd.TraverseInstanceProxies()):
        if _is_drawn(prim):
            surfaces += _prim_surfaces(prim, local_to_world(prim, cache))
    return surfaces


def _is_drawn(prim: Usd.Prim) -> bool:
    if not prim.IsA(UsdGeom.Mesh) and prim.GetTypeName() not in _SHAPES:
        return False
    imageable = UsdGeom.Imageable(prim)
    return imageable.ComputePurpose() in ("default", "render") and imageable.ComputeVisibility() != "invisible"


def _prim_surfaces(prim: Usd.Prim, T_world_prim: np.ndarray) -> Iterator[Surface]:
    ancestor = labelled_ancestor(prim)
    label_path = None if ancestor is None else str(ancestor.GetPath())
    corners, normals, uvs = _mesh_corners(prim) if prim.IsA(UsdGeom.Mesh) else _shape_corners(prim)
    if not len(corners):
        return
    linear = T_world_prim[:3, :3]
    corners = corners @ linear.T + T_world_prim[:3, 3]
    normals = normals @ np.linalg.inv(linear)
    normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-30)
    for faces, look in _looks(prim, len(corners)):
        order = slice(None, None, -1 if np.linalg.det(linear) < 0 else 1)
        yield Surface(
            prim_path=str(prim.GetPath()),
            label_path=label_path,
            corners=corners[faces][:, order],
            normals=normals[faces][:, order],
            uvs=None if uvs is None else uvs[faces][:, order],
            appearance=read_appearance(look),
        )


def _looks(prim: Usd.Prim, face_count: int) -> Iterator[tuple[np.ndarray, Usd.Prim]]:
    """Yield triangle indices and the prim whose material they have."""
    subsets = UsdShade.MaterialBindingAPI(prim).GetMaterialBindSubsets() if prim.IsA(UsdGeom.Mesh) else []
    rest = np.ones(face_count, dtype=bool)
    if subsets:
        counts = np.array(UsdGeom.Mesh(prim).GetFaceVertexCountsAttr().Get(), dtype=np.int64)
        polygon = np.repeat(np.arange(len(counts)), np.maximum(counts - 2, 0))
        for subset in subsets:
            faces = np.flatnonzero(np.isin(polygon, np.array(subset.GetIndicesAttr().Get())) & rest)
            rest[faces] = False
            if len(faces):
                yield faces, subset.GetPrim()
    if rest.any():
        yield np.flatnonzero(rest), prim


def _mesh_corners(prim: Usd.Prim) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    mesh = read_mesh(prim)
    if not len(mesh.faces):
        return np.zeros((0, 3, 3)), np.zeros((0, 3, 3)), None
    normals = _authored_normals(UsdGeom.Mesh(prim))
    if normals is None:
        normals = _smooth_normals(mesh.vertices, mesh.faces)
    return mesh.vertices[mesh.faces], normals, mesh.uvs


def _smooth_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    # Vertices that only texture seams keep apart are one vertex here, so seams stay invisible.
    points, weld = np.unique(vertices, axis=0, return_inverse=True)
    return corner_normals(TriangleMesh(points, weld.reshape(-1)[faces]), crease_angle=_CREASE_ANGLE)


def _authored_normals(mesh: UsdGeom.Mesh) -> np.ndarray | None:
    """Return the mesh's normals per triangle corner, or None; ``primvars:normals`` wins over ``normals``."""
    primvar = UsdGeom.PrimvarsAPI(mesh.GetPrim()).GetPrimvar("normals")
    if primvar and primvar.HasValue():
        values, interpolation = primvar.ComputeFlattened(), primvar.GetInterpolation()
    else:
        values, interpolation = mesh.GetNormalsAttr().Get(), mesh.GetNormalsInterpolation()
    if not values:
        return None
    values = np.array(values, dtype=np.float64)
    counts = np.array(mesh.GetFaceVertexCountsAttr().Get(), dtype=np.int64)
    indices = np.array(mesh.GetFaceVertexIndicesAttr().Get(), dtype=np.int64)
    faces, corners = triangulate(counts, indices)
    polygon = np.repeat(np.arange(len(counts)), np.maximum(counts - 2, 0))
    picks = {"faceVarying": corners, "vertex": faces, "varying": faces, "uniform": np.stack([polygon] * 3, axis=-1)}
    pick = picks.get(str(interpolation))
    if pick is None or pick.max(initial=-1) >= len(values):
        return None
    left_handed = mesh.GetOrientationAttr().Get() == UsdGeom.Tokens.leftHanded
    return values[pick[:, ::-1] if left_handed else pick]


def _shape_corners(prim: Usd.Prim) -> tuple[np.ndarray, np.ndarray, None]:
    shape = _SHAPES[str(prim.GetTypeName())](prim)
    axis = prim.GetAttribute("axis")
    shape.apply_transform(_AXIS_ROTATIONS[str(axis.Get())] if axis else np.eye(4))
    vertices, faces = np.asarray(shape.vertices), np.asarray(shape.faces)
    return vertices[faces], _smooth_normals(vertices, faces), None


def _value(prim: Usd.Prim, name: str) -> float:
    return float(prim.GetAttribute(name).Get())


def _plane(prim: Usd.Prim) -> trimesh.Trimesh:
    width, length = _value(prim, "width") / 2, _value(prim, "length") / 2
    points = [[-width, -length, 0], [width, -length, 0], [width, length, 0], [-width, length, 0]]
    return trimesh.Trimesh(points, [[0, 1, 2], [0, 2, 3]], process=False)


def _capsule(prim: Usd.Prim) -> trimesh.Trimesh:
    shape = trimesh.creation.capsule(height=_value(prim, "height"), radius=_value(prim, "radius"), count=[48, 48])
    shape.apply_translation(-shape.bounds.mean(axis=0))
    return shape


def _cone(prim: Usd.Prim) -> trimesh.Trimesh:
    height = _value(prim, "height")
    shape = trimesh.creation.cone(_value(prim, "radius"), height, sections=64)
    shape.apply_translation([0, 0, -height / 2])
    return shape


_SHAPES: dict[str, Callable[[Usd.Prim], trimesh.Trimesh]] = {
    "Cube": lambda prim: trimesh.creation.box([_value(prim, "size")] * 3),
    "Sphere": lambda prim: trimesh.creation.icosphere(subdivisions=4, radius=_value(prim, "radius")),
    "Cylinder": lambda prim: trimesh.creation.cylinder(_value(prim, "radius"), _value(prim, "height"), sections=64),
    "Capsule": _capsule,
    "Cone": _cone,
    "Plane": _plane,
}
