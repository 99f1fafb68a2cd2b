# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Small finished datasets that several tests read."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_dataset import small_config

from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.dataset.stages import synthesize_stage
from omni_graspd.dataset.stages.pipeline import generate
from omni_graspd.dataset.verification import verify_recompute
from omni_graspd.rendering.cameras import CameraConfig
from omni_graspd.synthesis.grasp import GraspBatch, Way
from omni_graspd.synthesis.synthesizer import synthesize


@pytest.fixture(scope="session")
def block_dataset(tmp_path_factory) -> Path:
    """Three grasps of a floating block by the Barrett hand, one scene, two stereo views; to be read only."""
    config = small_config(
        tmp_path_factory.mktemp("block_dataset"),
        grasps=3,
        around="nothing",
        camera=CameraConfig(views=2, width=48, height=36),
    )
    asyncio.run(generate(config))
    return config.out


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> None:
    """Grasps over a table have ways that are known beforehand."""
    for module in (synthesize_stage, verify_recompute):
        monkeypatch.setattr(module, "synthesize", synthesize_with_ways)


@pytest.fixture(scope="session")
def resting_config(tmp_path_factory: pytest.TempPathFactory) -> GenerateConfig:
    """Settings of a block that lies in four scenes in three ways, of which one comes back; without images."""
    return small_config(tmp_path_factory.mktemp("resting"), grasps=3, scenes=4, seed=2)


@pytest.fixture(scope="session")
def resting_dataset(resting_config: GenerateConfig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The dataset of these settings, with ways; to be read only."""
    out = tmp_path_factory.mktemp("resting_dataset") / "set"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(synthesize_stage, "synthesize", synthesize_with_ways)
        asyncio.run(generate(replace(resting_config, out=out)))
    yield out


async def synthesize_with_ways(hand, obj, indices, config, *, surroundings, **options) -> GraspBatch:
    """Find grasps as if nothing were around, and give them ways over the table: 3 cm up, then up to a pregrasp.

    Every third grasp counts as unusable. What is tested is what becomes of ways, not how they are found.
    """
    batch = await synthesize(hand, obj, indices, config, **options)
    if surroundings.is_empty:
        return batch
    count, up = len(indices), surroundings.plane[:3]
    hover, pregrasp = batch.T_object_palm.copy(), batch.T_object_palm.copy()
    hover[:, :3] += 0.03 * up
    pregrasp[:, :3] += 0.08 * up
    numbers = np.array(indices, dtype=np.float64)
    way = Way(
        table_plane=np.tile(surroundings.plane, (count, 1)),
        T_object_hover_palm=hover,
        lift_direction=np.tile(up, (count, 1)),
        approach_clearance=1e-3 + 1e-9 * numbers,
        closing_clearance=2e-3 + 1e-9 * numbers,
        grasp_clearance=3e-3 + 1e-9 * numbers,
        squeeze_clearance=4e-3 + 1e-9 * numbers,
        lift_clearance=np.full(count, np.nan),
        usable=batch.ok & (numbers.astype(int) % 3 < 2),
        tries=(1 + numbers.astype(int) % 2).astype(np.int32),
        rejected=tuple("no way in" if index % 2 else "" for index in indices),
    )
    assert batch.postures is not None
    return replace(batch, postures=replace(batch.postures, T_object_pregrasp_palm=pregrasp), way=way)
