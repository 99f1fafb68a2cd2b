# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Mesh files that robot descriptions name: finding them, package:// included, and reading them part by part."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import trimesh

from omni_graspd.errors import GraspdError
from omni_graspd.geometry.mesh_file import load_mesh_file
from omni_graspd.hands.importing.source_hand import SourceShape
from omni_graspd.named_file import is_file
from omni_graspd.plain_text import shortened
from omni_graspd.usd.materials import Appearance

_ENDINGS = (".stl", ".STL", ".obj", ".dae", ".DAE", ".glb")
"""Formats that meshes are looked for in, where the named one is missing."""


def find_mesh_file(name: str, description: Path) -> Path:
    """Find a mesh file that a robot description names.

    ``package://PACKAGE/REST`` is looked for as PACKAGE/REST and as REST in every folder above the description. Where
    the file is nowhere, one that has its name but another format's ending is taken.

    Raises:
        GraspdError: If it is nowhere; the message says where it was looked for.
    """
    folder = description.resolve().parent
    scheme, _, rest = name.rpartition("://")
    candidates = [folder / rest]
    if scheme in ("package", "model"):
        inside = rest.partition("/")[2]
        candidates = [above / part for above in (folder, *folder.parents) for part in (rest, inside)]
    others = [candidate.with_suffix(ending) for candidate in candidates if candidate.name for ending in _ENDINGS]
    found = next(filter(is_file, (*candidates, *others)), None)
    if found is not None:
        return found
    where = f"{folder} and the folders above it" if scheme in ("package", "model") else str(candidates[0].parent)
    raise GraspdError(
        f"expected the mesh {shortened(name)!r} that {description} uses, found none in "
        f"{shortened(where, 200)}; put it there or mend its path"
    )


def read_mesh_file(path: Path, scale: np.ndarray) -> list[SourceShape]:
    """Read a mesh file as shapes, one per part and material, scaled, in the frame of the file.

    Raises:
        GraspdError: If the format is unknown or needs a package that is missing, or the file has no triangles.
    """
    shapes = []
    for part in load_mesh_file(path).parts:
        mesh = trimesh.Trimesh(part.vertices, part.faces, process=False)
        mesh.apply_transform(np.diag([*scale, 1.0]))
        shapes.append(SourceShape(mesh, _look(part)))
    if not shapes:
        raise GraspdError(f"expected triangles in {path}, got none; re-export the mesh")
    return shapes


def linear_color(red: float, green: float, blue: float) -> tuple[float, float, float]:
    """Turn an sRGB colour, as robot descriptions have it, into a linear one."""
    srgb = np.clip(np.array([red, green, blue]), 0.0, 1.0)
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    r, g, b = (round(float(value), 4) for value in linear)
    return r, g, b


def _look(part: trimesh.Trimesh) -> Appearance | None:
    material = getattr(part.visual, "material", None)
    if material is None:
        return None
    red, green, blue = (float(value) / 255.0 for value in material.main_color[:3])
    return Appearance(color=linear_color(red, green, blue))
