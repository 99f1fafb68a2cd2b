# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Samples for training: the images of one view, its cameras, the object and the scene's grasps before the camera."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from omni_graspd.dataset.camera_grasps import camera_grasps
from omni_graspd.dataset.hand_joints import HandJoints, read_hand_joints
from omni_graspd.dataset.labels.label_file import label_path, read_labels
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.reach.reach_columns import scene_arm_columns
from omni_graspd.dataset.view_images import read_eye
from omni_graspd.dataset.views import View
from omni_graspd.plural import counted
from omni_graspd.usd.transforms import matrix_to_pose


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
      ``T_camera_hover_palm`` and ``lift_direction``, shape [grasp_count, 3];
    * of an arm, if one was named: ``reachable`` and ``arm_positions``, shape [grasp_count, station_count, joint_count],
      NaN where it is not.

    Where labels are asked for, there are also those of :class:`~omni_graspd.dataset.labels.view_labels.ViewLabels` for
    each eye: ``<eye>/graspness`` and ``<eye>/nearest_grasp``, shape [height, width], and ``<eye>/points``,
    ``<eye>/point_graspness`` and ``<eye>/point_nearest_grasp``, shape [point_count, ...], in the frame of that eye; and
    ``<eye>/visibility``, the share of each grasp's contacts that the eye sees, shape [grasp_count], 0 for grasps that
    are not usable.

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
    labels: bool = False
    """Whether grasp labels are read, too."""
    arm: str | None = None
    """Arm whose joint positions are added; none if None."""

    def __repr__(self) -> str:
        objects = counted(len({view.object for view in self.views}), "object")
        views, arm = counted(len(self.views), "view"), f" on {self.arm}" if self.arm else ""
        return f"<Samples of {self.root}: {self.hand}{arm}, {views} of {objects}; {', '.join(self.channels)}>"

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
        sample: dict[str, Any] = {}
        eyes = view.eye_folders(layout)
        for eye, folder in eyes.items():
            sample |= {f"{eye}/{name}": value for name, value in read_eye(folder, self.channels).items()}
        first = next(iter(eyes))
        T_camera_world = np.linalg.inv(sample[f"{first}/T_world_camera"])
        labels = {eye: read_labels(label_path(folder, self.hand)) for eye, folder in eyes.items() if self.labels}
        sample |= {f"{eye}/{name}": values[name] for eye, values in labels.items() for name in _LABELS}
        sample |= self._grasps(layout, view, matrix_to_pose(T_camera_world), labels)
        return sample | {"object": view.object, "scene_index": view.scene_index, "view": view.name}

    def _grasps(
        self,
        layout: DatasetLayout,
        view: View,
        T_camera_world: np.ndarray,
        labels: Mapping[str, Mapping[str, np.ndarray]],
    ) -> dict[str, Any]:
        columns = camera_grasps(layout, view.object, view.scene_index, self.hand, T_camera_world)
        if self.arm is not None:
            indices = columns["grasp_index"]
            usable = columns.get("usable", np.zeros(len(indices), dtype=bool))
            where = view.object, view.scene_index, indices, usable
            columns |= scene_arm_columns(layout, self.arm, self.hand, *where)
        columns |= {f"{eye}/visibility": _visibility(values, columns["grasp_index"]) for eye, values in labels.items()}
        T_camera_object, count = columns.pop("T_camera_object"), len(columns["grasp_index"])
        columns["grasp_mask"] = np.ones(count, dtype=bool)
        if self.grasp_slots is not None:
            columns = {name: _fit(values, self.grasp_slots) for name, values in columns.items()}
        return {"T_camera_object": T_camera_object, "grasp_count": count} | columns


_LABELS = ("graspness", "nearest_grasp", "points", "point_graspness", "point_nearest_grasp")
"""Arrays of label files in samples; what they say of grasps is there anyway."""


def _visibility(labels: Mapping[str, np.ndarray], grasp_index: np.ndarray) -> np.ndarray:
    """Return the visibility of each of the grasps, 0 for those that have no label."""
    known = dict(zip(labels["grasp_index"].tolist(), labels["visibility"].tolist(), strict=True))
    return np.array([known.get(number, 0.0) for number in grasp_index.tolist()], dtype=np.float32)


def _fit(values: np.ndarray, slots: int) -> np.ndarray:
    fitted = np.zeros((slots, *values.shape[1:]), values.dtype)
    fitted[: len(values)] = values[:slots]
    return fitted
