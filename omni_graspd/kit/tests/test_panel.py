# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The panel as a person uses it: opened by its menu entry, filled in, one grasp made, closed again."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

import omni.kit.test
import omni.kit.ui_test as ui_test
import omni.ui as ui
import omni.usd

from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.kit.panel import MENU_GROUP, WINDOW_TITLE
from omni_graspd.synthesis.presets import PRESETS

_MENU = f"{MENU_GROUP}/{WINDOW_TITLE}"
_LONGEST = 600.0
"""The first run compiles kernels, which takes minutes [s]."""


def _widgets(kind: str) -> list[Any]:
    return ui_test.find_all(f"{WINDOW_TITLE}//Frame/**/{kind}[*]")


def _button(text: str) -> Any:
    return next(each for each in _widgets("Button") if each.widget.text == text)


class TestPanel(omni.kit.test.AsyncTestCase):
    """The window under Tools > Replicator."""

    async def setUp(self) -> None:
        """Open it on a new stage."""
        await omni.usd.get_context().new_stage_async()
        await ui_test.menu_click(_MENU)
        await ui_test.wait_n_updates(10)

    async def tearDown(self) -> None:
        """Close it, if it is open."""
        if self._is_open():
            await ui_test.menu_click(_MENU)
            await ui_test.wait_n_updates(10)

    def _is_open(self) -> bool:
        window = ui.Workspace.get_window(WINDOW_TITLE)
        return window is not None and window.visible

    async def test_the_menu_opens_and_closes_it(self) -> None:
        """The same entry does both."""
        self.assertTrue(self._is_open())
        self.assertTrue(_button("Grasps").widget.enabled)
        await ui_test.menu_click(_MENU)
        await ui_test.wait_n_updates(10)
        self.assertFalse(self._is_open())

    async def test_a_grasp_is_made_by_typing_and_clicking(self) -> None:
        """One grasp of a can by the Barrett hand: table of grasps, and buttons that rest meanwhile."""
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "dataset"
            await self._fill(out)
            await _button("Grasps").click()
            await ui_test.wait_n_updates(10)
            self.assertFalse(_button("Grasps").widget.enabled)
            end = time.monotonic() + _LONGEST
            while not _button("Grasps").widget.enabled and time.monotonic() < end:
                await asyncio.sleep(0.1)
                await ui_test.wait_n_updates(1)
            self.assertTrue(DatasetLayout(out).grasps("barrett", "soup_can").is_file())

    async def _fill(self, out: Path) -> None:
        hand, obj, folder = _widgets("StringField")[:3]
        await hand.input("barrett", clear_before_input=True)
        self.assertEqual(hand.model.get_value_as_string(), "barrett")
        obj.model.set_value("soup_can")
        folder.model.set_value(str(out))
        grasps, _, scenes = _widgets("IntField")[:3]
        for field in (grasps, scenes):
            field.model.set_value(1)
        preset = next(each for each in _widgets("ComboBox") if each.widget.identifier == "preset")
        preset.model.get_item_value_model().set_value(list(PRESETS).index("fast"))
