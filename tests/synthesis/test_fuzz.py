# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Bad starts on bad meshes; ``benchmarks/fuzz_starts.py`` runs more of the same over all hands and objects."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from omni_graspd.objects.object_library import load_object
from omni_graspd.synthesis.config import DraftConfig, SynthesisConfig

_SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "fuzz_starts.py"
_CONFIG = SynthesisConfig(iterations=15, point_count=200, draft=DraftConfig(iterations=0, candidates=1))


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("fuzz_starts", _SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_bad_starts_on_bad_meshes_leave_no_row_marked_ok_without_numbers(script, hand, mug):
    tallies = script.fuzz([hand], [mug, load_object("card_box")], 300, _CONFIG)
    assert len(tallies) == len(script.DAMAGES)
    for name, tally in tallies.items():
        assert tally.status.total() > 20, name
        assert tally.not_finite == 0, name
    assert tallies["intact"].status["diverged"] == 0
    # The reader refuses what would need guessing, and mends the rest.
    assert set(tallies["holes"].reader) == {"refused"}
    assert set(tallies["degenerate_faces"].reader) == {"mended"}


@pytest.mark.parametrize("spoiled", ["palm", "quaternion", "joint"])
def test_starts_that_are_no_numbers_fail_alone(script, hand, mug, spoiled, monkeypatch):
    def starts(*arguments, **options):
        poses, actuated = script.sample_starts(*arguments, **options)
        indices = arguments[2]
        if 1 in indices:
            at = indices.index(1)
            row = {"palm": poses[at, :3], "quaternion": poses[at, 3:], "joint": actuated[at, 2:3]}[spoiled]
            row[:] = np.nan
        return poses, actuated

    monkeypatch.setattr(script.search, "sample_starts", starts)
    batch = script.asyncio.run(script.synthesizer.synthesize(hand, mug, range(3), _CONFIG, seed=0))
    assert batch.status[1] != "ok"
    assert np.isfinite(batch.T_object_palm[[0, 2]]).all()
    assert script.count_not_finite(batch) == 0


def test_a_number_that_is_not_finite_would_be_counted(script, hand, mug):
    batch = script.asyncio.run(script.synthesizer.synthesize(hand, mug, range(3), _CONFIG, seed=0))
    batch = script.replace(batch, status=("ok", "ok", "diverged"))
    batch.losses["stable"][[0, 2]] = np.nan
    assert script.count_not_finite(batch) == 1
