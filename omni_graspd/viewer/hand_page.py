# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The page of `graspd inspect --hand`: a hand alone, moved joint by joint, with points, colliders and findings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from pxr import Usd

from omni_graspd.hands.checks.hand_check import check_hand
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.hands.surface_points import HandPoints, posed_points, sample_surface_points
from omni_graspd.hands.usd.collider_reader import read_colliders
from omni_graspd.usd.still_stage import open_still
from omni_graspd.usd.transforms import IDENTITY
from omni_graspd.viewer.hand_controls import add_joint_sliders, add_link_mesh
from omni_graspd.viewer.page_tasks import PageTasks

if TYPE_CHECKING:
    import viser

_POINT_COUNT = 2000
_COLORS = ((150, 156, 166), (120, 140, 170), (170, 150, 130), (130, 165, 140), (165, 135, 165))
_COLLIDER_COLOR, _POINT_COLOR = (240, 140, 30), (210, 40, 40)


class HandPage:
    """The hand, sliders for its actuated joints, and what a check of it found."""

    def __init__(self, server: viser.ViserServer, name: str) -> None:
        """Build the page.

        Args:
            server: The server.
            name: Built-in name or USD file.

        Raises:
            GraspdError: If the hand cannot be read.
        """
        self.server, self.hand = server, load_hand(name)
        gui = server.gui
        self.message = gui.add_markdown("")
        self.tasks = PageTasks(lambda line, _: setattr(self.message, "content", line))
        gui.add_markdown(_findings(self.hand))
        gui.configure_theme(control_width="large", show_share_button=False)
        moved = self.tasks.callback(lambda _: self.move())
        with gui.add_folder("Draw"):
            self.surface = gui.add_checkbox("surface", True)
            self.points = gui.add_checkbox("surface points", False)
            self.colliders = gui.add_checkbox("colliders", False)
            for box in (self.surface, self.points, self.colliders):
                box.on_update(moved)
            postures = gui.add_button_group("posture", ("open", "middle", "closed"))
            postures.on_click(self.tasks.callback(lambda event: self._pose(event.target.value)))
        with gui.add_folder("Joints"):
            self.sliders = add_joint_sliders(gui, self.hand, moved)
        self.followers = gui.add_markdown("")
        stage = open_still(self.hand.source)
        self._links = [self._add_link(number, stage) for number in range(len(self.hand.links))]
        self._cloud: Any = None
        self._samples: HandPoints | None = None
        server.initial_camera.position, server.initial_camera.look_at = (0.25, -0.25, 0.22), (0.0, 0.0, 0.05)
        self.move()

    def move(self) -> None:
        """Draw the hand with the joints as the sliders have them; coupled joints follow."""
        hand = self.hand
        joints = hand.joint_positions(np.array([slider.value for slider in self.sliders]))
        poses = link_poses(hand, IDENTITY, joints)
        for (surface, colliders), pose in zip(self._links, poses, strict=True):
            for node in (surface, *colliders):
                node.position, node.wxyz = pose[:3], pose[[6, 3, 4, 5]]
            surface.visible = self.surface.value
            for node in colliders:
                node.visible = self.colliders.value
        self._draw_points(joints)
        self.followers.content = self._followers(joints)

    def _followers(self, joints: np.ndarray) -> str:
        followers = [k for k in range(self.hand.joint_count) if k not in self.hand.actuated]
        if not followers:
            return ""
        lines = ["| coupled joint | position |", "| --- | ---: |"]
        return "\n".join([*lines, *(f"| {self.hand.joint_names[k]} | {joints[k]:.3f} |" for k in followers)])

    def _draw_points(self, joints: np.ndarray) -> None:
        if self._cloud is not None:
            self._cloud.remove()
            self._cloud = None
        if self.points.value:
            self._samples = self._samples or sample_surface_points(self.hand, _POINT_COUNT)
            positions = posed_points(self.hand, self._samples, IDENTITY[None], joints[None])[0]
            self._cloud = self.server.scene.add_point_cloud(
                "/points", positions.astype(np.float32), _POINT_COLOR, point_size=0.0012, precision="float32"
            )

    def _pose(self, posture: str) -> None:
        hand = self.hand
        low, high = hand.joint_lower[hand.actuated], hand.joint_upper[hand.actuated]
        # Closed: at the limits that are farther from the open hand.
        far = np.where(np.abs(high - hand.open_positions) > np.abs(low - hand.open_positions), high, low)
        values = {"open": hand.open_positions, "middle": 0.5 * (low + high), "closed": far}[posture]
        for slider, value in zip(self.sliders, values, strict=True):
            slider.value = float(np.clip(value, slider.min, slider.max))
        self.move()

    def _add_link(self, number: int, stage: Usd.Stage) -> tuple[Any, list[Any]]:
        link = self.hand.links[number]
        surface = add_link_mesh(self.server.scene, f"/hand/{number:02d}", link.mesh, _COLORS[number % len(_COLORS)])
        colliders = []
        for index, mesh in enumerate(_colliders(stage, link.prim_path)):
            colliders.append(
                self.server.scene.add_mesh_simple(
                    f"/colliders/{number:02d}_{index}",
                    mesh[0].astype(np.float32),
                    mesh[1].astype(np.uint32),
                    color=_COLLIDER_COLOR,
                    wireframe=True,
                )
            )
        return surface, colliders


def _colliders(stage: Usd.Stage, prim_path: str) -> list[tuple[np.ndarray, np.ndarray]]:
    prim = stage.GetPrimAtPath(prim_path)
    return [(shape.surface.vertices, shape.surface.faces) for shape in read_colliders(prim) if len(shape.surface.faces)]


def _findings(hand: Hand) -> str:
    report = check_hand(hand.source)
    head = f"### {hand.name}\n{hand.joint_count} joints, {hand.actuated_count} actuated, {len(hand.links)} links"
    if not report.findings:
        return f"{head}\n\nno findings"
    lines = [f"- **{found.severity}** {found.code} at `{found.where}`: {found.message}" for found in report.findings]
    return "\n".join([head, "", *lines])
