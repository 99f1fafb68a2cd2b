# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What tests do to the panel under the stubs, and how they wait for what it starts."""

from __future__ import annotations

import asyncio
from typing import Any


def click(kit: Any, text: str) -> None:
    """Press the one button of that text."""
    (button,) = kit.find("Button", text)
    button.fake_click()


async def settled(window: Any) -> None:
    """Wait until nothing runs, nor begins."""
    await asyncio.sleep(0)
    while window.tasks.is_busy:
        await window.tasks.finished()
        await asyncio.sleep(0)
