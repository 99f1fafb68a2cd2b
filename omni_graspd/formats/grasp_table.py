# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Our own tables of base grasps, to and from the neutral record."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np

from omni_graspd.dataset.grasp_numbers import grasp_indices
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.reach.reach_columns import reach_columns
from omni_graspd.dataset.selection import selection_columns
from omni_graspd.dataset.tables import GraspTable, read_grasps, write_grasps
from omni_graspd.formats.format import Format, magic
from omni_graspd.formats.record import GraspRecord, scale
from omni_graspd.synthesis.grasp import GraspBatch, Postures

SOURCE_PREFIX = "source_"
"""Columns with what another project says of its grasps begin so: its epsilon is not ours."""
_CONFIDENCE = f"{SOURCE_PREFIX}confidence"
_SCALE = "object_scale"


def read_table(path: Path) -> list[GraspRecord]:
    """Read a Parquet table; grasps whose numbers are not finite are left out, other failures have confidence 0.

    Raises:
        GraspdError: If it is no such table.
    """
    table = read_grasps(path)
    record = table_record(table)
    record = replace(record, facts=record.facts | _reach(table, path))
    finite = np.isfinite(np.concatenate([record.T_object_palm, record.joint_positions], axis=1)).all(axis=1)
    notes = () if finite.all() else (f"{int((~finite).sum())} failed grasps without a posture left out",)
    return [replace(record.rows(np.flatnonzero(finite)), notes=notes)]


def _reach(table: GraspTable, path: Path) -> dict[str, np.ndarray]:
    """Return what the arms of a dataset reach of a table in it; nothing for a table elsewhere."""
    folders = path.absolute().parents
    layout = DatasetLayout(folders[min(2, len(folders) - 1)])
    if layout.grasps(table.hand, table.object) != path.absolute():
        return {}
    return reach_columns(layout, table.hand, table.object, table.indices)


def table_record(table: GraspTable) -> GraspRecord:
    """Return all rows of a table in their order; those that failed have confidence 0, or numbers that are not finite.

    So have those that are not usable where they were made.

    Args:
        table: The table.
    """
    batch, postures = table.grasps, table.grasps.postures
    columns = {name: np.asarray(values, dtype=np.float64) for name, values in table.figures.items()}
    sizes = columns.pop(_SCALE, np.ones(1))
    confidence = columns.pop(_CONFIDENCE, table.good.astype(np.float64))
    return GraspRecord(
        hand=table.hand,
        object=table.object,
        object_scale=scale(sizes, f"the table of {table.object} by {table.hand}") if len(sizes) else 1.0,
        joint_names=table.joint_names,
        T_object_palm=batch.T_object_palm,
        joint_positions=batch.joint_positions,
        T_object_pregrasp_palm=None if postures is None else postures.T_object_pregrasp_palm,
        pregrasp_joint_positions=None if postures is None else postures.pregrasp_joint_positions,
        squeeze_joint_positions=None if postures is None else postures.squeeze_joint_positions,
        pregrasp_clearance=None if postures is None else postures.pregrasp_clearance,
        way=batch.way,
        rest_poses=table.rest_poses,
        scores={"confidence": confidence}
        | {f"loss_{name}": np.asarray(values, dtype=np.float64) for name, values in batch.losses.items()}
        | columns,
        facts=selection_columns(table),
    )


def grasp_table(record: GraspRecord, *, foreign: bool) -> GraspTable:
    """Return grasps as one of our tables; all have status ``ok``, what their source says of them is a column.

    They are numbered anew: from 0, or rest pose by rest pose, each from its own first number.

    Args:
        record: Grasps of our hand, in the order of its joints.
        foreign: Whether the scores are another project's.
    """
    indices = np.arange(len(record), dtype=np.int32)
    if record.rest_poses is not None:
        order = np.argsort(record.rest_poses, kind="stable")
        indices, record = _numbers(record.rest_poses), record.rows(order)
    prefix = SOURCE_PREFIX if foreign else ""
    names = {name for name in record.scores if name != "confidence"}
    losses = {name for name in names if name.startswith("loss_") and not foreign}
    columns = {f"{prefix}{name.removeprefix(prefix)}": record.scores[name] for name in sorted(names - losses)}
    confidence = record.scores.get("confidence", np.ones(len(record)))
    if foreign or not confidence.all():
        columns[_CONFIDENCE] = confidence
    if record.object_scale != 1.0:
        columns[_SCALE] = np.full(len(record), record.object_scale)
    return GraspTable(
        hand=record.hand,
        object=record.object,
        joint_names=record.joint_names,
        indices=indices,
        seed=0,
        grasps=GraspBatch(
            T_object_palm=record.T_object_palm,
            joint_positions=record.joint_positions,
            losses={name.removeprefix("loss_"): record.scores[name] for name in sorted(losses)},
            status=("ok",) * len(record),
            postures=_postures(record),
            way=record.way,
        ),
        metrics=columns,
        rest_poses=record.rest_poses,
    )


def _numbers(rest_poses: np.ndarray) -> np.ndarray:
    """Return the numbers of grasps once they are sorted by their rest poses, int32."""
    poses, counts = np.unique(rest_poses, return_counts=True)
    return np.concatenate([np.zeros(0, np.int32), *map(grasp_indices, poses, np.zeros_like(counts), counts)])


def _postures(record: GraspRecord) -> Postures | None:
    found = {
        "T_object_pregrasp_palm": record.T_object_pregrasp_palm,
        "pregrasp_joint_positions": record.pregrasp_joint_positions,
        "pregrasp_clearance": (
            np.full(len(record), np.nan) if record.pregrasp_clearance is None else record.pregrasp_clearance
        ),
        "squeeze_joint_positions": record.squeeze_joint_positions,
    }
    there = {name: values for name, values in found.items() if values is not None}
    return Postures(**there) if len(there) == len(fields(Postures)) else None


def write_table(record: GraspRecord, path: Path) -> None:
    """Write a Parquet table; all or nothing.

    Args:
        record: Grasps of our hand, in the order of its joints; scores that are not ours are marked as such.
        path: File to write.
    """
    write_grasps(grasp_table(record, foreign="contact_area" not in record.scores), path)


FORMAT = Format(
    name="table",
    title="our table of grasps",
    place=120,
    suffixes=(".parquet",),
    signature=magic(b"PAR1", "a Parquet file"),
    read=read_table,
    write=write_table,
    is_ours=True,
    needs_our_hand=True,
    has_way=True,
    lacks=("object_file",),
)
