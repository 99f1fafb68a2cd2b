# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A small finished dataset that several tests read."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import trimesh

from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.dataset.pipeline import generate
from omni_graspd.metrics.evaluate import MetricsConfig
from omni_graspd.rendering.cameras import CameraConfig
from omni_graspd.rendering.frame import RenderConfig
from omni_graspd.synthesis.config import SynthesisConfig


@pytest.fixture(scope="session")
def block_dataset(tmp_path_factory) -> Path:
    """Three grasps of a block by the Barrett hand, one scene, two stereo views; to be read only."""
    folder = tmp_path_factory.mktemp("block_dataset")
    trimesh.creation.box((0.05, 0.06, 0.07)).export(folder / "block.ply")
    config = GenerateConfig(
        hand=("barrett",),
        object=(str(folder / "block.ply"),),
        grasps=3,
        scenes=1,
        out=folder / "set",
        synthesis=SynthesisConfig(iterations=20),
        metrics=MetricsConfig(point_count=400),
        camera=CameraConfig(views=2, width=48, height=36),
        render=RenderConfig(samples_per_pixel=1, denoise=False, variant="scalar_rgb"),
    )
    asyncio.run(generate(config))
    return folder / "set"
