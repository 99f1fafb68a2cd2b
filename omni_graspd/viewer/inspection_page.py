# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The page of `graspd inspect`: a dataset's grasps in a browser. The state is the session's; the page shows it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.hands.posed_hand import posed_mesh
from omni_graspd.inspection.grasp_contacts import GraspContacts
from omni_graspd.inspection.inspection import Inspection
from omni_graspd.inspection.reoptimization import Posture
from omni_graspd.inspection.shown_units import shown_unit
from omni_graspd.metrics.columns import metrics_shown
from omni_graspd.viewer.browse_section import BrowseSection
from omni_graspd.viewer.camera_view import look_from_above
from omni_graspd.viewer.decide_section import DecideSection
from omni_graspd.viewer.form_section import FormSection
from omni_graspd.viewer.grasp_scene import GraspScene
from omni_graspd.viewer.motion_section import MotionSection
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
        self.motion = MotionSection(self)
        self.form = FormSection(self)
        self.trajectory = TrajectorySection(self)
        self.view = ViewSection(self)
        self.scenes = SceneSection(self)
        server.gui.configure_theme(control_width="large", show_share_button=False)
        self._looked_at: tuple[str, tuple[float, ...]] | None = None
        self._place: float | None = None
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
        self.motion.arm.forget()
        if self.session.list.selected is None:
            self.scene.set_visible(False)
            self.figures.content = "no grasp passes the filter"
            return
        try:
            self.show_posture(self.session.posture)
        except GraspdError:
            # What was shown before is another grasp than the one that is selected.
            self.scene.set_visible(False)
            self.figures.content = ""
            raise
        self.scene.set_visible(True)
        self.view.apply()
        self.form.follow(self.session.posture)
        self.scenes.follow()
        self.motion.follow()
        self.show_arm()
        self.look()
        await self.show_contacts()

    async def show_again(self) -> None:
        """Show the session's posture with its contacts after something else was drawn."""
        self.show_posture(self.session.posture)
        await self.show_contacts()

    def look(self, *, anew: bool = False) -> None:
        """Look at the object from above its table, where it is not the one looked at before.

        Args:
            anew: Also if it is.
        """
        obj, up = self.session.object, self._up()
        looked_at = obj.name, tuple(np.round(up, 2).tolist())
        if anew or looked_at != self._looked_at:
            self._looked_at = looked_at
            posture = self.session.posture
            hand = posed_mesh(self.session.hand, posture.T_object_palm, posture.joint_positions)
            seen = np.concatenate([obj.mesh.vertices, self.motion.arm.points()])
            look_from_above(self.server, up, seen, hand.vertices)

    def _up(self) -> np.ndarray:
        """Return what is up: over the scene's table, over the grasp's, or, afloat, the object's own axis."""
        if self.scenes.up is not None:
            return self.scenes.up
        plane = self.session.table_plane
        return np.array([0.0, 0.0, 1.0]) if plane is None else plane[:3]

    def show_posture(self, posture: Posture, lifted: np.ndarray | None = None, place: float | None = None) -> None:
        """Show a posture on the way to another; its contacts are not measured.

        Args:
            posture: Where the hand is.
            lifted: How far the object has been moved from where it lay [m], shape [3].
            place: Place of the grasp's motion at which the hand is, for the arm; None if that is not known.
        """
        session = self.session
        self.scene.show(session.hand, session.object, posture, session.table_plane, lifted)
        self.scene.draw_table(self.scenes.up is None)
        self._place = place
        self.show_arm()

    def show_arm(self) -> None:
        """Draw the chosen arm where the hand is, if that is on its way."""
        if self.scene.posture is not None and self.session.list.selected is not None:
            self.motion.show_arm(self.scene.posture, self._place)

    async def show_contacts(self) -> None:
        """Measure the posture that is shown, paint its contacts and tell its figures."""
        session = self.session
        shown = self.scene.posture
        if not self.figures.content.startswith(f"{self._heading()}\n"):
            self.figures.content = f"{self._heading()}\n\nmeasuring"
        contacts = await session.contacts()
        if self.scene.posture is not shown:
            return  # Meanwhile something else is shown, which has contacts of its own.
        self.figures.content = self._table(session.posture, contacts)
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
            self._heading(),
            f"**{verdict}** · {grasp.status} · {'force closure' if contacts.force_closure else 'no force closure'}",
            "",
            "| metric | shown | table |",
            "| --- | ---: | ---: |",
        ]
        for name in _SHOWN:
            if name in now or name in there:
                unit, scale = shown_unit(name)
                heading = f"{name} [{unit}]" if unit else name
                lines.append(f"| {heading} | {_number(now.get(name), scale)} | {_number(there.get(name), scale)} |")
        return "\n".join(lines)

    def _heading(self) -> str:
        """Name the hand, the object and the number of the grasp; of a swapped object, the one that is drawn first."""
        grasp, drawn = self.session.grasp, self.session.shown_object
        obj = grasp.object if drawn == grasp.object else f"{drawn} in place of {grasp.object}"
        return f"### {grasp.hand} · {obj} · {grasp.index}"


def _number(value: float | None, scale: float) -> str:
    return "" if value is None or math.isnan(value) else f"{scale * value:.4g}"
