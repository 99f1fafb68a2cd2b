# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Going through grasps one by one, deciding on them, and writing the accepted ones out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from omni_graspd.formats.registry import export_names
from omni_graspd.inspection.accepted_export import ISAAC_GRASP, export_accepted, export_line

if TYPE_CHECKING:
    from viser._messages import HotkeyKey

    from omni_graspd.viewer.inspection_page import InspectionPage


class DecideSection:
    """Previous, next, accept, reject, undo, export; each of them but the last on a key."""

    def __init__(self, page: InspectionPage) -> None:
        """Add the buttons."""
        self._page = page
        gui, tasks = page.server.gui, page.tasks
        self._work: dict[str, Any] = {}
        actions: tuple[tuple[str, HotkeyKey, Any], ...] = (
            ("Previous", "P", lambda: page.session.step(-1)),
            ("Next", "N", lambda: page.session.step(1)),
            ("Accept", "A", lambda: self._decide("accepted")),
            ("Reject", "R", lambda: self._decide("rejected")),
            ("Undo", "U", page.session.undo),
        )
        for name, key, work in actions:
            called = tasks.callback(lambda _, work=work: self._do(work), from_server=True)
            gui.add_command(name, hotkey=key).on_trigger(called)
            self._work[name] = called
        for names in (("Previous", "Next"), ("Accept", "Reject", "Undo")):
            group = gui.add_button_group("", names, hint="keys P, N, A, R, U")
            group.on_click(self._pressed)
        self.format = gui.add_dropdown(
            "export as", export_names(), initial_value=ISAAC_GRASP, hint="isaac_grasp: Isaac Sim's Grasp Editor"
        )
        self.export = gui.add_button("Export accepted", hint="to a new folder beside the dataset or file")
        self.export.on_click(tasks.callback(lambda _: self._export(), from_server=True))

    async def _pressed(self, event: Any) -> None:
        await self._work[event.target.value](event)

    async def _do(self, work: Any) -> None:
        work()
        await self._page.show_selected()

    def _decide(self, verdict: Any) -> None:
        session = self._page.session
        session.decide(verdict)
        session.step(1)
        session.list.show()  # What was decided on may not pass the filter any more.

    async def _export(self) -> None:
        self._page.say(export_line(await export_accepted(self._page.session, self.format.value)))
