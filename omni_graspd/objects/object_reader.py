# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Reading any mesh or USD file into a rigid object, or saying in one line why that cannot be."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.geometry.mesh_parts import connected_parts, overlapping_part_count
from omni_graspd.geometry.open_edges import open_edges
from omni_graspd.geometry.surface_repair import MOST_PARTS, SurfaceRepairConfig, repair_surface
from omni_graspd.objects.file_signature import check_signature
from omni_graspd.objects.length_unit import LengthUnit, SharedUnit, metres_per_unit
from omni_graspd.objects.mass_properties import mass_properties, solid_properties
from omni_graspd.objects.mesh_file_reader import MESH_SUFFIXES, read_mesh_file
from omni_graspd.objects.object_name import label_from_name, name_from_path
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.objects.source_surface import SourceSurface
from omni_graspd.objects.usd_object_reader import USD_SUFFIXES, read_usd_object
from omni_graspd.ranges import require_not_negative, require_positive
from omni_graspd.usd.mesh_soundness import check_surface
from omni_graspd.usd.meshes import TriangleMesh, used_vertices

_FARTHEST = 10.0
"""Objects farther from the origin are moved there [m]: single precision would round them to 1 µm and more."""

_LIKELY = 0.15
"""Longest side of what hands hold, for models of no real size [m]."""

_THICKEST = 0.2
"""Sheets become at most so thick, as a part of the object's longest side: thicker, they would run into themselves."""


@dataclass(frozen=True, kw_only=True)
class ObjectReaderConfig:
    """What reading assumes where a file is silent, and what it refuses."""

    unit: LengthUnit = "auto"
    """Unit of length of mesh files; auto: as the format states it, otherwise guessed from the size, and reported."""
    scale: float = 1.0
    """Factor on the size, after the unit; for models of no real size, as normalised ones."""
    density: float = 300.0
    """Density if the file gives neither mass nor density [kg/m3]; low, since most household objects are hollow."""
    mass: float | None = None
    """Mass of the object [kg]; overrides the file."""
    smallest_extent: float = 0.005
    """Smallest accepted length of the bounding box's longest side [m]."""
    largest_extent: float = 1.0
    """Largest accepted length of the bounding box's longest side [m]."""
    repair: SurfaceRepairConfig = field(default_factory=SurfaceRepairConfig)
    """How surfaces are repaired."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_not_negative(self, "intake", "smallest_extent")
        require_positive(self, "intake", "scale", finite=True)
        require_positive(self, "intake", "largest_extent")
        for name in ("density", "mass"):
            value = getattr(self, name)
            if value is not None and not 0.0 < value < np.inf:
                raise GraspdError(f"expected {name} to be above 0, got {value:g}")


@dataclass(frozen=True)
class ObjectReading:
    """An object as read, and what had to be mended."""

    rigid: RigidObject
    """The object; its notes have the repairs, too."""
    repairs: tuple[str, ...]
    """What was wrong with its surface and is mended, one sentence each; empty for a sound file."""


def read_object(
    path: Path, config: ObjectReaderConfig | None = None, shared_unit: SharedUnit | None = None
) -> RigidObject:
    """Read a rigid object from a mesh file or a USD file.

    The object frame is the file's own frame, scaled to metres and turned to Z up where the format says that it is not.
    Units are taken from the file where the format states them, else guessed from the size.

    Args:
        path: OBJ, PLY, STL, GLB, glTF, USD, USDA, USDC or USDZ file.
        config: Assumptions and limits.
        shared_unit: Unit of the files that are read together with it, where it states none.

    Returns:
        The object; ``notes`` say what was changed or guessed.

    Raises:
        GraspdError: If the file is missing, of another kind, unreadable, empty, open, flat, or absurd in size.
    """
    return examine_object(path, config, shared_unit).rigid


def examine_object(
    path: Path, config: ObjectReaderConfig | None = None, shared_unit: SharedUnit | None = None
) -> ObjectReading:
    """Read a rigid object as :func:`read_object` does, and tell repairs from notes.

    Raises:
        GraspdError: As :func:`read_object`.
    """
    config = config or ObjectReaderConfig()
    source = _read_source(path)
    check_surface(source.mesh.vertices, source.mesh.faces, path)
    scale, unit_notes = metres_per_unit(
        _extent(source.mesh), source.metres_per_unit, config.unit, path.suffix, shared_unit
    )
    if config.scale != 1.0:
        unit_notes += (f"made {config.scale:g} times as large, as asked",)
    source, shift_notes = _moved_near(_scaled(source, scale * config.scale))
    _check_extent(source.mesh, config, path)
    _check_thickness(source.mesh, config.repair.thicken, path)
    surface, repairs = repair_surface(source.mesh, config.repair)
    _check_solid(surface, path)
    overlapping = overlapping_part_count(surface)
    mass, center_of_mass, inertia, mass_notes = mass_properties(surface, source, config.density, config.mass)
    name = name_from_path(path)
    rigid = RigidObject(
        name=name,
        source=path,
        mesh=TriangleMesh(surface.vertices, surface.faces),
        visual=surface,
        appearance=source.appearance,
        closed=overlapping == 1,
        mass=mass,
        center_of_mass=center_of_mass,
        inertia=inertia,
        label=source.label or label_from_name(name),
        convex_pieces=source.convex_pieces,
        notes=source.notes + unit_notes + shift_notes + repairs + _part_notes(surface, overlapping) + mass_notes,
    )
    return ObjectReading(rigid, shift_notes + repairs)


def _read_source(path: Path) -> SourceSurface:
    suffix = path.suffix.lower()
    if suffix not in MESH_SUFFIXES + USD_SUFFIXES:
        valid = ", ".join(MESH_SUFFIXES + USD_SUFFIXES)
        raise GraspdError(f"expected an object file of a known kind, got {path}; convert it to one of {valid}")
    if not path.is_file():
        raise GraspdError(f"expected an object file, got {path}, which does not exist; check the path")
    check_signature(path)
    source = read_usd_object(path) if suffix in USD_SUFFIXES else read_mesh_file(path)
    if not len(source.mesh.faces):
        raise GraspdError(f"expected a mesh with faces, got {path}, which has none; export it as triangles")
    return source


def _scaled(source: SourceSurface, scale: float) -> SourceSurface:
    """Return what a file says in metres, at so many metres per unit; a mass that it states stays."""
    times = scale / (source.metres_per_unit or scale)
    return replace(
        source,
        inertia=None if source.inertia is None else source.inertia * times**2,
        mesh=replace(source.mesh, vertices=source.mesh.vertices * scale),
        center_of_mass=None if source.center_of_mass is None else source.center_of_mass * scale,
        convex_pieces=tuple(replace(piece, vertices=piece.vertices * scale) for piece in source.convex_pieces),
    )


def _moved_near(source: SourceSurface) -> tuple[SourceSurface, tuple[str, ...]]:
    """Move an object that lies far away to the origin."""
    corners = source.mesh.vertices[used_vertices(source.mesh)]
    middle = 0.5 * (corners.min(axis=0) + corners.max(axis=0))
    distance = float(np.linalg.norm(middle))
    if distance <= _FARTHEST:
        return source, ()
    moved = replace(
        source,
        mesh=replace(source.mesh, vertices=source.mesh.vertices - middle),
        center_of_mass=None if source.center_of_mass is None else source.center_of_mass - middle,
        convex_pieces=tuple(replace(piece, vertices=piece.vertices - middle) for piece in source.convex_pieces),
    )
    return moved, (f"moved to the origin from {distance:.3g} m away, where coordinates lose their precision",)


def _part_notes(surface: TriangleMesh, overlapping: int) -> tuple[str, ...]:
    part_count = int(connected_parts(surface).max()) + 1
    if overlapping > 1:
        return (f"has {overlapping} parts that may overlap; inside and outside come from winding numbers",)
    if part_count > 1:
        return (f"has {part_count} separate parts, which move as one body",)
    return ()


def _extent(mesh: TriangleMesh) -> float:
    return float(np.ptp(mesh.vertices[used_vertices(mesh)], axis=0).max())


def _check_extent(mesh: TriangleMesh, config: ObjectReaderConfig, path: Path) -> None:
    extent = _extent(mesh)
    if not config.smallest_extent <= extent <= config.largest_extent:
        expected = f"expected an object between {config.smallest_extent:g} m and {config.largest_extent:g} m long"
        if extent == 0.0:
            raise GraspdError(f"{expected}, got a single point in {path}; export its mesh again")
        raise GraspdError(
            f"{expected}, got {extent:.3g} m in {path}; give its unit with --unit, or a factor on its size: --scale "
            f"{config.scale * _LIKELY / extent:.1g} makes it about {_LIKELY:g} m long"
        )


def _check_thickness(mesh: TriangleMesh, thickness: float, path: Path) -> None:
    extent = _extent(mesh)
    if thickness > _THICKEST * extent:
        raise GraspdError(
            f"expected a thickness of at most {_THICKEST:g} of the longest side, {extent:.3g} m, for the sheets of "
            f"{path}, got {thickness:g} m; give the unit, for example --thicken 2mm"
        )


def _check_solid(surface: TriangleMesh, path: Path) -> None:
    flat = f"expected a solid, got a surface without volume in {path}; give it a thickness: --thicken 2mm"
    sides = np.ptp(surface.vertices, axis=0) if len(surface.faces) else np.zeros(3)
    if sides.min() < 1e-5 * sides.max() or not sides.any():
        raise GraspdError(flat)
    part_count = int(connected_parts(surface).max()) + 1
    if part_count > MOST_PARTS:
        raise GraspdError(
            f"expected an object of at most {MOST_PARTS} parts, got {part_count} in {path}; "
            "export one object, with faces that share vertices"
        )
    edges = open_edges(surface.faces)
    if edges.count:
        raise GraspdError(
            f"expected a closed surface, got {edges.count} open edges in {path}; if its walls are sheets without "
            "thickness, as of a bowl, --thicken 2mm makes them solid; if it is a solid with holes, fill them in a mesh "
            "editor (for example Blender: Fill Holes, or MeshLab: Close Holes)"
        )
    volume, center, inertia = solid_properties(surface)
    if volume < 1e-4 * sides.prod():
        raise GraspdError(flat)
    moments = np.linalg.eigvalsh(inertia)
    outside = (center < surface.vertices.min(axis=0)) | (center > surface.vertices.max(axis=0))
    # Of a real solid no principal moment exceeds the sum of the other two.
    if outside.any() or moments.min() <= 0.0 or moments[2] > 1.001 * (moments[0] + moments[1]):
        raise GraspdError(
            f"expected a solid, got a surface that crosses itself so much that it has no inside in {path}; "
            "remesh it (for example Blender: Remesh, or MeshLab: Uniform Mesh Resampling)"
        )
