# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What a file says about an object, before units, repairs and guesses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omni_graspd.usd.materials import Appearance
from omni_graspd.usd.meshes import TriangleMesh


@dataclass(frozen=True, kw_only=True)
class SourceSurface:
    """A surface with its look, and whatever else the file states."""

    mesh: TriangleMesh
    """All triangles of the file, Z up, in the file's unit of length."""
    appearance: Appearance
    """Look of the surface."""
    metres_per_unit: float | None = None
    """The file's unit of length [m], or None where the format does not state it."""
    mass: float | None = None
    """Mass [kg]."""
    density: float | None = None
    """Density [kg/m3]."""
    center_of_mass: np.ndarray | None = None
    """In the frame of ``mesh``, in the file's unit of length, shape [3]."""
    inertia: np.ndarray | None = None
    """About the centre of mass, along the axes of ``mesh`` [kg m2], shape [3, 3]."""
    label: str | None = None
    """Semantic class."""
    convex_pieces: tuple[TriangleMesh, ...] = ()
    """Convex collision meshes, in the frame and unit of ``mesh``."""
    notes: tuple[str, ...] = ()
    """What reading changed or guessed."""


def merge_looks(looks: list[Appearance], areas: list[float]) -> tuple[Appearance, tuple[str, ...]]:
    """Choose the look of the largest area where parts differ.

    Args:
        looks: Look of each part.
        areas: Area of each part, in any unit.

    Returns:
        The look, and a note where others were dropped.
    """
    totals: dict[Appearance, float] = {}
    for look, area in zip(looks, areas, strict=True):
        totals[look] = totals.get(look, 0.0) + area
    best = max(totals, key=lambda look: totals[look])
    if len(totals) == 1:
        return best, ()
    return best, (f"drawn with one of its {len(totals)} materials, that of the largest area",)


def surface_area(mesh: TriangleMesh) -> float:
    """Compute the area of all faces."""
    a, b, c = (mesh.vertices[mesh.faces[:, i]] for i in range(3))
    return float(0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=-1).sum())
