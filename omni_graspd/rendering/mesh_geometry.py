# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Any UsdGeom.Mesh as triangle corners: positions, shading normals, primvars, and the polygon of each triangle."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from pxr import Usd, UsdGeom

from omni_graspd.geometry.corner_normals import corner_normals
from omni_graspd.usd.meshes import TriangleMesh, check_topology, numbers_of
from omni_graspd.usd.polygons import triangulate

_CREASE_ANGLE = np.radians(40.0)


class MeshGeometry:
    """The triangles of a mesh in its own coordinates; polygons are cut up, holes left out, as Hydra does."""

    def __init__(self, prim: Usd.Prim, time: Usd.TimeCode) -> None:
        """Read the topology.

        Args:
            prim: A UsdGeom.Mesh.
            time: When.

        Raises:
            GraspdError: If faces and points do not fit together.
        """
        mesh = UsdGeom.Mesh(prim)
        self._prim, self._time = prim, time
        points = np.array(mesh.GetPointsAttr().Get(time) or [], dtype=np.float64).reshape(-1, 3)
        counts = np.array(mesh.GetFaceVertexCountsAttr().Get(time) or [], dtype=np.int64)
        indices = np.array(mesh.GetFaceVertexIndicesAttr().Get(time) or [], dtype=np.int64)
        check_topology(prim, counts, indices, len(points))
        self._vertices, self._corner_index = triangulate(counts, indices, points)
        self.polygons = np.repeat(np.arange(len(counts)), np.maximum(counts - 2, 0))
        holes = mesh.GetHoleIndicesAttr().Get(time)
        if holes:
            kept = ~np.isin(self.polygons, np.array(holes))
            self._vertices, self._corner_index = self._vertices[kept], self._corner_index[kept]
            self.polygons = self.polygons[kept]
        if mesh.GetOrientationAttr().Get(time) == UsdGeom.Tokens.leftHanded:
            self._vertices, self._corner_index = self._vertices[:, ::-1], self._corner_index[:, ::-1]
        self._points = points
        self._picks = {
            "constant": np.zeros_like(self._vertices),
            "uniform": np.repeat(self.polygons[:, None], 3, axis=1),
            "vertex": self._vertices,
            "varying": self._vertices,
            "faceVarying": self._corner_index,
        }

    @property
    def corners(self) -> np.ndarray:
        """Corner positions, counter-clockwise from outside, shape [face_count, 3, 3], float64."""
        return self._points[self._vertices]

    @cached_property
    def normals(self) -> np.ndarray:
        """Unit normals per corner, shape [face_count, 3, 3]: the authored ones, else smooth up to 40 degrees."""
        authored = self.primvar("normals", 3)
        if authored is None:
            mesh = UsdGeom.Mesh(self._prim)
            authored = self._per_corner(mesh.GetNormalsAttr().Get(self._time), mesh.GetNormalsInterpolation(), 3)
        if authored is None:
            return smooth_normals(self._points, self._vertices)
        length = np.linalg.norm(authored, axis=-1, keepdims=True)
        if length.min(initial=1.0) < 1e-6:
            return np.where(length < 1e-6, smooth_normals(self._points, self._vertices), authored)
        return authored

    def primvar(self, name: str, width: int) -> np.ndarray | None:
        """Read a primvar per corner, of the mesh or inherited, indexed or not, of any interpolation.

        Args:
            name: Without the prefix ``primvars:``.
            width: Numbers per value.

        Returns:
            Values, shape [face_count, 3, width], or None where there is none or it does not fit the mesh.
        """
        primvar = UsdGeom.PrimvarsAPI(self._prim).FindPrimvarWithInheritance(name)
        if not primvar or not primvar.HasValue():
            return None
        return self._per_corner(primvar.ComputeFlattened(self._time), primvar.GetInterpolation(), width)

    def _per_corner(self, values: object, interpolation: str, width: int) -> np.ndarray | None:
        pick = self._picks.get(str(interpolation))
        if values is None or pick is None:
            return None
        array = numbers_of(values)
        if array is None or not array.size or array.size % width or pick.max(initial=-1) >= array.size // width:
            return None
        return array.reshape(-1, width)[pick]


def smooth_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Return unit normals per corner, smooth over edges up to 40 degrees, shape [face_count, 3, 3].

    Vertices that only texture seams keep apart are one vertex here, so seams stay invisible.
    """
    points, weld = np.unique(vertices, axis=0, return_inverse=True)
    return corner_normals(TriangleMesh(points, weld.reshape(-1)[faces]), crease_angle=_CREASE_ANGLE)
