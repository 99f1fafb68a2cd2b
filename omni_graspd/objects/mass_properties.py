# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Mass, centre of mass and inertia: as the file states them, else of a solid of even density."""

from __future__ import annotations

import numpy as np
import trimesh

from omni_graspd.objects.source_surface import SourceSurface
from omni_graspd.usd.meshes import TriangleMesh


def mass_properties(
    surface: TriangleMesh, source: SourceSurface, default_density: float, mass: float | None = None
) -> tuple[float, np.ndarray, np.ndarray, tuple[str, ...]]:
    """Complete what the file states about mass.

    Args:
        surface: Closed surface [m].
        source: What the file states, in metres.
        default_density: Density where the file gives neither mass nor density [kg/m3].
        mass: Mass [kg] that goes before all others; an inertia that the file states is scaled to it.

    Returns:
        Mass [kg], centre of mass [m] of shape [3], inertia about it [kg m2] of shape [3, 3], and notes on guesses.
    """
    volume, center_of_mass, inertia = solid_properties(surface)
    notes: tuple[str, ...] = ()
    inertia *= 1.0 / volume
    if mass is not None:
        if source.inertia is not None and source.mass is not None:
            inertia = source.inertia / source.mass
        notes = (f"mass {mass:.3g} kg, as asked",)
    elif source.mass is not None:
        mass = source.mass
        if source.inertia is not None:
            inertia = source.inertia / mass
    else:
        density = default_density if source.density is None else source.density
        mass = density * volume
        if source.density is None:
            notes = (f"mass {mass:.3g} kg guessed from a density of {default_density:g} kg/m3",)
    if source.center_of_mass is not None:
        center_of_mass = source.center_of_mass
    return mass, center_of_mass, inertia * mass, notes


def solid_properties(surface: TriangleMesh) -> tuple[float, np.ndarray, np.ndarray]:
    """Compute volume [m3], centroid [m] and inertia about it of a solid of density 1 kg/m3 within a closed surface."""
    # About the middle of the bounding box: far from the origin the integrals would cancel.
    middle = 0.5 * (surface.vertices.min(axis=0) + surface.vertices.max(axis=0))
    solid = trimesh.Trimesh(surface.vertices - middle, surface.faces, process=False)
    properties = solid.mass_properties
    center = np.asarray(properties["center_mass"], dtype=np.float64)
    return float(properties["volume"]), center + middle, np.asarray(properties["inertia"], dtype=np.float64)
