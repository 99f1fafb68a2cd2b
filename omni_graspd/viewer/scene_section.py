# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The scenes of a dataset around the grasp: table, object at rest, cameras with their images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pxr import Usd

from omni_graspd.errors import GraspdError
from omni_graspd.rendering.cameras import read_camera_rigs
from omni_graspd.rendering.pinhole_camera import read_pinhole_camera
from omni_graspd.rendering.view_folder import eye_folder, eye_names
from omni_graspd.scenes.scene_writer import OBJECT_PATH, TABLE_PATH
from omni_graspd.usd.camera_axes import to_opencv
from omni_graspd.usd.meshes import read_meshes_below
from omni_graspd.usd.stage import open_stage
from omni_graspd.usd.transforms import compose, invert, local_to_world, matrix_to_pose

if TYPE_CHECKING:
    from omni_graspd.viewer.inspection_page import InspectionPage

_NONE = "none"
_TABLE_COLOR = (176, 150, 118)
_FRUSTUM = 0.03


class SceneSection:
    """A choice of scene; it is drawn about the object, which stays where it is.

    ``up`` is what is up in the scene that is drawn, in the object's frame, shape [3]; None where none is drawn.
    """

    def __init__(self, page: InspectionPage) -> None:
        """Add the choice."""
        self._page = page
        self._object, self._offered = "", ()
        self._drawn: list[Any] = []
        self.up: np.ndarray | None = None
        self._folder = page.server.gui.add_folder("Scene", expand_by_default=False)
        with self._folder:
            self.choice = page.server.gui.add_dropdown("scene", (_NONE,))
            self.choice.on_update(page.tasks.callback(lambda _: self._show()))

    def follow(self) -> None:
        """Offer the scenes to which the grasp belongs; where they are others than before, none is shown."""
        name, offered = self._page.session.grasp.object, tuple(self._page.session.scene_indices())
        if (name, offered) != (self._object, self._offered):
            self._object, self._offered = name, offered
            self.choice.options = (_NONE, *(f"scene {index}" for index in offered))
            self.hide()

    def hide(self) -> None:
        """Draw no scene."""
        self.choice.value = _NONE
        self._clear()

    @property
    def shown(self) -> int | None:
        """Number of the scene that is chosen; None where none is."""
        return None if self.choice.value == _NONE else int(self.choice.value.split()[1])

    def _show(self) -> None:
        self._clear()
        if self.shown is not None:
            self._draw(self.shown)
        self._page.scene.draw_table(self.up is None)
        self._page.motion.arm.follow()
        self._page.show_arm()
        self._page.look(anew=True)

    def _draw(self, index: int) -> None:
        path = self._page.session.catalog.layout.scene(self._object, index)
        if not path.is_file():
            raise GraspdError(f"the scene {path} is missing; run `graspd generate` with the same options again")
        stage = open_stage(path)
        T_object_world = invert(matrix_to_pose(local_to_world(stage.GetPrimAtPath(OBJECT_PATH))))
        self.up = compose(T_object_world, np.array([0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]))[:3] - T_object_world[:3]
        scene = self._page.server.scene
        frame = scene.add_frame(
            "/scene", show_axes=False, position=T_object_world[:3], wxyz=T_object_world[[6, 3, 4, 5]]
        )
        self._drawn.append(frame)
        table = read_meshes_below(stage.GetPrimAtPath(TABLE_PATH))
        scene.add_mesh_simple(
            "/scene/table", table.vertices.astype(np.float32), table.faces.astype(np.uint32), color=_TABLE_COLOR
        )
        self._add_cameras(stage, index)

    def _add_cameras(self, stage: Usd.Stage, index: int) -> None:
        session = self._page.session
        for rig in read_camera_rigs(stage):
            folder = session.catalog.layout.renders(self._object, index) / rig.name
            for camera_path, eye in zip(rig.camera_paths, eye_names(len(rig.camera_paths)), strict=True):
                camera = read_pinhole_camera(stage, camera_path, rig.width, rig.height)
                pose = matrix_to_pose(to_opencv(camera.T_world_camera))  # viser's axes are OpenCV's
                self._page.server.scene.add_camera_frustum(
                    f"/scene/{rig.name}_{eye}",
                    fov=float(2.0 * np.arctan(0.5 * rig.height / camera.focal_pixels)),
                    aspect=rig.width / rig.height,
                    scale=_FRUSTUM,
                    thickness=1.5,
                    thickness_units="screen",
                    image=_image(eye_folder(folder, eye, len(rig.camera_paths)) / "rgb_0000.png"),
                    position=pose[:3],
                    wxyz=pose[[6, 3, 4, 5]],
                )

    def _clear(self) -> None:
        for node in self._drawn:
            node.remove()
        self._drawn.clear()
        self.up = None


def _image(path: Path) -> np.ndarray | None:
    from PIL import Image

    if not path.is_file():
        return None
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB").resize((320, round(320 * image.height / image.width))))
