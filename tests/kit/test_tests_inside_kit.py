# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The tests that run inside Kit, run here with stand-ins as omni.kit.test does: found, set up, awaited, taken down."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
from kit_fakes.replicator import synthetic_channels
from kit_stubs import Kit, skip_without
from pxr import Usd

from omni_graspd.rendering.pinhole_camera import read_pinhole_camera

pytest.importorskip("pyarrow", reason="datasets are Parquet tables")

_ROOT = Path(__file__).resolve().parents[2]
_LONG = ("test_a_small_dataset_is_made", "test_a_grasp_is_made_by_typing_and_clicking")
_QUICK = ("test_extension_and_writer_are_there", "test_the_menu_opens_and_closes_it", "test_a_wrong_option_is_refused")


def _view(stage: Usd.Stage, path: str, resolution: tuple[int, int]) -> dict[str, Any]:
    made = synthetic_channels(stage, path, resolution)
    params = read_pinhole_camera(stage, path, *resolution).camera_params()
    return made | {"camera_params": (made["camera_params"][0], params)}


@pytest.fixture
def started(kit: Kit):
    """Kit with the extension started and a renderer."""
    kit.extensions["omni.graspd-0.1.0"] = "there"
    kit.replicator.renderer = _view
    extension = importlib.import_module("omni_graspd.kit").GraspdExtension()
    extension.on_startup("omni.graspd-0.1.0")
    yield kit
    extension.on_shutdown()
    assert (kit.menus, kit.windows) == ({}, [])


def _found() -> dict[str, type]:
    """Return the test cases by the names of their tests, as Kit finds them in the package of tests."""
    import omni.kit.test

    (module,) = tomllib.loads((_ROOT / "extension.toml").read_text(encoding="utf-8"))["python"]["module"]
    package = importlib.import_module(f"{module['name']}.tests")
    assert package.scan_for_test_modules
    found = {}
    for info in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        for cls in vars(importlib.import_module(info.name)).values():
            if inspect.isclass(cls) and issubclass(cls, omni.kit.test.AsyncTestCase):
                found |= {name: cls for name in vars(cls) if name.startswith("test_")}
    return found


async def _run(name: str) -> None:
    case = _found()[name]()
    for step in (case.setUp, getattr(case, name), case.tearDown):
        result = step()
        if inspect.isawaitable(result):
            await result


def test_all_tests_are_known_here(started):
    assert sorted(_found()) == sorted([*_LONG, *_QUICK])


@pytest.mark.parametrize("name", _QUICK)
def test_quick_ones_pass(started, name):
    if name == "test_a_wrong_option_is_refused":
        skip_without("tyro", "manifold3d")
    started.run(_run(name))


@pytest.mark.slow
@pytest.mark.parametrize("name", _LONG)
def test_long_ones_pass(started, name):
    skip_without("ovphysx", "tyro", "manifold3d")
    started.physics.with_ovphysx = True
    started.run(_run(name))


def test_they_fail_where_the_extension_did_not_start(kit):
    with pytest.raises(AssertionError):
        kit.run(_run("test_extension_and_writer_are_there"))


def test_the_startup_test_stands_alone_and_the_other_has_what_its_tests_import():
    startup, rest = tomllib.loads((_ROOT / "extension.toml").read_text(encoding="utf-8"))["test"]
    assert startup["name"] == "startup" and "name" not in rest
    assert {"omni.kit.test", "omni.kit.ui_test"} <= set(rest["dependencies"])
