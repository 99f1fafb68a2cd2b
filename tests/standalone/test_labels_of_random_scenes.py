# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The label benchmark in small: random scenes against Embree, and the scalar variant bit by bit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CHECK = Path(__file__).resolve().parents[2] / "benchmarks" / "check_labels.py"


@pytest.mark.slow
def test_labels_of_random_scenes_agree_with_embree_and_between_variants():
    pytest.importorskip("embreex")
    command = [sys.executable, str(CHECK), "--scenes", "3", "--size", "160", "120", "--scalar", "3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "12 images of 3 scenes" in done.stdout
