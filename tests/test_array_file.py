# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""NumPy files whose header declares more than there is."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from omni_graspd.array_file import read_array, read_header


class _Recorded(io.BytesIO):
    """Bytes that remember the most they were asked for at once."""

    most = 0

    def read(self, size: int | None = -1) -> bytes:
        self.most = max(self.most, -1 if size is None else size)
        return super().read(size)


def test_a_header_of_4_gib_is_not_asked_for() -> None:
    """A file sets aside what it is asked for, before it looks what there is."""
    file = _Recorded(b"\x93NUMPY\x02\x00" + b"\xff\xff\xff\xff" + b" " * 900)
    with pytest.raises(ValueError, match="no header of a NumPy file: EOF"):
        read_header(file)
    assert 0 < file.most < 1 << 20


@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
def test_after_the_header_come_the_data(version: tuple[int, int], tmp_path: Path) -> None:
    values = np.arange(6.0).reshape(2, 3)
    with (tmp_path / "x.npy").open("wb") as file:
        np.lib.format.write_array(file, values, version)
    with (tmp_path / "x.npy").open("rb") as file:
        assert read_header(file) == ((2, 3), np.dtype(np.float64))
        assert file.read() == values.tobytes()
    np.testing.assert_array_equal(read_array(tmp_path / "x.npy"), values)
