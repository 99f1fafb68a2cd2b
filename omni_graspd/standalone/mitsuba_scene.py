# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A USD stage as Mitsuba scenes: meshes with principled materials, emitters, and perspective sensors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from pxr import Usd

from omni_graspd.errors import GraspdError
from omni_graspd.rendering.boxes import PixelBox
from omni_graspd.rendering.pinhole_camera import PinholeCamera
from omni_graspd.rendering.surfaces import Surface
from omni_graspd.standalone.mitsuba_lights import scene_emitters
from omni_graspd.usd.materials import Appearance

_TO_MITSUBA_CAMERA = np.diag([-1.0, 1.0, -1.0, 1.0])


@dataclass(frozen=True)
class MitsubaScene:
    """The scenes of one stage. Geometry is shared between them."""

    lit: Any
    """Surfaces and lights, for the colour image."""
    bare: Any
    """Surfaces only, for labels."""
    meshes: tuple[Any, ...]
    """One mesh per surface."""
    surface_ids: np.ndarray
    """Surface index + 1 by Mitsuba's shape index in ``bare``, shape [surface_count + 1]; 0 is no surface."""


def build_scene(mi: ModuleType, stage: Usd.Stage, surfaces: Sequence[Surface]) -> MitsubaScene:
    """Convert a stage.

    Args:
        mi: Mitsuba with its variant set.
        stage: Where the lights are read from.
        surfaces: The stage's surfaces.

    Raises:
        GraspdError: If a texture is missing or cannot be read.
    """
    materials: dict[Appearance, Any] = {}
    meshes = []
    for index, surface in enumerate(surfaces):
        look = surface.appearance
        if look not in materials:
            materials[look] = _load_material(mi, look)
        meshes.append(_mesh(mi, f"surface_{index}", surface, materials[look]))
    bare, surface_ids = label_scene(mi, meshes, range(len(meshes)))
    everything = np.concatenate([s.corners.reshape(-1, 3) for s in surfaces]) if surfaces else np.zeros((1, 3))
    bounds = np.stack([everything.min(axis=0), everything.max(axis=0)])
    lit = mi.load_dict({"type": "scene"} | dict(_named(meshes)) | scene_emitters(mi, stage, bounds))
    return MitsubaScene(lit, bare, tuple(meshes), surface_ids)


def _named(meshes: Iterable[Any]) -> Iterable[tuple[str, Any]]:
    return ((f"surface_{index}", mesh) for index, mesh in enumerate(meshes))


def label_scene(mi: ModuleType, meshes: Sequence[Any], picked: Iterable[int]) -> tuple[Any, np.ndarray]:
    """Make a scene of some surfaces without lights.

    Returns:
        The scene, and surface index + 1 by shape index (0 is no surface).
    """
    names = {f"surface_{index}": index + 1 for index in picked}
    scene = mi.load_dict({"type": "scene"} | {name: meshes[row - 1] for name, row in names.items()})
    return scene, np.array([0] + [names[shape.id()] for shape in scene.shapes()], dtype=np.int64)


def _mesh(mi: ModuleType, name: str, surface: Surface, material: Any) -> Any:
    properties = mi.Properties()
    properties["mesh_bsdf"] = material
    count = len(surface.corners)
    has_uvs = surface.uvs is not None
    mesh = mi.Mesh(name, 3 * count, count, has_vertex_normals=True, has_vertex_texcoords=has_uvs, props=properties)
    parameters = mi.traverse(mesh)
    parameters["vertex_positions"] = _flat(surface.corners)
    parameters["vertex_normals"] = _flat(surface.normals)
    parameters["faces"] = np.arange(3 * count, dtype=np.uint32)
    if surface.uvs is not None:
        parameters["vertex_texcoords"] = _flat(surface.uvs * [1.0, -1.0] + [0.0, 1.0])
    parameters.update()
    return mesh


def _flat(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array, dtype=np.float32).ravel()


def _load_material(mi: ModuleType, look: Appearance) -> Any:
    if look.texture is not None and not Path(look.texture).is_file():
        raise GraspdError(f"expected a texture at {look.texture!r}, which does not exist; mend the material's path")
    try:
        return mi.load_dict(_material(look))
    except RuntimeError as error:
        raise GraspdError(f"expected a readable texture, got {look.texture!r}; save it again as PNG or JPEG") from error


def _material(look: Appearance) -> dict[str, Any]:
    color: dict[str, Any] = {"type": "rgb", "value": [min(max(float(c), 0.0), 1.0) for c in look.color]}
    if look.texture is not None:
        color = {"type": "bitmap", "filename": look.texture, "wrap_mode": "repeat"}
    principled = {
        "type": "principled",
        "base_color": color,
        "roughness": min(max(look.roughness, 0.03), 1.0),
        "metallic": min(max(look.metallic, 0.0), 1.0),
    }
    return {"type": "twosided", "bsdf": principled}


def make_sensor(mi: ModuleType, camera: PinholeCamera, sampler: dict[str, Any], crop: PixelBox | None = None) -> Any:
    """Make a sensor with a box filter, so that a pixel's value comes from its own samples only.

    Args:
        mi: Mitsuba with its variant set.
        camera: The camera.
        sampler: Sampler for ``mi.load_dict``.
        crop: Part of the image to render; all of it by default.
    """
    film: dict[str, Any] = {
        "type": "hdrfilm",
        "width": camera.width,
        "height": camera.height,
        "rfilter": {"type": "box"},
        "pixel_format": "rgb",
        "component_format": "float32",
    }
    if crop is not None:
        x_min, y_min, x_max, y_max = crop
        film |= {"crop_offset_x": x_min, "crop_offset_y": y_min}
        film |= {"crop_width": x_max - x_min + 1, "crop_height": y_max - y_min + 1}
    center_offset = 0.5 - camera.principal_point / [camera.width, camera.height]
    return mi.load_dict(
        {
            "type": "perspective",
            "fov_axis": "x",
            "fov": float(np.degrees(2.0 * np.arctan(camera.width / 2 / camera.focal_pixels))),
            "near_clip": camera.near_far[0],
            "far_clip": camera.near_far[1],
            "principal_point_offset_x": float(center_offset[0]),
            "principal_point_offset_y": float(center_offset[1]),
            "to_world": mi.ScalarTransform4f(camera.T_world_camera @ _TO_MITSUBA_CAMERA),
            "film": film,
            "sampler": sampler,
        }
    )
