# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The object of a depth image as far as it is known: the convex hull of what is seen, down to the table."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from omni_graspd.geometry.convex_hull import convex_hull
from omni_graspd.objects.mass_properties import solid_properties
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.prediction.crop import Crop
from omni_graspd.usd.materials import Appearance
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import transform_points

_DENSITY = 300.0
_LOOK = Appearance(color=(0.55, 0.6, 0.68), roughness=0.7)


def seen_object(crop: Crop, name: str = "seen") -> RigidObject:
    """Return a stand-in for an object of which nothing but an image is known.

    It is the convex hull of the seen points and of those of them that lie lowest, carried down to the table: the side
    that the camera does not see is missing. Its frame is the camera's.

    Args:
        crop: Points on the object.
        name: Name that it gets.
    """
    points = np.asarray(crop.points, dtype=np.float64)
    foot = points.copy()
    foot[:, 2] = min(0.0, float(points[:, 2].min()))
    hull = convex_hull(transform_points(crop.T_camera_crop, np.concatenate([points, foot])))
    mesh = TriangleMesh(hull.vertices, hull.faces)
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
        convex_pieces=(hull,),
        notes=("the convex hull of what a camera sees",),
    )
