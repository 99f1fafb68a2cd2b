# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Kinds of Parquet tables in a dataset: the columns and metadata that each must have, and what else it may have."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from omni_graspd.dataset.table_schema import (
    ARM_LIFT_COLUMNS,
    CLUTTER_COLUMNS,
    GRASP_COLUMNS,
    POSTURE_COLUMNS,
    REACH_COLUMNS,
    REST_POSE_COLUMNS,
    SCENE_GRASP_COLUMNS,
    SCENE_WAY_COLUMNS,
    WAY_COLUMNS,
    Column,
    metric_column,
)
from omni_graspd.metrics.columns import METRICS, metrics_at_thresholds

_JOINTS = Column("float64", "rad or m", "All joints.", None, 0)
_LARGEST_NUMBER = 2**31 - 1


@dataclass(frozen=True)
class TableKind:
    """What the tables of one kind have in common."""

    title: str
    """What such a table is called in messages."""
    needed: dict[str, Column]
    """Columns without which it is none."""
    groups: tuple[dict[str, Column], ...] = ()
    """Further columns; of each group all are there, or none."""
    more: bool = False
    """Whether it may have other columns of single values besides, such as metrics."""
    metadata: dict[str, Callable[[str], Any]] = field(default_factory=dict)
    """What the file must say beside its rows; each function returns its value, or raises ValueError."""
    optional_metadata: dict[str, Callable[[str], Any]] = field(default_factory=dict)
    """What it may say besides."""
    widths: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Columns that are as wide as lists of the metadata are long, multiplied; by the names of the lists."""
    versioned: bool = True
    """Whether the file says its schema version."""
    rising: str = ""
    """Column whose numbers rise from row to row."""
    counts: frozenset[str] = frozenset()
    """Columns of numbers that are 0 or more."""

    def columns(self, metadata: dict[str, Any]) -> dict[str, Column]:
        """Return all known columns by name; those of joints are as wide as the file has joint names."""
        width = len(metadata.get("joint_names", ()))
        known = dict(self.needed)
        for group in self.groups:
            known |= group
        wide = {name: math.prod(len(metadata.get(each, ())) for each in lists) for name, lists in self.widths.items()}
        wide |= {name: width for name in known if name.endswith("joint_positions")}
        return {name: replace(column, width=wide[name]) if name in wide else column for name, column in known.items()}


def further_column(name: str) -> Column | None:
    """Return how the column of a known metric or loss should be; None for any other name."""
    if name.startswith("loss_"):
        return Column("float64", "1", "A loss term.")
    if name in METRICS or name.rpartition("_")[0] in metrics_at_thresholds():
        return metric_column(name, "float64")
    return None


def _names(text: str) -> tuple[str, ...]:
    """Read names as JSON keeps them."""
    names = json.loads(text)
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise ValueError("expected a list of names")
    if len(set(names)) < len(names):
        raise ValueError("expected names that differ")
    return tuple(names)


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 10 or int(text) > _LARGEST_NUMBER:
        raise ValueError("expected a number of 0 or more")
    return int(text)


def _pose(text: str) -> tuple[float, ...]:
    """Read a pose as JSON keeps it."""
    values = json.loads(text)
    if not isinstance(values, list) or len(values) != 7 or not all(type(v) in (int, float) for v in values):
        raise ValueError("expected a pose of seven numbers")
    if not all(abs(value) < 1e9 for value in values):
        raise ValueError("expected a pose of finite numbers")
    return tuple(float(value) for value in values)


def _poses(text: str) -> dict[str, tuple[float, ...]]:
    """Read poses by name as JSON keeps them."""
    poses = json.loads(text)
    if not isinstance(poses, dict):
        raise ValueError("expected poses by name")
    return {name: _pose(json.dumps(values)) for name, values in poses.items()}


GRASPS = TableKind(
    title="grasps",
    needed={**GRASP_COLUMNS, "joint_positions": _JOINTS},
    groups=(POSTURE_COLUMNS, REST_POSE_COLUMNS, WAY_COLUMNS),
    more=True,
    metadata={"hand": str, "object": str, "joint_names": _names},
    rising="index",
    counts=frozenset(("index", "rest_pose", "tries")),
)
"""Base grasps of one object by one hand."""
SCENE_GRASPS = TableKind(
    title="scene grasps",
    needed=SCENE_GRASP_COLUMNS,
    groups=({name: SCENE_WAY_COLUMNS[name] for name in ("usable",)}, CLUTTER_COLUMNS),
    metadata={"object": str, "scene_index": _number},
    optional_metadata={"rest_pose": _number},
    counts=frozenset(("grasp_index",)),
)
"""Base grasps of all hands, placed in one scene."""
REACH = TableKind(
    title="reach",
    needed=REACH_COLUMNS,
    groups=(ARM_LIFT_COLUMNS,),
    metadata={
        "object": str,
        "scene_index": _number,
        "arm": str,
        "arm_joint_names": _names,
        "stations": _names,
        "settings": str,
        "T_world_base": _pose,
        "mounts": _poses,
    },
    optional_metadata={"lift_settings": str},
    widths={"arm_positions": ("stations", "arm_joint_names")},
    counts=frozenset(("grasp_index",)),
)
"""What an arm can do about the usable grasps of one scene."""
CHECKSUMS = TableKind(
    title="checksums",
    needed={
        "file": Column("string", "1", "File relative to the dataset folder, with '/'."),
        "sha256": Column("string", "1", "SHA-256 in hexadecimal digits."),
    },
    versioned=False,
)
"""Checksums of the files of a dataset."""
