# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The page of `graspd inspect`: a dataset's grasps in a browser. The state is the session's; the page shows it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from omni_graspd.inspection.grasp_contacts import GraspContacts
from omni_graspd.inspection.inspection import Inspection
from omni_graspd.inspection.reoptimization import Posture
from omni_graspd.metrics.columns import metrics_shown
from omni_graspd.viewer.browse_section import BrowseSection
from omni_graspd.viewer.decide_section import DecideSection
from omni_graspd.viewer.form_section import FormSection
from omni_graspd.viewer.grasp_scene import GraspScene
from omni_graspd.viewer.page_tasks import PageTasks
from omni_graspd.viewer.scene_section import SceneSection
from omni_graspd.viewer.trajectory_section import TrajectorySection
from omni_graspd.viewer.view_section import ViewSection

if TYPE_CHECKING:
    import viser

_SHOWN = (
    "loss_escape",
    *(metric.name for metric in metrics_shown("viewer")),
    *("rest_pose", "usable", "tries"),
    *("approach_clearance", "closing_clearance", "grasp_clearance", "squeeze_clearance", "lift_clearance"),
)


class InspectionPage:
    """Everything on the page; all of it is called on the server's event loop."""

    def __init__(self, server: viser.ViserServer, session: Inspection) -> None:
        """Build the page; nothing is read of hands and objects before the first browser comes.

        Args:
            server: The server.
            session: The dataset that is looked at.
        """
        self.server, self.session = server, session
        self.tasks = PageTasks(self.say)
        self.message = server.gui.add_markdown("")
        self.figures = server.gui.add_markdown("")
        self.scene = GraspScene(server.scene, "/grasp")
        self.decide = DecideSection(self)
        self.browse = BrowseSection(self)
        self.form = FormSection(self)
        self.trajectory = TrajectorySection(self)
        self.view = ViewSection(self)
        self.scenes = SceneSection(self)
        server.gui.configure_theme(control_width="large", show_share_button=False)
        server.scene.set_up_direction("+z")
        server.initial_camera.position, server.initial_camera.look_at = (0.24, -0.24, 0.2), (0.0, 0.0, 0.02)
        server.on_client_connect(self.tasks.callback(lambda _: self.show_selected()))

    def say(self, line: str, is_error: bool = False) -> None:
        """Show a line at the top of the page, for everybody who looks at it."""
        text = line.replace("<", "&lt;").replace("*", "\\*").replace("_", "\\_")
        self.message.content = f"**Error:** {text}" if is_error else text

    async def show_selected(self) -> None:
        """Show the selected grasp, then its contacts."""
        await self.tasks.stop()
        self.say("")
        self.browse.update()
        self.trajectory.forget()
        if self.session.list.selected is None:
            self.scene.set_visible(False)
            self.figures.content = "no grasp passes the filter"
            return
        posture = self.session.posture
        self.show_posture(posture)
        self.scene.set_visible(True)
        self.view.apply()
        self.form.follow(posture)
        self.scenes.follow()
        await self.show_contacts()

    def show_posture(self, posture: Posture) -> None:
        """Show a posture on the way to another; its contacts are not measured."""
        session = self.session
        self.scene.show(session.hand, session.object, posture, session.table_plane)

    async def show_contacts(self) -> None:
        """Measure the posture that is shown, paint its contacts and tell its figures."""
        contacts = await self.session.contacts()
        self.figures.content = self._table(self.session.posture, contacts)
        if self.view.contacts.value:
            threshold = self.session.metrics.contact_threshold
            self.scene.show_contacts(contacts, threshold, cones=self.view.cones.value)

    def _table(self, posture: Posture, contacts: GraspContacts) -> str:
        """Return what is known of the grasp: as it is shown, and as its table has it."""
        session, grasp = self.session, self.session.grasp
        now = {"loss_escape": posture.score, **contacts.figures()}
        there = session.catalog.metrics_of(grasp.row)
        decision = session.decisions.get(session.key)
        verdict = "undecided" if decision is None else decision.verdict
        lines = [
            f"### {grasp.hand} · {grasp.object} · {grasp.index}",
            f"**{verdict}** · {grasp.status} · {'force closure' if contacts.force_closure else 'no force closure'}",
            "",
            "| metric | shown | table |",
            "| --- | ---: | ---: |",
        ]
        for name in _SHOWN:
            if name in now or name in there:
                lines.append(f"| {name} | {_number(now.get(name))} | {_number(there.get(name))} |")
        return "\n".join(lines)


def _number(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else f"{value:.4g}"
