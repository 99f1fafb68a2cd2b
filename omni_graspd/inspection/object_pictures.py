# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of single objects, for catalogues."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from pxr import UsdGeom

from omni_graspd.backend import Backend
from omni_graspd.geometry.convex_hull import convex_hull
from omni_graspd.inspection.studio import author_camera, author_lights, camera_pose, cut_out
from omni_graspd.objects.object_writer import write_object
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.rendering.frame import RenderConfig
from omni_graspd.usd.stage import create_stage

_VIEW = np.array([0.75, -0.55, 0.4])


async def draw_object(backend: Backend, rigid: RigidObject, size: int, config: RenderConfig) -> np.ndarray:
    """Draw an object from the front right and above, in a bright studio.

    Args:
        backend: What renders.
        rigid: The object.
        size: Edge of the picture [pixel].
        config: Rendering.

    Returns:
        sRGB picture, shape [size, size, 3], uint8.
    """
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / f"{rigid.name}.usd"
        write_drawn_object(rigid, file)
        stage = create_stage("World")
        UsdGeom.Xform.Define(stage, "/World/Object").GetPrim().GetReferences().AddReference(str(file))
        direction = _VIEW / np.linalg.norm(_VIEW)
        rig = author_camera(stage, "front", camera_pose(rigid.visual.vertices, direction), 2 * size)
        author_lights(stage, [direction])
        (picture,) = [cut_out(frame) async for frame in backend.render(stage, [rig], config)]
    return picture


def write_drawn_object(rigid: RigidObject, file: Path) -> None:
    """Write an object as USD for a picture: collision pieces are not drawn, and one hull spares making them."""
    write_object(replace(rigid, convex_pieces=(convex_hull(rigid.mesh.vertices),)), file)


def write_thumbnail(backend: Backend, rigid: RigidObject, path: Path) -> None:
    """Write a picture of 256 by 256 pixels, as SimReady packages want it."""
    from PIL import Image

    # Drawn at twice the size and halved: few samples suffice.
    picture = asyncio.run(draw_object(backend, rigid, 256, RenderConfig(samples_per_pixel=16, max_depth=4)))
    Image.fromarray(picture).save(path, format="PNG", optimize=True)
