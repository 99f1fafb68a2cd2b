# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The panel's sections that say what grasps what, and make a dataset of it: numbers, folder, progress, losses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import omni.ui as ui

from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.kit.config_rows import ConfigRows, field_docstring, typed_text
from omni_graspd.kit.panel_pipeline import make_dataset
from omni_graspd.kit.panel_rows import ROW_HEIGHT, Buttons, group, labelled, path_field, row
from omni_graspd.kit.panel_tasks import PanelTasks
from omni_graspd.kit.selection import selected_file
from omni_graspd.library import Kind, list_all_names
from omni_graspd.synthesis.presets import PRESETS, synthesis_preset

_GRASP_ROWS = {"grasps": "Grasps", "seed": "Seed"}
_DATASET_ROWS = {"scenes": "Scenes", "camera.views": "Views per scene", "out": "Output folder"}
"""Fields of the configuration that have a row, and its label."""
_PLOT_STYLE = {"color": 0xFFE0A030, "secondary_color": 0xFFE0A030, "background_color": 0xFF23211F}


class GenerateSection:
    """Widgets that hold the settings, and the buttons that run them."""

    def __init__(self, tasks: PanelTasks, made: Callable[[Path], None]) -> None:
        """Build the section inside the container that is open.

        Args:
            tasks: Runs the work.
            made: Called with the dataset's folder when grasps are there.
        """
        self._tasks, self._made, self._presets = tasks, made, list(PRESETS)
        buttons, start = Buttons(tasks), GenerateConfig()
        with group("Hand and object"):
            self._hand = _asset_row("Hand", "hands", tasks, buttons)
            self._object = _asset_row("Object", "objects", tasks, buttons)
            with labelled("Preset", "Settings of the synthesis: how much time each grasp takes, and how good it gets."):
                self._preset = ui.ComboBox(0, *self._presets, height=ROW_HEIGHT, identifier="preset")
            self._grasp_rows = ConfigRows(start, _GRASP_ROWS, buttons)
        with group("Dataset"):
            # Kit's working directory is a folder of Isaac Sim's own.
            self._dataset_rows = ConfigRows(replace(start, out="~" / start.out), _DATASET_ROWS, buttons)
            with row():
                for text, tooltip, stages in (
                    ("Scenes", "Drop the object until it rests.", ("settle",)),
                    ("Grasps", "Scenes, and grasps of the object in them.", ("settle", "synthesize", "place")),
                    ("Images", "Scenes, grasps and images.", ("settle", "synthesize", "place", "render")),
                ):
                    buttons.add(text, tooltip, lambda stages=stages: self._start(stages))
                buttons.add_stop("Cancel", "Stop; the same settings go on from there.", tasks.cancel)
            self._bar = ui.ProgressBar(height=ROW_HEIGHT - 4, tooltip="Progress of the stage that runs.")
            self._plots = ui.Frame(height=82, build_fn=self._plot)
        self.widgets = self._grasp_rows.widgets | self._dataset_rows.widgets
        self._losses: list[float] = []

    def config(self) -> GenerateConfig:
        """Return the settings as they are typed.

        Raises:
            GraspdError: If a number is out of range.
        """
        preset = self._presets[self._preset.model.get_item_value_model().get_value_as_int()]
        config: GenerateConfig = self._grasp_rows.config(self._dataset_rows.config())
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
            ui.Plot(ui.Type.LINE, 0.0, max(*losses, 1e-6), *losses, height=60, style=_PLOT_STYLE)


def _asset_row(label: str, kind: Kind, tasks: PanelTasks, buttons: Buttons) -> Any:
    """Return a text field, filled from the library, from a file, or from what is selected on the stage."""
    names = list_all_names(kind)
    with labelled(label, field_docstring(GenerateConfig, label.lower())):
        field = path_field(buttons, f"Choose a file for the {label.lower()}")
        field.model.set_value(names[0])
        choices = ui.ComboBox(
            0, *names, width=ROW_HEIGHT, height=ROW_HEIGHT, arrow_only=True, tooltip="Built in, or yours"
        )
        choices.model.add_item_changed_fn(
            lambda model, _: field.model.set_value(names[model.get_item_value_model().get_value_as_int()])
        )
        buttons.add(
            "Selected",
            f"Take the {label.lower()} that is selected on the stage.",
            lambda: tasks.attempt(lambda: field.model.set_value(str(selected_file(kind)))),
            width=70,
        )
    return field
