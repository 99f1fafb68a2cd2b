# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Reading any mesh or USD file into a rigid object, or saying in one line why that cannot be."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.objects.mass_properties import mass_properties
from omni_graspd.objects.mesh_file_reader import MESH_SUFFIXES, read_mesh_file
from omni_graspd.objects.object_name import label_from_name, name_from_path
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.objects.source_surface import SourceSurface
from omni_graspd.objects.surface_orientation import part_bounds, signed_volumes
from omni_graspd.objects.surface_repair import SurfaceRepairConfig, open_edges, repair_surface
from omni_graspd.objects.usd_object_reader import USD_SUFFIXES, read_usd_object
from omni_graspd.usd.meshes import TriangleMesh


@dataclass(frozen=True, kw_only=True)
class ObjectReaderConfig:
    """What reading assumes where a file is silent, and what it refuses."""

    density: float = 300.0
    """Density where the file gives neither mass nor density [kg/m3]; household things are mostly hollow."""
    smallest_extent: float = 0.005
    """Longest side of the bounding box must be at least this [m]."""
    largest_extent: float = 1.0
    """Longest side of the bounding box must be at most this [m]."""
    repair: SurfaceRepairConfig = field(default_factory=SurfaceRepairConfig)
    """How the surface is mended."""


def read_object(path: Path, config: ObjectReaderConfig | None = None) -> RigidObject:
    """Read a rigid object from a mesh file or a USD file.

    The object frame is the file's own frame, scaled to metres and turned to Z up where the format says that it is not.
    Units are taken from the file where the format states them, else guessed from the size.

    Args:
        path: OBJ, PLY, STL, GLB, glTF, USD, USDA, USDC or USDZ file.
        config: Assumptions and limits.

    Returns:
        The object; ``notes`` say what was changed or guessed.

    Raises:
        GraspdError: If the file is missing, of another kind, unreadable, empty, open, flat, or absurd in size.
    """
    config = config or ObjectReaderConfig()
    source = _read_source(path)
    if not np.isfinite(source.mesh.vertices[source.mesh.faces]).all():
        raise GraspdError(f"expected finite vertex positions, got NaN or infinity in {path}; export it again")
    scale, unit_notes = _metres_per_unit(source)
    scaled = replace(source.mesh, vertices=source.mesh.vertices * scale)
    _check_extent(scaled, config, path)
    surface, repair_notes = repair_surface(scaled, config.repair)
    _check_solid(surface, path)
    overlapping = _overlapping_parts(surface)
    if overlapping > 1:
        repair_notes += (f"has {overlapping} parts that may overlap; inside and outside come from winding numbers",)
    mass, center_of_mass, inertia, mass_notes = mass_properties(surface, source, scale, config.density)
    name = name_from_path(path)
    return RigidObject(
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
        convex_pieces=tuple(replace(piece, vertices=piece.vertices * scale) for piece in source.convex_pieces),
        notes=source.notes + unit_notes + repair_notes + mass_notes,
    )


def _read_source(path: Path) -> SourceSurface:
    suffix = path.suffix.lower()
    if suffix not in MESH_SUFFIXES + USD_SUFFIXES:
        valid = ", ".join(MESH_SUFFIXES + USD_SUFFIXES)
        raise GraspdError(f"expected an object file of a known kind, got {path}; convert it to one of {valid}")
    if not path.is_file():
        raise GraspdError(f"expected an object file, got {path}, which does not exist; check the path")
    source = read_usd_object(path) if suffix in USD_SUFFIXES else read_mesh_file(path)
    if not len(source.mesh.faces):
        raise GraspdError(f"expected a mesh with faces, got {path}, which has none; export it as triangles")
    return source


def _metres_per_unit(source: SourceSurface) -> tuple[float, tuple[str, ...]]:
    """Take the unit from the file, or guess it: below 3 units it is metres, else things that hands hold are 3 to 50 cm.

    Where centimetres and millimetres both give that (30 to 50 units), millimetres are meant: 3 to 5 cm are more often
    held than 30 to 50 cm.
    """
    if source.metres_per_unit is not None:
        return source.metres_per_unit, ()
    extent = _extent(source.mesh)
    if extent < 3.0:
        return 1.0, ()
    unit, scale = ("centimetres", 0.01) if extent < 30.0 else ("millimetres", 0.001)
    return scale, (
        f"read as {unit}, since its longest side is {extent:.4g} units: {extent * scale:.3g} m; "
        "scale the file to metres if that is wrong",
    )


def _extent(mesh: TriangleMesh) -> float:
    return float(np.ptp(mesh.vertices[np.unique(mesh.faces)], axis=0).max())


def _check_extent(mesh: TriangleMesh, config: ObjectReaderConfig, path: Path) -> None:
    extent = _extent(mesh)
    if not config.smallest_extent <= extent <= config.largest_extent:
        raise GraspdError(
            f"expected an object between {config.smallest_extent:g} m and {config.largest_extent:g} m long, got "
            f"{extent:.3g} m in {path}; save it in metres or millimetres at its real size"
        )


def _check_solid(surface: TriangleMesh, path: Path) -> None:
    flat = f"expected a solid, got a surface without volume in {path}; give it a thickness"
    sides = np.ptp(surface.vertices, axis=0) if len(surface.faces) else np.zeros(3)
    if sides.min() < 1e-5 * sides.max() or not sides.any():
        raise GraspdError(flat)
    edges = open_edges(surface.faces)
    if edges.count:
        raise GraspdError(
            f"expected a closed surface, got {edges.count} open edges in {path}; "
            "fill its holes in a mesh editor (for example Blender: Fill Holes, or MeshLab: Close Holes)"
        )
    volume = signed_volumes(surface.vertices, surface.faces, np.zeros(len(surface.faces), dtype=int)).sum()
    if volume < 1e-4 * sides.prod():
        raise GraspdError(flat)


def _overlapping_parts(surface: TriangleMesh) -> int:
    """Count connected parts whose bounding boxes overlap another's; 1 where no parts do."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    shape = (len(surface.vertices), len(surface.vertices))
    one = surface.faces[:, [0, 1]].ravel()
    other = surface.faces[:, [1, 2]].ravel()
    _, part = connected_components(coo_array((np.ones(len(one)), (one, other)), shape=shape), directed=False)
    bounds = part_bounds(surface.vertices, surface.faces, part[surface.faces[:, 0]])
    meets = (bounds[:, None, 0] <= bounds[None, :, 1]).all(-1) & (bounds[:, None, 1] >= bounds[None, :, 0]).all(-1)
    return max(int((meets.sum(axis=1) > 1).sum()), 1)
