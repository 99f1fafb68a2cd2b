# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The grasps of a scene before a camera."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from omni_graspd.dataset.grasp_numbers import rows_of
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.tables import read_grasps, read_scene_grasps
from omni_graspd.errors import GraspdError
from omni_graspd.usd.transforms import compose, local_to_world, matrix_to_pose, pose_to_matrix

_AS_THEY_ARE = ("joint_positions", "epsilon", "pregrasp_joint_positions", "squeeze_joint_positions")
_IN_OBJECT = ("T_object_pregrasp_palm", "T_object_hover_palm", "lift_direction")
"""Columns of base grasps in samples; the latter are in the object's frame and brought before the camera."""


def camera_grasps(
    layout: DatasetLayout, object_name: str, scene_index: int, hand: str, T_camera_world: np.ndarray
) -> dict[str, np.ndarray]:
    """Bring a hand's grasps in a scene before a camera.

    Args:
        layout: Paths of the dataset.
        object_name: The object of the scene.
        scene_index: Number of the scene.
        hand: Name of the hand.
        T_camera_world: The world in the camera's frame, shape [7].

    Returns:
        ``T_camera_object``, shape [7], and of the grasps that are not marked as failed: ``grasp_index``,
        ``T_camera_palm``, the columns of scene grasps, ``joint_positions``, ``epsilon``, and the way to the grasp where
        it is known, each of shape [grasp_count, ...].

    Raises:
        GraspdError: If a table or the scene is missing or damaged.
    """
    scene_path, base_path = layout.scene_grasps(object_name, scene_index), layout.grasps(hand, object_name)
    scene, base = _scene(scene_path, hand, _written(scene_path)), _base(base_path, _written(base_path))
    try:
        rows = rows_of(base["index"], scene["grasp_index"])
    except KeyError as error:
        raise GraspdError(
            f"expected the scene's grasps to be among those of {layout.grasps(hand, object_name)}, got number "
            f"{error} in {layout.scene_grasps(object_name, scene_index)}; run `graspd verify {layout.root}`"
        ) from error
    T_camera_object = compose(T_camera_world, scene["T_world_object"])
    return {
        "T_camera_object": T_camera_object,
        "T_camera_palm": compose(T_camera_world, scene["T_world_palm"]),
        **{name: values for name, values in scene.items() if not name.startswith("T_world_")},
        **{name: base[name][rows] for name in _AS_THEY_ARE if name in base},
        **_before_camera({name: base[name][rows] for name in _IN_OBJECT if name in base}, T_camera_object),
    }


def _before_camera(columns: dict[str, np.ndarray], T_camera_object: np.ndarray) -> dict[str, np.ndarray]:
    rotation = pose_to_matrix(T_camera_object)[:3, :3]
    return {
        name.replace("T_object_", "T_camera_"): compose(T_camera_object, values)
        if name.startswith("T_object_")
        else values @ rotation.T
        for name, values in columns.items()
    }


def _written(path: Path) -> int:
    """Return when a file was last written [ns]: what is read once is read again after that; 0 if there is none."""
    return path.stat().st_mtime_ns if path.is_file() else 0


@lru_cache(maxsize=64)
def _scene(path: Path, hand: str, written: int) -> dict[str, np.ndarray]:
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
def _base(path: Path, written: int) -> dict[str, np.ndarray]:
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
