# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Among neighbours each scene is a rest pose of its own, and its grasps are made around what lies there."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.run import open_run
from omni_graspd.dataset.scene_files import read_rest
from omni_graspd.dataset.stages import synthesize_stage
from omni_graspd.dataset.stages.pipeline import generate
from omni_graspd.dataset.tables import read_grasps, read_scene_grasps
from omni_graspd.dataset.verification.verify import verify_dataset
from omni_graspd.synthesis.surroundings import Surroundings
from omni_graspd.usd.transforms import transform_points


@pytest.fixture
def config(resting_config: GenerateConfig, tmp_path: Path) -> GenerateConfig:
    """A block with two others beside it, in four scenes of which two have the same rest pose without them."""
    return replace(
        resting_config,
        scene=replace(resting_config.scene, clutter=2),
        camera=replace(resting_config.camera, views=0),
        out=tmp_path / "set",
    )


@pytest.mark.slow
@pytest.mark.usefixtures("ways")
def test_each_scene_has_grasps_of_its_own(config: GenerateConfig):
    asyncio.run(generate(config))
    layout = DatasetLayout(config.out)
    table = read_grasps(layout.grasps("barrett", "block"))
    assert table.rest_poses is not None and table.rest_poses.tolist() == np.repeat(range(4), 3).tolist()
    for scene in range(4):
        placed = read_scene_grasps(layout.scene_grasps("block", scene))
        assert placed.rest_pose == scene
        assert placed.grasp_indices.tolist() == [scene * 1_000_000 + number for number in range(3)]
    assert verify_dataset(config.out).faults == ()


@pytest.mark.slow
def test_obstacles_are_the_neighbours_where_they_lie(config: GenerateConfig, monkeypatch: pytest.MonkeyPatch):
    seen: list[Surroundings] = []

    async def synthesize(hand, obj, indices, config, *, surroundings, **options):
        seen.append(surroundings)
        raise RuntimeError("seen enough")

    monkeypatch.setattr(synthesize_stage, "synthesize", synthesize)
    with pytest.raises(RuntimeError, match="seen enough"):
        asyncio.run(generate(config))
    with open_run(config) as run:
        T_world_object, neighbours = read_rest(run.layout.scene("block", 0), run.objects)
    assert len(neighbours) == len(seen[0].obstacles) == 2
    for neighbour, obstacle in zip(neighbours, seen[0].obstacles, strict=True):
        in_world = transform_points(neighbour.T_world_object, neighbour.obj.mesh.vertices)
        np.testing.assert_allclose(transform_points(T_world_object, obstacle.vertices), in_world, atol=1e-9)
        assert in_world[:, 2].min() > -1e-4
