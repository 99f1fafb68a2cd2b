# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Sizes of Parquet pages: as the writer counted them, and told where the footer lies."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from omni_graspd.dataset import table_gate
from omni_graspd.dataset.parquet_pages import page_bytes
from omni_graspd.dataset.table_gate import open_table
from omni_graspd.dataset.table_kinds import GRASPS
from omni_graspd.errors import GraspdError

_ROWS = 5000


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "zstd", "write_page_checksum": True},
        {"data_page_version": "2.0", "row_group_size": 700},
        {"use_dictionary": False, "compression": "none", "data_page_size": 1000},
    ],
)
def test_pages_are_as_large_as_the_writer_counted(options: dict, tmp_path: Path) -> None:
    numbers = np.arange(16.0 * _ROWS)
    lists = pa.FixedSizeListArray.from_arrays(pa.array(numbers), 16)
    few, all_ = [f"x{row % 7}" for row in range(_ROWS)], [f"text {row}" for row in range(_ROWS)]
    table = pa.table({"lists": lists, "few": few, "all": all_, "bools": [row % 3 == 0 for row in range(_ROWS)]})
    pq.write_table(table, tmp_path / "t.parquet", **options)
    metadata = pq.ParquetFile(tmp_path / "t.parquet").metadata
    groups = [metadata.row_group(group) for group in range(metadata.num_row_groups)]
    chunks = [group.column(index) for group in groups for index in range(group.num_columns)]

    total = page_bytes(tmp_path / "t.parquet", metadata, table.column_names)
    alone = [page_bytes(tmp_path / "t.parquet", metadata, {name}) for name in table.column_names]

    # The footer counts headers, too: some tens of bytes each, and the smallest pages have 1,000.
    counted = sum(chunk.total_uncompressed_size for chunk in chunks)
    assert 0.9 * counted < total < counted
    assert sum(alone) == total
    assert alone[0] > 8 * len(numbers)


@pytest.mark.parametrize("options", [{}, {"use_dictionary": False}, {"data_page_version": "2.0"}])
def test_tables_without_rows_have_next_to_nothing(options: dict, tmp_path: Path) -> None:
    table = pa.table({"lists": pa.array([], pa.list_(pa.float64(), 7)), "texts": pa.array([], pa.string())})
    pq.write_table(table, tmp_path / "t.parquet", **options)
    metadata = pq.ParquetFile(tmp_path / "t.parquet").metadata
    assert page_bytes(tmp_path / "t.parquet", metadata, table.column_names) < 100


def test_a_footer_that_hides_what_pages_ask_for_is_found_out(block_dataset: Path, tmp_path: Path, monkeypatch) -> None:
    path = Path(shutil.copy(block_dataset / "grasps/barrett/block.parquet", tmp_path))
    table = pq.read_table(path)
    field = table.schema.field("status")
    swollen = pa.array([" " * 2**23] + ["ok"] * (len(table) - 1))
    table = table.set_column(table.schema.get_field_index("status"), field, swollen)
    pq.write_table(table, path, compression="zstd", use_dictionary=False, write_statistics=False)
    metadata = pq.ParquetFile(path).metadata
    status = next(
        metadata.row_group(0).column(index)
        for index in range(metadata.num_columns)
        if metadata.row_group(0).column(index).path_in_schema == "status"
    )
    honest = _varint(2 * status.total_uncompressed_size)
    data = path.read_bytes()
    assert data.count(honest) == 1
    path.write_bytes(data.replace(honest, b"\x80" * (len(honest) - 1) + b"\x01"))
    monkeypatch.setattr(table_gate, "_LARGEST_SIZE", 2**22)
    opened = open_table(path, GRASPS)  # by its footer it is small

    monkeypatch.setattr(pq.ParquetFile, "read", lambda *_, **__: pytest.fail("the pages are unpacked"))
    with pytest.raises(GraspdError, match=r"block\.parquet, which is \d+ bytes and would take"):
        opened.arrays(["status"])


@pytest.mark.parametrize("at", ["data_page_offset", "total_compressed_size"])
def test_pages_without_headers_are_told(at: str, block_dataset: Path) -> None:
    path = block_dataset / "grasps/barrett/block.parquet"
    chunk = pq.ParquetFile(path).metadata.row_group(0).column(0)
    honest = {
        name: getattr(chunk, name)
        for name in ("path_in_schema", "has_dictionary_page", "dictionary_page_offset", "data_page_offset")
    } | {"total_compressed_size": chunk.total_compressed_size}
    lying = _Columns(honest | {at: honest[at] + 7 if at == "data_page_offset" else 2**40, "has_dictionary_page": False})
    with pytest.raises(ValueError, match="page"):
        page_bytes(path, lying, {chunk.path_in_schema.split(".")[0]})


class _Columns:
    """Metadata of one column of one row group."""

    num_row_groups = num_columns = 1

    def __init__(self, fields: dict) -> None:
        self.__dict__.update(fields)

    def row_group(self, _: int) -> _Columns:
        return self

    column = row_group


def _varint(value: int) -> bytes:
    parts = []
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])
