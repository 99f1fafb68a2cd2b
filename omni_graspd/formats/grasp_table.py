# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Our own tables of base grasps, to and from the neutral record."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np

from omni_graspd.dataset.tables import GraspTable, read_grasps, write_grasps
from omni_graspd.formats.record import GraspRecord
from omni_graspd.synthesis.grasp import GraspBatch, Postures

_FAILED = "failed where it comes from"


def read_table(path: Path) -> list[GraspRecord]:
    """Read a Parquet table; grasps whose numbers are not finite are left out, other failures have confidence 0.

    Raises:
        GraspdError: If it is no such table.
    """
    table = read_grasps(path)
    batch = table.grasps
    finite = np.isfinite(np.concatenate([batch.T_object_palm, batch.joint_positions], axis=1)).all(axis=1)
    postures = batch.postures
    confidence = np.array([float(status == "ok") for status in batch.status])
    record = GraspRecord(
        hand=table.hand,
        object=table.object,
        joint_names=table.joint_names,
        T_object_palm=batch.T_object_palm,
        joint_positions=batch.joint_positions,
        T_object_pregrasp_palm=None if postures is None else postures.T_object_pregrasp_palm,
        pregrasp_joint_positions=None if postures is None else postures.pregrasp_joint_positions,
        squeeze_joint_positions=None if postures is None else postures.squeeze_joint_positions,
        scores={"confidence": confidence}
        | {f"loss_{name}": np.asarray(values, dtype=np.float64) for name, values in batch.losses.items()}
        | {name: np.asarray(values, dtype=np.float64) for name, values in table.metrics.items()},
        notes=() if finite.all() else (f"{int((~finite).sum())} failed grasps without a posture left out",),
    )
    return [record.rows(np.flatnonzero(finite))]


def write_table(record: GraspRecord, path: Path) -> None:
    """Write a Parquet table; all or nothing.

    Args:
        record: Grasps of our hand, in the order of its joints.
        path: File to write.
    """
    confidence = record.scores.get("confidence", np.ones(len(record)))
    found = {
        "T_object_pregrasp_palm": record.T_object_pregrasp_palm,
        "pregrasp_joint_positions": record.pregrasp_joint_positions,
        "pregrasp_clearance": np.full(len(record), np.nan),
        "squeeze_joint_positions": record.squeeze_joint_positions,
    }
    there = {name: values for name, values in found.items() if values is not None}
    names = {name for name in record.scores if name != "confidence"}
    losses = {name.removeprefix("loss_"): record.scores[name] for name in sorted(names) if name.startswith("loss_")}
    write_grasps(
        GraspTable(
            hand=record.hand,
            object=record.object,
            joint_names=record.joint_names,
            indices=np.arange(len(record), dtype=np.int32),
            seed=0,
            grasps=GraspBatch(
                T_object_palm=record.T_object_palm,
                joint_positions=record.joint_positions,
                losses=losses,
                status=tuple("ok" if value > 0.5 else _FAILED for value in confidence),
                postures=Postures(**there) if len(there) == len(fields(Postures)) else None,
            ),
            metrics={name: record.scores[name] for name in sorted(names) if not name.startswith("loss_")},
        ),
        path,
    )
