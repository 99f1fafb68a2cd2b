# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grasps on disk: Parquet tables that explain themselves and are equal byte for byte for equal grasps."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np

from omni_graspd.dataset.table_files import write_table
from omni_graspd.dataset.table_gate import open_table
from omni_graspd.dataset.table_kinds import GRASPS, SCENE_GRASPS
from omni_graspd.dataset.table_schema import (
    CLUTTER_COLUMNS,
    GRASP_COLUMNS,
    POSTURE_COLUMNS,
    REST_POSE_COLUMNS,
    SCENE_GRASP_COLUMNS,
    SCENE_WAY_COLUMNS,
    WAY_COLUMNS,
    grasp_columns,
)
from omni_graspd.scenes.scene_grasps import SceneGrasps
from omni_graspd.synthesis.grasp import GraspBatch, Postures, Way

_PLACED = tuple(field.name for field in fields(SceneGrasps))


@dataclass(frozen=True)
class GraspTable:
    """Base grasps of one object by one hand, with what the metrics say about them."""

    hand: str
    """Name of the hand."""
    object: str
    """Name of the object."""
    joint_names: tuple[str, ...]
    """Names of the joints, in the order of the joint positions."""
    indices: np.ndarray
    """Numbers of the grasps, rising, shape [grasp_count], int32."""
    seed: int
    """Seed of the run."""
    grasps: GraspBatch
    """The grasps themselves."""
    metrics: dict[str, np.ndarray]
    """Metrics by name, each [grasp_count]; NaN, 0 or False where the grasp failed. Most are numbers, some are texts."""
    rest_poses: np.ndarray | None = None
    """Rest pose of the object for which each grasp is made, shape [grasp_count], int32; None where it floats."""

    @property
    def good(self) -> np.ndarray:
        """Which grasps can be carried out: the usable ones; where no way is known, those that did not fail."""
        return self.grasps.ok if self.grasps.way is None else self.grasps.usable

    @property
    def figures(self) -> dict[str, np.ndarray]:
        """Metrics that are numbers."""
        return {name: values for name, values in self.metrics.items() if values.dtype.kind in "bif"}

    @property
    def ranking(self) -> np.ndarray:
        """Score by which the grasps rank, low first, shape [grasp_count]; epsilon quality where they have none."""
        own = self.grasps.ranking
        return -self.metrics["epsilon"] if own is None else own

    def of_rest_pose(self, rest_pose: int) -> GraspTable:
        """Return the grasps that are made for a rest pose; those of floating objects are all in 0."""
        if self.rest_poses is None:
            return self if rest_pose == 0 else self.rows(0, 0)
        start, stop = np.searchsorted(self.rest_poses, (rest_pose, rest_pose + 1))
        return self.rows(int(start), int(stop))

    def rows(self, start: int, stop: int) -> GraspTable:
        """Return the rows ``start`` to ``stop - 1``."""
        return self.take(slice(start, stop))

    def take(self, part: slice | np.ndarray) -> GraspTable:
        """Return some of the rows: a slice, row numbers, or a mask."""
        return replace(
            self,
            indices=self.indices[part],
            grasps=self.grasps.take(part),
            metrics={name: values[part] for name, values in self.metrics.items()},
            rest_poses=None if self.rest_poses is None else self.rest_poses[part],
        )


@dataclass(frozen=True)
class SceneGraspTable:
    """Base grasps of all hands, placed in one scene."""

    object: str
    """Name of the object."""
    scene_index: int
    """Number of the scene."""
    hands: tuple[str, ...]
    """Name of the hand of each row."""
    grasp_indices: np.ndarray
    """Number of the base grasp of each row, shape [row_count], int32."""
    status: tuple[str, ...]
    """``"ok"`` or why the base grasp failed, for each row."""
    grasps: SceneGrasps
    """Where the hands are, and what the table leaves free."""
    rest_pose: int | None = None
    """Rest pose in which the object lies; None where grasps are of a floating object."""


def write_grasps(table: GraspTable, path: Path) -> None:
    """Write base grasps: all or nothing, same bytes for the same grasps."""
    batch, count = table.grasps, len(table.indices)
    metrics = {name: np.asarray(values) for name, values in table.metrics.items()}
    kinds = {"b": "bool", "i": "int32", "f": "float64", "U": "string", "O": "string"}
    postures = {} if batch.postures is None else {name: getattr(batch.postures, name) for name in POSTURE_COLUMNS}
    way = {} if batch.way is None else {name: getattr(batch.way, name) for name in WAY_COLUMNS}
    columns = grasp_columns(
        len(table.joint_names),
        batch.losses,
        {name: kinds[values.dtype.kind] for name, values in metrics.items()},
        postures=bool(postures),
        rest_poses=table.rest_poses is not None,
        way=bool(way),
    )
    values = {
        "index": table.indices,
        "seed": np.full(count, table.seed),
        "status": batch.status,
        "T_object_palm": batch.T_object_palm,
        "joint_positions": batch.joint_positions,
        **postures,
        "rest_pose": table.rest_poses,
        **way,
        **{f"loss_{name}": loss for name, loss in batch.losses.items()},
        **metrics,
    }
    write_table(
        columns,
        values,
        {"hand": table.hand, "object": table.object, "joint_names": json.dumps(table.joint_names)},
        path,
    )


def read_grasps(path: Path) -> GraspTable:
    """Read base grasps.

    Raises:
        GraspdError: If the file is missing, or not as the gate for tables wants it.
    """
    opened = open_table(path, GRASPS)
    values, metadata = opened.arrays(), opened.metadata
    losses = {name.removeprefix("loss_"): column for name, column in values.items() if name.startswith("loss_")}
    known = {*GRASP_COLUMNS, *POSTURE_COLUMNS, *REST_POSE_COLUMNS, "joint_positions"}
    known |= {f"loss_{name}" for name in losses}
    way = _way(values)
    known |= set(WAY_COLUMNS) if way is not None else set()
    there = all(name in values for name in POSTURE_COLUMNS)
    batch = GraspBatch(
        values["T_object_palm"],
        values["joint_positions"],
        losses,
        tuple(values["status"].tolist()),
        Postures(**{name: values[name] for name in POSTURE_COLUMNS}) if there else None,
        way=way,
    )
    return GraspTable(
        hand=metadata["hand"],
        object=metadata["object"],
        joint_names=metadata["joint_names"],
        indices=values["index"],
        seed=int(values["seed"][0]) if len(values["seed"]) else 0,
        grasps=batch,
        metrics={name: column for name, column in values.items() if name not in known},
        rest_poses=values.get("rest_pose"),
    )


def _way(values: dict[str, np.ndarray]) -> Way | None:
    """Return the columns of the ways; None where there are not all of them."""
    if not all(name in values for name in WAY_COLUMNS):
        return None
    columns = {name: values[name] for name in WAY_COLUMNS if name != "rejected"}
    return Way(**columns, rejected=tuple(values["rejected"].tolist()))


def write_scene_grasps(table: SceneGraspTable, path: Path) -> None:
    """Write scene grasps: all or nothing, same bytes for the same grasps."""
    values = {
        "hand": table.hands,
        "grasp_index": table.grasp_indices,
        "status": table.status,
        **{name: getattr(table.grasps, name) for name in _PLACED},
    }
    columns = dict(SCENE_GRASP_COLUMNS)
    columns |= {} if table.grasps.usable is None else SCENE_WAY_COLUMNS
    columns |= {} if table.grasps.neighbour_clearance is None else CLUTTER_COLUMNS
    metadata = {"object": table.object, "scene_index": str(table.scene_index)}
    metadata |= {} if table.rest_pose is None else {"rest_pose": str(table.rest_pose)}
    write_table(columns, values, metadata, path)


def read_scene_grasps(path: Path) -> SceneGraspTable:
    """Read scene grasps.

    Raises:
        GraspdError: If the file is missing, or not as the gate for tables wants it.
    """
    opened = open_table(path, SCENE_GRASPS)
    values, metadata = opened.arrays(), opened.metadata
    return SceneGraspTable(
        object=metadata["object"],
        scene_index=metadata["scene_index"],
        hands=tuple(values["hand"].tolist()),
        grasp_indices=values["grasp_index"],
        status=tuple(values["status"].tolist()),
        grasps=SceneGrasps(**{name: values[name] for name in _PLACED if name in values}),
        rest_pose=metadata.get("rest_pose"),
    )
