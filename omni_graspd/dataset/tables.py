# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grasps on disk: Parquet tables that explain themselves and are equal byte for byte for equal grasps."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from omni_graspd.atomic import atomic_path
from omni_graspd.dataset.table_schema import (
    CLUTTER_COLUMNS,
    GRASP_COLUMNS,
    POSTURE_COLUMNS,
    SCENE_GRASP_COLUMNS,
    SCHEMA_VERSION,
    Column,
    arrow_schema,
    grasp_columns,
)
from omni_graspd.errors import GraspdError
from omni_graspd.scenes.transfer import SceneGrasps
from omni_graspd.synthesis.grasp import GraspBatch, Postures

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_LARGEST_SIZE = 2**30
_LARGEST_RATIO = 50
"""Tables larger than the one in memory, and so many times as large as their file, are taken for damaged on purpose."""
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
    """Numbers of the grasps, shape [grasp_count], int32."""
    seed: int
    """Seed of the run."""
    grasps: GraspBatch
    """The grasps themselves."""
    metrics: dict[str, np.ndarray]
    """Metrics by name, each [grasp_count]; NaN, 0 or False where the grasp failed."""


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


def write_grasps(table: GraspTable, path: Path) -> None:
    """Write base grasps: all or nothing, same bytes for the same grasps."""
    batch, count = table.grasps, len(table.indices)
    metrics = {name: np.asarray(values) for name, values in table.metrics.items()}
    kinds = {"b": "bool", "i": "int32", "f": "float64"}
    postures = {} if batch.postures is None else {name: getattr(batch.postures, name) for name in POSTURE_COLUMNS}
    columns = grasp_columns(
        len(table.joint_names),
        batch.losses,
        {name: kinds[values.dtype.kind] for name, values in metrics.items()},
        postures=bool(postures),
    )
    values = {
        "index": table.indices,
        "seed": np.full(count, table.seed),
        "status": batch.status,
        "T_object_palm": batch.T_object_palm,
        "joint_positions": batch.joint_positions,
        **postures,
        **{f"loss_{name}": loss for name, loss in batch.losses.items()},
        **metrics,
    }
    _write(
        columns,
        values,
        {"hand": table.hand, "object": table.object, "joint_names": json.dumps(table.joint_names)},
        path,
    )


def read_grasps(path: Path) -> GraspTable:
    """Read base grasps.

    Raises:
        GraspdError: If the file is missing, unreadable, or of another schema version.
    """
    needed = ("T_object_palm", "joint_positions", "status", "index", "seed", "hand", "object", "joint_names")
    values, metadata = _read(path, *needed)
    losses = {name.removeprefix("loss_"): column for name, column in values.items() if name.startswith("loss_")}
    known = {*GRASP_COLUMNS, *POSTURE_COLUMNS, "joint_positions", *(f"loss_{name}" for name in losses)}
    there = all(name in values for name in POSTURE_COLUMNS)
    batch = GraspBatch(
        values["T_object_palm"],
        values["joint_positions"],
        losses,
        tuple(values["status"].tolist()),
        Postures(**{name: values[name] for name in POSTURE_COLUMNS}) if there else None,
    )
    return GraspTable(
        hand=metadata["hand"],
        object=metadata["object"],
        joint_names=tuple(json.loads(metadata["joint_names"])),
        indices=values["index"],
        seed=int(values["seed"][0]) if len(values["seed"]) else 0,
        grasps=batch,
        metrics={name: column for name, column in values.items() if name not in known},
    )


def write_scene_grasps(table: SceneGraspTable, path: Path) -> None:
    """Write scene grasps: all or nothing, same bytes for the same grasps."""
    values = {
        "hand": table.hands,
        "grasp_index": table.grasp_indices,
        "status": table.status,
        **{name: getattr(table.grasps, name) for name in _PLACED},
    }
    columns = SCENE_GRASP_COLUMNS if table.grasps.neighbour_clearance is None else SCENE_GRASP_COLUMNS | CLUTTER_COLUMNS
    _write(columns, values, {"object": table.object, "scene_index": str(table.scene_index)}, path)


def read_scene_grasps(path: Path) -> SceneGraspTable:
    """Read scene grasps.

    Raises:
        GraspdError: If the file is missing, unreadable, or of another schema version.
    """
    values, metadata = _read(path, "hand", "grasp_index", "status", "object", "scene_index")
    return SceneGraspTable(
        object=metadata["object"],
        scene_index=int(metadata["scene_index"]),
        hands=tuple(values["hand"].tolist()),
        grasp_indices=values["grasp_index"],
        status=tuple(values["status"].tolist()),
        grasps=SceneGrasps(**{name: values[name] for name in _PLACED if name in values}),
    )


def _write(columns: dict[str, Column], values: dict[str, Any], metadata: dict[str, str], path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = arrow_schema(columns, metadata)
    arrays = [_to_arrow(values[name], column, schema.field(name)) for name, column in columns.items()]
    with atomic_path(path) as temporary:
        pq.write_table(pa.Table.from_arrays(arrays, schema=schema), temporary, compression="zstd")


def _to_arrow(values: Any, column: Column, field: pa.Field) -> pa.Array:
    import pyarrow as pa

    if column.kind == "string":
        return pa.array(list(values), type=field.type)
    array = np.asarray(values, dtype=np.dtype(column.kind))
    if column.width is None:
        return pa.array(array, type=field.type)
    flat = pa.array(array.reshape(len(array) * column.width), type=field.type.value_type)
    return pa.FixedSizeListArray.from_arrays(flat, type=field.type)


def _read(path: Path, *needed: str) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.is_file():
        raise GraspdError(f"expected a table of grasps, got {path}, which does not exist; run `graspd generate` first")
    try:
        file = pq.ParquetFile(path)
        _check_size(file, path)
        table = file.read()
    except (pa.ArrowException, OSError) as error:
        if getattr(error, "errno", None):
            raise  # The system refused: the table may be good.
        raise damaged_table(path, error) from error
    metadata = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    if metadata.get("schema_version") != str(SCHEMA_VERSION):
        raise GraspdError(
            f"expected a table of schema version {SCHEMA_VERSION}, got version {metadata.get('schema_version')} "
            f"in {path}; "
            "read it with the omni-graspd that wrote it, or make it again"
        )
    lacking = [name for name in needed if name not in table.column_names and name not in metadata]
    if lacking:
        raise damaged_table(path, ValueError(f"without {', '.join(lacking)}"))
    return {name: column_array(table.column(name).combine_chunks()) for name in table.column_names}, metadata


def row_count(path: Path) -> int:
    """Return how many rows a table has, without reading them.

    Raises:
        GraspdError: If it is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_metadata(path).num_rows
    except pa.ArrowException as error:
        raise damaged_table(path, error) from error


def damaged_table(path: Path, error: Exception) -> GraspdError:
    """Return what to say of a table that cannot be read."""
    return GraspdError(
        f"expected a Parquet table, got {path} ({str(error).splitlines()[0]}); delete it and run the same command again"
    )


def _check_size(file: pq.ParquetFile, path: Path) -> None:
    """Refuse a table that would fill the memory: a few bytes can stand for any number of equal values."""
    import pyarrow as pa

    widths = (field.type.list_size if pa.types.is_fixed_size_list(field.type) else 1 for field in file.schema_arrow)
    size = 8 * sum(widths) * file.metadata.num_rows
    if size > _LARGEST_SIZE and size > _LARGEST_RATIO * path.stat().st_size:
        raise GraspdError(
            f"expected a table of grasps, got {path}, which is {path.stat().st_size} bytes and would take "
            f"{size / 2**30:.0f} GiB of memory; do not use it"
        )


def column_array(array: pa.Array) -> np.ndarray:
    """Return a column of a table, shape [row_count], or [row_count, width] where it holds lists of one width."""
    import pyarrow as pa

    if pa.types.is_fixed_size_list(array.type):
        return array.flatten().to_numpy(zero_copy_only=False).reshape(len(array), array.type.list_size)
    return array.to_numpy(zero_copy_only=False)
