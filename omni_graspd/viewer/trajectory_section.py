# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How a grasp came about: recorded again, scrubbed, with the curves of its losses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.inspection.reoptimization import Posture
from omni_graspd.synthesis.grasp import Trajectory

if TYPE_CHECKING:
    from omni_graspd.viewer.inspection_page import InspectionPage

_COLORS = ("#d62728", "#1f77b4", "#2ca02c", "#9467bd", "#ff7f0e", "#8c564b", "#17becf")


class TrajectorySection:
    """Record, scrub, and see the losses."""

    def __init__(self, page: InspectionPage) -> None:
        """Add the controls."""
        self._page = page
        self.way: Trajectory | None = None
        self._plot: Any = None
        with page.server.gui.add_folder("Trajectory", expand_by_default=False) as self._folder:
            self.record = page.server.gui.add_button("Record", hint="synthesizes the grasp again and records each step")
            self.record.on_click(page.tasks.long_callback(lambda _: self._record()))
            self.scrubber = page.server.gui.add_slider("way [%]", 0, 100, 1, 100)
            self.scrubber.on_update(page.tasks.callback(lambda _: self._scrub()))
            self.step = page.server.gui.add_markdown("")

    def forget(self) -> None:
        """Drop what was recorded: another grasp is selected."""
        self.way, self.step.content = None, ""
        if self._plot is not None:
            self._plot.remove()
            self._plot = None

    async def _record(self) -> None:
        self._page.say("recording; the first run for a hand and an object takes a few seconds")
        self.way = await self._page.session.trajectory()
        self._page.say("")
        self._draw(self.way)
        self.scrubber.value = 100
        self._scrub()

    def _draw(self, way: Trajectory) -> None:
        import viser.uplot as uplot

        names = [name for name, values in way.losses.items() if np.isfinite(values[:, 0]).all()]
        # Each relative to its largest value: their units differ.
        curves = [way.losses[name][:, 0] / max(float(np.abs(way.losses[name][:, 0]).max()), 1e-12) for name in names]
        series = [uplot.Series(label="step")]
        series += [uplot.Series(label=name, stroke=_COLORS[i % len(_COLORS)], width=1) for i, name in enumerate(names)]
        data = (np.asarray(way.steps, dtype=np.float64), *(np.asarray(curve, dtype=np.float64) for curve in curves))
        if self._plot is not None:
            self._plot.remove()
        with self._folder:
            self._plot = self._page.server.gui.add_uplot(
                data,
                tuple(series),
                title="losses, each relative to its largest",
                scales={"x": uplot.Scale(time=False), "y": uplot.Scale()},
                aspect=1.6,
            )

    def _scrub(self) -> None:
        way = self.way
        if way is None:
            raise GraspdError("there is no recorded trajectory; press Record first")
        frame = round(self.scrubber.value / 100.0 * (len(way.steps) - 1))
        losses = {name: float(values[frame, 0]) for name, values in way.losses.items()}
        step = int(way.steps[frame])
        pose, joints = way.T_object_palm[frame, 0], way.joint_positions[frame, 0]
        self._page.show_posture(Posture(pose, joints, float("nan"), step, losses))
        figures = " · ".join(f"{name} {value:.3g}" for name, value in losses.items())
        self.step.content = f"step {step} · {figures}"
