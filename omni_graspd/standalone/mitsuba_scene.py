# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A USD stage as Mitsuba scenes: meshes with principled materials, emitters, and perspective sensors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from pxr import Usd

from omni_graspd.rendering.boxes import PixelBox
from omni_graspd.rendering.pinhole_camera import PinholeCamera
from omni_graspd.rendering.surfaces import Surface
from omni_graspd.standalone.mitsuba_lights import scene_emitters
from omni_graspd.standalone.mitsuba_materials import VERTEX_COLOR, MaterialLibrary

# By default, rays slip through where triangles meet: on scanned meshes, one pixel in two million.
_SCENE = {"type": "scene", "embree_use_robust_intersections": True}
_TO_MITSUBA_CAMERA = np.diag([-1.0, 1.0, -1.0, 1.0])


@dataclass(frozen=True)
class MitsubaScene:
    """The scenes of one stage. Geometry is shared between them."""

    lit: Any
    """Surfaces and lights, for the colour image; None where none is wanted."""
    bare: Any
    """Surfaces only, for labels."""
    meshes: tuple[Any, ...]
    """One mesh per surface."""
    surface_ids: np.ndarray
    """Surface index + 1 by Mitsuba's shape index, shape [largest shape index + 1]; 0 is no surface."""


def build_scene(mi: ModuleType, stage: Usd.Stage, surfaces: Sequence[Surface], *, lit: bool = True) -> MitsubaScene:
    """Convert a stage.

    Args:
        mi: Mitsuba with its variant set.
        stage: Where the lights are read from.
        surfaces: The stage's surfaces.
        lit: Whether materials and lights are wanted; labels need neither.

    Raises:
        GraspdError: If a texture is missing or cannot be read.
    """
    materials = MaterialLibrary(mi)
    meshes = [_mesh(mi, f"surface_{i}", surface, materials if lit else None) for i, surface in enumerate(surfaces)]
    bare, surface_ids = label_scene(mi, meshes, range(len(meshes)))
    if not lit:
        return MitsubaScene(None, bare, tuple(meshes), surface_ids)
    everything = [corner for s in surfaces for corner in (s.corners.min(axis=(0, 1)), s.corners.max(axis=(0, 1)))]
    bounds = np.array([np.min(everything, axis=0), np.max(everything, axis=0)]) if surfaces else np.zeros((2, 3))
    entries = dict(_named(meshes)) | scene_emitters(mi, stage, bounds, glows=any(map(materials.glows, surfaces)))
    return MitsubaScene(mi.load_dict(_SCENE | entries), bare, tuple(meshes), surface_ids)


def _named(meshes: Iterable[Any]) -> Iterable[tuple[str, Any]]:
    return ((f"surface_{index}", mesh) for index, mesh in enumerate(meshes))


def label_scene(mi: ModuleType, meshes: Sequence[Any], picked: Iterable[int]) -> tuple[Any, np.ndarray]:
    """Make a scene of some surfaces without lights.

    Returns:
        The scene, and surface index + 1 by Mitsuba's shape index (0 is no surface).
    """
    names = {f"surface_{index}": index + 1 for index in picked}
    scene = mi.load_dict(_SCENE | {name: meshes[row - 1] for name, row in names.items()})
    rows = [names[shape.id()] for shape in scene.shapes()]
    numbers = _shape_numbers(mi, scene)
    table = np.zeros(numbers.max(initial=0) + 1, dtype=np.int64)
    table[numbers] = rows
    return scene, table


def _shape_numbers(mi: ModuleType, scene: Any) -> np.ndarray:
    """Return what the channel ``shape_index`` says for each shape of a scene, in order."""
    count = len(scene.shapes())
    if mi.variant().startswith("scalar") or not count:
        return np.arange(1, count + 1)
    # Vectorised variants count all shapes that are alive in the process, other scenes' included.
    import drjit

    return np.array(drjit.reinterpret_array(mi.UInt32, scene.shapes_dr())).astype(np.int64)


def _mesh(mi: ModuleType, name: str, surface: Surface, materials: MaterialLibrary | None) -> Any:
    properties = mi.Properties()
    if materials is not None:
        properties["mesh_bsdf"] = materials.bsdf(surface)
        if materials.glows(surface):
            properties["mesh_emitter"] = materials.emitter(surface)
    count = len(surface.corners)
    has_uvs = surface.uvs is not None
    mesh = mi.Mesh(name, 3 * count, count, has_vertex_normals=True, has_vertex_texcoords=has_uvs, props=properties)
    if surface.colors is not None:
        mesh.add_attribute(VERTEX_COLOR, 3, _flat(surface.colors))
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
