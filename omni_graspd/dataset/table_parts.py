# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A table from its parts, with memory for a piece of it only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from omni_graspd.atomic import atomic_path
from omni_graspd.dataset.tables import damaged_table

if TYPE_CHECKING:
    import pyarrow as pa

_ROW_GROUP_SIZE = 1 << 16
"""Rows that are in memory together. The bytes of the table do not depend on how its parts were cut."""


def join_parts(parts: Sequence[Path], path: Path) -> None:
    """Write the rows of all parts to one table: all or nothing, same bytes for the same rows.

    Args:
        parts: Tables of the same schema, in order; at least one.
        path: The table.

    Raises:
        GraspdError: If a part is damaged.
    """
    import pyarrow.parquet as pq

    schema = _read(parts[0]).schema
    with atomic_path(path) as temporary, pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
        for rows in _row_groups(parts):
            writer.write_table(rows, row_group_size=_ROW_GROUP_SIZE)


def _row_groups(parts: Sequence[Path]) -> Iterator[pa.Table]:
    import pyarrow as pa

    waiting: list[pa.Table] = []
    for part in parts:
        waiting.append(_read(part))
        while sum(table.num_rows for table in waiting) >= _ROW_GROUP_SIZE:
            rows = pa.concat_tables(waiting).combine_chunks()
            yield rows.slice(0, _ROW_GROUP_SIZE)
            waiting = [rows.slice(_ROW_GROUP_SIZE)]
    rest = pa.concat_tables(waiting).combine_chunks()
    if rest.num_rows:
        yield rest


def _read(part: Path) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(part).read()
    except (pa.ArrowException, OSError) as error:
        raise damaged_table(part, error) from error
