# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""From triangles as they come to one welded, outward-oriented, closed surface.

Texture coordinates belong to face corners and follow every step.
"""

from __future__ import annotations

from dataclasses import dataclass

from omni_graspd.geometry.hole_filling import fill_holes
from omni_graspd.geometry.inner_walls import drop_inner_walls
from omni_graspd.geometry.manifold_surface import simplify_surface
from omni_graspd.geometry.mesh_parts import connected_parts, drop_debris, join_overlapping_parts
from omni_graspd.geometry.open_edges import open_edges
from omni_graspd.geometry.sheet_thickening import thicken_sheets
from omni_graspd.geometry.surface_orientation import orient_outward
from omni_graspd.geometry.welding import drop_useless_faces, sew, weld
from omni_graspd.ranges import require_at_least, require_not_negative, require_within
from omni_graspd.usd.meshes import TriangleMesh

MOST_PARTS = 500
"""A surface in more parts is not repaired: it is a scene, or faces that share no vertices."""


@dataclass(frozen=True, kw_only=True)
class SurfaceRepairConfig:
    """What counts as the same point and as a small hole, and how much detail a surface may have."""

    weld_tolerance: float = 1e-6
    """Vertices closer than this are welded [fraction of the bounding box's diagonal]."""
    sew_tolerance: float = 1e-4
    """Vertices across a crack are welded up to this distance [fraction of the diagonal]."""
    largest_hole: float = 0.1
    """Largest hole that is filled [fraction of the diagonal]."""
    most_faces: int = 40_000
    """Surfaces with more faces than this are simplified."""
    thicken: float = 0.0
    """Thickness that open sheets are given, for example 2mm; 0 refuses them [m]."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_within(self, "intake.repair", 0.0, 1.0, "weld_tolerance", "sew_tolerance", "largest_hole")
        require_at_least(self, "intake.repair", 4, "most_faces")
        require_not_negative(self, "intake.repair", "thicken", unit=" m")


def repair_surface(mesh: TriangleMesh, config: SurfaceRepairConfig) -> tuple[TriangleMesh, tuple[str, ...]]:
    """Weld vertices, drop useless faces, close cracks and small holes, turn faces outward, join parts, simplify.

    Args:
        mesh: Any triangles; vertices may be repeated per face.
        config: Tolerances.

    Returns:
        The surface, and one sentence for each thing that was changed (welding is none). It may still be open; ask
        :func:`omni_graspd.geometry.open_edges.open_edges`. In more than :data:`MOST_PARTS` parts it is only welded.
    """
    notes = []
    welded = weld(mesh, config.weld_tolerance)
    surface = drop_useless_faces(welded)
    if len(surface.faces) < len(welded.faces):
        notes.append(f"dropped {_count(len(welded.faces) - len(surface.faces), 'degenerate or repeated face')}")
    if not len(surface.faces) or connected_parts(surface).max() >= MOST_PARTS:
        return surface, tuple(notes)
    sewn, cracks = _sewn(surface, config)
    surface, closing = _closed(sewn, config)
    if config.thicken and open_edges(surface.faces).count:
        surface, closing = _thickened(sewn, config)
    notes += cracks + closing
    if not open_edges(surface.faces).count:
        surface, more = _join_and_simplify(surface, config)
        notes += more
    return surface, tuple(notes)


def _sewn(surface: TriangleMesh, config: SurfaceRepairConfig) -> tuple[TriangleMesh, list[str]]:
    before = open_edges(surface.faces).count
    surface = sew(surface, config.sew_tolerance)
    closed = before - open_edges(surface.faces).count
    return surface, [f"sewed cracks together: {closed} open edges fewer"] if closed else []


def _closed(surface: TriangleMesh, config: SurfaceRepairConfig) -> tuple[TriangleMesh, list[str]]:
    notes = []
    surface, wall_count = drop_inner_walls(surface)
    if wall_count:
        notes.append(f"dropped {_count(wall_count, 'face')} of inner walls or fins, where three faces met at an edge")
    surface, turned = orient_outward(surface)
    if turned:
        notes.append(f"turned {_count(turned, 'face')} outward")
    surface, hole_count = fill_holes(surface, config.largest_hole)
    if hole_count:
        notes.append(f"filled {_count(hole_count, 'small hole')}")
    surface, debris_count = drop_debris(surface)
    if debris_count:
        notes.append(f"dropped {_count(debris_count, 'small loose part')}")
    return surface, notes


def _thickened(surface: TriangleMesh, config: SurfaceRepairConfig) -> tuple[TriangleMesh, list[str]]:
    """Make sheets solid as they are, with their ribs, holes and small parts."""
    surface, part_count = thicken_sheets(orient_outward(surface)[0], config.thicken)
    return surface, [f"gave {_count(part_count, 'open sheet')} a thickness of {1e3 * config.thicken:g} mm"]


def _join_and_simplify(surface: TriangleMesh, config: SurfaceRepairConfig) -> tuple[TriangleMesh, list[str]]:
    notes = []
    surface, part_count = join_overlapping_parts(surface)
    if part_count:
        notes.append(f"joined {part_count} parts that ran into each other")
    if len(surface.faces) > config.most_faces:
        simple = simplify_surface(surface, config.most_faces)
        if simple is not None:
            before, (surface, moved) = len(surface.faces), simple
            notes.append(f"simplified from {before} to {len(surface.faces)} faces, within {1e3 * moved:.2g} mm")
    return surface, notes


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"
