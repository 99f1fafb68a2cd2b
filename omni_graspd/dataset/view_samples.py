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
from omni_graspd.dataset.hand_joints import HandJoints, read_hand_joints
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.tables import read_grasps, read_scene_grasps
from omni_graspd.dataset.view_images import read_eye
from omni_graspd.errors import GraspdError
from omni_graspd.usd.transforms import compose, local_to_world, matrix_to_pose, pose_to_matrix


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

    A sample is a dictionary. For each eye (``left``, ``right``, or ``mono``):

    * ``<eye>/<channel>``: the image as Replicator's annotator gives it, shape [height, width, ...];
    * ``<eye>/<channel>_classes`` for segmentations and boxes: the class of each id, a dictionary; ids are those of
      this image alone. ``<eye>/<channel>_prims``: prim path of each instance id, or of each row of boxes;
    * ``<eye>/pointcloud`` in the world, shape [point_count, 3]; where it was not rendered it is computed from a
      distance, of what has a label, or of all that is seen if there is no ``instance_segmentation``;
    * ``<eye>/intrinsics`` [pixel], shape [3, 3], and ``<eye>/T_world_camera``, shape [4, 4].

    Cameras have OpenCV's axes everywhere: x right, y down, z forward. Poses ``T_camera_...`` are in the frame of the
    first eye: ``T_camera_object``, shape [7]. Of the grasps in the scene that are not marked as failed:

    * ``grasp_index``, ``T_camera_palm``, shape [grasp_count, 7], ``joint_positions``, shape [grasp_count, joint_count]
      in the order of :attr:`joints`, and ``epsilon``;
    * the columns of scene grasps: ``collides``, ``table_clearance``, ``approach_angle``, ``approach_clearance``,
      ``from_above`` and, in clutter, ``neighbour_clearance``;
    * ``T_camera_pregrasp_palm``, ``pregrasp_joint_positions`` and ``squeeze_joint_positions``, where they are known;
    * on a table ``usable``, whether the hand gets there and up with the object without touching anything else,
      ``T_camera_hover_palm`` and ``lift_direction``, shape [grasp_count, 3].

    ``grasp_mask``, bool, tells grasps from padding, and ``grasp_count`` is how many there are in the scene, those that
    were cut off included. ``object``, ``scene_index`` and ``view`` say which view it is.
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
    """Number of grasps of each sample: the first ones, padded with zeros; None: as many as there are."""

    @property
    def joints(self) -> HandJoints:
        """The joints of the hand: names, limits, and which are actuated."""
        return read_hand_joints(DatasetLayout(self.root).hand(self.hand))

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
            seen = read_eye(folder / eye if view.eyes else folder, self.channels)
            sample |= {f"{eye}/{name}": value for name, value in seen.items()}
        first = view.eyes[0] if view.eyes else "mono"
        T_camera_world = np.linalg.inv(sample[f"{first}/T_world_camera"])
        sample |= self._grasps(layout, view, matrix_to_pose(T_camera_world))
        return sample | {"object": view.object, "scene_index": view.scene_index, "view": view.name}

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
            "grasp_mask": np.ones(len(rows), dtype=bool),
            **{name: values for name, values in scene.items() if not name.startswith("T_world_")},
            **{name: base[name][rows] for name in _AS_THEY_ARE if name in base},
            **_before_camera({name: base[name][rows] for name in _IN_OBJECT if name in base}, T_camera_object),
        }
        if self.grasp_slots is not None:
            columns = {name: _fit(values, self.grasp_slots) for name, values in columns.items()}
        return {"T_camera_object": T_camera_object, "grasp_count": len(rows)} | columns


_AS_THEY_ARE = ("joint_positions", "epsilon", "pregrasp_joint_positions", "squeeze_joint_positions")
_IN_OBJECT = ("T_object_pregrasp_palm", "T_object_hover_palm", "lift_direction")
"""Columns of base grasps in samples; the latter are in the object's frame and brought before the camera."""


def _before_camera(columns: dict[str, np.ndarray], T_camera_object: np.ndarray) -> dict[str, np.ndarray]:
    rotation = pose_to_matrix(T_camera_object)[:3, :3]
    return {
        name.replace("T_object_", "T_camera_"): compose(T_camera_object, values)
        if name.startswith("T_object_")
        else values @ rotation.T
        for name, values in columns.items()
    }


def _fit(values: np.ndarray, slots: int) -> np.ndarray:
    fitted = np.zeros((slots, *values.shape[1:]), values.dtype)
    fitted[: len(values)] = values[:slots]
    return fitted


@lru_cache(maxsize=64)
def _scene(path: Path, hand: str) -> dict[str, np.ndarray]:
    """Return the columns of a hand's grasps in a scene, and ``T_world_object``."""
    from omni_graspd.scenes.scene_writer import OBJECT_PATH
    from omni_graspd.usd.stage import open_stage

    table = read_scene_grasps(path)
    mine = [name == hand and status == "ok" for name, status in zip(table.hands, table.status, strict=True)]
    rows = np.flatnonzero(mine)
    stage = open_stage(path.with_name(path.name.replace(".grasps.parquet", ".usda")))
    prim = stage.GetPrimAtPath(OBJECT_PATH)
    if not prim:
        raise GraspdError(f"expected the object at {OBJECT_PATH} in {path.parent}, got none; settle the scene again")
    placed = {name: values[rows] for name, values in vars(table.grasps).items() if values is not None}
    T_world_object = matrix_to_pose(local_to_world(prim))
    return placed | {"grasp_index": table.grasp_indices[rows], "T_world_object": T_world_object}


@lru_cache(maxsize=64)
def _base(path: Path) -> dict[str, np.ndarray]:
    """Return the columns of base grasps that samples take, and their numbers."""
    table = read_grasps(path)
    if "epsilon" not in table.metrics:
        raise GraspdError(f"expected the column epsilon in {path}, got none; run `graspd evaluate` first")
    postures, way = table.grasps.postures, table.grasps.way
    known = [vars(part) for part in (postures, way) if part is not None]
    return {name: values for part in known for name, values in part.items()} | {
        "index": table.indices,
        "joint_positions": table.grasps.joint_positions,
        "epsilon": table.metrics["epsilon"],
    }
