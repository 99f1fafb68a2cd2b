# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What docs/isaac_sim.md tells users to type is what the code takes."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from pxr import Usd, UsdGeom

_PAGE = (Path(__file__).resolve().parents[2] / "docs" / "isaac_sim.md").read_text(encoding="utf-8")


def test_the_script_with_the_writer_runs(kit, tmp_path):
    """With the writer registered, as the extension does on startup."""
    from omni_graspd.kit.writer import register_writer

    stage = Usd.Stage.CreateInMemory()
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    UsdGeom.Camera.Define(stage, "/World/Camera")
    kit.usd.put(stage)
    register_writer()
    (code,) = re.findall(r"```python\n(.*?)```", _PAGE, re.DOTALL)
    assert "/data/views" in code
    code = code.replace("/data/views", str(tmp_path / "views")).replace("asyncio.ensure_future(capture())", "")
    names: dict = {}
    exec(code, names)
    assert asyncio.iscoroutinefunction(names["capture"])
    kit.run(names["capture"]())
    views = sorted(path.name for path in (tmp_path / "views").iterdir())
    assert views == ["view_0000", "view_0001", "view_0002", "view_0003"]
    assert kit.replicator.products == []


@pytest.mark.parametrize("package", ["pyarrow", "manifold3d", "platformdirs", "tyro"])
def test_packages_and_versions_are_those_of_the_headless_run(kit, package):
    from omni_graspd.kit.headless import PACKAGES

    assert f'"{package}>={PACKAGES[package]}"' in _PAGE


def test_scripts_that_the_page_names_exist():
    names = set(re.findall(r"kit_app/([\w.]+\w)", _PAGE))
    assert names == {"generate.py", "generate_simulation_app.py", "omni.graspd.kit"}
    folder = Path(__file__).resolve().parents[2] / "kit_app"
    assert all((folder / name).is_file() for name in names)


def test_it_says_that_nothing_has_run_in_kit():
    assert "**None of this has been run in Kit.**" in _PAGE
