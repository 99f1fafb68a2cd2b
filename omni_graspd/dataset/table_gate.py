# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The gate through which all Parquet files of a dataset are read: strangers send them, and disks spoil them.

A footer of a few kilobytes can promise any columns, and a few bytes can stand for any number of equal values. What a
file is told by its footer, before a row is read; what is in its columns, before anybody computes with them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from omni_graspd.dataset.parquet_pages import page_bytes
from omni_graspd.dataset.table_kinds import TableKind, further_column
from omni_graspd.dataset.table_schema import SCHEMA_VERSION, Column, arrow_type
from omni_graspd.errors import GraspdError
from omni_graspd.plain_text import shortened

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_LARGEST_SIZE = 2**30
_LARGEST_RATIO = 50
"""Tables larger than the one in memory, and so many times as large as their file, are taken for damaged on purpose."""
_MOST_COLUMNS = 10_000


@dataclass(frozen=True)
class OpenTable:
    """A table whose footer is as it should be. Nothing else is read before it is asked for."""

    path: Path
    """The file."""
    kind: TableKind
    """What is in it."""
    metadata: dict[str, Any]
    """What the file says beside its rows, as values: names of joints as a tuple, numbers as int."""
    row_count: int
    """How many rows it has."""
    schema: pa.Schema
    """Its columns."""

    @property
    def names(self) -> list[str]:
        """Names of the columns, in order."""
        return self.schema.names

    def arrow(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Read columns, all by default, as Arrow keeps them.

        Raises:
            GraspdError: If one is damaged, lacks values, or would fill the memory.
        """
        import pyarrow as pa

        wanted = self.names if columns is None else list(columns)
        read = self._read(wanted)
        schema = pa.schema([self.schema.field(name) for name in wanted], self.schema.metadata)
        return pa.Table.from_arrays([read[name].cast(schema.field(name).type) for name in wanted], schema=schema)

    def arrays(self, columns: Sequence[str] | None = None) -> dict[str, np.ndarray]:
        """Read columns, all by default, shape [row_count], or [row_count, width] where they hold lists.

        Raises:
            GraspdError: As :meth:`arrow`.
        """
        wanted = self.names if columns is None else list(columns)
        read = self._read(wanted)
        with _told(self.path):
            arrays = {name: _array(read[name]) for name in wanted}
        self._check_values(arrays)
        return arrays

    def _read(self, columns: list[str]) -> dict[str, pa.ChunkedArray]:
        """Read columns; texts come as a dictionary, which keeps those that are there a million times once."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        texts = [name for name in columns if pa.types.is_string(self.schema.field(name).type)]
        with _told(self.path):
            file = pq.ParquetFile(self.path, read_dictionary=texts)
            _check_size(page_bytes(self.path, file.metadata, set(columns)), self.path, self.kind)
            table = file.read(columns=columns)
            read = {name: table.column(name) for name in columns}
            text_size = sum(_text_size(read[name]) for name in texts)
        if table.num_rows != self.row_count:
            raise GraspdError(
                f"expected {self.row_count} rows in {self.path}, as when it was opened, got {table.num_rows}; "
                "open it again"
            )
        _check_size(text_size, self.path, self.kind)
        for name, column in read.items():
            if column.null_count or _inner_nulls(column):
                raise self._fault(name, "a value in every row", "rows without one")
        return read

    def _check_values(self, arrays: dict[str, np.ndarray]) -> None:
        for name in self.kind.counts & arrays.keys():
            if len(arrays[name]) and arrays[name].min() < 0:
                raise self._fault(name, "numbers of 0 or more", str(arrays[name].min()))
        rising = arrays.get(self.kind.rising)
        if rising is not None and (np.diff(rising.astype(np.int64)) <= 0).any():
            raise self._fault(self.kind.rising, "numbers that rise from row to row", "others")

    def _fault(self, column: str, expected: str, got: str) -> GraspdError:
        return _fault(self.path, self.kind, column, expected, got)


def open_table(path: Path, kind: TableKind) -> OpenTable:
    """Open a table and check its footer: version, metadata, columns there once, types, widths, size in memory.

    Args:
        path: The file.
        kind: What should be in it.

    Raises:
        GraspdError: If it is missing or not as it should be; the message names file and column.
    """
    import pyarrow.parquet as pq

    if not path.is_file():
        raise GraspdError(f"the table of {kind.title} {path} does not exist; run `graspd generate` first")
    with _told(path):
        file = pq.ParquetFile(path)
        schema, row_count = file.schema_arrow, file.metadata.num_rows
        said = {key.decode(): value.decode() for key, value in (schema.metadata or {}).items()}
    if kind.versioned and said.get("schema_version") != str(SCHEMA_VERSION):
        raise GraspdError(
            f"expected a table of schema version {SCHEMA_VERSION}, got version "
            f"{shortened(said.get('schema_version', 'none'))} in {path}; read it with the version of omni-graspd that "
            "wrote it, or make it again"
        )
    _check_once(schema.names, path, kind)
    metadata = _metadata(said, path, kind)
    _check_columns(schema, metadata, path, kind)
    _check_size(_declared_size(file), path, kind)
    return OpenTable(path, kind, metadata, row_count, schema)


def damaged_table(path: Path, error: Exception) -> GraspdError:
    """Return what to say of a table that cannot be read."""
    reason = shortened(next(iter(str(error).splitlines()), "") or type(error).__name__, 160)
    return GraspdError(f"{path} is not a readable Parquet table ({reason}); delete it and run the same command again")


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn what Arrow says of a damaged file into one line."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, ValueError, KeyError, OverflowError) as error:
        if getattr(error, "errno", None):
            raise  # The system refused: the table may be good.
        raise damaged_table(path, error) from error


def _check_once(names: list[str], path: Path, kind: TableKind) -> None:
    if len(names) > _MOST_COLUMNS:
        raise GraspdError(
            f"expected a table of {kind.title} with at most {_MOST_COLUMNS} columns, got {len(names)} in {path}; "
            "do not use it"
        )
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise _fault(path, kind, name, "each column once", "it twice")
        seen.add(name)


def _metadata(said: dict[str, str], path: Path, kind: TableKind) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value_of in (kind.metadata | kind.optional_metadata).items():
        if name not in said:
            if name in kind.metadata:
                raise damaged_table(path, ValueError(f"without {name}"))
            continue
        try:
            found[name] = value_of(said[name])
        except (ValueError, RecursionError, OverflowError) as error:
            raise GraspdError(
                f"expected {name} in the metadata of {path} to be as omni_graspd writes it, got "
                f"{shortened(said[name])!r} ({shortened(str(error))}); make the table again"
            ) from error
    return found


def _check_columns(schema: pa.Schema, metadata: dict[str, Any], path: Path, kind: TableKind) -> None:
    known = kind.columns(metadata)
    lacking = [name for name in kind.needed if name not in schema.names]
    if lacking:
        raise damaged_table(path, ValueError(f"without {', '.join(lacking)}"))
    for group in kind.groups:
        missing = [name for name in group if name not in schema.names]
        if missing and len(missing) < len(group):
            there = next(name for name in group if name in schema.names)
            raise _fault(path, kind, missing[0], f"this column beside {there}", "none")
    for field in schema:
        if field.name in known:
            _check_type(field, known[field.name], path, kind)
        elif not kind.more:
            raise _fault(path, kind, field.name, f"only columns among {', '.join(known)}", "this one besides")
        else:
            _check_further(field, path, kind)


def _check_type(field: pa.Field, column: Column, path: Path, kind: TableKind) -> None:
    expected = arrow_type(column)
    if field.type != expected:
        raise _fault(path, kind, field.name, str(expected), str(field.type))


def _check_further(field: pa.Field, path: Path, kind: TableKind) -> None:
    """Check the column of a metric or loss: a single value in each row, a truth value or text where it should be."""
    import pyarrow as pa

    is_number = pa.types.is_integer(field.type) or pa.types.is_floating(field.type)
    found = "number" if is_number else {pa.bool_(): "bool", pa.string(): "string"}.get(field.type, "")
    column = further_column(field.name)
    wanted = "" if column is None else column.kind if column.kind in ("bool", "string") else "number"
    if not found or (wanted and found != wanted):
        raise _fault(path, kind, field.name, wanted or "single numbers, truth values or texts", str(field.type))


def _fault(path: Path, kind: TableKind, column: str, expected: str, got: str) -> GraspdError:
    return GraspdError(
        f"expected {expected} in the column {shortened(column)!r} of the {kind.title} in {path}, got "
        f"{shortened(got)}; make the table again"
    )


def _declared_size(file: pq.ParquetFile) -> int:
    """Return how many bytes of memory a table takes, texts as they are packed."""
    import pyarrow as pa

    rows = file.metadata.num_rows
    widths = (field.type.list_size if pa.types.is_fixed_size_list(field.type) else 1 for field in file.schema_arrow)
    unpacked = 0
    for group in range(file.metadata.num_row_groups):
        columns = file.metadata.row_group(group)
        unpacked += sum(columns.column(index).total_uncompressed_size for index in range(columns.num_columns))
    return max(8 * sum(widths) * rows, unpacked)


def _text_size(column: pa.ChunkedArray) -> int:
    """Return how many bytes the texts of a column take when each is written out."""
    import pyarrow.compute as pc

    size = 0
    for chunk in column.chunks:
        lengths = pc.binary_length(chunk.dictionary).to_numpy(zero_copy_only=False).astype(np.float64)
        used = np.bincount(chunk.indices.drop_null().to_numpy(), minlength=len(lengths))
        size += int(np.nan_to_num(lengths) @ used)
    return size


def _check_size(size: int, path: Path, kind: TableKind) -> None:
    """Refuse a table that would fill the memory."""
    if size > _LARGEST_SIZE and size > _LARGEST_RATIO * path.stat().st_size:
        raise GraspdError(
            f"expected a table of {kind.title}, got {path}, which is {path.stat().st_size} bytes and would take "
            f"{size / 2**30:.0f} GiB of memory; do not use it"
        )


def _inner_nulls(column: pa.ChunkedArray) -> int:
    import pyarrow as pa

    if not pa.types.is_fixed_size_list(column.type):
        return 0
    return sum(chunk.flatten().null_count for chunk in column.chunks)


def _array(column: pa.ChunkedArray) -> np.ndarray:
    """Return a column, shape [row_count], or [row_count, width] where it holds lists of one width."""
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        texts = [chunk.dictionary.to_numpy(zero_copy_only=False)[chunk.indices.to_numpy()] for chunk in column.chunks]
        return np.concatenate([np.zeros(0, dtype=object), *texts])
    array = column.combine_chunks()
    if pa.types.is_fixed_size_list(array.type):
        return array.flatten().to_numpy(zero_copy_only=False).reshape(len(array), array.type.list_size)
    return array.to_numpy(zero_copy_only=False)
