# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Parquet files whose columns explain themselves: written all or nothing, and counted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from omni_graspd.atomic import atomic_path
from omni_graspd.dataset.table_gate import open_table
from omni_graspd.dataset.table_kinds import GRASPS, TableKind
from omni_graspd.dataset.table_schema import Column, arrow_schema

if TYPE_CHECKING:
    import pyarrow as pa


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


def row_count(path: Path, kind: TableKind) -> int:
    """Return how many rows a table has, without reading them.

    Raises:
        GraspdError: If it is damaged.
    """
    return open_table(path, kind).row_count


def true_count(path: Path, column: str) -> int:
    """Return in how many rows of a table of base grasps a column of flags is true; 0 for a table without it.

    Raises:
        GraspdError: If the table is damaged.
    """
    table = open_table(path, GRASPS)
    return int(table.arrays([column])[column].sum()) if column in table.names else 0
