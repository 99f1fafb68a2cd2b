# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A stand-in for the object of a depth image: the surface that the model guesses, the unseen side included."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from omni_graspd.geometry.convex_hull import convex_hull
from omni_graspd.geometry.manifold_surface import from_manifold
from omni_graspd.objects.mass_properties import solid_properties
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.prediction.predictor import GuessedShape
from omni_graspd.prediction.shape_grid import DEEP, SIDE
from omni_graspd.usd.materials import Appearance
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import transform_points

_DENSITY = 300.0
_LOOK = Appearance(color=(0.55, 0.6, 0.68), roughness=0.7)


def guessed_object(
    shape: GuessedShape, T_object_crop: np.ndarray, name: str = "seen", grown: float = 0.0
) -> RigidObject:
    """Return what a model guesses an object to be, as an object.

    Args:
        shape: The guess.
        T_object_crop: The crop frame in the frame that the object is to have, shape [7].
        name: Name that it gets.
        grown: How far its surface lies outside the guessed one [m]; its foot stays on the table.
    """
    mesh = _surface(shape, grown / shape.place.spacing)
    mesh = TriangleMesh(transform_points(T_object_crop, mesh.vertices), mesh.faces)
    volume, center, inertia = solid_properties(mesh)
    return RigidObject(
        name=name,
        source=Path(f"{name}.ply"),
        mesh=mesh,
        visual=mesh,
        appearance=_LOOK,
        closed=True,
        mass=_DENSITY * volume,
        center_of_mass=center,
        inertia=_DENSITY * inertia,
        label=name,
        notes=("guessed from what a camera sees",),
    )


def _surface(shape: GuessedShape, grown: float) -> TriangleMesh:
    """Return the largest piece of the guessed surface in the crop frame; the hull of the innermost voxels if none.

    Args:
        shape: The guess.
        grown: How far outside it [voxel].
    """
    from manifold3d import Manifold

    values = shape.distances.tolist()

    def inside(x: float, y: float, z: float) -> float:
        return -max(_between(values, x, y, z) - grown, -z)

    solid = Manifold.level_set(inside, [-1.0, -1.0, -1.0, SIDE, SIDE, SIDE], 1.0)
    pieces = sorted(solid.decompose(), key=lambda piece: piece.volume())
    if pieces and pieces[-1].volume() > 1.0:
        mesh = from_manifold(pieces[-1], has_uvs=False)
    else:
        inner = np.argsort(shape.distances, axis=None)[:8]
        middle = np.stack(np.unravel_index(inner, shape.distances.shape), axis=-1).astype(np.float64)
        cube = np.moveaxis(np.indices((2, 2, 2)), 0, -1).reshape(-1, 3) - 0.5
        mesh = convex_hull((middle[:, None] + cube).reshape(-1, 3))
    return TriangleMesh(shape.place.origin + shape.place.spacing * mesh.vertices, mesh.faces)


def _between(values: list[list[list[float]]], x: float, y: float, z: float) -> float:
    """Interpolate linearly between voxels, one point at a time; far away outside of them."""
    last = SIDE - 1
    if not (0.0 <= x <= last and 0.0 <= y <= last and z <= last):
        return DEEP
    z = max(z, 0.0)
    i, j, k = min(int(x), last - 1), min(int(y), last - 1), min(int(z), last - 1)
    u, v, w = x - i, y - j, z - k
    sides = []
    for plane in (values[i], values[i + 1]):
        near, far = plane[j], plane[j + 1]
        low = near[k] + w * (near[k + 1] - near[k])
        sides.append(low + v * (far[k] + w * (far[k + 1] - far[k]) - low))
    return sides[0] + u * (sides[1] - sides[0])
