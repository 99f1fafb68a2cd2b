# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What a renderer draws: the visible geometry of a stage as triangles in the world, with normals, UVs and looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import trimesh
from pxr import Usd, UsdGeom, UsdShade

from omni_graspd.rendering.drawn_prims import DrawnPrim, LabelledPrim, drawn_prims
from omni_graspd.rendering.mesh_geometry import MeshGeometry, smooth_normals
from omni_graspd.usd.looks import Look, read_look
from omni_graspd.usd.meshes import UV_NAMES
from omni_graspd.usd.stage import file_of, reading_usd
from omni_graspd.usd.stage_time import first_time

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
    owner: LabelledPrim | None
    """Nearest prim upward with a semantic class, or None."""
    corners: np.ndarray
    """Corner positions, counter-clockwise from outside, shape [face_count, 3, 3], float64."""
    normals: np.ndarray
    """Unit shading normals per corner, shape [face_count, 3, 3], float64."""
    uvs: np.ndarray | None
    """Texture coordinates per corner with the origin at the lower left, shape [face_count, 3, 2], or None."""
    colors: np.ndarray | None
    """Linear display colour per corner where the look wants it and it varies, shape [face_count, 3, 3], or None."""
    look: Look
    """Material."""


def read_surfaces(stage: Usd.Stage) -> list[Surface]:
    """Read all visible geometry with purpose default or render, instances included, in stage order.

    Meshes, cubes, spheres, cylinders, capsules, cones and planes are read; a mesh with material subsets gives one
    surface per subset. Authored normals are kept; without them edges up to 40 degrees are smoothed. Subdivision is not
    applied. An animated stage is read at its start.

    Raises:
        GraspdError: If faces of a mesh do not fit its points, or OpenUSD cannot read something.
    """
    reader = _Reader(first_time(stage))
    with reading_usd(file_of(stage)):
        return [surface for drawn in drawn_prims(stage) for surface in reader.surfaces(drawn)]


def undrawn_kinds(stage: Usd.Stage) -> dict[str, int]:
    """Count the visible geometry that :func:`read_surfaces` leaves out, by prim type, for example curves."""
    kinds: dict[str, int] = {}
    for drawn in drawn_prims(stage):
        kind = str(drawn.prim.GetTypeName())
        if not drawn.prim.IsA(UsdGeom.Mesh) and kind not in _SHAPES:
            kinds[kind] = kinds.get(kind, 0) + 1
    return kinds


class _Reader:
    """Reads each mesh once, however many instances of it there are."""

    def __init__(self, time: Usd.TimeCode) -> None:
        self._time = time
        self._meshes: dict[str, MeshGeometry] = {}

    def surfaces(self, drawn: DrawnPrim) -> Iterator[Surface]:
        """Yield the surfaces of one piece of geometry."""
        prim = drawn.prim
        mesh = self._mesh(prim) if prim.IsA(UsdGeom.Mesh) else None
        if mesh is None and prim.GetTypeName() not in _SHAPES:
            return
        corners, normals = _shape_corners(prim) if mesh is None else (mesh.corners, mesh.normals)
        if not len(corners):
            return
        linear = drawn.T_world_prim[:3, :3]
        determinant = np.linalg.det(linear)
        if not abs(determinant) > 0.0:
            return
        corners = corners @ linear.T + drawn.T_world_prim[:3, 3]
        normals = normals @ np.linalg.inv(linear)
        normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-30)
        order = slice(None, None, -1 if determinant < 0 else 1)
        for faces, owner in _looks(prim, mesh, len(corners)):
            look = read_look(owner, self._time)
            uvs = None if mesh is None else _uvs(mesh, look)
            colors = mesh.primvar("displayColor", 3) if mesh is not None and look.has_display_color else None
            yield Surface(
                prim_path=drawn.path,
                owner=drawn.owner,
                corners=corners[faces][:, order],
                normals=normals[faces][:, order],
                uvs=None if uvs is None else uvs[faces][:, order],
                colors=None if colors is None else colors[faces][:, order],
                look=look,
            )

    def _mesh(self, prim: Usd.Prim) -> MeshGeometry:
        key = str((prim.GetPrimInPrototype() if prim.IsInstanceProxy() else prim).GetPath())
        if key not in self._meshes:
            self._meshes[key] = MeshGeometry(prim, self._time)
        return self._meshes[key]


def _uvs(mesh: MeshGeometry, look: Look) -> np.ndarray | None:
    for name in dict.fromkeys((look.uv_name, *UV_NAMES)):
        uvs = mesh.primvar(name, 2)
        if uvs is not None:
            return uvs
    return None


def _looks(prim: Usd.Prim, mesh: MeshGeometry | None, face_count: int) -> Iterator[tuple[np.ndarray, Usd.Prim]]:
    """Yield triangle indices and the prim whose material they have."""
    rest = np.ones(face_count, dtype=bool)
    if mesh is not None:
        for subset in UsdShade.MaterialBindingAPI(prim).GetMaterialBindSubsets():
            faces = np.flatnonzero(np.isin(mesh.polygons, np.array(subset.GetIndicesAttr().Get() or [])) & rest)
            rest[faces] = False
            if len(faces):
                yield faces, subset.GetPrim()
    if rest.any():
        yield np.flatnonzero(rest), prim


def _shape_corners(prim: Usd.Prim) -> tuple[np.ndarray, np.ndarray]:
    shape = _SHAPES[str(prim.GetTypeName())](prim)
    axis = prim.GetAttribute("axis")
    shape.apply_transform(_AXIS_ROTATIONS[str(axis.Get())] if axis else np.eye(4))
    vertices, faces = np.asarray(shape.vertices), np.asarray(shape.faces)
    return vertices[faces], smooth_normals(vertices, faces)


def _value(prim: Usd.Prim, name: str) -> float:
    return float(prim.GetAttribute(name).Get(Usd.TimeCode.EarliestTime()))


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
