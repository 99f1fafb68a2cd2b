# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The first pass over several starts, presets, and what becomes of hands that find no object."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from omni_graspd.errors import GraspdError
from omni_graspd.objects.object_library import load_object
from omni_graspd.synthesis import search
from omni_graspd.synthesis.config import DraftConfig, SynthesisConfig
from omni_graspd.synthesis.models import hand_model, object_model
from omni_graspd.synthesis.presets import PRESETS, synthesis_preset
from omni_graspd.synthesis.starts import StartConfig, sample_starts
from omni_graspd.synthesis.synthesizer import synthesize

_ONE_START = DraftConfig(candidates=1, iterations=0)


@pytest.fixture(scope="module")
def can():
    return load_object("soup_can")


def test_the_candidate_that_escapes_least_goes_on(hand, can, monkeypatch):
    draft = DraftConfig(candidates=3, iterations=20, point_count=200)
    config = SynthesisConfig(draft=draft, iterations=1, point_count=200, translation_rate=0.0, tries=1)
    config = replace(config, rotation_rate=0.0, joint_rate=0.0)
    chosen = asyncio.run(synthesize(hand, can, [0, 4], config, seed=0))
    alone = replace(config.draft_pass(), draft=_ONE_START)

    def candidate(number):
        def starts(*arguments, candidates=1, **options):
            poses, actuated = sample_starts(*arguments, candidates=3, **options)
            return poses[number::3], actuated[number::3]

        monkeypatch.setattr(search, "sample_starts", starts)
        return asyncio.run(synthesize(hand, can, [0, 4], alone, seed=0))

    batches = [candidate(number) for number in range(3)]
    escapes = np.array([batch.losses["escape"] for batch in batches])
    assert (np.ptp(escapes, axis=0) > 0.0).all()
    for grasp, best in enumerate(escapes.argmin(axis=0)):
        np.testing.assert_allclose(chosen.T_object_palm[grasp], batches[best].T_object_palm[grasp], atol=1e-6)


def test_progress_counts_both_passes(hand, can):
    calls = []
    config = SynthesisConfig(draft=DraftConfig(iterations=30, point_count=100), iterations=25, point_count=100)
    asyncio.run(synthesize(hand, can, [0], config, seed=0, progress=lambda done, total: calls.append((done, total))))
    assert calls[0] == (0, 55)
    assert calls[-1] == (55, 55)
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)


def test_a_hand_that_ends_far_from_the_object_says_so(hand, can):
    config = SynthesisConfig(draft=_ONE_START, iterations=1, point_count=200, start=StartConfig(gap=0.15, jitter=0.0))
    batch = asyncio.run(synthesize(hand, can, [0, 1], config, seed=0))
    for status in batch.status:
        assert status.startswith("apart: the hand ends ")
        assert 5 < int(status.split()[4]) <= 160


def test_candidates_need_a_first_pass():
    with pytest.raises(GraspdError, match=r"synthesis\.draft\.candidates to 1"):
        DraftConfig(candidates=2, iterations=0)
    with pytest.raises(GraspdError, match="candidates to be at least 1"):
        DraftConfig(candidates=0)


def test_hands_and_objects_are_prepared_once(hand, can):
    config = SynthesisConfig()
    assert hand_model(hand, 300, "cpu") is hand_model(hand, 300, "cpu")
    assert hand_model(hand, 300, "cpu") is not hand_model(hand, 200, "cpu")
    assert object_model(can, config.distance, "cpu") is object_model(can, config.distance, "cpu")


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_makes_finite_grasps(hand, can, name):
    config = replace(synthesis_preset(name), iterations=3, point_count=100)
    batch = asyncio.run(synthesize(hand, can, [0, 1], config, seed=0))
    assert np.isfinite(batch.T_object_palm).all()
    assert all(status == "ok" or status.startswith("apart") for status in batch.status)


def test_an_unknown_preset_names_the_known():
    with pytest.raises(GraspdError, match="expected a preset among default, fast, paper, got 'quick'"):
        synthesis_preset("quick")
