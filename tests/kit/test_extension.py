# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The extension as Kit runs it: found, started, stopped, and nothing left."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
import tomllib
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def extension(kit):
    """What Kit makes of the module that ``extension.toml`` names: an instance of each class made from IExt."""
    import omni.ext

    (module,) = tomllib.loads((_ROOT / "extension.toml").read_text(encoding="utf-8"))["python"]["module"]
    found = vars(importlib.import_module(module["name"])).values()
    (cls,) = [each for each in found if isinstance(each, type) and issubclass(each, omni.ext.IExt)]
    return cls()


def _writers(kit) -> dict:
    import omni.replicator.core as rep

    return rep.WriterRegistry.get_writers()


def test_every_module_under_kit_imports(kit):
    package = importlib.import_module("omni_graspd.kit")
    names = [info.name for info in pkgutil.iter_modules(package.__path__, "omni_graspd.kit.")]
    assert {"omni_graspd.kit.extension", "omni_graspd.kit.headless", "omni_graspd.kit.writer"} <= set(names)
    for name in names:
        importlib.import_module(name)


def test_started_it_has_a_menu_entry_and_a_writer_and_stopped_it_leaves_nothing(kit, extension):
    before = dict(_writers(kit))
    extension.on_startup("omni.graspd-0.1.0")
    assert list(kit.menus) == ["Tools/Replicator/Grasp'D"]
    assert set(_writers(kit)) - set(before) == {"GraspdWriter"}
    assert any(level == "info" and "omni.graspd-0.1.0" in text for level, text in kit.log)
    kit.menus["Tools/Replicator/Grasp'D"]()
    assert len(kit.windows) == 1
    extension.on_shutdown()
    assert (kit.menus, kit.windows, _writers(kit)) == ({}, [], before)


def test_it_starts_again_after_a_stop(kit, extension):
    for _ in range(2):
        extension.on_startup("omni.graspd-0.1.0")
        assert kit.menus
        extension.on_shutdown()
        assert not kit.menus


def test_stopping_cancels_a_headless_run(kit, extension, monkeypatch):
    async def forever(*_: object) -> None:
        await asyncio.sleep(60.0)

    async def work() -> set:
        from omni_graspd.kit import headless

        monkeypatch.setattr(headless, "generate", forever)
        monkeypatch.setattr(headless, "load_backend", lambda name: None)
        extension.on_startup("omni.graspd-0.1.0")
        task = headless.start(["--object", "mug"])
        await asyncio.sleep(0.1)
        extension.on_shutdown()
        assert await asyncio.wait_for(task, 5.0) == 130
        await asyncio.sleep(0)
        return {each for each in asyncio.all_tasks() if each.get_coro().__qualname__.startswith(("run", "_run"))}

    pytest.importorskip("tyro")
    pytest.importorskip("pyarrow")
    assert kit.run(work()) == set()


def test_after_a_failed_start_a_stop_takes_back_what_was_there(kit, extension, monkeypatch):
    panel = importlib.import_module("omni_graspd.kit.panel")

    def refuse(self: object) -> None:
        raise RuntimeError("planted")

    monkeypatch.setattr(panel.PanelMenu, "start", refuse)
    monkeypatch.setattr(panel.PanelMenu, "stop", lambda self: None)
    before = dict(_writers(kit))
    with pytest.raises(RuntimeError, match="planted"):
        extension.on_startup("omni.graspd-0.1.0")
    extension.on_shutdown()
    assert _writers(kit) == before
