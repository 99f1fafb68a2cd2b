# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""omni.kit.test and omni.kit.ui_test: tests that a test runs, and a user who finds, clicks and types."""

from __future__ import annotations

import asyncio
import re
import unittest
from typing import Any

_QUERY = re.compile(r"(?P<title>.+)//Frame/\*\*/(?P<kind>\w+)\[\*\]")


def behaviours(kit: Any) -> dict[str, dict[str, Any]]:
    """Return functions and classes by module and name."""

    class AsyncTestCase(unittest.TestCase):
        async def wait_n_updates(self, n_frames: int = 3) -> None:
            await _frames(kit, n_frames)

    class WidgetRef:
        def __init__(self, widget: Any, path: str, window: Any = None) -> None:
            self._widget, self._path = widget, path

        @property
        def widget(self) -> Any:
            return self._widget

        @property
        def model(self) -> Any:
            return self._widget.model

        async def click(self, *_: Any, **__: Any) -> None:
            await asyncio.sleep(0)
            self._widget.fake_click()

        async def input(self, text: str, *_: Any, clear_before_input: bool = False, **__: Any) -> None:
            await asyncio.sleep(0)
            before = "" if clear_before_input else self._widget.model.get_value_as_string()
            self._widget.fake_input(before + text)

    async def menu_click(path: str, **_: Any) -> None:
        await asyncio.sleep(0)
        kit.menus[path]()

    async def wait_n_updates(update_count: int = 2) -> None:
        await _frames(kit, update_count)

    def find_all(path: str) -> list[Any]:
        query = _QUERY.fullmatch(path)
        assert query, f"the fake knows queries as TITLE//Frame/**/KIND[*], got {path}"
        assert any(window.title == query["title"] for window in kit.windows), f"no window {query['title']}"
        cls = kit.modules["omni.kit.ui_test"].WidgetRef
        return [cls(widget, path) for widget in kit.find(query["kind"])]

    found = {"WidgetRef": WidgetRef, "find_all": find_all, "menu_click": menu_click, "wait_n_updates": wait_n_updates}
    return {"omni.kit.test": {"AsyncTestCase": AsyncTestCase}, "omni.kit.ui_test": found}


async def _frames(kit: Any, count: int) -> None:
    app = kit.instance("IApp")
    for _ in range(count):
        await app.next_update_async()
