# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The rest poses of an object for which grasps are made: told from its scene files, which alone say how it lies.

Where neighbours lie around it no two scenes are alike, and each is a rest pose of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from omni_graspd.dataset.grasp_numbers import LARGEST_REST_POSE
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.scene_files import read_rest, read_rest_pose
from omni_graspd.errors import GraspdError
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.scenes.clutter import obstacles_around
from omni_graspd.scenes.rest_poses import same_table_groups
from omni_graspd.synthesis.surroundings import NOTHING, Surroundings, table_under


@dataclass(frozen=True)
class SceneRestPoses:
    """How an object lies in its scenes. More scenes renumber no rest pose."""

    labels: np.ndarray
    """Rest pose of each scene, shape [scene_count], int."""
    surroundings: tuple[Surroundings, ...]
    """What a hand has to keep clear of, for each rest pose: the table top of the first scene that has it, and
    neighbours, if there are any."""

    @property
    def count(self) -> int:
        """How many rest poses there are."""
        return len(self.surroundings)


def floating(scene_count: int) -> SceneRestPoses:
    """Return what stands for the rest poses where objects float: a single one with nothing around, for all scenes."""
    return SceneRestPoses(np.zeros(scene_count, dtype=int), (NOTHING,))


def read_scene_rest_poses(
    layout: DatasetLayout, object_name: str, scenes: Sequence[int], objects: Sequence[RigidObject] = ()
) -> SceneRestPoses:
    """Tell the rest poses of an object from its scene files.

    Args:
        layout: Paths of the dataset.
        object_name: Name of the object.
        scenes: Numbers of its scenes, from 0 on; all of them are there.
        objects: All objects of the dataset, where neighbours lie around one another (clutter).

    Raises:
        GraspdError: If a scene file is missing or damaged, or the object has more rest poses than there are numbers.
    """
    missing = next((index for index in scenes if not layout.scene(object_name, index).is_file()), None)
    if missing is not None:
        raise GraspdError(
            f"the scene {layout.scene(object_name, missing)} is missing; run `graspd settle` with the same options "
            "first"
        )
    if objects:
        tops = [_among_neighbours(layout.scene(object_name, index), objects) for index in scenes]
        labels = np.arange(len(tops))
    else:
        tops = [table_under(read_rest_pose(layout.scene(object_name, index))) for index in scenes]
        labels = same_table_groups(np.array([top.plane for top in tops]).reshape(-1, 4))
    _, first = np.unique(labels, return_index=True)
    if len(first) > LARGEST_REST_POSE + 1:
        raise GraspdError(
            f"expected at most {LARGEST_REST_POSE + 1} rest poses, got {len(first)} of {object_name}; make fewer "
            "scenes, and more datasets with other seeds"
        )
    return SceneRestPoses(labels, tuple(tops[scene] for scene in first))


def _among_neighbours(scene: Path, objects: Sequence[RigidObject]) -> Surroundings:
    T_world_object, neighbours = read_rest(scene, objects)
    return table_under(T_world_object, obstacles_around(T_world_object, neighbours))
