# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The list of Kit's symbols in docs/isaac_sim_calls.md and the self-test: one list, up to date, and complete."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest

_DOCS = Path(__file__).resolve().parents[2] / "docs"
_SELFTEST = _DOCS.parent / "omni_graspd" / "kit" / "selftest"


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


def _unverified() -> dict[str, dict[str, str]]:
    return {each["call"]: each for each in json.loads((_SELFTEST / "unverified.json").read_text(encoding="utf-8"))}


def test_page_and_selftest_are_up_to_date(listing):
    current = listing.PAGE.read_text(encoding="utf-8")
    assert current == listing.page(), "run: python docs/list_kit_calls.py"
    assert json.loads(listing.USED.read_text(encoding="utf-8")) == listing.used_symbols()


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


def test_what_nobody_has_read_is_on_the_list_of_unverified_calls(listing):
    assert sorted(set(listing.unread(listing.list_calls()[0])) - _unverified().keys()) == []


def test_unverified_calls_are_in_use_each_once(used):
    listed = json.loads((_SELFTEST / "unverified.json").read_text(encoding="utf-8"))
    assert len(_unverified()) == len(listed)
    assert sorted(_unverified().keys() - used) == []


def test_the_page_has_the_list_of_unverified_calls(listing):
    """The same calls, what we rely on, and who answers; and their number."""
    text = listing.PAGE.read_text(encoding="utf-8")
    cells = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| `")]
    rows = {row[0].strip("`"): row[5:] for row in cells if len(row) == 7}
    expected = {
        call: [each["relied_on"], "you" if each["step"] == "person" else f"self-test: {each['step']}"]
        for call, each in _unverified().items()
    }
    assert rows == expected
    assert f"**{len(expected)} calls are unverified**" in text


def test_tests_inside_kit_use_nothing_outside_the_facts(listing):
    modules = json.loads((Path(__file__).parent / "kit_facts.json").read_text())["modules"]
    folder = _DOCS.parent / "omni_graspd" / "kit" / "tests"
    scopes = [listing._read(path, modules) for path in folder.glob("test_*.py")]
    assert len(scopes) == 3
    assert [scope.unknown for scope in scopes if scope.unknown] == []
    assert ("omni.kit.ui_test", "find_all") in {pair for scope in scopes for pair in scope.used}
