# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What docs/isaac_sim.md tells users to type is what the code takes."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest

from omni_graspd.errors import GraspdError

_ROOT = Path(__file__).resolve().parents[2]
_PAGE = (_ROOT / "docs" / "isaac_sim.md").read_text(encoding="utf-8")


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


@pytest.mark.parametrize("package", ["pyarrow", "manifold3d", "platformdirs", "tyro"])
def test_packages_and_versions_are_those_of_the_headless_run(kit, package):
    from omni_graspd.kit.headless import PACKAGES

    assert f'"{package}>={PACKAGES[package]}"' in _PAGE


def test_scripts_that_the_page_names_exist():
    names = set(re.findall(r"kit_app/([\w.]+\w)", _PAGE))
    assert names == {"generate.py", "generate_simulation_app.py", "omni.graspd.kit", "selftest.py"}
    assert all((_ROOT / "kit_app" / name).is_file() for name in names)
    examples = set(re.findall(r"^\| `(\w+\.py)` \|", _PAGE, re.MULTILINE))
    assert examples == {path.name for path in (_ROOT / "examples" / "isaac").glob("*.py")}


def test_it_says_that_nothing_has_run_in_kit():
    assert "**None of this has been run in Kit.**" in _PAGE


def test_its_numbers_of_unverified_calls_are_those_of_the_list():
    steps = [
        each["step"]
        for each in json.loads((_ROOT / "omni_graspd" / "kit" / "selftest" / "unverified.json").read_text("utf-8"))
    ]
    assert f"{len(steps)} calls of Kit are unverified" in _PAGE
    persons = steps.count("person")
    assert f"{len(steps) - persons} are answered by the\nself-test, {persons} by you." in _PAGE
