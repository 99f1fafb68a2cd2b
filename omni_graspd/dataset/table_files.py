# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Parquet files whose columns explain themselves: written all or nothing; read with care, since strangers send them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from omni_graspd.atomic import atomic_path
from omni_graspd.dataset.table_schema import SCHEMA_VERSION, Column, arrow_schema
from omni_graspd.errors import GraspdError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_LARGEST_SIZE = 2**30
_LARGEST_RATIO = 50
"""Tables larger than the one in memory, and so many times as large as their file, are taken for damaged on purpose."""


def write_table(columns: dict[str, Column], values: dict[str, Any], metadata: dict[str, str], path: Path) -> None:
    """Write a table: all or nothing, same bytes for the same values.

    Args:
        columns: Columns by name, in order.
        values: Values of each column by name, one per row.
        metadata: What the file says beside its rows.
        path: File to write.
    """
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


def read_table(path: Path, *needed: str) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Read a table.

    Args:
        path: The file.
        needed: Columns and metadata without which it is none of ours.

    Returns:
        Columns by name, and the metadata.

    Raises:
        GraspdError: If the file is missing, unreadable, or of another schema version.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.is_file():
        raise GraspdError(f"the table of grasps {path} does not exist; run `graspd generate` first")
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
            f"expected a table of schema version {SCHEMA_VERSION}, got version {metadata.get('schema_version')} in "
            f"{path}; read it with the version of omni-graspd that wrote it, or make it again"
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


def true_count(path: Path, column: str) -> int:
    """Return in how many rows a column of flags is true; 0 for a table without it.

    Raises:
        GraspdError: If the table is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        return int(file.read(columns=[column])[column].to_numpy().sum()) if column in file.schema_arrow.names else 0
    except pa.ArrowException as error:
        raise damaged_table(path, error) from error


def damaged_table(path: Path, error: Exception) -> GraspdError:
    """Return what to say of a table that cannot be read."""
    return GraspdError(
        f"{path} is not a readable Parquet table ({str(error).splitlines()[0]}); delete it and run the same command "
        "again"
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
