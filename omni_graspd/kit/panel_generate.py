# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The panel's section that makes a dataset: hand, object, numbers, folder, progress, losses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import omni.ui as ui

from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.kit.config_rows import ConfigRows, field_docstring, labelled, typed_text
from omni_graspd.kit.panel_pipeline import make_dataset
from omni_graspd.kit.panel_tasks import PanelTasks
from omni_graspd.kit.selection import selected_file
from omni_graspd.library import Kind, list_all_names
from omni_graspd.synthesis.presets import PRESETS, synthesis_preset

_ROWS = {
    "grasps": "Grasps",
    "seed": "Seed",
    "scenes": "Scenes",
    "camera.views": "Views per scene",
    "out": "Output folder",
}
"""Fields of the configuration that have a row, and its label."""


class GenerateSection:
    """Widgets that hold the settings, and the buttons that run them."""

    def __init__(self, tasks: PanelTasks, made: Callable[[Path], None]) -> None:
        """Build the section inside the container that is open.

        Args:
            tasks: Runs the work.
            made: Called with the dataset's folder when grasps are there.
        """
        self._tasks, self._made = tasks, made
        with ui.CollapsableFrame("Generate", collapsed=False), ui.VStack(spacing=4):
            self._hand = _asset_row("Hand", "hands", tasks)
            self._object = _asset_row("Object", "objects", tasks)
            self._presets = list(PRESETS)
            with labelled("Preset"):
                self._preset = ui.ComboBox(0, *self._presets)
            start = GenerateConfig()
            # Kit's working directory is a folder of Isaac Sim's own.
            self._rows = ConfigRows(replace(start, out=Path.home() / start.out), _ROWS)
            with ui.HStack(height=26, spacing=4):
                ui.Button("Scenes", clicked_fn=lambda: self._start(("settle",)))
                ui.Button("Grasps", clicked_fn=lambda: self._start(("settle", "synthesize", "place")))
                ui.Button("Images", clicked_fn=lambda: self._start(("settle", "synthesize", "place", "render")))
                ui.Button("Cancel", clicked_fn=tasks.cancel)
            self._bar = ui.ProgressBar()
            self._plots = ui.Frame(height=80, build_fn=self._plot)
        self._losses: list[float] = []

    def config(self) -> GenerateConfig:
        """Return the settings as they are typed.

        Raises:
            GraspdError: If a number is out of range.
        """
        preset = self._presets[self._preset.model.get_item_value_model().get_value_as_int()]
        config: GenerateConfig = self._rows.config()
        hand, obj = typed_text(self._hand, "a hand"), typed_text(self._object, "an object")
        return replace(config, hand=(hand,), object=(obj,), synthesis=synthesis_preset(preset))

    def _start(self, stages: tuple[str, ...]) -> None:
        def start() -> None:
            self._tasks.start(self._run(self.config(), stages), " and ".join(stages[-1:]))

        self._tasks.attempt(start)

    async def _run(self, config: GenerateConfig, stages: tuple[str, ...]) -> None:
        self._bar.model.set_value(0.0)
        await make_dataset(config, stages, self._progress, self._show_losses)
        if "synthesize" in stages:
            self._made(config.out)

    def _progress(self, name: str, done: int, total: int) -> None:
        self._bar.model.set_value(float(done / max(total, 1)))

    def _show_losses(self, losses: list[float]) -> None:
        self._losses = losses
        self._plots.rebuild()

    def _plot(self) -> None:
        with ui.VStack():
            ui.Label("Loss of the first grasp over the steps", height=18)
            losses = self._losses or [0.0, 0.0]
            ui.Plot(ui.Type.LINE, 0.0, max(*losses, 1e-6), *losses, height=60)


def _asset_row(label: str, kind: Kind, tasks: PanelTasks) -> Any:
    """Return a text field, filled from the library, from what is selected on the stage, or by hand with a file."""
    names = list_all_names(kind)
    with labelled(label, field_docstring(GenerateConfig, label.lower()), spacing=4):
        field = ui.StringField()
        field.model.set_value(names[0])
        choices = ui.ComboBox(0, *names)
        choices.model.add_item_changed_fn(
            lambda model, _: field.model.set_value(names[model.get_item_value_model().get_value_as_int()])
        )
        ui.Button(
            "From selection",
            width=100,
            clicked_fn=lambda: tasks.attempt(lambda: field.model.set_value(str(selected_file(kind)))),
        )
    return field
