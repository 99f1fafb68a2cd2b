# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A small dataset to look at."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest
import trimesh

from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.dataset.stages.pipeline import generate
from omni_graspd.metrics.evaluate import MetricsConfig
from omni_graspd.synthesis.config import DraftConfig, SynthesisConfig


@pytest.fixture(scope="session")
def made_dataset(tmp_path_factory) -> Path:
    """Four grasps each of a block and of a ball by the Barrett hand, 100 steps."""
    folder = tmp_path_factory.mktemp("inspected")
    trimesh.creation.box((0.05, 0.06, 0.07)).export(folder / "block.ply")
    trimesh.creation.icosphere(2, 0.03).export(folder / "ball.ply")
    config = GenerateConfig(
        hand=("barrett",),
        object=(str(folder / "block.ply"), str(folder / "ball.ply")),
        grasps=4,
        scenes=0,
        around="nothing",
        seed=3,
        out=folder / "set",
        synthesis=SynthesisConfig(
            iterations=100, point_count=300, draft=DraftConfig(candidates=2, iterations=20, point_count=200)
        ),
        metrics=MetricsConfig(point_count=400),
    )
    asyncio.run(generate(config))
    return folder / "set"


@pytest.fixture
def dataset(made_dataset, tmp_path) -> Path:
    """A copy of it that a test may damage."""
    return Path(shutil.copytree(made_dataset, tmp_path / "set"))
