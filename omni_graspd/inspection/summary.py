# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A dataset in numbers, read from its files; works on unfinished datasets, too."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.manifest import Manifest, read_manifest
from omni_graspd.dataset.tables import GraspTable, read_grasps, read_scene_grasps


@dataclass(frozen=True)
class GraspSummary:
    """The grasps of one object by one hand. Shares and means are over all grasps, failed ones included."""

    hand: str
    """Name of the hand."""
    object: str
    """Name of the object."""
    grasp_count: int
    """Base grasps."""
    ok_count: int
    """Base grasps whose status is ok."""
    force_closure: float
    """Share of base grasps in force closure; NaN without grasps."""
    epsilon: float
    """Mean epsilon quality; NaN without grasps."""
    contact_area: float
    """Mean contact area [m2]; NaN without grasps."""
    penetration_depth: float
    """Deepest hand point inside the object over all grasps [m]; NaN without grasps."""
    scene_grasp_count: int
    """Scene grasps."""
    colliding_count: int
    """Scene grasps in which the hand collides with the table."""
    rest_pose_count: int | None = None
    """Rest poses for which there are base grasps; None where objects float."""
    usable_count: int | None = None
    """Base grasps that can be carried out on the table; None where objects float."""
    usable_scene_count: int | None = None
    """Scene grasps that can be carried out in their scenes; None where objects float."""


@dataclass(frozen=True)
class DatasetSummary:
    """A dataset in numbers."""

    manifest: Manifest
    """What the dataset is."""
    grasps: tuple[GraspSummary, ...]
    """One entry per hand and object."""
    scene_counts: dict[str, int]
    """Scenes by object."""
    image_counts: dict[str, int]
    """Images, that is eyes of views, by object."""


def summarize_dataset(root: Path) -> DatasetSummary:
    """Count and average what lies in a dataset folder.

    Raises:
        GraspdError: If the folder is no dataset, or a table is unreadable.
    """
    layout, manifest = DatasetLayout(root), read_manifest(root)
    return DatasetSummary(
        manifest=manifest,
        grasps=tuple(_summarize_grasps(layout, hand, obj) for obj in manifest.objects for hand in manifest.hands),
        scene_counts={obj: len(layout.scene_indices(obj)) for obj in manifest.objects},
        image_counts={obj: len(layout.image_folders(obj)) for obj in manifest.objects},
    )


def _summarize_grasps(layout: DatasetLayout, hand: str, obj: str) -> GraspSummary:
    path = layout.grasps(hand, obj)
    table = read_grasps(path) if path.is_file() else None
    colliding, usable = [np.zeros(0, dtype=bool)], [np.zeros(0, dtype=bool)]
    for scene in layout.scene_tables(obj):
        placed = read_scene_grasps(scene)
        mine = np.array(placed.hands, dtype=object) == hand
        colliding.append(placed.grasps.collides[mine])
        if placed.grasps.usable is not None:
            usable.append(placed.grasps.usable[mine])
    rest_poses = None if table is None else table.rest_poses
    return GraspSummary(
        hand=hand,
        object=obj,
        grasp_count=0 if table is None else len(table.indices),
        ok_count=0 if table is None else table.grasps.status.count("ok"),
        force_closure=_mean(table, "force_closure"),
        epsilon=_mean(table, "epsilon"),
        contact_area=_mean(table, "contact_area"),
        penetration_depth=_largest(table, "penetration_depth"),
        scene_grasp_count=len(np.concatenate(colliding)),
        colliding_count=int(np.concatenate(colliding).sum()),
        rest_pose_count=None if rest_poses is None else len(np.unique(rest_poses)),
        usable_count=None if table is None or rest_poses is None else int(table.grasps.usable.sum()),
        usable_scene_count=None if rest_poses is None else int(np.concatenate(usable).sum()),
    )


def _mean(table: GraspTable | None, metric: str) -> float:
    if table is None or not len(table.indices) or metric not in table.metrics:
        return float("nan")
    return float(np.nan_to_num(table.metrics[metric]).mean())


def _largest(table: GraspTable | None, metric: str) -> float:
    values = np.zeros(0) if table is None else table.metrics.get(metric, np.zeros(0))
    finite = values[np.isfinite(values)]
    return float(finite.max()) if len(finite) else float("nan")
