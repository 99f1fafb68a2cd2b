# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The outside of a link that is an assembly of parts: parts joined, hollows filled, fine detail left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import trimesh

from omni_graspd.geometry.surface_orientation import enclosed_volume
from omni_graspd.geometry.surface_rays import sky_shares
from omni_graspd.geometry.unique_rows import unique_rows
from omni_graspd.geometry.winding_number import winding_numbers
from omni_graspd.hands.importing.source_hand import SourceShape
from omni_graspd.usd.materials import Appearance
from omni_graspd.usd.meshes import TriangleMesh

_WELD = 1e-6
"""Vertices nearer than this are one [m]."""
_TOLERANCES = (5e-5, 1e-4, 2e-4, 4e-4, 8e-4)
"""Details smaller than this are left out [m], the next one where too many faces remain."""
_CROWD = 2
"""Rays are cast from at most about so many times the faces that are aimed at; finer detail goes before."""
_RAYS = 48
_SMALLEST_VOLUME = 1e-12
"""Shells that enclose less are scraps [m3]."""


def outside_surface(shapes: Sequence[SourceShape], most_faces: int) -> list[SourceShape]:
    """Return what of a link's shapes can be seen from outside, with at most about so many faces.

    Closed shells are joined into one solid by booleans (manifold3d), walls of hollows inside are dropped, and detail
    goes, finest first. Of the rest, faces are dropped that no ray from outside meets, and vertices are joined on a grid
    where there are too many.

    Args:
        shapes: Shapes in the frame of the link [m].
        most_faces: Faces that are aimed at; details of more than 0.8 mm stay in any case.
    """
    shells = [(shell, shape.look) for shape in shapes for shell in _shells(shape.mesh)]
    closed = [(shell, look) for shell, look in shells if shell.is_watertight and shell.is_winding_consistent]
    rest = [(shell, look) for shell, look in shells if not (shell.is_watertight and shell.is_winding_consistent)]
    solid, refused = _joined(_without_cavities(closed), most_faces)
    return [*solid, *_seen(solid, rest + refused, max(most_faces - sum(len(s.mesh.faces) for s in solid), 500))]


def _shells(mesh: trimesh.Trimesh) -> list[trimesh.Trimesh]:
    """Weld a mesh and split it into its connected parts."""
    first, merged, _ = unique_rows(_cells(np.asarray(mesh.vertices), _WELD))
    faces = merged[mesh.faces]
    faces = faces[(faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])]
    welded = trimesh.Trimesh(np.asarray(mesh.vertices)[first], faces, process=False)
    labels = trimesh.graph.connected_component_labels(welded.face_adjacency, node_count=len(faces))
    order = np.argsort(labels, kind="stable")
    return [
        _compact(welded.vertices, faces[group])
        for group in np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)
        if len(group)
    ]


def _cells(points: np.ndarray, size: float) -> np.ndarray:
    """Return the cell of a grid that each point is in, counted from the first, shape [point_count, 3]."""
    cells = np.rint(points / size).astype(np.int64)
    return cells - cells.min(axis=0, initial=np.iinfo(np.int64).max)


def _compact(vertices: np.ndarray, faces: np.ndarray) -> trimesh.Trimesh:
    used, inverse = np.unique(faces, return_inverse=True)
    return trimesh.Trimesh(vertices[used], inverse.reshape(-1, 3), process=False)


def _without_cavities(
    shells: list[tuple[trimesh.Trimesh, Appearance | None]],
) -> list[tuple[trimesh.Trimesh, Appearance | None]]:
    """Drop closed shells that are turned inward and lie inside another; turn the other ones that are turned inward."""
    # trimesh warns of flat ones.
    volumes = [enclosed_volume(np.asarray(shell.vertices), np.asarray(shell.faces)) for shell, _ in shells]
    outer = [shell for (shell, _), volume in zip(shells, volumes, strict=True) if volume > _SMALLEST_VOLUME]
    kept = []
    for (shell, look), volume in zip(shells, volumes, strict=True):
        if abs(volume) <= _SMALLEST_VOLUME:
            continue
        if volume < 0.0:
            if any(_encloses(other, shell) for other in outer):
                continue
            shell.invert()
        kept.append((shell, look))
    return kept


def _encloses(outer: trimesh.Trimesh, shell: trimesh.Trimesh) -> bool:
    if np.any(shell.bounds[0] < outer.bounds[0]) or np.any(shell.bounds[1] > outer.bounds[1]):
        return False
    mesh = TriangleMesh(np.asarray(outer.vertices), np.asarray(outer.faces, dtype=np.int32))
    return bool(winding_numbers(mesh, np.asarray(shell.vertices)[:1])[0] > 0.5)


def _joined(
    shells: list[tuple[trimesh.Trimesh, Appearance | None]], most_faces: int
) -> tuple[list[SourceShape], list[tuple[trimesh.Trimesh, Appearance | None]]]:
    """Return the union of closed shells by look, simplified, and the shells that manifold3d does not take."""
    import manifold3d

    looks: dict[int, Appearance | None] = {}
    solids, refused = [], []
    for shell, look in shells:
        surface = manifold3d.Mesh64(np.asarray(shell.vertices), np.asarray(shell.faces, dtype=np.uint64))
        solid = manifold3d.Manifold(surface).as_original()
        if solid.status() != manifold3d.Error.NoError or solid.is_empty():
            refused.append((shell, look))
            continue
        solid = solid.simplify(_TOLERANCES[0])
        looks[solid.original_id()] = look
        looks |= dict.fromkeys((int(i) for i in solid.to_mesh64().run_original_id), look)
        solids.append(solid)
    if not solids:
        return [], refused
    union = manifold3d.Manifold.batch_boolean(solids, manifold3d.OpType.Add)
    for tolerance in _TOLERANCES:
        union = union.simplify(tolerance)
        if union.num_tri() <= most_faces:
            break
    mesh = union.to_mesh64()
    vertices, faces = np.asarray(mesh.vert_properties)[:, :3], np.asarray(mesh.tri_verts).astype(np.int64)
    runs = np.asarray(mesh.run_index) // 3
    by_look: dict[Appearance | None, list[np.ndarray]] = {}
    for run, original in enumerate(mesh.run_original_id):
        by_look.setdefault(looks[int(original)], []).append(faces[runs[run] : runs[run + 1]])
    return [SourceShape(_compact(vertices, np.concatenate(f)), k) for k, f in by_look.items()], refused


def _seen(
    solid: list[SourceShape], rest: list[tuple[trimesh.Trimesh, Appearance | None]], most_faces: int
) -> list[SourceShape]:
    """Return the faces of open shells that are seen from outside the link."""
    sheets = _thinned(_Sheets.of([shell for shell, _ in rest]), _CROWD * most_faces)
    if not len(sheets.faces):
        return []
    open_shells = trimesh.Trimesh(sheets.vertices, sheets.faces, process=False)
    everything = trimesh.util.concatenate([*(shape.mesh for shape in solid), open_shells])
    mesh = TriangleMesh(np.asarray(everything.vertices), np.asarray(everything.faces, dtype=np.int32))
    normals, middles = (rows[-len(sheets.faces) :] for rows in (everything.face_normals, everything.triangles_center))
    front, back = (sky_shares(mesh, middles, sign * normals, ray_count=_RAYS) for sign in (1.0, -1.0))
    seen = np.maximum(front, back) > 0.0
    # The side that sees more of the outside is the front.
    turned = np.where((back > front)[:, None], sheets.faces[:, ::-1], sheets.faces)
    kept = _referenced(_Sheets(sheets.vertices, turned[seen], sheets.shells[seen]))
    if len(kept.faces) > most_faces:
        kept = _on_grid(kept, _TOLERANCES[-1])
    # Shells stay apart: faces of two that coincide are no repeats.
    return [
        SourceShape(_compact(kept.vertices, kept.faces[kept.shells == shell]), rest[shell][1])
        for shell in np.unique(kept.shells)
    ]


@dataclass(frozen=True)
class _Sheets:
    """Shells that share no vertices, all in one."""

    vertices: np.ndarray
    """All vertices [m], shape [vertex_count, 3]."""
    faces: np.ndarray
    """Their triangles, shape [face_count, 3]."""
    shells: np.ndarray
    """The shell of each face, shape [face_count]."""

    @classmethod
    def of(cls, shells: Sequence[trimesh.Trimesh]) -> _Sheets:
        starts = np.cumsum([0, *(len(shell.vertices) for shell in shells)])
        faces = [np.asarray(shell.faces) + start for shell, start in zip(shells, starts[:-1], strict=True)]
        return cls(
            np.concatenate([np.zeros((0, 3)), *(np.asarray(shell.vertices) for shell in shells)]),
            np.concatenate([np.zeros((0, 3), dtype=np.int64), *faces]),
            np.repeat(np.arange(len(shells)), [len(some) for some in faces]),
        )


def _thinned(sheets: _Sheets, most_faces: int) -> _Sheets:
    """Leave out detail of open shells, finest first, until there are at most so many faces."""
    for tolerance in _TOLERANCES:
        if len(sheets.faces) <= most_faces:
            break
        sheets = _on_grid(sheets, tolerance)
    return sheets


def _on_grid(sheets: _Sheets, cell: float) -> _Sheets:
    """Join the vertices of a shell in each cell of a grid at their mean [m]."""
    shells = np.zeros(len(sheets.vertices), dtype=np.int64)
    shells[sheets.faces] = sheets.shells[:, None]
    _, merged, counts = unique_rows(np.column_stack([shells, _cells(sheets.vertices, cell)]))
    means = np.stack([np.bincount(merged, weights=sheets.vertices[:, k]) / counts for k in range(3)], axis=1)
    faces = merged[sheets.faces]
    kept = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    return _referenced(_Sheets(means, faces[kept], sheets.shells[kept]))


def _referenced(sheets: _Sheets) -> _Sheets:
    """Leave out vertices of no face."""
    used, inverse = np.unique(sheets.faces, return_inverse=True)
    return _Sheets(sheets.vertices[used], inverse.reshape(-1, 3), sheets.shells)
