# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What an object to be written consists of."""

from __future__ import annotations

from dataclasses import dataclass

from PIL.Image import Image

from omni_graspd.usd.meshes import TriangleMesh


@dataclass(frozen=True)
class Design:
    """An object to be written."""

    surface: TriangleMesh
    """Closed surface with texture coordinates [m]; it stands on z = 0."""
    pieces: tuple[TriangleMesh, ...]
    """Convex collision pieces [m]."""
    texture: Image
    """Colour texture."""
    mass: float
    """Mass [kg]."""
    label: str
    """Semantic class."""
    roughness: float
    """Roughness of the surface."""
