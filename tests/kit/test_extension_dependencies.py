# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Everything that the extension and its application ask Kit for is known to be in Isaac Sim 5.1 and 6.0."""

from __future__ import annotations

import ast
import json
import tomllib
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]
_APP = _ROOT / "kit_app" / "omni.graspd.kit"
_OURS = "omni.graspd"


def _known() -> dict:
    return json.loads((Path(__file__).parent / "extension_facts.json").read_text())["extensions"]


def _parsed(path: Path) -> dict:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _dependencies(settings: dict) -> set[str]:
    tests = [name for test in settings.get("test", []) for name in test.get("dependencies", [])]
    return {*settings["dependencies"], *tests}


@pytest.mark.parametrize("path", [_ROOT / "extension.toml", _APP], ids=lambda path: path.name)
def test_every_dependency_is_in_the_facts(path):
    assert sorted(_dependencies(_parsed(path)) - _known().keys() - {_OURS}) == []


def test_the_facts_name_a_source_for_both_versions():
    for name, fact in _known().items():
        assert fact["isaacsim51"]["source"], name
        assert fact["isaacsim60"]["source"], name


def test_the_application_loads_our_extension_from_beside_it():
    settings = _parsed(_APP)
    assert _OURS in settings["dependencies"]
    folder = settings["settings"]["app"]["exts"]["folders"]["++"][0].replace("${app}", "extsUser/omni.graspd/kit_app")
    assert Path(folder).parts == ("extsUser", "omni.graspd", "kit_app", "..", "..")


def test_the_application_brings_what_the_extension_needs_without_a_window():
    """The menu, the panel and the viewport are left out of a headless run; extension.toml still brings them."""
    extension, app = _parsed(_ROOT / "extension.toml")["dependencies"], _parsed(_APP)["dependencies"]
    required = {name for name, options in extension.items() if not options.get("optional")}
    assert {"omni.physx", "omni.replicator.core", "omni.usd", "omni.warp.core"} <= required & app.keys()


def test_the_extension_that_has_scipy_and_trimesh_is_a_dependency():
    """They are not in Kit's own Python: a lean application would have neither."""
    for path in (_ROOT / "extension.toml", _APP):
        assert "omni.pip.compute" in _parsed(path)["dependencies"], path.name


def test_what_our_code_imports_of_kit_is_a_dependency():
    """An optional one may be missing: the code that imports it must allow for that."""
    declared = {*_parsed(_ROOT / "extension.toml")["dependencies"], "isaacsim", "omni.ext", "omni.kit.app"}
    imported = {name for path in (_ROOT / "omni_graspd" / "kit").glob("*.py") for name in _kit_imports(path)}
    assert imported
    missing = {
        name for name in imported if not any(name == known or name.startswith(f"{known}.") for known in declared)
    }
    assert sorted(missing) == []


def _kit_imports(path: Path) -> set[str]:
    """Return the modules of Kit that a file imports; carb needs no extension."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module)
    return {name for name in found if name.partition(".")[0] in ("omni", "isaacsim")}
