# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A small dataset to look at."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest
from small_dataset import ball_file, block_file, small_config

from omni_graspd.dataset.stages.pipeline import generate
from omni_graspd.synthesis.config import DraftConfig, SynthesisConfig


@pytest.fixture(scope="session")
def made_dataset(tmp_path_factory) -> Path:
    """Four grasps each of a block and of a ball by the Barrett hand, 100 steps."""
    folder = tmp_path_factory.mktemp("inspected")
    config = small_config(
        folder,
        object=(str(block_file(folder)), str(ball_file(folder))),
        grasps=4,
        scenes=0,
        around="nothing",
        seed=3,
        synthesis=SynthesisConfig(
            iterations=100, point_count=300, draft=DraftConfig(candidates=2, iterations=20, point_count=200)
        ),
    )
    asyncio.run(generate(config))
    return config.out


@pytest.fixture
def dataset(made_dataset, tmp_path) -> Path:
    """A copy of it that a test may damage."""
    return Path(shutil.copytree(made_dataset, tmp_path / "set"))
