# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The window under Tools > Replicator > Grasp'D."""

from __future__ import annotations

import asyncio
from pathlib import Path

import omni.kit.menu.utils
import omni.ui as ui

from omni_graspd.kit.panel_generate import GenerateSection
from omni_graspd.kit.panel_grasps import GraspsSection
from omni_graspd.kit.panel_reach import ReachSection
from omni_graspd.kit.panel_stage import StageSection
from omni_graspd.kit.panel_tasks import PanelTasks

WINDOW_TITLE = "Grasp'D"
MENU_GROUP = "Tools/Replicator"
_WELCOME = "Choose a hand and an object, then Grasps; or open a dataset."
_ERROR_STYLE, _PLAIN_STYLE = {"color": 0xFF4040E0}, {"color": 0xFFB0B0B0}


class GraspdWindow(ui.Window):
    """Generate grasps, look at them, judge them."""

    def __init__(self) -> None:
        """Build the window."""
        super().__init__(WINDOW_TITLE, dockPreference=ui.DockPreference.MAIN, width=460, height=800)
        self.deferred_dock_in("Property", ui.DockPolicy.DO_NOTHING)
        self.tasks = PanelTasks(self._say)
        scrolling = {"horizontal_scrollbar_policy": ui.ScrollBarPolicy.SCROLLBAR_ALWAYS_OFF}
        with self.frame, ui.ScrollingFrame(**scrolling), ui.VStack(spacing=4, height=0):
            self._line = ui.Label(_WELCOME, height=36, word_wrap=True, style=_PLAIN_STYLE)
            self.generate = GenerateSection(self.tasks, self._made)
            self.on_stage = StageSection(self.tasks, self.generate.config)
            self.grasps = GraspsSection(self.tasks)
            self.reach = ReachSection(self.tasks, self.grasps.dataset, self.on_stage)

    def _say(self, text: str, is_error: bool) -> None:
        self._line.text = text
        self._line.style = _ERROR_STYLE if is_error else _PLAIN_STYLE

    def _made(self, root: Path) -> None:
        # Showing a grasp is the next task: it begins when the one that calls this has ended.
        asyncio.get_running_loop().call_soon(self.grasps.open, root)

    def destroy(self) -> None:
        """Stop what runs, take the hand off the stage, and go; Kit calls this after the window's X, and on shutdown."""
        self.tasks.cancel()
        self.grasps.close()
        self.on_stage.close()
        super().destroy()


class PanelMenu(omni.kit.menu.utils.MenuHelperExtensionFull):
    """The menu entry, and the window that it opens; :meth:`start` and :meth:`stop` go with the extension."""

    def start(self) -> None:
        """Add the menu entry."""
        self.menu_startup(GraspdWindow, WINDOW_TITLE, WINDOW_TITLE, MENU_GROUP)

    def stop(self) -> None:
        """Remove the menu entry and the window; nothing stays."""
        self.menu_shutdown()
