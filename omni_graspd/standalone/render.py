# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Rendering outside Kit: path-traced colour and exact labels with Mitsuba.

The colour image is path-traced, denoised and exposed automatically, with one exposure for both eyes of a rig.
Labels and distances come from one ray through each pixel's centre, so they are free of mixed pixels.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from types import ModuleType
from typing import Any

import numpy as np
from pxr import Usd

from omni_graspd.rendering.annotators import ANNOTATORS
from omni_graspd.rendering.boxes import PixelBox, box_channels, occlusion_ratio, projected_box
from omni_graspd.rendering.exposure import auto_exposure, develop
from omni_graspd.rendering.frame import AnnotatorData, CameraRig, Frame, RenderConfig
from omni_graspd.rendering.instances import Instance, find_instances, id_tables, instance_info, semantic_info
from omni_graspd.rendering.pinhole_camera import PinholeCamera, read_pinhole_camera
from omni_graspd.rendering.surfaces import read_surfaces
from omni_graspd.seeding import random_generator
from omni_graspd.standalone.mitsuba_scene import MitsubaScene, build_scene, label_scene, make_sensor
from omni_graspd.standalone.mitsuba_variant import load_mitsuba

_CENTER_RAY = {"type": "stratified", "jitter": False, "sample_count": 1}
_SCALAR_GUIDE_SAMPLES = 4


async def render(stage: Usd.Stage, rigs: list[CameraRig], config: RenderConfig) -> AsyncIterator[Frame]:
    """Render all annotator channels for each camera: rigs in order, left before right.

    The stage is read once, before the first frame, and not changed. Same stage, rigs and configuration, same frames;
    a camera's samples depend on the seed and its path only.

    Args:
        stage: The stage.
        rigs: What to render.
        config: How.

    Yields:
        One frame per camera.

    Raises:
        GraspdError: If a camera or a texture is missing, or the variant cannot be used.
    """
    mi = load_mitsuba(config.variant)
    surfaces = read_surfaces(stage)
    renderer = _StageRenderer(mi, build_scene(mi, stage, surfaces), find_instances(stage, surfaces), config)
    for rig in rigs:
        cameras = [read_pinhole_camera(stage, path, rig.width, rig.height) for path in rig.camera_paths]
        radiance = []
        for camera in cameras:
            await asyncio.sleep(0)
            radiance.append(renderer.radiance(camera))
        exposure = auto_exposure(radiance)
        for camera, image in zip(cameras, radiance, strict=True):
            await asyncio.sleep(0)
            rgb = AnnotatorData(develop(image, exposure), {})
            yield Frame(camera.path, {"rgb": rgb} | renderer.labels(camera))


class _StageRenderer:
    """The scenes of one stage and what is rendered from them."""

    def __init__(
        self, mi: ModuleType, scene: MitsubaScene, instances: Sequence[Instance], config: RenderConfig
    ) -> None:
        self._mi = mi
        self._scene = scene
        self._instances = instances
        self._config = config
        self._instance_ids, self._semantic_ids = id_tables(instances, len(scene.meshes))
        self._alone = [label_scene(mi, scene.meshes, instance.surfaces)[0] for instance in instances]
        self._path = mi.load_dict({"type": "path", "max_depth": config.max_depth})
        self._guides = mi.load_dict({"type": "aov", "aovs": "albedo:albedo,normal:sh_normal"})
        self._geometry = mi.load_dict({"type": "aov", "aovs": "p:position,n:sh_normal,s:shape_index"})
        self._silhouette = mi.load_dict({"type": "aov", "aovs": "s:shape_index"})

    def _render(self, scene: Any, integrator: Any, sensor: Any, samples: int, seed: int = 0) -> np.ndarray:
        return np.array(self._mi.render(scene, integrator=integrator, sensor=sensor, spp=samples, seed=seed))

    def radiance(self, camera: PinholeCamera) -> np.ndarray:
        """Return linear radiance, shape [height, width, 3]."""
        samples = self._config.samples_per_pixel
        seed = int(random_generator(self._config.seed, "render", camera.path).integers(2**31))
        sensor = make_sensor(self._mi, camera, {"type": "multijitter", "sample_count": samples})
        image = self._render(self._scene.lit, self._path, sensor, samples, seed)
        if not self._config.denoise:
            return image
        if self._mi.variant().startswith("scalar"):
            samples = min(samples, _SCALAR_GUIDE_SAMPLES)
            sensor = make_sensor(self._mi, camera, {"type": "multijitter", "sample_count": samples})
        guides = self._render(self._scene.bare, self._guides, sensor, samples, seed)
        return _denoise(image, guides[..., :3], guides[..., 3:])

    def labels(self, camera: PinholeCamera) -> dict[str, AnnotatorData]:
        """Return every channel but the colour image."""
        sensor = make_sensor(self._mi, camera, _CENTER_RAY)
        image = self._render(self._scene.bare, self._geometry, sensor, 1)
        surface = self._scene.surface_ids[np.rint(image[..., 6]).astype(np.int64)]
        hit = surface > 0
        instance_image = self._instance_ids[surface]
        loose, occlusion = self._loose_boxes(camera, instance_image)
        arrays = _distances(camera, image[..., :3], hit) | {
            "normals": np.where(hit[..., None], np.concatenate([image[..., 3:6], np.ones_like(image[..., :1])], -1), 0),
            "semantic_segmentation": self._semantic_ids[surface],
            "instance_segmentation": instance_image,
        }
        infos = {
            "semantic_segmentation": semantic_info(self._instances),
            "instance_segmentation": instance_info(self._instances),
        }
        channels = {
            name: AnnotatorData(array.astype(ANNOTATORS[name].dtype), infos.get(name, {}))
            for name, array in arrays.items()
        }
        channels |= box_channels(self._instances, camera, instance_image, loose, occlusion)
        channels["camera_params"] = AnnotatorData(np.zeros(0, dtype=np.float32), camera.camera_params())
        return channels

    def _loose_boxes(
        self, camera: PinholeCamera, instance_image: np.ndarray
    ) -> tuple[dict[int, PixelBox], dict[int, float]]:
        """Return projected box and occlusion ratio by instance id; each prim is traced alone within its box."""
        visible = np.bincount(instance_image.ravel(), minlength=2 + len(self._instances))
        boxes, occlusion = {}, {}
        for instance, alone in zip(self._instances, self._alone, strict=True):
            box = projected_box(instance.corners, camera)
            if box is None:
                continue
            sensor = make_sensor(self._mi, camera, _CENTER_RAY, crop=box)
            unoccluded = int(np.count_nonzero(self._render(alone, self._silhouette, sensor, 1)))
            boxes[instance.instance_id] = box
            occlusion[instance.instance_id] = occlusion_ratio(int(visible[instance.instance_id]), unoccluded)
        return boxes, occlusion


def _distances(camera: PinholeCamera, positions: np.ndarray, hit: np.ndarray) -> dict[str, np.ndarray]:
    local = camera.to_camera(positions)
    return {
        "distance_to_camera": np.where(hit, np.linalg.norm(local, axis=-1), np.inf),
        "distance_to_image_plane": np.where(hit, -local[..., 2], np.inf),
    }


def _denoise(image: np.ndarray, albedo: np.ndarray, normals: np.ndarray) -> np.ndarray:
    import mitsuba_oidn

    guides = [np.ascontiguousarray(guide, dtype=np.float32) for guide in (albedo, normals)]
    denoised = mitsuba_oidn.denoise(np.ascontiguousarray(image, dtype=np.float32), *guides, hdr=True, clean_aux=True)
    return np.maximum(np.array(denoised), 0.0)
