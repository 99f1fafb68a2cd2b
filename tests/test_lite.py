# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""omni-graspd-lite: what it comes without is known, said where it is needed, and needed nowhere else."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from omni_graspd.errors import GraspdError
from omni_graspd.full_install import require_installed

ROOT = Path(__file__).resolve().parents[1]
_WITHOUT = "import sys; sys.modules.update(dict.fromkeys(('ovphysx', 'ovstage', 'mitsuba', 'mitsuba_oidn', 'coacd')));"


def _settings(monkeypatch: pytest.MonkeyPatch) -> dict:
    setuptools = pytest.importorskip("setuptools")
    given: dict = {}
    monkeypatch.setattr(setuptools, "setup", lambda **settings: given.update(settings))
    given["LEFT_OUT"] = runpy.run_path(str(ROOT / "lite" / "setup.py"))["LEFT_OUT"]
    return given


def test_it_is_the_whole_package_without_some_of_its_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    lite = _settings(monkeypatch)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    left_out = set(project["dependencies"]) - set(lite["install_requires"])
    assert {re.split("[<>=]", need)[0] for need in left_out} == lite["LEFT_OUT"]
    assert lite["version"] == project["version"]
    for package, folder in lite["package_dir"].items():
        assert (ROOT / "lite" / folder).is_dir(), package


@pytest.mark.slow
def test_what_is_missing_is_named_where_it_is_needed() -> None:
    code = _WITHOUT + "from omni_graspd.cli.main import main; main(['generate', '--object', 'mug'])"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line == (
        "error: simulation needs ovphysx, which omni-graspd-lite does not include; for everything, run "
        "`pip install omni-graspd`, or `pip install .` in a clone"
    )
    require_installed("numpy", "everything")
    with pytest.raises(GraspdError, match="an object with hollows needs no_such_package, which"):
        require_installed("no_such_package", "an object with hollows")


@pytest.mark.slow
def test_grasps_are_made_measured_and_read_without_simulator_and_renderer() -> None:
    code = _WITHOUT + (
        "import omni_graspd as gd;"
        "config = gd.SynthesisConfig(iterations=5, tries=1);"
        "grasps = gd.synthesize('barrett', 'soup_can', count=1, around='nothing', config=config).evaluate();"
        "assert grasps.metrics['contact_area'].shape == (1,)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
