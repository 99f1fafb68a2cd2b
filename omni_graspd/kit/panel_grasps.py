# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The panel's section that looks at grasps: the table, the grasp in the viewport, decisions, export."""

from __future__ import annotations

import asyncio
import webbrowser
from collections.abc import Callable
from pathlib import Path

import numpy as np
import omni.ui as ui

from omni_graspd.dataset.remote_folder import local_dataset, remote_address
from omni_graspd.errors import GraspdError
from omni_graspd.formats.registry import export_names
from omni_graspd.inspection.accepted_export import ISAAC_GRASP, export_accepted, export_line
from omni_graspd.inspection.decisions import Verdict
from omni_graspd.inspection.inspection import Inspection
from omni_graspd.inspection.opened import open_grasps
from omni_graspd.inspection.reoptimization import Posture
from omni_graspd.kit.config_rows import typed_text
from omni_graspd.kit.panel_pipeline import require_packages
from omni_graspd.kit.panel_rows import ROW_HEIGHT, Buttons, group, labelled, path_field, row
from omni_graspd.kit.panel_table import build_grasp_table
from omni_graspd.kit.panel_tasks import PanelTasks
from omni_graspd.kit.viewport import GraspView
from omni_graspd.kit.viewport_drag import follow_drags
from omni_graspd.synthesis.grasp import Trajectory

_DRAGGED = "drag the palm in the viewport"


class GraspsSection:
    """The table and what is done with the selected grasp."""

    def __init__(self, tasks: PanelTasks) -> None:
        """Build the section inside the container that is open."""
        self._tasks, self.view = tasks, GraspView()
        self.inspection: Inspection | None = None
        self._trajectory: Trajectory | None = None
        self._address: Path | None = None
        buttons = Buttons(tasks)
        with group("Grasps"):
            with labelled("Dataset or file", "A folder that graspd wrote, or a grasp file of another project."):
                self._path = path_field(buttons, "Choose a dataset or a grasp file")
                buttons.add("Open", "Open it and show its first grasp.", self._open_typed, width=60)
            self._table = ui.Frame(
                height=0, build_fn=lambda: build_grasp_table(self.inspection, self._select, self._sort)
            )
            buttons.add_row(
                [
                    ("Previous", "The grasp before.", lambda: self._do(lambda session: session.step(-1))),
                    ("Next", "The next grasp.", lambda: self._do(lambda session: session.step(1))),
                    ("Accept", "Keep it; Export accepted writes it.", lambda: self._decide("accepted")),
                    ("Reject", "Drop it.", lambda: self._decide("rejected")),
                    ("Undo", "Take the last decision back.", lambda: self._do(lambda session: session.undo())),
                ]
            )
            with row():
                for text, tooltip, work, what in (
                    ("Drag palm", "Move the hand in the viewport; fingers follow.", self._drag, _DRAGGED),
                    ("Re-optimise", "Improve the grasp from where it is.", self._reoptimize, "re-optimise"),
                    ("Trajectory", "Record how the grasp came about, for the slider.", self._record, "trajectory"),
                ):
                    buttons.add(text, tooltip, lambda work=work, what=what: self._start(work, what))
                buttons.add_stop("Stop", "End dragging, or what runs.", tasks.cancel)
            self._scrubber = ui.IntSlider(min=0, max=100, height=ROW_HEIGHT, tooltip="Step of the trajectory [%].")
            self._scrubber.model.add_value_changed_fn(lambda model: self._scrub(model.get_value_as_int()))
            with labelled("Export as", "Format of the file with the accepted grasps."):
                self._format = ui.ComboBox(export_names().index(ISAAC_GRASP), *export_names(), height=ROW_HEIGHT)
                buttons.add("Export accepted", "Write the accepted grasps.", self._start_export, width=120)
            with row():
                buttons.add(
                    "Show/hide hand", "Hide the hand to see the contacts.", lambda: tasks.attempt(self._toggle_hand)
                )
                buttons.add(
                    "Open report", "Show the dataset's report in the browser.", lambda: tasks.attempt(self._report)
                )
            self._figures = ui.Label("", height=40, word_wrap=True)

    def open(self, root: Path) -> None:
        """Open a dataset, or a grasp file that another project wrote, and show its first grasp."""

        def work() -> None:
            require_packages()
            self._tasks.start(self._open(root), f"open {root.name}")

        self._tasks.attempt(work)

    def dataset(self) -> Path:
        """Return the folder of the open dataset, or its address where it is in a store or on a server.

        Raises:
            GraspdError: If none is open.
        """
        root = self._session().root
        return self._address or root

    async def _open(self, path: Path) -> None:
        # A file of another project takes as long to read as its objects are many.
        session, _ = await asyncio.to_thread(lambda: open_grasps(local_dataset(path)))
        self.close()
        self.inspection = session
        self._address = path if remote_address(path) else None
        self._path.model.set_value(str(path))
        self._table.rebuild()
        await self._show(session)

    def close(self) -> None:
        """Take the hand off the stage and forget the dataset."""
        self.view.clear()
        if self.inspection is not None:
            self.inspection.close()
        self.inspection, self._trajectory = None, None

    def _open_typed(self) -> None:
        self._tasks.attempt(lambda: self.open(Path(typed_text(self._path, "a dataset or grasp file")).expanduser()))

    def _decide(self, verdict: Verdict) -> None:
        self._do(lambda session: session.decide(verdict))

    def _start_export(self) -> None:
        self._start(self._export, "export")

    def _report(self) -> None:
        report = None if self.inspection is None else self.inspection.root / "report.html"
        if report is None or not report.is_file():
            raise GraspdError(
                "the open dataset has no report; run `graspd report` on its folder with a Python that has omni-graspd"
            )
        webbrowser.open(report.resolve().as_uri())

    def _toggle_hand(self) -> None:
        self.view.set_hand_visible(not self.view.hand_is_visible)

    def _session(self) -> Inspection:
        if self.inspection is None:
            raise GraspdError("no dataset is open; generate one, or enter its folder and press Open")
        return self.inspection

    def _do(self, work: Callable[[Inspection], object]) -> None:
        def attempt() -> None:
            work(self._session())
            self._changed()

        self._tasks.attempt(attempt)

    def _start(self, work: Callable, what: str) -> None:
        self._tasks.attempt(lambda: self._tasks.start(work(self._session()), what))

    def _changed(self) -> None:
        self._trajectory = None
        self._table.rebuild()
        self._tasks.attempt(lambda: self._tasks.start(self._show(self._session()), "show the grasp", is_short=True))

    async def _show(self, session: Inspection) -> None:
        """Show the selected grasp; its contacts follow when they are measured."""
        posture, threshold = session.posture, session.metrics.contact_threshold
        contacts = await session.contacts()
        self.view.show(
            session.hand, session.object_file, posture.T_object_palm, posture.joint_positions, threshold, contacts
        )
        closure = "force closure" if contacts.force_closure else "no force closure"
        pierced = f" · pierced: {len(contacts.pierced)} links" if contacts.pierced else ""
        self._figures.text = (
            f"escape {posture.score:.3f} · epsilon {contacts.epsilon:.3f} · volume {contacts.volume:.3g} · {closure} · "
            f"contact {1e4 * contacts.contact_area:.1f} cm² · deepest {1e3 * contacts.penetration_depth:.1f} mm"
            f"{pierced}"
        )

    def _show_posture(self, posture: Posture) -> None:
        session = self._session()
        threshold = session.metrics.contact_threshold
        self.view.show(session.hand, session.object_file, posture.T_object_palm, posture.joint_positions, threshold)
        if np.isfinite(posture.score):
            self._figures.text = f"escape {posture.score:.3f}"

    async def _drag(self, session: Inspection) -> None:
        await follow_drags(session, self.view, self._show_posture)

    async def _reoptimize(self, session: Inspection) -> None:
        await session.prepare()
        async for posture in session.reoptimize():
            self._show_posture(posture)
        await self._show(session)

    async def _record(self, session: Inspection) -> None:
        self._trajectory = await session.trajectory()

    def _scrub(self, percent: int) -> None:
        def work() -> None:
            if self._trajectory is None:
                raise GraspdError("there is no recorded trajectory; press Trajectory first")
            way = self._trajectory
            frame = round(percent / 100.0 * (len(way.steps) - 1))
            losses = {name: float(values[frame, 0]) for name, values in way.losses.items()}
            step = int(way.steps[frame])
            pose, joints = way.T_object_palm[frame, 0], way.joint_positions[frame, 0]
            self._show_posture(Posture(pose, joints, float("nan"), step, losses))
            self._figures.text = f"step {step} · stable {losses['stable']:.4f}"

        self._tasks.attempt(work)

    async def _export(self, session: Inspection) -> str:
        name = export_names()[self._format.model.get_item_value_model().get_value_as_int()]
        return export_line(await export_accepted(session, name))

    def _select(self, row: int) -> None:
        self._do(lambda session: session.select(row))

    def _sort(self, metric: str) -> None:
        def work(session: Inspection) -> None:
            again = metric == session.list.metric
            session.list.show(metric=metric, descending=not session.list.descending if again else False)

        self._do(work)
