# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""All kernels are compiled before threads start: two that compile at once crash Warp 1.8."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

# A process of its own, in which nothing is loaded yet.
_SCRIPT = """
import json, sys
import warp as wp
from box_hands import box_mesh, gripper
from table_bench import find, table
from omni_graspd.objects.object_library import load_object
from omni_graspd.synthesis import synthesizer

def loaded():
    names = [name for name in sys.modules if name.startswith("omni_graspd.") and name.endswith("_kernels")]
    return {name for name in names if wp.get_module(name).execs}

search, before = synthesizer.find_grasps, []

def watched(*arguments, **options):
    before.append(loaded())
    return search(*arguments, **options)

synthesizer.find_grasps = watched
block = load_object("wood_block")
around = table(block, obstacles=(box_mesh((0.1, 0.1, 0.1), (0.4, 0.0, 0.1)),))
batch = find(gripper(), block, range(2), around, tries=1, iterations=2)
json.dump({"late": sorted(loaded() - before[0]), "loaded": sorted(loaded())}, sys.stdout)
"""


@pytest.mark.slow
def test_threads_find_all_kernels_loaded():
    folders = [str(Path(__file__).parent), *sys.path]
    script = f"import sys; sys.path[:0] = {folders!r}\n{_SCRIPT}"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    found = json.loads(run.stdout[run.stdout.index("{") :])
    assert "omni_graspd.synthesis.fused_kernels" in found["loaded"]
    assert "omni_graspd.synthesis.crossing_kernels" in found["loaded"]
    assert found["late"] == []
