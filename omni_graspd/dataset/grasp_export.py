# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A dataset's grasps of one object, as grasp vectors for the object's own USD package."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.tables import GraspTable, read_grasps
from omni_graspd.errors import GraspdError
from omni_graspd.hands.usd.hand_reader import read_hand
from omni_graspd.metrics.closing_lines import closing_lines
from omni_graspd.metrics.evaluate import MetricsConfig
from omni_graspd.objects.grasp_vectors import GraspVector
from omni_graspd.objects.object_reader import read_object
from omni_graspd.objects.rigid_object import RigidObject

_SAME = 1e-5
"""Sides of two bounding boxes of the same object agree within this [m]."""


def dataset_grasp_vectors(dataset: Path, rigid: RigidObject, most: int, *, device: str = "cpu") -> list[GraspVector]:
    """Read the good grasps of an object from a dataset, with the lines that stand for them in a SimReady package.

    A grasp is good if it did not fail, is usable where the object lies on a table, and closes by force. Those whose
    contacts oppose each other nowhere have no line and are left out.

    Args:
        dataset: Dataset folder.
        rigid: The object; its name is that in the dataset.
        most: Most grasps that are returned, the best of all hands.
        device: Warp device for the distances.

    Returns:
        Best first: by how far a pushed object escapes, where the dataset says, else by epsilon.

    Raises:
        GraspdError: If the dataset has no grasps of that object, or has another object of that name.
    """
    layout = DatasetLayout(dataset)
    tables = sorted((dataset / "grasps").glob(f"*/{rigid.name}.parquet"))
    if not tables:
        there = sorted({path.stem for path in (dataset / "grasps").glob("*/*.parquet")})
        raise GraspdError(
            f"there are no grasps of {rigid.name!r} in {dataset}; it has grasps of: {', '.join(there) or 'nothing'}"
        )
    _check_same(rigid, read_object(layout.object(rigid.name)), dataset)
    found: list[tuple[float, GraspVector]] = []
    for path in tables:
        found += _vectors(read_grasps(path), layout, rigid, device)
    found.sort(key=lambda ranked: ranked[0])
    return [vector for _, vector in found[:most]]


def _check_same(rigid: RigidObject, other: RigidObject, dataset: Path) -> None:
    ours, theirs = (
        np.stack([mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)]) for mesh in (rigid.mesh, other.mesh)
    )
    difference = float(np.abs(ours - theirs).max())
    if difference > _SAME:
        raise GraspdError(
            f"expected the same object {rigid.name!r} as in {dataset}, got one whose bounding box differs by "
            f"{1e3 * difference:.3g} mm; export with the object the grasps were made for"
        )


def _vectors(
    table: GraspTable, layout: DatasetLayout, rigid: RigidObject, device: str
) -> list[tuple[float, GraspVector]]:
    good = table.good & table.metrics["force_closure"]
    rows = np.flatnonzero(good)
    poses, joints = table.grasps.T_object_palm[rows], table.grasps.joint_positions[rows]
    hand = read_hand(layout.hand(table.hand))
    postures = table.grasps.postures
    ranks = table.ranking
    measures = {f"loss_{name}": column for name, column in table.grasps.losses.items()} | table.figures
    result = []
    for row, line in zip(rows, closing_lines(hand, rigid, poses, joints, MetricsConfig(), device=device), strict=True):
        if line is None:
            continue
        vector = GraspVector(
            line=line,
            hand=table.hand,
            T_object_palm=table.grasps.T_object_palm[row],
            joint_names=table.joint_names,
            joint_positions=table.grasps.joint_positions[row],
            squeeze_joint_positions=None if postures is None else postures.squeeze_joint_positions[row],
            measures={name: float(column[row]) for name, column in measures.items()}
            | {"index": float(table.indices[row])},
        )
        result.append((float(ranks[row]), vector))
    return result
