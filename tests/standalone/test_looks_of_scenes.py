# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Random scenes as they are rendered: neither burnt nor black, the object in view, and the same files each time."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import numpy as np
import pytest
import trimesh

from omni_graspd.backend import load_backend
from omni_graspd.dataset.stages.scene_images import write_scene_images
from omni_graspd.objects.object_writer import write_object
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.rendering.cameras import CameraConfig, author_cameras, read_camera_rigs
from omni_graspd.rendering.frame import Frame, RenderConfig
from omni_graspd.scenes.scene_lights import LightConfig
from omni_graspd.scenes.scene_writer import OBJECT_PATH, SceneConfig, author_scene
from omni_graspd.scenes.table_looks import MATERIALS
from omni_graspd.scenes.textures.dome_texture import SURROUNDINGS
from omni_graspd.standalone.render import render
from omni_graspd.usd.materials import Appearance
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.stage import open_stage, save_stage

WIDTH, HEIGHT = 160, 120


@pytest.fixture(scope="module")
def can() -> RigidObject:
    shape = trimesh.creation.cylinder(0.035, 0.11, sections=48)
    mesh = TriangleMesh(np.array(shape.vertices), np.array(shape.faces, dtype=np.int32))
    look = Appearance((0.6, 0.55, 0.5), roughness=0.2, metallic=1.0)
    return RigidObject(
        "can", Path("can.obj"), mesh, mesh, look, True, 0.2, np.zeros(3), 1e-4 * np.eye(3), "can", (mesh,)
    )


def _scene(folder: Path, can: RigidObject, index: int, config: SceneConfig, camera: CameraConfig) -> Path:
    file, path = folder / "objects" / "can.usd", folder / "scenes" / "can" / f"scene_{index:04d}.usda"
    if not file.is_file():
        file.parent.mkdir(parents=True)
        write_object(can, file)
    pose = np.array([0.0, 0.0, 0.055, 0.0, 0.0, 0.0, 1.0])
    stage = author_scene(path, file, can, pose, index, config, 3)
    radius = float(np.linalg.norm(can.mesh.vertices, axis=1).max())
    author_cameras(stage, pose[:3], camera, 3, "can", index, target_radius=radius)
    save_stage(stage, path)
    return path


def _render(path: Path, config: RenderConfig) -> list[Frame]:
    async def collect() -> list[Frame]:
        stage = open_stage(path)
        return [frame async for frame in render(stage, read_camera_rigs(stage), config)]

    return asyncio.run(collect())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("material", "around"),
    [("metal", around) for around in SURROUNDINGS]
    + [(name, "studio") for name in (*MATERIALS, "plain") if name != "metal"],
)
def test_pictures_are_neither_burnt_nor_black_and_show_the_object(
    tmp_path: Path, can: RigidObject, material: str, around: str
):
    camera = CameraConfig(views=2, stereo=False, width=WIDTH, height=HEIGHT)
    scene = SceneConfig(table_looks=(material,), lights=LightConfig(surroundings=(around,)))
    for frame in _render(_scene(tmp_path, can, 0, scene, camera), RenderConfig(samples_per_pixel=4)):
        picture = frame.channels["rgb"].data[..., :3]
        assert (picture == 255).any(axis=-1).mean() < 0.01
        assert 70 < picture.mean() < 200
        boxes = frame.channels["bounding_box_2d_tight"]
        row = boxes.data[boxes.info["primPaths"].index(OBJECT_PATH)]
        size = max(row["y_max"] - row["y_min"] + 1, row["x_max"] - row["x_min"] + 1) / HEIGHT
        assert 0.25 < size < 0.8
        assert row["x_min"] > 0 and row["y_min"] > 0 and row["x_max"] < WIDTH - 1 and row["y_max"] < HEIGHT - 1


@pytest.mark.slow
def test_the_same_seed_makes_the_same_files(tmp_path: Path, can: RigidObject):
    camera = CameraConfig(views=1, width=64, height=48)
    backend, render_config = load_backend(), RenderConfig(samples_per_pixel=4)
    digests = []
    for name in ("one", "two"):
        for index in range(2):
            path = _scene(tmp_path / name, can, index, SceneConfig(), camera)
            stage = open_stage(path)
            folder = tmp_path / name / "renders" / str(index)
            asyncio.run(write_scene_images(backend, stage, read_camera_rigs(stage), render_config, folder))
        files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        digests.append({str(p.relative_to(tmp_path / name)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files})
    assert digests[0] == digests[1]
    # Scenes, textures and images are all there.
    assert {Path(file).suffix for file in digests[0]} >= {".usda", ".hdr", ".png", ".npy", ".json"}
