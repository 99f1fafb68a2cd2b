# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Kit for tests: stub modules made from the facts, with behaviour where a test needs it.

``with installed_stubs("5.1") as kit:`` puts them into ``sys.modules``; the fixture ``kit`` does so for both versions.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import importlib.util
import inspect
import json
import sys
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
from kit_fakes import app, client, graphs, physx, replicator, simulation_app, testing, ui, usd
from stub_modules import StubModule, make_module
from stub_signatures import signature

VERSIONS = ("5.1", "6.0")
_Result = TypeVar("_Result")
_REEXPORTS = {
    "omni.replicator.core": {
        "AnnotatorRegistry": "omni.replicator.core.annotators.AnnotatorRegistry",
        "BackendDispatch": "omni.replicator.core.backends.BackendDispatch",
    },
    "isaacsim.util.debug_draw": {},
}
_FAKES = (app, client, graphs, physx, replicator, simulation_app, testing, ui, usd)


@dataclass(frozen=True)
class Call:
    """One call of Kit."""

    name: str
    """Module and symbol, for example ``omni.physx.get_physx_interface``."""
    args: tuple
    """Positional arguments, without self."""
    kwargs: dict[str, Any]
    """Keyword arguments."""


class Kit:
    """The pretended application: what was called, and the state that fakes share."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.calls: list[Call] = []
        self.coroutines: list[tuple[str, Coroutine]] = []
        self.settings: dict[str, Any] = {}
        self.log: list[tuple[str, str]] = []
        self.exit_code: int | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self.extensions: dict[str, str] = {}
        self.engine = "physx"
        self.is_playing = False
        self.is_script = False  # whether a script started the application: only then may it block
        self.longest_block = 0.0
        self.updates = 0
        self.windows: list[Any] = []
        self.dialogs: list[Any] = []
        self.menus: dict[str, Any] = {}
        self.tree = ui.Tree()
        self.modules: dict[str, StubModule] = {}
        self.usd = usd.Stages()
        self.physics = physx.Physics(self)
        self.replicator = replicator.Replicator(self)
        self.servers = client.Servers()
        self.graphs = graphs.Graphs()

    def record(self, name: str, args: tuple, kwargs: dict[str, Any]) -> None:
        """Note a call."""
        self.calls.append(Call(name, args, kwargs))

    def called(self, name: str) -> list[Call]:
        """Return the calls of a symbol, by the end of its name."""
        return [call for call in self.calls if call.name == name or call.name.endswith(f".{name}")]

    def require_awaited(self) -> None:
        """Raise AssertionError if one of Kit's coroutines was made but never awaited: in Kit nothing would happen."""
        forgotten = [(name, c) for name, c in self.coroutines if inspect.getcoroutinestate(c) == inspect.CORO_CREATED]
        for _, coroutine in forgotten:
            coroutine.close()
        assert not forgotten, f"never awaited: {', '.join(name for name, _ in forgotten)}"

    def instance(self, class_name: str) -> Any:
        """Return an instance of a stub class that Kit hands out; None where there is no such class."""
        for module in self.modules.values():
            cls = vars(module).get(class_name)
            if isinstance(cls, type):
                made = cls.__new__(cls)
                if hasattr(cls, "_fake_start"):
                    made._fake_start()
                return made
        return None

    def draw(self) -> None:
        """Build the frames that wait for it, as the next drawn frame does."""
        while self.tree.waiting:
            self.tree.waiting.pop(0).fake_build()

    def find(self, kind: str, text: str | None = None, **properties: Any) -> list[Any]:
        """Return the widgets of a kind in all windows, in order.

        Args:
            kind: Class of the widget, for example ``"Button"``.
            text: Its text, if it matters.
            **properties: Other properties that it must have, for example ``identifier="hand"``.
        """
        self.draw()
        if text is not None:
            properties["text"] = text
        widgets = [widget for window in self.windows for widget in ui.walk(window._frame)]
        return [
            widget
            for widget in widgets
            if any(cls.__name__ == kind for cls in type(widget).__mro__)
            and all(vars(widget).get(key) == value for key, value in properties.items())
        ]

    def run(self, main: Coroutine[Any, Any, _Result]) -> _Result:
        """Run a coroutine and what it starts on an event loop, and note how long the loop was blocked at most [s]."""
        with asyncio.Runner() as runner:
            self.loop = runner.get_loop()
            try:
                return runner.run(self._watched(main))
            finally:
                self.loop = None

    def replaced_run(self, main: Coroutine[Any, Any, _Result], **_: Any) -> _Result:
        """Do what ``asyncio.run`` does in Kit 110.4 (omni.kit.async_engine): stop Kit's loop first, whoever calls."""
        if self.loop is not None:
            self.loop.call_soon_threadsafe(self.loop.stop)
        with asyncio.Runner() as runner:
            return runner.run(main)

    async def _watched(self, main: Coroutine[Any, Any, _Result]) -> _Result:
        watch = asyncio.ensure_future(self._watch())
        try:
            return await main
        finally:
            watch.cancel()

    async def _watch(self) -> None:
        self.longest_block = 0.0
        while True:
            start = time.perf_counter()
            await asyncio.sleep(0.0)
            self.longest_block = max(self.longest_block, time.perf_counter() - start)
            await asyncio.sleep(0.001)


@functools.cache
def _facts(version: str) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the symbols of each module with their signatures in a version; read once, for hundreds of tests."""
    modules = json.loads(Path(__file__).with_name("kit_facts.json").read_text())["modules"]
    for fact in (fact for symbols in modules.values() for fact in symbols.values()):
        fact["expected"] = signature(fact, version)
    return modules


@contextmanager
def installed_stubs(version: str, *, real_ui: bool = False) -> Iterator[Kit]:
    """Install Kit's stub modules for the length of the block.

    Modules under ``omni_graspd.kit`` are forgotten before and after, since they hold on to what they imported.

    Args:
        version: ``"5.1"`` or ``"6.0"``.
        real_ui: Leave the real ``omni.ui`` in its place, which has been imported before.
    """
    facts = dict(_facts(version))
    before = {name: sys.modules.pop(name) for name in list(sys.modules) if _is_ours(name)}
    if real_ui:
        del facts["omni.ui"]
    kit = Kit(version)
    behaviours = [fake.behaviours(kit) for fake in _FAKES]
    for name, symbols in facts.items():
        behaviour = {key: value for made in behaviours for key, value in made.get(name, {}).items()}
        module = make_module(kit, name, symbols, behaviour)
        if len(vars(module)) > len(vars(StubModule("empty"))):
            kit.modules[name] = module
    _link(kit)
    sys.modules.update(kit.modules)
    if real_ui:
        sys.modules.update({name: module for name, module in before.items() if name.startswith("omni.ui")})
        kit.modules["omni"].ui = before["omni.ui"]
    run = asyncio.run
    if version != "5.1":
        asyncio.run = kit.replaced_run
    try:
        yield kit
        kit.require_awaited()
    finally:
        asyncio.run = run
        kit.usd.close()
        for name in [name for name in sys.modules if _is_ours(name)]:
            del sys.modules[name]
        package = importlib.import_module("omni_graspd")
        if "kit" in vars(package):
            del package.kit
        sys.modules.update({name: module for name, module in before.items() if not name.startswith("omni_graspd")})


def skip_without(*packages: str) -> None:
    """Skip the test where a package is missing, without importing it.

    Mitsuba imported before we told it which libLLVM to take would take an old one of the system, and abort.
    """
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] in ("omni", "carb", "isaacsim") or name.split(".")[:2] == ["omni_graspd", "kit"]


def _link(kit: Kit) -> None:
    """Make packages of the modules: parents that are not in the facts, submodules as attributes, other names."""
    for name in list(kit.modules):
        parts = name.split(".")
        for count in range(1, len(parts)):
            kit.modules.setdefault(".".join(parts[:count]), StubModule(".".join(parts[:count])))
    for name, module in kit.modules.items():
        module.__path__ = []
        parent, _, last = name.rpartition(".")
        if parent:
            setattr(kit.modules[parent], last, module)
    for name, others in _REEXPORTS.items():
        for alias, target in others.items():
            module_name, _, symbol = target.rpartition(".")
            setattr(kit.modules[name], alias, getattr(kit.modules[module_name], symbol))
