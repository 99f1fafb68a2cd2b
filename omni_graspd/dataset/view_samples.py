# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Samples for training: the images of one view, its cameras, the object and the scene's grasps before the camera."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from omni_graspd.dataset.grasp_numbers import rows_of
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.tables import read_grasps, read_scene_grasps
from omni_graspd.errors import GraspdError
from omni_graspd.rendering.camera_file import read_camera_file
from omni_graspd.rendering.image_writer import read_frame
from omni_graspd.usd.transforms import compose, local_to_world, matrix_to_pose, pose_to_matrix

# A camera of USD looks along -Z with +Y up; one of computer vision along +Z with +Y down.
_TO_VISION = np.diag([1.0, -1.0, -1.0, 1.0])


@dataclass(frozen=True)
class View:
    """One rendered view."""

    object: str
    """Name of the object."""
    scene_index: int
    """Number of the scene."""
    name: str
    """Name of the view, for example ``view_0000``."""
    eyes: tuple[str, ...]
    """``left`` and ``right``; empty for a single camera."""


@dataclass(frozen=True)
class ViewSamples(Sequence[dict[str, Any]]):
    """Views as samples, read when asked for; works as it is in PyTorch's loader, and travels to worker processes.

    A sample is a dictionary. For each eye (``left``, ``right``, or ``mono``) there are ``<eye>/<channel>``, the image
    as Replicator's annotator gives it, shape [height, width, ...], ``<eye>/intrinsics`` [pixel], shape [3, 3], and
    ``<eye>/T_world_camera``, shape [4, 4]. Poses are in the frame of the first eye as computer vision has it, x right,
    y down, z forward: ``T_camera_object``, shape [7]; of the scene's grasps that are not marked as failed
    ``T_camera_palm``, shape [grasp_count, 7], ``joint_positions``, shape [grasp_count, joint_count], ``collides``,
    bool, ``table_clearance`` [m] and ``epsilon``, each [grasp_count], and ``grasp_index``. ``grasp_mask``, bool, tells
    grasps from padding. Where the ways to the grasps are known, there are also ``usable``, bool, whether the hand gets
    there and up with the object without touching anything else, ``T_camera_pregrasp_palm``, ``T_camera_hover_palm``,
    ``pregrasp_joint_positions``, ``squeeze_joint_positions`` and ``lift_direction``, shape [grasp_count, 3].
    ``object``, ``scene_index`` and ``view`` say which it is.
    """

    root: Path
    """The dataset folder."""
    views: tuple[View, ...]
    """The views."""
    hand: str
    """Name of the hand whose grasps are given."""
    channels: tuple[str, ...]
    """Image channels."""
    grasp_slots: int | None
    """Number of grasps of each sample, padded with zeros or cut; None: as many as there are."""

    def __len__(self) -> int:
        """Return the number of views."""
        return len(self.views)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Read all samples in order."""
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> dict[str, Any]:  # type: ignore[override]
        """Read a sample.

        Raises:
            GraspdError: If an image or a table is missing.
            IndexError: If there is no such sample.
        """
        view, layout = self.views[index], DatasetLayout(self.root)
        folder = layout.renders(view.object, view.scene_index) / view.name
        sample: dict[str, Any] = {}
        for eye in view.eyes or ("mono",):
            sample |= self._read_eye(folder / eye if view.eyes else folder, eye)
        first = view.eyes[0] if view.eyes else "mono"
        T_camera_world = np.linalg.inv(sample[f"{first}/T_world_camera"])
        sample |= self._grasps(layout, view, matrix_to_pose(T_camera_world))
        return sample | {"object": view.object, "scene_index": view.scene_index, "view": view.name}

    def _read_eye(self, folder: Path, eye: str) -> dict[str, Any]:
        frame = read_frame(folder, annotators=self.channels)
        missing = [name for name in self.channels if name not in frame.channels]
        if missing:
            raise GraspdError(
                f"expected the channel {missing[0]} in {folder}, got {', '.join(frame.channels)}; choose one of these, "
                "or render it with --render.annotators"
            )
        camera = read_camera_file(folder / "camera_params_0000.json")
        images = {f"{eye}/{name}": frame.channels[name].data for name in self.channels}
        return images | {
            f"{eye}/intrinsics": camera.intrinsics,
            f"{eye}/T_world_camera": camera.T_world_camera @ _TO_VISION,
        }

    def _grasps(self, layout: DatasetLayout, view: View, T_camera_world: np.ndarray) -> dict[str, Any]:
        scene = _scene(layout.scene_grasps(view.object, view.scene_index), self.hand)
        base = _base(layout.grasps(self.hand, view.object))
        try:
            rows = rows_of(base["index"], scene["grasp_index"])
        except KeyError as error:
            raise GraspdError(
                f"expected the scene's grasps to be among those of {layout.grasps(self.hand, view.object)}, got number "
                f"{error} in {layout.scene_grasps(view.object, view.scene_index)}; run `graspd verify {self.root}`"
            ) from error
        T_camera_object = compose(T_camera_world, scene["T_world_object"])
        columns = {
            "T_camera_palm": compose(T_camera_world, scene["T_world_palm"]),
            "joint_positions": base["joint_positions"][rows],
            "epsilon": base["epsilon"][rows],
            "collides": scene["collides"],
            "table_clearance": scene["table_clearance"],
            "grasp_index": scene["grasp_index"],
            "grasp_mask": np.ones(len(rows), dtype=bool),
        }
        if "usable" in scene:
            columns |= {"usable": scene["usable"]} | _way(base, rows, T_camera_object)
        if self.grasp_slots is not None:
            columns = {name: _fit(values, self.grasp_slots) for name, values in columns.items()}
        return {"T_camera_object": T_camera_object} | columns


def _way(base: dict[str, np.ndarray], rows: np.ndarray, T_camera_object: np.ndarray) -> dict[str, np.ndarray]:
    """Return the way to each grasp before the camera."""
    lift = base["lift_direction"][rows] @ pose_to_matrix(T_camera_object)[:3, :3].T
    return {
        "T_camera_pregrasp_palm": compose(T_camera_object, base["T_object_pregrasp_palm"][rows]),
        "T_camera_hover_palm": compose(T_camera_object, base["T_object_hover_palm"][rows]),
        "pregrasp_joint_positions": base["pregrasp_joint_positions"][rows],
        "squeeze_joint_positions": base["squeeze_joint_positions"][rows],
        "lift_direction": lift,
    }


def _fit(values: np.ndarray, slots: int) -> np.ndarray:
    fitted = np.zeros((slots, *values.shape[1:]), values.dtype)
    fitted[: len(values)] = values[:slots]
    return fitted


@lru_cache(maxsize=64)
def _scene(path: Path, hand: str) -> dict[str, np.ndarray]:
    from omni_graspd.scenes.scene_writer import OBJECT_PATH
    from omni_graspd.usd.stage import open_stage

    table = read_scene_grasps(path)
    mine = [name == hand and status == "ok" for name, status in zip(table.hands, table.status, strict=True)]
    rows = np.flatnonzero(mine)
    stage = open_stage(path.with_name(path.name.replace(".grasps.parquet", ".usda")))
    prim = stage.GetPrimAtPath(OBJECT_PATH)
    if not prim:
        raise GraspdError(f"expected the object at {OBJECT_PATH} in {path.parent}, got none; settle the scene again")
    usable = {} if table.grasps.usable is None else {"usable": table.grasps.usable[rows]}
    return usable | {
        "grasp_index": table.grasp_indices[rows],
        "T_world_palm": table.grasps.T_world_palm[rows],
        "T_world_object": matrix_to_pose(local_to_world(prim)),
        "collides": table.grasps.collides[rows],
        "table_clearance": table.grasps.table_clearance[rows],
    }


@lru_cache(maxsize=64)
def _base(path: Path) -> dict[str, np.ndarray]:
    table = read_grasps(path)
    if "epsilon" not in table.metrics:
        raise GraspdError(f"expected the column epsilon in {path}, got none; run `graspd evaluate` first")
    postures, way = table.grasps.postures, table.grasps.way
    on_the_way = {} if postures is None or way is None else vars(postures) | vars(way)
    return on_the_way | {
        "index": table.indices,
        "joint_positions": table.grasps.joint_positions,
        "epsilon": table.metrics["epsilon"],
    }
