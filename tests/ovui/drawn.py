# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A drawn window and its user: finds widgets, clicks, types, takes pictures, waits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import omni.ui as ui
import omni.ui.testing as testing

_BACKSPACE, _END = 523, 520
"""ImGui's numbers of keys."""


def below(widget: Any) -> Iterator[Any]:
    """Yield a widget and all below it that are shown."""
    if widget.visible:
        yield widget
        for child in ui.Inspector.get_children(widget):
            yield from below(child)


class Drawn:
    """One of the panel's windows as it is drawn."""

    def __init__(self, window: ui.Window, size: tuple[float, float]) -> None:
        window.position_x, window.position_y = 0, 0
        window.width, window.height = size
        self.window = window

    def widgets(self, kind: type | tuple[type, ...] = ui.Widget) -> list[Any]:
        """Return all widgets of a kind."""
        return [widget for widget in below(self.window.frame) if isinstance(widget, kind)]

    def button(self, text: str, number: int = 0) -> Any:
        """Return the n-th button of a text."""
        return [button for button in self.widgets(ui.Button) if button.text == text][number]

    async def click(self, widget: Any) -> None:
        """Click on the middle of a widget, scrolled into sight."""
        widget.scroll_here_y(0.5)
        await frames(3)
        x = widget.screen_position_x + widget.computed_width / 2
        await testing.mouse_click(x, widget.screen_position_y + widget.computed_height / 2)

    async def type(self, field: Any, text: str) -> None:
        """Replace what is in a field, as with the keyboard."""
        await self.click(field)
        await testing.press_key(_END)
        for _ in range(len(field.model.get_value_as_string())):
            await testing.press_key(_BACKSPACE)
        await testing.type_text(text)
        await testing.mouse_click(self.window.width / 2, 10)  # on the title: leaves the field
        await frames(2)

    async def until(self, condition: Callable[[], bool], seconds: float = 60.0) -> None:
        """Draw frames until something is so."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"waited {seconds} s"
            await frames(1)
            await asyncio.sleep(0.1)  # what is waited for needs the processor as well

    async def picture(self, path: Path) -> Path:
        """Save what is drawn."""
        path.parent.mkdir(parents=True, exist_ok=True)
        await frames(2)
        assert ui._ui._schedule_screenshot(str(path))
        await frames(2)
        assert path.is_file()
        return path


async def frames(count: int) -> None:
    """Draw some frames."""
    for _ in range(count):
        await testing.next_frame()
