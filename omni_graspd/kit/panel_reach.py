# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The panel's section that finds out which grasps of the open dataset, or of the stage, an arm reaches."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import omni.ui as ui

from omni_graspd.arms.arm_reader import load_arm
from omni_graspd.arms.reach_config import ReachConfig
from omni_graspd.arms.reach_line import reach_line_with_reason
from omni_graspd.arms.stage_arm import stage_base
from omni_graspd.dataset.reach.reach_dataset import ReachCounts, reach_dataset
from omni_graspd.dataset.remote_folder import mirrored_dataset
from omni_graspd.errors import GraspdError
from omni_graspd.kit.config_rows import ConfigRows, numbers_text, typed_text
from omni_graspd.kit.panel_pipeline import require_mujoco, require_packages
from omni_graspd.kit.panel_rows import ROW_HEIGHT, Buttons, group, labelled, path_field, row
from omni_graspd.kit.panel_stage import StageSection
from omni_graspd.kit.panel_tasks import PanelTasks
from omni_graspd.kit.selection import selected_path
from omni_graspd.kit.stage_grasps import StageGrasps
from omni_graspd.kit.stage_reach import reach_on_stage
from omni_graspd.kit.viewport import open_stage
from omni_graspd.library import list_user_names
from omni_graspd.progress import Progress

_ROWS = {
    "base": "Base",
    "base_range": "Base range",
    "seed": "Base seed",
    "mount": "Mount",
    "mount_tilt": "Mount tilt",
    "mount_turn": "Mount turn",
    "clearance": "Clearance",
}
"""Fields of the configuration that have a row, and its label."""


class ReachSection:
    """Widgets that say which arm stands where, and the button that finds out what it reaches."""

    def __init__(self, tasks: PanelTasks, dataset: Callable[[], Path], on_stage: StageSection) -> None:
        """Build the section inside the container that is open.

        Args:
            tasks: Runs the work.
            dataset: Returns the folder of the open dataset, or its address.
            on_stage: Has the grasps of the user's own stage.
        """
        self._tasks, self._dataset, self._on_stage = tasks, dataset, on_stage
        buttons = Buttons(tasks)
        with group("Reach", collapsed=True):
            self._arm = _arm_row(buttons)
            self._rows = ConfigRows(ReachConfig(), _ROWS, buttons)
            with labelled("Stage arm", "Prim of the arm that stands on the stage, for Reach on stage."):
                self._stage_arm = ui.StringField(height=ROW_HEIGHT)
                tooltip = (
                    "Take the arm that is selected on the stage, and its place; there, too, z = 0 is the table top."
                )
                buttons.add("Base from selection", tooltip, self._take_base, width=140)
            with row():
                buttons.add("Reach", "Which usable grasps of the open dataset does the arm reach?", self._start)
                tooltip = "Which grasps on the stage does the arm reach that stands there? Apply then drives it, too."
                buttons.add("Reach on stage", tooltip, self._start_on_stage)
                buttons.add_stop("Stop reach", "Stop after the scene; the same settings go on there.", tasks.cancel)
            self._bar = ui.ProgressBar(height=ROW_HEIGHT - 4, tooltip="Scenes that are done.")
            self._result = ui.Label("", height=36, word_wrap=True)
        self.widgets = self._rows.widgets

    def config(self) -> ReachConfig:
        """Return the settings as they are typed.

        Raises:
            GraspdError: If a number is missing or out of range.
        """
        return self._rows.config()

    def _take_base(self) -> None:
        def start() -> None:
            arm, path = typed_text(self._arm, "an arm"), selected_path()
            self._tasks.start(self._base(arm, path), "base from selection", is_short=True)

        self._tasks.attempt(start)

    async def _base(self, name: str, path: str) -> str:
        arm = await asyncio.to_thread(load_arm, name)
        place = stage_base(open_stage(), path, arm)
        self.widgets["base"].model.set_value(numbers_text(place))
        self._stage_arm.model.set_value(path)
        return f"{arm.name} stands at {numbers_text([round(value, 4) for value in place])}"

    def _start(self) -> None:
        def start() -> None:
            require_packages()
            require_mujoco()
            arm, folder = typed_text(self._arm, "an arm"), self._dataset()
            self._tasks.start(self._run(folder, arm, self.config()), "reach")

        self._tasks.attempt(start)

    async def _run(self, folder: Path, arm: str, config: ReachConfig) -> str:
        self._result.text = ""
        self._bar.model.set_value(0.0)
        counts = await reach_in_thread(folder, arm, config, self._progress)
        return self._tell(arm, counts.reachable, counts.usable, counts.reasons)

    def _start_on_stage(self) -> None:
        def start() -> None:
            require_packages()
            require_mujoco()
            made, arm = self._on_stage.made(), typed_text(self._arm, "an arm")
            prim = typed_text(self._stage_arm, "the arm's prim")
            self._tasks.start(self._run_on_stage(made, arm, prim, self.config()), "reach on the stage")

        self._tasks.attempt(start)

    async def _run_on_stage(self, made: StageGrasps, arm: str, prim: str, config: ReachConfig) -> str:
        self._result.text = ""
        found = await reach_on_stage(made, arm, prim, robot=self._on_stage.robot, config=config)
        self._on_stage.take_reach(found)
        reach = found.reach
        return self._tell(arm, int(reach.reachable.sum()), len(found.rows), Counter(reach.failures))

    def _tell(self, arm: str, reachable: int, usable: int, reasons: Mapping[str, int]) -> str:
        self._result.text = f"{arm}: {reach_line_with_reason(reachable, usable, reasons)}"
        return self._result.text

    def _progress(self, done: int, total: int) -> None:
        self._bar.model.set_value(float(done / max(total, 1)))


async def reach_in_thread(folder: Path, arm: str, config: ReachConfig, progress: Progress) -> ReachCounts:
    """Find out what an arm reaches in a dataset, in a thread; cancelled, it ends after the scene it is at.

    Args:
        folder: The dataset, or its address; what is found is sent there.
        arm: Name of an arm, or a USD file.
        config: Settings.
        progress: Called on this loop with scenes done and in total.

    Raises:
        GraspdError: As :func:`reach_dataset` does.
    """
    loop, stopped = asyncio.get_running_loop(), threading.Event()

    def report(done: int, total: int) -> None:
        if stopped.is_set():
            raise GraspdError("stopped")
        loop.call_soon_threadsafe(progress, done, total)

    def find() -> ReachCounts:
        # In this process: other processes would be started from Kit's executable, which is no Python.
        with mirrored_dataset(folder) as root:
            return reach_dataset(root, arm, config, workers=1, progress=report)

    work = asyncio.ensure_future(asyncio.to_thread(find))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        stopped.set()
        await asyncio.gather(work, return_exceptions=True)  # until then the dataset is locked
        raise


def _arm_row(buttons: Buttons) -> Any:
    """Return a text field for the arm, filled from the library or from a file."""
    names = list_user_names("arms")
    with labelled("Arm", "Arm, by name or USD file; see graspd arms."):
        field = path_field(buttons, "Choose a file for the arm")
        if names:
            field.model.set_value(names[0])
            choices = ui.ComboBox(0, *names, width=ROW_HEIGHT, height=ROW_HEIGHT, arrow_only=True, tooltip="Yours")
            choices.model.add_item_changed_fn(
                lambda model, _: field.model.set_value(names[model.get_item_value_model().get_value_as_int()])
            )
    return field
