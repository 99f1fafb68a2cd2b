# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Tests in PhysX as part of an evaluation that a notebook asks for, whose event loop is running."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from lift_jaws import make_block, make_jaws

from omni_graspd.dataset.evaluation import evaluation_chunk


def test_the_hold_test_waits_in_a_running_loop(tmp_path, monkeypatch: pytest.MonkeyPatch):
    async def measure_hold(*_, **__) -> SimpleNamespace:
        await asyncio.sleep(0.0)
        return SimpleNamespace(columns=lambda largest: {"held": np.array([True])})

    monkeypatch.setattr(evaluation_chunk, "measure_hold", measure_hold)
    block = make_block()
    block = replace(block, convex_pieces=(block.mesh,))

    async def in_a_notebook() -> dict[str, np.ndarray]:
        return evaluation_chunk._hold(
            make_jaws(tmp_path), block, np.zeros((1, 7)), np.zeros((1, 2)), evaluation_chunk.EvaluationSettings()
        )

    assert asyncio.run(in_a_notebook())["held"].tolist() == [True]
