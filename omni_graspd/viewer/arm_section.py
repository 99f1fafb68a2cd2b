# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The arm that carries out the motion of the selected grasp, at its stored joint positions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from omni_graspd.arms.arm import Arm
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.inspection.grasp_scenes import ArmMotion
from omni_graspd.viewer.hand_controls import add_link_mesh

if TYPE_CHECKING:
    from omni_graspd.viewer.inspection_page import InspectionPage

_NONE = "(none)"
_COLORS = ((98, 104, 116), (206, 200, 190))
"""Of the links, in turns."""


class ArmSection:
    """A choice of arm, where the dataset has reach tables, and its links in the scene; none is chosen at first."""

    def __init__(self, page: InspectionPage, folder: Any) -> None:
        """Add the choice.

        Args:
            page: The page.
            folder: Folder of its controls that the choice is added to.
        """
        self._page = page
        self._arm: Arm | None = None
        self._links: list[Any] = []
        self._motion: ArmMotion | None = None
        with folder:
            self.choice = page.server.gui.add_dropdown("arm", (_NONE,), visible=False)
            self.says = page.server.gui.add_markdown("")
        self.choice.on_update(page.tasks.callback(lambda _: self._chosen()))

    def follow(self) -> None:
        """Take how the chosen arm carries out the selected grasp: in the scene that is drawn, if one is."""
        names = (_NONE, *self._page.session.catalog.layout.arms())
        if names != tuple(self.choice.options):
            self.choice.options = names
        self.choice.visible = len(names) > 1
        self.forget()
        if self.choice.value == _NONE or self._page.session.list.selected is None:
            return
        self._motion = motion = self._page.session.arm_motion(self.choice.value, self._page.scenes.shown)
        if motion is None:
            self.says.content = "no reach table has this grasp: it is usable in none of the scenes that have one"
        else:
            self.says.content = f"scene {motion.scene_index}: {motion.reason or 'reachable'}"

    def forget(self) -> None:
        """Draw no arm until another grasp is followed."""
        self._motion, self.says.content = None, ""
        self.show([], None)

    def show(self, names: list[str], place: float | None) -> None:
        """Draw the arm at a place of the motion, where it has one; else draw none.

        Args:
            names: What the frames of the motion are called.
            place: As :meth:`MotionSection.show` takes it; None for a hand that is elsewhere.
        """
        motion = self._motion
        positions = None if motion is None or place is None else motion.positions_at(names, place)
        if motion is None or positions is None or not np.isfinite(positions).all():
            for node in self._links:
                node.visible = False
            return
        body = motion.arm.articulation
        if motion.arm is not self._arm:
            for node in self._links:
                node.remove()
            scene = self._page.server.scene
            self._links = [
                add_link_mesh(scene, f"/arm/{number:02d}", link.mesh, _COLORS[number % 2])
                for number, link in enumerate(body.links)
            ]
            self._arm = motion.arm
        poses = link_poses(body, motion.T_object_base, positions)
        for node, pose in zip(self._links, poses, strict=True):
            node.position, node.wxyz, node.visible = pose[:3], pose[[6, 3, 4, 5]], True

    def points(self) -> np.ndarray:
        """Return points of what is drawn [m], shape [point_count, 3]; none if nothing is."""
        return np.array([node.position for node in self._links if node.visible]).reshape(-1, 3)

    def _chosen(self) -> None:
        self.follow()
        self._page.show_arm()
        self._page.look(anew=True)
