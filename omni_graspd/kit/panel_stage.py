# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The panel's section for the user's own stage: grasps of what stands there, as ghosts, applied to a robot, saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import omni.ui as ui

from omni_graspd.arms.stage_reach import StageReach
from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.errors import GraspdError
from omni_graspd.kit.config_rows import typed_text
from omni_graspd.kit.ghosts import Ghosts
from omni_graspd.kit.panel_pipeline import require_packages
from omni_graspd.kit.panel_rows import ROW_HEIGHT, Buttons, group, labelled, row
from omni_graspd.kit.panel_tasks import PanelTasks
from omni_graspd.kit.selection import selected_path
from omni_graspd.kit.stage_grasps import MOMENTS, Moment, StageGrasps, grasp_on_stage


class StageSection:
    """Widgets that say which prims are meant, and the buttons that work on them."""

    def __init__(self, tasks: PanelTasks, config: Callable[[], GenerateConfig]) -> None:
        """Build the section inside the container that is open.

        Args:
            tasks: Runs the work.
            config: Returns hand, preset, number and seed as they are typed.
        """
        self._tasks, self._config, self._buttons = tasks, config, Buttons(tasks)
        self.grasps: StageGrasps | None = None
        self.reach: StageReach | None = None
        self.ghosts = Ghosts()
        self._number = 0
        with group("On the stage", collapsed=True):
            self._object = self._prim_row("Object", "Prim of the object to grasp, where it stands.")
            self._robot = self._prim_row("Robot", "Prim of the hand, or of the robot that holds it; for Apply.")
            with row():
                tooltip = "Find grasps past all that stands around, with hand, preset, number and seed from above."
                self._buttons.add("Find grasps", tooltip, self._find)
                self._buttons.add_stop("Stop finding", "No grasps, then.", tasks.cancel)
            with row():
                self._buttons.add("Previous ghost", "The grasp before.", lambda: self._attempt(lambda: self._step(-1)))
                self._buttons.add("Next ghost", "The next grasp.", lambda: self._attempt(lambda: self._step(1)))
                self._buttons.add("All ghosts", "Show all good grasps.", lambda: self._attempt(self._show_all))
            tooltip = (
                "Set the robot's joint targets, the arm's after Reach on stage; move the hand if nothing holds it."
            )
            with labelled("Apply", tooltip):
                for moment, text, tooltip in MOMENTS:
                    self._buttons.add(text, tooltip, lambda moment=moment: self._attempt(lambda: self._apply(moment)))
            with row():
                tooltip = "Write the good grasps to the stage as prims."
                self._buttons.add("Save to stage", tooltip, lambda: self._attempt(self._save))
                self._buttons.add("Clear", "Take the ghosts away.", self.ghosts.clear)
            self._figures = ui.Label("", height=36, word_wrap=True)

    def close(self) -> None:
        """Take the ghosts off the stage and forget the grasps."""
        self.ghosts.clear()
        self.grasps, self.reach = None, None

    def made(self) -> StageGrasps:
        """Return the grasps on the stage.

        Raises:
            GraspdError: If there are none.
        """
        if self.grasps is None:
            raise GraspdError("there are no grasps on the stage; select an object and press Find grasps")
        return self.grasps

    @property
    def robot(self) -> str | None:
        """The robot's prim as it is typed; None where nothing is."""
        return self._robot.model.get_value_as_string().strip() or None

    def take_reach(self, reach: StageReach) -> None:
        """Take what an arm can do about the grasps, and show the best one that it reaches.

        Args:
            reach: What :func:`~omni_graspd.kit.stage_reach.reach_on_stage` found for these grasps.
        """
        self.reach = reach
        good = self.made().good
        self._step(next((number for number, row in enumerate(good) if not reach.reason(row)), 0) - self._number)

    def _prim_row(self, label: str, tooltip: str) -> Any:
        with labelled(label, tooltip):
            field = ui.StringField(height=ROW_HEIGHT)
            self._buttons.add(
                "Selected",
                "Take what is selected on the stage.",
                lambda: self._attempt(lambda: field.model.set_value(selected_path())),
                width=70,
            )
        return field

    def _attempt(self, work: Callable[[], object]) -> None:
        self._tasks.attempt(work)

    def _find(self) -> None:
        def start() -> None:
            require_packages()
            if not self._object.model.get_value_as_string().strip():
                self._object.model.set_value(selected_path())
            self._tasks.start(self._run(self._config()), "find grasps on the stage")

        self._attempt(start)

    async def _run(self, config: GenerateConfig) -> str:
        self.close()
        made = await grasp_on_stage(
            config.hand[0],
            typed_text(self._object, "the object's prim"),
            config.grasps,
            robot=self.robot,
            seed=config.seed,
            config=config.synthesis,
            device=config.device,
            progress=self._progress,
        )
        self.grasps, self._number = made, 0
        good = made.good
        if not len(good):
            reasons = ", ".join(sorted({status for status in made.batch.status if status != "ok"}))
            raise GraspdError(
                f"none of {len(made.batch.status)} grasps can be carried out ({reasons}); make room or ask for more"
            )
        self.ghosts.show(
            made.hand, made.standing.T_world_object, made.batch.T_object_palm[good], made.batch.joint_positions[good]
        )
        self.ghosts.pick([0])
        on = f", on {made.around.support}" if made.around.support else ""
        self._figures.text = f"{len(made.around.prim_paths)} obstacles around {made.standing.prim_path}{on}"
        notes = "".join(f"; {note}" for note in made.standing.rigid.notes[:1])
        return f"{len(good)} of {len(made.batch.status)} grasps can be carried out{notes}"

    def _progress(self, done: int, total: int) -> None:
        self._figures.text = f"step {done} of {total}"

    def _row(self) -> int:
        return int(self.made().good[self._number])

    def _step(self, by: int) -> None:
        self._number = (self._number + by) % len(self.made().good)
        self.ghosts.pick([self._number])
        batch = self.made().batch
        score = "" if batch.ranking is None else f" · loss {batch.ranking[self._row()]:.3f}"
        self._figures.text = f"grasp {self._number + 1} of {len(self.made().good)}{score}{self._reach_words()}"

    def _reach_words(self) -> str:
        if self.reach is None:
            return ""
        reason = self.reach.reason(self._row())
        return f" · {self.reach.arm.name}: {reason or 'reachable'}"

    def _show_all(self) -> None:
        self.ghosts.pick(range(len(self.made().good)))

    def _apply(self, moment: Moment) -> None:
        robot = typed_text(self._robot, "the robot's prim")
        self._tasks.say(self.made().apply(robot, self._row(), moment, self.reach), False)

    def _save(self) -> None:
        made = self.made()
        where = made.save()
        self._tasks.say(f"{len(made.good)} grasps saved to {where}; the hand's file stays at {made.hand.source}", False)
