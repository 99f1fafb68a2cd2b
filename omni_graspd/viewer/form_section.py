# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Forming a grasp anew: the palm dragged, joints moved, another object put in place."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import numpy as np

from omni_graspd.inspection.reoptimization import Posture
from omni_graspd.viewer.hand_controls import add_joint_sliders

if TYPE_CHECKING:
    from omni_graspd.viewer.inspection_page import InspectionPage


class FormSection:
    """A gizmo at the palm, sliders for the actuated joints, re-optimise, reset, swap."""

    def __init__(self, page: InspectionPage) -> None:
        """Add the controls."""
        self._page = page
        gui, tasks = page.server.gui, page.tasks
        self._dragged: np.ndarray | None = None
        self._is_following = False
        self._hand: Any = None
        self.sliders: list[Any] = []
        self.gizmo = page.server.scene.add_transform_controls("/palm", scale=0.09, line_width=2.0, depth_test=False)
        self.gizmo.on_update(self._on_gizmo)
        with gui.add_folder("Edit"):
            self.show_gizmo = gui.add_checkbox("gizmo at the palm", True)
            self.show_gizmo.on_update(tasks.callback(lambda _: setattr(self.gizmo, "visible", self.show_gizmo.value)))
            self.reoptimize = gui.add_button("Re-optimise", hint="key O; starts from the posture shown")
            self.reoptimize.on_click(tasks.long_callback(lambda _: self.form_anew()))
            gui.add_command("Re-optimise", hotkey="O").on_trigger(tasks.long_callback(lambda _: self.form_anew()))
            self.reset = gui.add_button("Reset", hint="back to the grasp as stored or accepted")
            self.reset.on_click(tasks.callback(lambda _: self._reset(), from_server=True))
            self.stop = gui.add_button("Stop")
            self.stop.on_click(tasks.callback(lambda _: tasks.stop(), from_server=True))
            self.other = gui.add_text(
                "other object", "", hint="a name in the library or a file; empty: the grasp's own"
            )
            self.swap = gui.add_button("Swap object")
            self.swap.on_click(tasks.long_callback(lambda _: self._swap()))
        self._joints = gui.add_folder("Joints", expand_by_default=False)

    def follow(self, posture: Posture) -> None:
        """Put gizmo and sliders where the posture is."""
        pose, hand = posture.T_object_palm, self._page.session.hand
        self.gizmo.position, self.gizmo.wxyz = pose[:3], pose[[6, 3, 4, 5]]
        if hand is not self._hand:
            self._add_sliders()
        for slider, joint in zip(self.sliders, hand.actuated, strict=True):
            slider.value = float(np.clip(posture.joint_positions[joint], slider.min, slider.max))

    async def drag_to(self, pose: np.ndarray) -> None:
        """Follow a dragged palm with a few iterations; poses that come meanwhile are taken last one first."""
        self._dragged = pose
        if self._is_following:
            return
        self._is_following = True
        try:
            while self._dragged is not None:
                latest, self._dragged = self._dragged, None
                self._page.show_posture(await self._page.session.drag(latest))
        finally:
            self._is_following = False

    async def form_anew(self, pose: np.ndarray | None = None) -> None:
        """Run the whole optimisation and show its way and end.

        Args:
            pose: Palm pose from which to start, shape [7]; by default the one shown.
        """
        page = self._page
        while self._is_following:
            await asyncio.sleep(0.001)
        await page.session.prepare()
        async for posture in page.session.reoptimize(pose):
            page.show_posture(posture)
        page.trajectory.forget()
        self.follow(page.session.posture)
        await page.show_contacts()

    async def _on_gizmo(self, event: Any) -> None:
        if event.client_id is None:
            return
        pose = np.concatenate([np.asarray(event.target.position), np.asarray(event.target.wxyz)[[1, 2, 3, 0]]])
        tasks = self._page.tasks
        if event.phase == "start":
            await tasks.stop()
        if event.phase == "end":
            await tasks.long_callback(lambda _: self.form_anew(pose))(event)
        else:
            await tasks.callback(lambda _: self.drag_to(pose))(event)

    async def _reset(self) -> None:
        self._page.session.reset()
        await self._page.show_selected()

    async def _swap(self) -> None:
        await self._page.session.swap_object(self.other.value.strip())
        self._page.scenes.hide()  # The object that lies in them is another.
        self._page.show_posture(self._page.session.posture)
        self._page.look()
        await self.form_anew()

    def _add_sliders(self) -> None:
        for slider in self.sliders:
            slider.remove()
        self._hand = hand = self._page.session.hand
        moved = self._page.tasks.callback(lambda _: self._move_joints())
        with self._joints:
            self.sliders = add_joint_sliders(self._page.server.gui, hand, moved)

    async def _move_joints(self) -> None:
        session = self._page.session
        joints = self._hand.joint_positions(np.array([slider.value for slider in self.sliders]))
        session.pose(session.posture.T_object_palm, joints)
        self._page.show_posture(session.posture)
        await self._page.show_contacts()
