# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Triangle meshes: the data class, writing one as a UsdGeom.Mesh, and gathering all meshes below a prim."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pxr import Gf, Sdf, Usd, UsdGeom, Vt

from omni_graspd.errors import GraspdError
from omni_graspd.usd.polygons import triangulate
from omni_graspd.usd.transforms import local_to_world


@dataclass(frozen=True)
class TriangleMesh:
    """A triangle mesh with optional texture coordinates."""

    vertices: np.ndarray
    """Vertex positions [m], shape [vertex_count, 3], float64."""
    faces: np.ndarray
    """Vertex indices, counter-clockwise seen from outside, shape [face_count, 3], int32."""
    uvs: np.ndarray | None = None
    """Texture coordinates per face corner, origin at the lower left, shape [face_count, 3, 2], or None."""


def author_mesh(
    stage: Usd.Stage, path: str, mesh: TriangleMesh, *, purpose: str = "default", normals: np.ndarray | None = None
) -> UsdGeom.Mesh:
    """Define a polygon mesh with extent, no subdivision, and ``st`` texture coordinates where the mesh has them.

    Args:
        stage: The stage.
        path: Path of the new prim.
        mesh: The mesh, in stage units.
        purpose: USD purpose.
        normals: Unit normals per face corner, shape [face_count, 3, 3]; drawn meshes should have them.
    """
    prim = UsdGeom.Mesh.Define(stage, path)
    points = Vt.Vec3fArray.FromNumpy(np.ascontiguousarray(mesh.vertices, dtype=np.float32))
    prim.CreatePointsAttr(points)
    prim.CreateFaceVertexCountsAttr(Vt.IntArray.FromNumpy(np.full(len(mesh.faces), 3, dtype=np.int32)))
    prim.CreateFaceVertexIndicesAttr(Vt.IntArray.FromNumpy(np.ascontiguousarray(mesh.faces, dtype=np.int32).ravel()))
    prim.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
    prim.CreateExtentAttr(UsdGeom.PointBased.ComputeExtent(points))
    prim.CreatePurposeAttr(purpose)
    if normals is not None:
        prim.CreateNormalsAttr(Vt.Vec3fArray.FromNumpy(np.ascontiguousarray(normals, dtype=np.float32).reshape(-1, 3)))
        prim.SetNormalsInterpolation(UsdGeom.Tokens.faceVarying)
    if mesh.uvs is not None:
        st = UsdGeom.PrimvarsAPI(prim).CreatePrimvar(
            "st", Sdf.ValueTypeNames.TexCoord2fArray, UsdGeom.Tokens.faceVarying
        )
        values, indices = np.unique(mesh.uvs.astype(np.float32).reshape(-1, 2), axis=0, return_inverse=True)
        st.Set(Vt.Vec2fArray.FromNumpy(np.ascontiguousarray(values)))
        st.SetIndices(Vt.IntArray.FromNumpy(np.ascontiguousarray(indices.ravel(), dtype=np.int32)))
    return prim


UV_NAMES = ("st", "UVMap", "st0", "st_0")
"""Names of texture coordinates that are looked for where a material does not name its own."""


class PolygonMesh:
    """One UsdGeom.Mesh in its own coordinates, triangulated, right-handed, in stage units; holes are left out."""

    def __init__(self, prim: Usd.Prim) -> None:
        """Read the topology.

        Raises:
            GraspdError: If faces and points do not fit together.
        """
        mesh = UsdGeom.Mesh(prim)
        self._prim = prim
        self.vertices = np.array(mesh.GetPointsAttr().Get() or [], dtype=np.float64).reshape(-1, 3)
        counts = np.array(mesh.GetFaceVertexCountsAttr().Get() or [], dtype=np.int64)
        self._indices = np.array(mesh.GetFaceVertexIndicesAttr().Get() or [], dtype=np.int64)
        check_topology(prim, counts, self._indices, len(self.vertices))
        faces, corners = triangulate(counts, self._indices, self.vertices)
        polygons = np.repeat(np.arange(len(counts)), np.maximum(counts - 2, 0))
        kept = ~np.isin(polygons, np.array(mesh.GetHoleIndicesAttr().Get() or [], dtype=np.int64))
        order = slice(None, None, -1 if mesh.GetOrientationAttr().Get() == UsdGeom.Tokens.leftHanded else 1)
        self.faces = np.ascontiguousarray(faces[kept][:, order])
        self._corners = corners[kept][:, order]
        self.polygons = polygons[kept]
        """Polygon of each triangle, shape [face_count]."""

    def uvs(self, name: str) -> np.ndarray | None:
        """Return texture coordinates of one name per corner, shape [face_count, 3, 2]; None if there are none."""
        primvar = UsdGeom.PrimvarsAPI(self._prim).FindPrimvarWithInheritance(name)
        if not primvar or not primvar.HasValue():
            return None
        values = numbers_of(primvar.ComputeFlattened())
        picks = {
            UsdGeom.Tokens.faceVarying: self._corners,
            UsdGeom.Tokens.vertex: self._indices[self._corners],
            UsdGeom.Tokens.varying: self._indices[self._corners],
            UsdGeom.Tokens.uniform: np.repeat(self.polygons[:, None], 3, axis=1),
            UsdGeom.Tokens.constant: np.zeros_like(self._corners),
        }
        pick = picks.get(primvar.GetInterpolation())
        if (
            pick is None
            or values is None
            or values.ndim != 2
            or values.shape[1] < 2
            or pick.max(initial=-1) >= len(values)
        ):
            return None
        return values[pick][..., :2]


def numbers_of(values: object) -> np.ndarray | None:
    """Return the values of a primvar, whose type is the file's choice, as numbers, float64; None if they are none."""
    try:
        numbers = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        return None
    return numbers if np.isfinite(numbers).all() else None


def check_topology(prim: Usd.Prim, counts: np.ndarray, indices: np.ndarray, point_count: int) -> None:
    """Refuse faces that do not fit the points.

    Raises:
        GraspdError: If the counts and the indices are of different lengths, or an index has no point.
    """
    if (
        (counts < 0).any()
        or counts.sum() != len(indices)
        or (len(indices) and not 0 <= indices.min() <= indices.max() < point_count)
    ):
        raise GraspdError(
            f"expected the faces of {prim.GetPath()} to index its {point_count} points, got other counts or "
            "indices; re-export the mesh"
        )


def read_mesh(prim: Usd.Prim) -> TriangleMesh:
    """Read one UsdGeom.Mesh in its own coordinates, triangulated, right-handed, in stage units.

    Raises:
        GraspdError: If faces and points do not fit together.
    """
    mesh = PolygonMesh(prim)
    return TriangleMesh(mesh.vertices, mesh.faces, mesh.uvs(UV_NAMES[0]))


def used_vertices(mesh: TriangleMesh) -> np.ndarray:
    """Return the indices of the vertices that faces use, ascending, shape [used_count]."""
    used = np.zeros(len(mesh.vertices), dtype=bool)
    used[mesh.faces] = True
    return np.flatnonzero(used)


def select_faces(mesh: TriangleMesh, faces: np.ndarray) -> TriangleMesh:
    """Keep some faces (indices, shape [kept_count]), and the vertices that they use, in their order."""
    kept = mesh.faces[faces]
    used = np.zeros(len(mesh.vertices), dtype=bool)
    used[kept] = True
    index = (np.cumsum(used) - 1).astype(np.int32)
    return TriangleMesh(mesh.vertices[used], index[kept], None if mesh.uvs is None else mesh.uvs[faces])


def merge_meshes(meshes: Sequence[TriangleMesh]) -> TriangleMesh:
    """Join meshes; texture coordinates stay where any part has them, and are zero in parts without."""
    offsets = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes[:-1])])
    uvs = None
    if any(mesh.uvs is not None for mesh in meshes):
        uvs = np.concatenate([np.zeros((len(m.faces), 3, 2)) if m.uvs is None else m.uvs for m in meshes])
    return TriangleMesh(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate([mesh.faces + offset for mesh, offset in zip(meshes, offsets, strict=True)]).astype(np.int32),
        uvs,
    )


def mesh_prims(root: Usd.Prim, purposes: tuple[str, ...] = ("default", "render")) -> list[Usd.Prim]:
    """Return the visible meshes at and below ``root`` with one of ``purposes``, instances included, in stage order."""
    prims = Usd.PrimRange(root, Usd.TraverseInstanceProxies())
    return [prim for prim in prims if prim.IsA(UsdGeom.Mesh) and is_drawn(prim, purposes)]


def is_drawn(prim: Usd.Prim, purposes: tuple[str, ...]) -> bool:
    """Tell whether a prim has one of ``purposes`` and is not invisible."""
    imageable = UsdGeom.Imageable(prim)
    return imageable.ComputePurpose() in purposes and imageable.ComputeVisibility() != UsdGeom.Tokens.invisible


def read_meshes_below(root: Usd.Prim, purposes: tuple[str, ...] = ("default", "render")) -> TriangleMesh:
    """Merge the visible meshes at and below ``root`` into one, in the frame of ``root``, in metres.

    All scale is applied, that of ``root`` itself included, and so are the stage's units.
    Texture coordinates are dropped.
    """
    return merge_in_frame(mesh_prims(root, purposes), root)


def merge_in_frame(prims: Sequence[Usd.Prim], root: Usd.Prim) -> TriangleMesh:
    """Merge UsdGeom.Meshes into one, in the frame of ``root`` without its scale, in metres.

    Texture coordinates are dropped.
    """
    metres = UsdGeom.GetStageMetersPerUnit(root.GetStage())
    cache = UsdGeom.XformCache()
    T_world_root = local_to_world(root, cache)
    scale = np.linalg.norm(T_world_root[:3, :3], axis=0)
    T_root_world = np.linalg.inv(T_world_root @ np.diag([*(1.0 / scale), 1.0]))
    vertices, faces, offset = [], [], 0
    for prim in prims:
        mesh = read_mesh(prim)
        T_root_mesh = T_root_world @ local_to_world(prim, cache)
        flipped = np.linalg.det(T_root_mesh[:3, :3]) < 0
        vertices.append((mesh.vertices @ T_root_mesh[:3, :3].T + T_root_mesh[:3, 3]) * metres)
        faces.append((mesh.faces[:, ::-1] if flipped else mesh.faces) + offset)
        offset += len(mesh.vertices)
    if not vertices:
        return TriangleMesh(np.zeros((0, 3)), np.zeros((0, 3), dtype=np.int32))
    return TriangleMesh(np.concatenate(vertices), np.concatenate(faces).astype(np.int32))


def to_gf(vector: np.ndarray) -> Gf.Vec3f:
    """Convert three numbers to a single-precision USD vector."""
    return Gf.Vec3f(*(float(v) for v in vector))
