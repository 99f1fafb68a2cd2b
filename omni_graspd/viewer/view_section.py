# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How grasps are shown: contacts, cones, a second grasp beside the first, a picture to keep."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from omni_graspd.errors import GraspdError
from omni_graspd.viewer.grasp_scene import GraspScene

if TYPE_CHECKING:
    from omni_graspd.viewer.inspection_page import InspectionPage

_BESIDE = (0.35, 0.0, 0.0)


class ViewSection:
    """Checkboxes for what is drawn, side by side, screenshot."""

    def __init__(self, page: InspectionPage) -> None:
        """Add the controls."""
        self._page = page
        self.pinned: GraspScene | None = None
        gui, tasks = page.server.gui, page.tasks
        with gui.add_folder("View"):
            self.contacts = gui.add_checkbox("contacts as heat map", True)
            self.hand = gui.add_checkbox("hand", True)
            self.object = gui.add_checkbox("object", True)
            for control in (self.hand, self.object):
                control.on_update(tasks.callback(lambda _: self.apply()))
            self.cones = gui.add_checkbox("friction cones and normals", False)
            for control in (self.contacts, self.cones):
                control.on_update(tasks.callback(lambda _: self._redraw()))
            self.pin = gui.add_button(
                "Pin beside", hint="keeps a copy of this grasp next to the ones you open after it"
            )
            self.pin.on_click(tasks.callback(lambda _: self._pin(), from_server=True))
            self.unpin = gui.add_button("Take away")
            self.unpin.on_click(tasks.callback(lambda _: self._unpin(), from_server=True))
            self.screenshot = gui.add_button("Screenshot")
            self.screenshot.on_click(tasks.long_callback(self._screenshot))

    def apply(self) -> None:
        """Draw or leave out hand and object: contacts lie between them."""
        for scene in (self._page.scene, self.pinned):
            if scene is not None:
                scene.draw_only(hand=self.hand.value, obj=self.object.value)

    async def _redraw(self) -> None:
        await self._page.show_again()

    async def _pin(self) -> None:
        self._unpin()
        session = self._page.session
        self.pinned = GraspScene(self._page.server.scene, "/pinned", _BESIDE)
        self.pinned.show(session.hand, session.object, session.posture, session.table_plane)
        contacts = await session.contacts()
        self.pinned.show_contacts(contacts, session.metrics.contact_threshold, cones=self.cones.value)

    def _unpin(self) -> None:
        if self.pinned is not None:
            self.pinned.remove()
            self.pinned = None

    async def _screenshot(self, event: Any) -> None:
        import asyncio

        from PIL import Image

        if event.client is None:
            raise GraspdError("the picture needs a browser to draw it; press the button on the page")
        pixels = await asyncio.to_thread(event.client.get_render, height=1080, width=1440)
        content = io.BytesIO()
        Image.fromarray(pixels).save(content, format="PNG")
        hand, obj, index = self._page.session.key
        event.client.send_file_download(f"{hand}_{obj}_{index}.png", content.getvalue())
