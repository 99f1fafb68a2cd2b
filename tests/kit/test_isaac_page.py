# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What docs/isaac_sim.md tells users to type is what the code takes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest
from pxr import Usd, UsdGeom

from omni_graspd.errors import GraspdError

_PAGE = (Path(__file__).resolve().parents[2] / "docs" / "isaac_sim.md").read_text(encoding="utf-8")


def _script(has: str, replacement: str, main: str) -> Callable[[], Coroutine]:
    """Return the coroutine function of the one script on the page that has a text, with that replaced."""
    (code,) = [text for text in re.findall(r"```python\n(.*?)```", _PAGE, re.DOTALL) if f"async def {main}" in text]
    names: dict = {}
    exec(code.replace(has, replacement).replace(f"asyncio.ensure_future({main}())", ""), names)
    assert asyncio.iscoroutinefunction(names[main])
    return names[main]


def test_the_script_for_the_users_stage_asks_for_its_object(kit):
    """It runs up to the stage, which is another one here."""
    with pytest.raises(GraspdError, match="expected a prim of the stage, got '/World/None'"):
        kit.run(_script("/World/Box", "/World/None", "main")())


def test_the_script_with_the_writer_runs(kit, tmp_path):
    """With the writer registered, as the extension does on startup."""
    from omni_graspd.kit.writer import register_writer

    stage = Usd.Stage.CreateInMemory()
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    UsdGeom.Camera.Define(stage, "/World/Camera")
    kit.usd.put(stage)
    register_writer()
    kit.run(_script("/data/views", str(tmp_path / "views"), "capture")())
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
