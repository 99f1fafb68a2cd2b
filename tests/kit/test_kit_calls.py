# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The list of Kit's symbols in docs/isaac_sim.md: up to date, complete, and marked where nobody has read them."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest

_DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def listing():
    spec = importlib.util.spec_from_file_location("list_kit_calls", _DOCS / "list_kit_calls.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["list_kit_calls"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["list_kit_calls"]


@pytest.fixture(scope="module")
def used(listing) -> set[str]:
    return {f"{module}.{symbol}" for module, symbol in listing.list_calls()[0]}


def test_the_page_is_up_to_date(listing):
    current = listing.PAGE.read_text(encoding="utf-8")
    assert current == listing.page(), "run: python docs/list_kit_calls.py"


def test_nothing_in_the_code_is_outside_the_facts(listing):
    assert dict(listing.list_calls()[1]) == {}


def test_names_are_followed_through_calls_and_assignments(used):
    """``kit = omni.kit.app.get_app(); kit.get_extension_manager().add_path(...)`` and the like."""
    assert {
        "omni.kit.app.IApp.post_quit",
        "omni.ext.ExtensionManager.add_path",
        "omni.ext.IExt",
        "isaacsim.SimulationApp.run_coroutine",
        "carb.log_info",
    } <= used


def test_a_symbol_that_is_not_in_the_facts_is_found(listing, tmp_path):
    path = tmp_path / "planted.py"
    path.write_text(
        "import omni.usd\nimport omni.kit.app as app\nomni.usd.get_contexts()\napp.get_app().post_quit(1)\n"
    )
    modules = json.loads((Path(__file__).parent / "kit_facts.json").read_text())["modules"]
    scope = listing._read(path, modules)
    assert scope.unknown == {"omni.usd.get_contexts"}
    assert scope.used == {("omni.kit.app", "get_app"), ("omni.kit.app", "IApp.post_quit")}


def test_unverified_symbols_are_marked_with_what_to_check(listing):
    unverified = listing.unverified(listing.list_calls()[0])
    rows = {line.split("`")[1]: line for line in listing.table().splitlines() if line.startswith("| `")}
    assert unverified
    for name in unverified:
        assert "**unverified**" in rows[name]
        assert rows[name].split(" | ")[-1].strip(" |"), f"docs/kit_checks.json has no check for {name}"


def test_checks_are_of_symbols_in_use(used):
    checks = json.loads((_DOCS / "kit_checks.json").read_text(encoding="utf-8"))
    assert sorted(checks.keys() - used) == []
