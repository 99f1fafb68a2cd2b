# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Columns of the Parquet tables: types, units, frames and meanings, which travel in the files' field metadata."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from omni_graspd.metrics.columns import METRICS, metrics_at_thresholds
from omni_graspd.synthesis.losses import LOSS_TERMS

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA_VERSION = 2
"""Version of the tables and of the folder layout; raised when a reader of older datasets would misread a new one."""


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    kind: str
    """``int32``, ``int64``, ``float64``, ``bool`` or ``string``; of the elements where there is a width."""
    unit: str
    """Unit of the values; ``1`` for plain numbers and names."""
    meaning: str
    """One sentence."""
    frame: str | None = None
    """Frame in which the values are expressed."""
    width: int | None = None
    """Length of each value's list; None for single values."""


POSE_UNIT = "m; unit quaternion xyzw"

GRASP_COLUMNS = {
    "index": Column("int32", "1", "Number of the grasp; scene grasps refer to it as grasp_index."),
    "seed": Column("int64", "1", "Seed of the run; with hand, object and index it fixes the grasp."),
    "status": Column("string", "1", "'ok', or why the grasp failed; failed grasps keep their row."),
    "T_object_palm": Column("float64", POSE_UNIT, "Pose of the palm: maps palm to object coordinates.", "object", 7),
}
"""First columns of a table of base grasps; then come joint_positions, the losses and the metrics."""

POSTURE_COLUMNS = {
    "T_object_pregrasp_palm": Column(
        "float64", POSE_UNIT, "Pose of the palm before the grasp, the hand open and clear of the object.", "object", 7
    ),
    "pregrasp_clearance": Column("float64", "m", "Distance of the hand from the object before the grasp, up to 1 cm."),
    "pregrasp_joint_positions": Column("float64", "rad or m", "All joints before the grasp."),
    "squeeze_joint_positions": Column(
        "float64", "rad or m", "Joint targets of the squeeze; the palm stays as in the grasp."
    ),
}
"""Columns of what comes before and after a grasp; joint columns are as wide as joint_positions."""

REST_POSE_COLUMNS = {
    "rest_pose": Column(
        "int32",
        "1",
        "Rest pose the grasp is made for; its grasps are numbered from a million times this number.",
    ),
}
"""Further columns of grasps of objects that lie on a table."""

WAY_COLUMNS = {
    "table_plane": Column(
        "float64", "1; offset in m", "Table top: unit normal n, up, and offset d; free is where n · p > d.", "object", 4
    ),
    "T_object_hover_palm": Column(
        "float64",
        POSE_UNIT,
        "Pose of the palm at hover, where the open hand begins to close.",
        "object",
        7,
    ),
    "lift_direction": Column("float64", "1", "Unit direction in which the object is lifted.", "object", 3),
    "approach_clearance": Column(
        "float64", "m", "Least distance of the open hand from object and surroundings, from pregrasp to hover."
    ),
    "closing_clearance": Column(
        "float64",
        "m",
        "Least distance of the hand from the surroundings from hover to just before the grasp.",
    ),
    "grasp_clearance": Column("float64", "m", "Distance of the hand from the surroundings in the grasp."),
    "squeeze_clearance": Column("float64", "m", "Distance of the hand from the surroundings during the squeeze."),
    "lift_clearance": Column("float64", "m", "Least distance of the hand from obstacles during the lift."),
    "usable": Column(
        "bool", "1", "Whether the grasp did not fail and its whole motion, approach to lift, is collision-free."
    ),
    "tries": Column("int32", "1", "Number of attempts at the grasp, including the one kept."),
    "rejected": Column("string", "1", "Why earlier attempts were discarded, separated by '; '."),
}
"""Columns of the way to a grasp past the surroundings; clearances are negative where the hand reaches into them."""


def metric_column(name: str, kind: str) -> Column:
    """Describe the column of a metric.

    Args:
        name: Name of the metric, as in :data:`~omni_graspd.metrics.columns.METRICS` or at a threshold, as in
            ``epsilon_3mm``.
        kind: Kind of its values, for names that are not known.
    """
    if name in METRICS and METRICS[name].by != "thresholds":
        return Column(METRICS[name].kind, METRICS[name].unit, METRICS[name].meaning)
    base, _, threshold = name.rpartition("_")
    if base in metrics_at_thresholds() and threshold.endswith("mm"):
        metric = METRICS[base]
        meaning = metric.at_threshold.format(f"{threshold.removesuffix('mm')} mm")
        return Column(metric.kind, metric.unit, meaning)
    return Column(kind, "1", f"Metric {name!r}.")


def loss_column(name: str) -> Column:
    """Describe the column of a loss term, by its name in :data:`~omni_graspd.synthesis.losses.LOSS_TERMS`."""
    if name in LOSS_TERMS:
        return Column("float64", LOSS_TERMS[name].unit, LOSS_TERMS[name].meaning)
    return Column("float64", "1", f"Loss term {name!r}.")


SCENE_GRASP_COLUMNS = {
    "hand": Column("string", "1", "Name of the hand."),
    "grasp_index": Column("int32", "1", "Row of the base grasp in grasps/<hand>/<object>.parquet; it has the joints."),
    "status": Column("string", "1", "'ok', or why the base grasp failed."),
    "T_world_palm": Column("float64", POSE_UNIT, "Pose of the palm: maps palm to world coordinates.", "world", 7),
    "table_clearance": Column("float64", "m", "Height of the lowest hand point above the table top.", "world"),
    "collides": Column("bool", "1", "Whether the hand reaches below the table top."),
    "approach_angle": Column("float64", "rad", "Angle between the palm's approach direction and straight down."),
    "approach_clearance": Column(
        "float64", "m", "Lowest height of the open hand above the table top, from pregrasp to grasp.", "world"
    ),
    "from_above": Column(
        "bool", "1", "Whether the hand approaches within 60 degrees of straight down and clears the table."
    ),
}
"""Columns of a table of scene grasps; the joint positions are those of the base grasp."""

SCENE_WAY_COLUMNS = {
    "approach_clearance": Column(
        "float64",
        "m",
        "Lowest height of the hand above the table top over the whole motion, pregrasp to lift.",
        "world",
    ),
    "from_above": Column(
        "bool",
        "1",
        "Whether the hand approaches within 60 degrees of straight down and clears table and neighbours throughout.",
    ),
    "usable": Column(
        "bool",
        "1",
        "Whether the base grasp is usable and its whole motion here clears the table and all other objects.",
    ),
}
"""Columns of scene grasps with a way, in place of and beside those of :data:`SCENE_GRASP_COLUMNS`."""

CLUTTER_COLUMNS = {
    "neighbour_clearance": Column(
        "float64", "m", "Distance of the hand from the nearest other object, up to 5 cm; 0 where they touch.", "world"
    ),
}
"""Further columns of scene grasps where several objects lie on the table."""


REACH_COLUMNS = {
    "hand": Column("string", "1", "Name of the hand."),
    "grasp_index": Column("int32", "1", "Number of the base grasp."),
    "reachable": Column("bool", "1", "Whether the arm takes the hand through its whole motion, touching nothing."),
    "reason": Column("string", "1", "Why not, and where on the way; empty for reachable grasps."),
    "arm_positions": Column(
        "float64",
        "rad or m",
        "Joints of the arm at each of the file metadata's stations, station by station; NaN if not reachable.",
        None,
        0,
    ),
    "manipulability": Column("float64", "m3", "Least manipulability on the way (Yoshikawa); NaN if not reachable."),
    "limit_margin": Column("float64", "rad or m", "Least distance of a joint from its limits on the way; NaN too."),
}
"""Columns of what an arm can do about the grasps of a scene; a row for each usable grasp."""

ARM_LIFT_COLUMNS = {
    "arm_lifted": Column("bool", "1", "Whether the object came along when the robot followed its joint positions."),
    "arm_lift_reason": Column(
        "string",
        "1",
        "Why not: 'not reachable', 'pushed away on the way in', 'slipped', 'tilted'; empty where lifted.",
    ),
}
"""Columns of the robot's lift test."""


def grasp_columns(
    joint_count: int,
    losses: Iterable[str],
    metrics: dict[str, str],
    *,
    postures: bool = False,
    rest_poses: bool = False,
    way: bool = False,
) -> dict[str, Column]:
    """Return the columns of a table of base grasps.

    Args:
        joint_count: Number of movable joints of the hand.
        losses: Names of the loss terms.
        metrics: Kind of each metric by name; used for those that are not known.
        postures: Whether there are pregrasps and squeezes.
        rest_poses: Whether the object lies on a table.
        way: Whether there is the way to each grasp.
    """
    joints = Column(
        "float64", "rad or m", "All joints, in the order of the file metadata's joint_names.", None, joint_count
    )
    columns = {**GRASP_COLUMNS, "joint_positions": joints}
    if postures:
        for name, column in POSTURE_COLUMNS.items():
            wide = name.endswith("joint_positions")
            columns[name] = replace(column, width=joint_count) if wide else column
    columns |= REST_POSE_COLUMNS if rest_poses else {}
    columns |= WAY_COLUMNS if way else {}
    for name in losses:
        columns[f"loss_{name}"] = loss_column(name)
    for name, kind in metrics.items():
        columns[name] = metric_column(name, kind)
    return columns


def arrow_type(column: Column) -> pa.DataType:
    """Return the Arrow type of a column: of its values, or a list of so many where it has a width."""
    import pyarrow as pa

    kinds = {
        "int32": pa.int32(),
        "int64": pa.int64(),
        "float64": pa.float64(),
        "bool": pa.bool_(),
        "string": pa.string(),
    }
    kind = kinds[column.kind]
    return kind if column.width is None else pa.list_(kind, column.width)


def arrow_schema(columns: dict[str, Column], metadata: dict[str, str]) -> pa.Schema:
    """Build the Arrow schema of a table, with unit, frame and meaning in each field's metadata."""
    import pyarrow as pa

    schema = []
    for name, column in columns.items():
        notes = {"unit": column.unit, "meaning": column.meaning}
        if column.frame is not None:
            notes["frame"] = column.frame
        schema.append(pa.field(name, arrow_type(column), nullable=False, metadata=notes))
    return pa.schema(schema, metadata={"schema_version": str(SCHEMA_VERSION), **metadata})
