# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The window under Tools > Replicator > Grasp'D."""

from __future__ import annotations

import asyncio
import webbrowser
from pathlib import Path

import omni.kit.menu.utils
import omni.ui as ui

from omni_graspd.errors import GraspdError
from omni_graspd.kit.panel_generate import GenerateSection
from omni_graspd.kit.panel_grasps import GraspsSection
from omni_graspd.kit.panel_tasks import PanelTasks

WINDOW_TITLE = "Grasp'D"
MENU_GROUP = "Tools/Replicator"
_ERROR_STYLE, _PLAIN_STYLE = {"color": 0xFF4040E0}, {"color": 0xFFB0B0B0}


class GraspdWindow(ui.Window):
    """Generate grasps, look at them, judge them."""

    def __init__(self) -> None:
        """Build the window."""
        super().__init__(WINDOW_TITLE, dockPreference=ui.DockPreference.MAIN, width=460, height=800)
        self.deferred_dock_in("Property", ui.DockPolicy.DO_NOTHING)
        self.tasks = PanelTasks(self._say)
        with self.frame, ui.ScrollingFrame(), ui.VStack(spacing=6):
            self._line = ui.Label("", height=36, word_wrap=True)
            self.generate = GenerateSection(self.tasks, self._made)
            self.grasps = GraspsSection(self.tasks)
            ui.Button("Open report", height=24, clicked_fn=lambda: self.tasks.attempt(self._open_report))

    def _say(self, text: str, is_error: bool) -> None:
        self._line.text = text
        self._line.style = _ERROR_STYLE if is_error else _PLAIN_STYLE

    def _made(self, root: Path) -> None:
        # Showing a grasp is the next task: it begins when the one that calls this has ended.
        asyncio.get_running_loop().call_soon(self.grasps.open, root)

    def _open_report(self) -> None:
        session = self.grasps.inspection
        report = None if session is None else session.root / "report.html"
        if report is None or not report.is_file():
            raise GraspdError(
                "the open dataset has no report; run `graspd report` on its folder with a Python that has omni-graspd"
            )
        webbrowser.open(report.resolve().as_uri())

    def destroy(self) -> None:
        """Stop what runs, take the hand off the stage, and go; Kit calls this after the window's X, and on shutdown."""
        self.tasks.cancel()
        self.grasps.close()
        super().destroy()


class PanelMenu(omni.kit.menu.utils.MenuHelperExtensionFull):
    """The menu entry, and the window that it opens; :meth:`start` and :meth:`stop` go with the extension."""

    def start(self) -> None:
        """Add the menu entry."""
        self.menu_startup(GraspdWindow, WINDOW_TITLE, WINDOW_TITLE, MENU_GROUP)

    def stop(self) -> None:
        """Remove the menu entry and the window; nothing stays."""
        self.menu_shutdown()
