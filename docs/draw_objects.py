# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Draw every built-in object from two sides, with its size, mass and number of faces.

python docs/draw_objects.py [PICTURE]
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import numpy as np
from pxr import UsdGeom

from omni_graspd.backend import Backend, load_backend
from omni_graspd.inspection.picture_grid import Column, Tile, compose_columns
from omni_graspd.inspection.studio import author_camera, author_lights, camera_pose, cut_out
from omni_graspd.library import list_names
from omni_graspd.objects.object_library import load_object
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.rendering.frame import RenderConfig
from omni_graspd.usd.stage import create_stage

VIEWS = ((0.45, -1.0, 0.55), (-0.9, 0.6, 0.75))
"""Directions from the object to the cameras."""


async def draw_object(backend: Backend, rigid: RigidObject, size: int) -> list[np.ndarray]:
    """Return one picture per view, each [size, size, 3], sRGB."""
    stage = create_stage("World")
    UsdGeom.Xform.Define(stage, "/World/Object").GetPrim().GetReferences().AddReference(str(rigid.source))
    directions = [np.array(view) / np.linalg.norm(view) for view in VIEWS]
    poses = [camera_pose(rigid.mesh.vertices, direction) for direction in directions]
    rigs = [author_camera(stage, f"view_{index}", pose, 2 * size) for index, pose in enumerate(poses)]
    author_lights(stage, directions)
    return [cut_out(frame) async for frame in backend.render(stage, rigs, RenderConfig())]


def describe(rigid: RigidObject) -> str:
    """Return size, mass and face count in one line."""
    size = " x ".join(f"{1e3 * extent:.0f}" for extent in np.ptp(rigid.mesh.vertices, axis=0))
    return f"{size} mm · {1e3 * rigid.mass:.0f} g · {len(rigid.mesh.faces):,} faces"


def main(picture: Path = Path("objects.jpg"), size: int = 290) -> None:
    """Write the picture."""
    from PIL import Image

    backend, columns = load_backend("auto"), []
    for name in list_names("objects"):
        rigid = load_object(name)
        drawn = asyncio.run(draw_object(backend, rigid, size))
        columns.append(Column(name, describe(rigid), (tuple(Tile(view, "") for view in drawn),)))
    page = Image.fromarray(compose_columns("Built-in objects", "each from two sides, not to scale", columns))
    page.save(picture, quality=82, optimize=True)


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:]))
