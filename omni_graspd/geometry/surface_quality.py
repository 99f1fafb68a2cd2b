# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How sound a link's surface is: closed, turned outward, without hidden walls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import trimesh

from omni_graspd.geometry.surface_orientation import enclosed_volume
from omni_graspd.geometry.winding_number import winding_numbers
from omni_graspd.usd.meshes import TriangleMesh

_SAMPLES = 240
_WELD = 1e-5
"""Vertices nearer than this share of the surface's extent are one."""
_STEP = 1e-3
"""Distance from the surface at which winding numbers are taken, as a share of its extent."""
_MOST_SHELLS = 60


@dataclass(frozen=True)
class SurfaceQuality:
    """Figures of one surface."""

    open_edges: int
    """Edges with a face on one side only."""
    leaking: float
    """Share of the surface, 0 to 1, from which a hole is seen so large that inside and outside blur."""
    inward: float
    """Share of the surface, 0 to 1, that is turned inside out."""
    hidden: float
    """Share of the surface, 0 to 1, that lies inside other shells of the same link."""
    cavities: int
    """Closed shells inside another, turned inward: the walls of hollow spaces."""
    volume: float
    """Enclosed volume [m3]; of little meaning where the surface is open."""

    @property
    def is_closed(self) -> bool:
        """Whether every edge has faces on both sides."""
        return self.open_edges == 0


def measure_surface(mesh: TriangleMesh) -> SurfaceQuality:
    """Measure a surface; equal vertices count as one, so that seams of normals or textures are no holes.

    Args:
        mesh: A surface with at least one face; all numbers finite.
    """
    surface = _welded(mesh)
    middle, weights = _winding_on_surface(mesh, surface)
    edges, counts = np.unique(surface.edges_sorted, axis=0, return_counts=True)
    with np.errstate(divide="ignore", invalid="ignore"):  # A flat surface has no centre of mass.
        volume = float(surface.volume)
    return SurfaceQuality(
        open_edges=int((counts == 1).sum()) if len(edges) else 0,
        leaking=float(weights[(np.abs(middle - np.rint(middle - 0.5) - 0.5) > 0.1)].sum()),
        inward=max(float(weights[middle < -0.25].sum()), _turned_over(surface)),
        hidden=float(weights[middle > 1.25].sum()),
        cavities=_cavities(_shells(surface)),
        volume=volume,
    )


def _welded(mesh: TriangleMesh) -> trimesh.Trimesh:
    """Return the surface with near vertices merged and faces without area left out."""
    extent = max(float(np.ptp(mesh.vertices, axis=0).max()), 1e-12)
    _, first, merged = np.unique(
        np.rint(mesh.vertices / (_WELD * extent)).astype(np.int64), axis=0, return_index=True, return_inverse=True
    )
    faces = merged.ravel()[mesh.faces]
    distinct = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    return trimesh.Trimesh(mesh.vertices[first], faces[distinct], process=False)


def _winding_on_surface(mesh: TriangleMesh, surface: trimesh.Trimesh) -> tuple[np.ndarray, np.ndarray]:
    """Return winding numbers on points of the surface, the mean of both sides, and the share each point stands for.

    It is 0.5 on a closed surface turned outward, -0.5 if turned inward, 1.5 inside another shell.
    """
    if not surface.area > 0.0:
        return np.zeros(0), np.zeros(0)
    points, faces = trimesh.sample.sample_surface(surface, _SAMPLES, seed=0)[:2]
    step = _STEP * float(np.ptp(mesh.vertices, axis=0).max()) * surface.face_normals[faces]
    numbers = winding_numbers(mesh, np.concatenate([points + step, points - step])).reshape(2, -1)
    return numbers.mean(axis=0), np.full(len(points), 1.0 / len(points))


def _turned_over(surface: trimesh.Trimesh) -> float:
    """Return the share of the area that is turned against the larger part of its shell.

    Each face is there twice in a graph, as it is and turned over; edges join what goes together. Where all faces agree,
    the faces as they are form one component.
    """
    count = len(surface.faces)
    if not surface.area > 0.0:
        return 0.0
    _, edge, uses = np.unique(surface.edges_sorted, axis=0, return_inverse=True, return_counts=True)
    order = np.argsort(edge.ravel(), kind="stable")
    starts = np.concatenate([[0], np.cumsum(uses)[:-1]])[uses == 2]
    first, second = order[starts], order[starts + 1]
    # Neighbours that agree pass their edge in opposite directions.
    agree = surface.edges[first, 0] != surface.edges[second, 0]
    a, b = first // 3, second // 3
    pairs = np.concatenate(
        [np.stack([a, b + count * ~agree], axis=1), np.stack([a + count, b + count * agree], axis=1)]
    )
    labels = trimesh.graph.connected_component_labels(pairs, node_count=2 * count)
    as_is, turned = labels[:count], labels[count:]
    areas = np.bincount(as_is, weights=surface.area_faces, minlength=int(labels.max()) + 1)
    smaller = (areas[as_is] < areas[turned]) | ((areas[as_is] == areas[turned]) & (as_is > turned))
    return float(surface.area_faces[smaller].sum() / surface.area)


def _shells(surface: trimesh.Trimesh) -> list[trimesh.Trimesh]:
    """Return the connected parts of a surface; none if there are very many."""
    labels = trimesh.graph.connected_component_labels(surface.face_adjacency, node_count=len(surface.faces))
    count = int(labels.max(initial=-1)) + 1
    if not 1 < count <= _MOST_SHELLS:
        return []
    return [trimesh.Trimesh(surface.vertices, surface.faces[labels == k], process=False) for k in range(count)]


def _cavities(shells: list[trimesh.Trimesh]) -> int:
    """Count closed shells that are turned inward and lie inside another."""
    closed = [shell for shell in shells if shell.is_watertight]
    # trimesh warns of flat ones.
    volumes = [enclosed_volume(np.asarray(shell.vertices), np.asarray(shell.faces)) for shell in closed]
    outer = [shell for shell, volume in zip(closed, volumes, strict=True) if volume > 0.0]
    count = 0
    for shell, volume in zip(closed, volumes, strict=True):
        if volume < 0.0:
            point = np.asarray(shell.vertices)[shell.faces[0, :1]]
            around = [TriangleMesh(np.asarray(o.vertices), np.asarray(o.faces, dtype=np.int32)) for o in outer]
            count += any(winding_numbers(mesh, point)[0] > 0.5 for mesh in around)
    return count
