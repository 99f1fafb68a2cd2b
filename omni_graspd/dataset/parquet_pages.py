# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How much memory the pages of a Parquet file ask for, by their own headers.

The footer says so, too, but the reader allocates what the headers say, and the two need not agree. Headers are structs
of Thrift's compact protocol.
"""

from __future__ import annotations

import mmap
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow.parquet as pq

# Types of fields in Thrift's compact protocol.
_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)
# Fields of a page's header.
_UNCOMPRESSED, _COMPRESSED = 2, 3
_DEEPEST = 8


def page_bytes(path: Path, metadata: pq.FileMetaData, columns: Collection[str]) -> int:
    """Return how many bytes the pages of some columns take when they are unpacked.

    Args:
        path: The file.
        metadata: Its footer.
        columns: Names of columns, or of lists that they belong to.

    Raises:
        ValueError: If a page does not begin with a header, or lies outside the file.
    """
    size = 0
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for group in range(metadata.num_row_groups):
            chunks = metadata.row_group(group)
            for index in range(chunks.num_columns):
                chunk = chunks.column(index)
                if chunk.path_in_schema.split(".", 1)[0] in columns:
                    size += _chunk_bytes(data, chunk)
    return size


def _chunk_bytes(data: mmap.mmap, chunk: pq.ColumnChunkMetaData) -> int:
    """Return how many bytes the pages of one column in one row group take."""
    # Columns without rows have no page of data, whose place is then 0.
    places = (chunk.data_page_offset, chunk.dictionary_page_offset if chunk.has_dictionary_page else 0)
    start = min((place for place in places if place), default=0)
    end, position, size = start + chunk.total_compressed_size, start, 0
    if not 0 <= start <= end <= len(data):
        raise ValueError("pages beyond the end of the file")
    while position < end:
        header = _Header(data, position, end)
        sizes = header.numbers()
        uncompressed, compressed = sizes.get(_UNCOMPRESSED, -1), sizes.get(_COMPRESSED, -1)
        if uncompressed < 0 or compressed < 0:
            raise ValueError("a page without its size")
        size += uncompressed
        position = header.position + compressed
    return size


class _Header:
    """Reads one struct; ``position`` is that of the next byte."""

    def __init__(self, data: mmap.mmap, position: int, end: int) -> None:
        self._data, self.position, self._end = data, position, end

    def numbers(self) -> dict[int, int]:
        """Return the whole numbers among the struct's fields by the fields' ids, and skip the others."""
        found, field = {}, 0
        while (head := self._byte()) != 0:
            kind = head & 15
            field = field + (head >> 4) if head >> 4 else self._signed()
            if kind in (_I16, _I32, _I64):
                found[field] = self._signed()
            elif kind not in (_TRUE, _FALSE):  # a truth value is its own type
                self._skip(kind, 1)
        return found

    def _skip(self, kind: int, depth: int) -> None:
        if depth > _DEEPEST:
            raise ValueError("a page's header is too deep")
        if kind in (_TRUE, _FALSE, _BYTE):
            self._byte()
        elif kind in (_I16, _I32, _I64):
            self._varint()
        elif kind in (_DOUBLE, _BINARY):
            self._advance(8 if kind == _DOUBLE else self._varint())
        elif kind in (_LIST, _SET):
            head = self._byte()
            count = head >> 4
            self._skip_all([head & 15], self._varint() if count == 15 else count, depth)
        elif kind == _MAP:
            count = self._varint()
            kinds = self._byte() if count else 0
            self._skip_all([kinds >> 4, kinds & 15], count, depth)
        elif kind == _STRUCT:
            while (head := self._byte()) != 0:
                if not head >> 4:
                    self._varint()
                if head & 15 not in (_TRUE, _FALSE):
                    self._skip(head & 15, depth + 1)
        else:
            raise ValueError("a page without a header")

    def _skip_all(self, kinds: list[int], count: int, depth: int) -> None:
        for _ in range(count):
            for kind in kinds:
                self._skip(kind, depth + 1)

    def _advance(self, count: int) -> None:
        if count > self._end - self.position:
            raise ValueError("a page's header ends too early")
        self.position += count

    def _byte(self) -> int:
        self._advance(1)
        return self._data[self.position - 1]

    def _varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise ValueError("a page's header has a number that does not end")

    def _signed(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
