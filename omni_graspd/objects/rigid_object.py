# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""An object to be grasped."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from omni_graspd.plural import counted
from omni_graspd.usd.materials import Appearance
from omni_graspd.usd.meshes import TriangleMesh


@dataclass(frozen=True, eq=False)
class RigidObject:
    """A rigid object in the frame of its file: surface, mass properties, look and label."""

    name: str
    """Name of the object, a valid file name."""
    source: Path
    """File it was read from."""
    mesh: TriangleMesh
    """Welded surface [m], oriented outward; this is what grasps are computed on. No texture coordinates."""
    visual: TriangleMesh
    """Surface as it is drawn, with texture coordinates where the file has them [m]."""
    appearance: Appearance
    """Colour or texture (absolute path) of the visual surface."""
    closed: bool
    """Whether the surface encloses a volume; otherwise inside and outside come from winding numbers."""
    mass: float
    """Mass [kg]."""
    center_of_mass: np.ndarray
    """In the object frame [m], shape [3]."""
    inertia: np.ndarray
    """About the centre of mass, along the object's axes [kg m2], shape [3, 3]."""
    label: str
    """Semantic class."""
    convex_pieces: tuple[TriangleMesh, ...] = ()
    """Closed convex meshes that the file gives for collisions [m]; empty where they have to be made."""
    notes: tuple[str, ...] = ()
    """What reading changed or guessed (units, welding, repairs), one sentence each."""

    def __repr__(self) -> str:
        """Say what object it is; all its meshes would fill pages."""
        size = " x ".join(f"{1e3 * length:.0f}" for length in np.ptp(self.mesh.vertices, axis=0))
        faces = counted(len(self.mesh.faces), "face")
        return f"RigidObject({self.name}, {size} mm, {self.mass:.3g} kg, {faces}, {self.source})"
