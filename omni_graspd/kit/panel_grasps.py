# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The panel's section that looks at grasps: a sortable table, the grasp in the viewport, decisions, export."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import numpy as np
import omni.ui as ui

from omni_graspd.errors import GraspdError
from omni_graspd.formats.registry import write_names
from omni_graspd.inspection.accepted_export import ISAAC_GRASP, export_accepted, export_line
from omni_graspd.inspection.inspection import Inspection
from omni_graspd.inspection.opened import open_grasps
from omni_graspd.inspection.reoptimization import Posture
from omni_graspd.kit.panel_pipeline import require_packages
from omni_graspd.kit.panel_tasks import PanelTasks
from omni_graspd.kit.viewport import GraspView
from omni_graspd.kit.viewport_drag import follow_drags
from omni_graspd.metrics.columns import metrics_shown
from omni_graspd.synthesis.grasp import Trajectory

_PAGE = 12
_METRICS = ("loss_escape", *(metric.name for metric in metrics_shown("panel")))


class GraspsSection:
    """The table and what is done with the selected grasp."""

    def __init__(self, tasks: PanelTasks) -> None:
        """Build the section inside the container that is open."""
        self._tasks, self.view = tasks, GraspView()
        self.inspection: Inspection | None = None
        self._trajectory: Trajectory | None = None
        with ui.CollapsableFrame("Grasps", collapsed=False), ui.VStack(spacing=4):
            with ui.HStack(height=22, spacing=4):
                ui.Label("Dataset or file", width=110)
                self._path = ui.StringField()
                ui.Button("Open", width=60, clicked_fn=lambda: self.open(Path(self._path.model.get_value_as_string())))
            self._table = ui.Frame(build_fn=self._build_table)
            with ui.HStack(height=26, spacing=4):
                for text, work in (
                    ("Previous", lambda session: session.step(-1)),
                    ("Next", lambda session: session.step(1)),
                    ("Accept", lambda session: session.decide("accepted")),
                    ("Reject", lambda session: session.decide("rejected")),
                    ("Undo", lambda session: session.undo()),
                ):
                    ui.Button(text, clicked_fn=lambda work=work: self._do(work))
            with ui.HStack(height=26, spacing=4):
                ui.Button("Drag palm", clicked_fn=lambda: self._start(self._drag, "drag the palm in the viewport"))
                ui.Button("Re-optimise", clicked_fn=lambda: self._start(self._reoptimize, "re-optimise"))
                ui.Button("Trajectory", clicked_fn=lambda: self._start(self._record, "trajectory"))
                ui.Button("Stop", clicked_fn=tasks.cancel)
                ui.Button("Show/hide hand", clicked_fn=lambda: tasks.attempt(self._toggle_hand))
            with ui.HStack(height=26, spacing=4):
                ui.Label("Export as", width=110)
                self._format = ui.ComboBox(write_names().index(ISAAC_GRASP), *write_names())
                ui.Button("Export accepted", clicked_fn=lambda: self._start(self._export, "export"))
            self._scrubber = ui.IntSlider(min=0, max=100)
            self._scrubber.model.add_value_changed_fn(lambda model: self._scrub(model.get_value_as_int()))
            self._figures = ui.Label("", height=40, word_wrap=True)

    def open(self, root: Path) -> None:
        """Open a dataset, or a grasp file that another project wrote, and show its first grasp."""

        def work() -> None:
            require_packages()
            self._tasks.start(self._open(root), f"open {root.name}")

        self._tasks.attempt(work)

    async def _open(self, path: Path) -> None:
        # A file of another project takes as long to read as its objects are many.
        session, _ = await asyncio.to_thread(open_grasps, path)
        self.close()
        self.inspection = session
        self._path.model.set_value(str(path))
        self._table.rebuild()
        await self._show(session)

    def close(self) -> None:
        """Take the hand off the stage and forget the dataset."""
        self.view.clear()
        if self.inspection is not None:
            self.inspection.close()
        self.inspection, self._trajectory = None, None

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
        self._start(self._show, "show the grasp")

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
        name = write_names()[self._format.model.get_item_value_model().get_value_as_int()]
        return export_line(await export_accepted(session, name))

    def _build_table(self) -> None:
        session = self.inspection
        with ui.VStack():
            if session is None:
                ui.Label("no dataset is open", height=20)
                return
            try:
                rows = [(int(row), self._cells(session, int(row))) for row in self._page(session)]
            except GraspdError as error:
                ui.Label(str(error), height=40, word_wrap=True)
                return
            with ui.HStack(height=22):
                for name in ("grasp", *self._shown_metrics(session)):
                    ui.Button(name, clicked_fn=lambda name=name: self._sort("" if name == "grasp" else name))
                ui.Label("decision")
            for row, (title, *cells) in rows:
                with ui.HStack(height=20):
                    ui.Button(title, clicked_fn=lambda row=row: self._do(lambda session: session.select(row)))
                    for cell in cells:
                        ui.Label(cell)
            ui.Label(f"{len(session.list.rows)} of {session.catalog.count} grasps", height=20)

    def _shown_metrics(self, session: Inspection) -> list[str]:
        return [name for name in _METRICS if name in session.catalog.metric_names()]

    def _page(self, session: Inspection) -> np.ndarray:
        here = np.flatnonzero(session.list.rows == session.list.selected)
        first = int(here[0]) // _PAGE * _PAGE if len(here) else 0
        return session.list.rows[first : first + _PAGE]

    def _cells(self, session: Inspection, row: int) -> list[str]:
        """Return what a row says: name, metrics, decision."""
        table, index = session.catalog.table_of(row), session.catalog.index_of(row)
        decision = session.decisions.get((table.hand, table.object, index))
        mark = "> " if row == session.list.selected else ""
        metrics = [f"{session.catalog.metric(name)[row]:.4g}" for name in self._shown_metrics(session)]
        return [f"{mark}{table.hand} {table.object} {index}", *metrics, "" if decision is None else decision.verdict]

    def _sort(self, metric: str) -> None:
        def work(session: Inspection) -> None:
            again = metric == session.list.metric
            session.list.show(metric=metric, descending=not session.list.descending if again else False)

        self._do(work)
