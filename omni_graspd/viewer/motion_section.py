# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The motion of the selected grasp on a slider: from the pregrasp in, and up with the object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from omni_graspd.inspection.grasp_motion import MotionFrame, motion_at, motion_frames
from omni_graspd.inspection.reoptimization import Posture
from omni_graspd.viewer.arm_section import ArmSection

if TYPE_CHECKING:
    from omni_graspd.viewer.inspection_page import InspectionPage

_STEPS = 10
"""Steps of the slider from one frame to the next."""


class MotionSection:
    """A slider with a mark for each frame of the motion."""

    def __init__(self, page: InspectionPage) -> None:
        """Add the slider, which waits for a grasp."""
        self._page = page
        self._frames: tuple[MotionFrame, ...] = ()
        self.slider: Any = None
        self._folder = page.server.gui.add_folder("Motion")
        with self._folder:
            self.place = page.server.gui.add_markdown("")
        self.arm = ArmSection(page, self._folder)

    def follow(self) -> None:
        """Take the motion of the selected grasp, and stand at the grasp."""
        frames = motion_frames(self._page.session.grasp)
        names = [frame.name for frame in frames]
        if names != [frame.name for frame in self._frames]:
            self._add_slider(names)
        self._frames = frames
        if self.slider is not None:
            self.slider.value = _STEPS * names.index("grasp")
        self.place.content = "" if len(frames) > 1 else "the dataset has the grasp alone, no motion"
        self.arm.follow()

    def show_arm(self, posture: Posture, place: float | None = None) -> None:
        """Draw the chosen arm at a place of the motion; none for a hand that is not on it.

        Args:
            posture: Where the hand is.
            place: As for :meth:`show`; by default that of the grasp, if the hand is there.
        """
        names, grasp = [frame.name for frame in self._frames], self._page.session.grasp
        if place is None and self._page.session.shown_object == grasp.object:
            is_there = np.array_equal(posture.T_object_palm, grasp.T_object_palm)
            place = float(names.index("grasp")) if names and is_there else None
        self.arm.show(names, place)

    def show(self, place: float) -> None:
        """Show the hand at a place of its motion, as the table has it; the session's posture stays.

        Args:
            place: Number of the frame, with a fraction for what is between two.
        """
        frame = motion_at(self._frames, place)
        posture = Posture(frame.T_object_palm, frame.joint_positions, float("nan"))
        self._page.show_posture(posture, frame.lifted, place)
        self.place.content = f"{frame.name} · palm at {_millimetres(frame.T_object_palm[:3])} mm"

    def _add_slider(self, names: list[str]) -> None:
        if self.slider is not None:
            self.slider.remove()
            self.slider = None
        if len(names) < 2:
            return
        marks = tuple((_STEPS * number, name) for number, name in enumerate(names))
        last = _STEPS * (len(names) - 1)
        with self._folder:
            self.slider = self._page.server.gui.add_slider("place", 0, last, 1, last, marks=marks)
        self.slider.on_update(self._page.tasks.callback(lambda _: self._slid()))

    async def _slid(self) -> None:
        place = self.slider.value / _STEPS
        self.show(place)
        if place == [frame.name for frame in self._frames].index("grasp"):
            await self._page.show_again()


def _millimetres(position: np.ndarray) -> str:
    return ", ".join(f"{1e3 * value:.0f}" for value in position)
