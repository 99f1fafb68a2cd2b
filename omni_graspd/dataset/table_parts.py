# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A table of base grasps from its parts, sorted by number, with memory for a piece of it only."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from omni_graspd.atomic import atomic_path
from omni_graspd.dataset.grasp_numbers import rest_pose_of
from omni_graspd.dataset.table_gate import open_table
from omni_graspd.dataset.table_kinds import GRASPS

if TYPE_CHECKING:
    import pyarrow as pa

_ROW_GROUP_SIZE = 1 << 16
"""Rows that are in memory together. The bytes of the table do not depend on how its parts were cut."""


@dataclass(frozen=True)
class _Stretch:
    """Successive rows of a part, all of one rest pose."""

    first: int
    """Number of the first grasp."""
    part: Path
    start: int
    stop: int


def grasp_counts(path: Path, rest_pose_count: int) -> list[int]:
    """Return how many grasps a table has in each rest pose; they are numbered without gaps.

    Args:
        path: The table.
        rest_pose_count: How many rest poses there are.

    Raises:
        GraspdError: If it is damaged.
    """
    return np.bincount(rest_pose_of(_indices(path)), minlength=rest_pose_count).tolist()


def join_parts(parts: Sequence[Path], path: Path) -> None:
    """Write the rows of all parts to one table, sorted by number: all or nothing, same bytes for the same rows.

    Args:
        parts: Tables of the same schema, each in the order of its numbers; at least one.
        path: The table; may be one of the parts.

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
    for piece in _pieces(parts):
        waiting.append(piece)
        while sum(table.num_rows for table in waiting) >= _ROW_GROUP_SIZE:
            rows = pa.concat_tables(waiting).combine_chunks()
            yield rows.slice(0, _ROW_GROUP_SIZE)
            waiting = [rows.slice(_ROW_GROUP_SIZE)]
    rest = pa.concat_tables(waiting).combine_chunks()
    if rest.num_rows:
        yield rest


def _pieces(parts: Sequence[Path]) -> Iterator[pa.Table]:
    """Yield the rows of all parts in the order of their numbers; a part with several rest poses stays in memory."""
    found = {part: _stretches(part) for part in parts}
    kept = {part: _read(part) for part in parts if len(found[part]) > 1}
    for each in sorted(itertools.chain.from_iterable(found.values()), key=lambda each: each.first):
        rows = kept[each.part] if each.part in kept else _read(each.part)
        yield rows.slice(each.start, each.stop - each.start)


def _stretches(part: Path) -> list[_Stretch]:
    indices = _indices(part)
    cuts = [0, *(np.flatnonzero(np.diff(rest_pose_of(indices))) + 1).tolist(), len(indices)]
    return [
        _Stretch(int(indices[start]), part, start, stop) for start, stop in itertools.pairwise(cuts) if start < stop
    ]


def _indices(part: Path) -> np.ndarray:
    return open_table(part, GRASPS).arrays(["index"])["index"]


def _read(part: Path) -> pa.Table:
    return open_table(part, GRASPS).arrow()
