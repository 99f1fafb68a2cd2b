# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""NumPy files from strangers: what a header declares is compared with the file before memory is asked for."""

from __future__ import annotations

import io
import math
import tokenize
from pathlib import Path
from typing import IO

import numpy as np

_LONGEST_HEADER = 1 << 16
"""Bytes in which a header has to end; NumPy itself refuses more than 10,000."""


def read_header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    """Read the header of a NumPy file up to its data.

    Args:
        file: The file, at its beginning.

    Returns:
        Shape and dtype of the array.

    Raises:
        ValueError: If it is no NumPy file.
    """
    try:
        # Files set aside what they are asked for, and a header may declare that it has 4 GiB.
        begin = io.BytesIO(file.read(_LONGEST_HEADER))
        version = np.lib.format.read_magic(begin)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(begin)
        file.seek(begin.tell())
    except (ValueError, EOFError, SyntaxError, tokenize.TokenError, TypeError, RecursionError, MemoryError) as error:
        raise ValueError(f"no header of a NumPy file: {' '.join(str(error).split())[:120]}") from error
    if not all(isinstance(length, int) and length >= 0 for length in shape):
        raise ValueError(f"no shape: {str(shape)[:60]}")
    return shape, dtype


def read_array(path: Path) -> np.ndarray:
    """Read an array of plain numbers or structures of numbers.

    Args:
        path: A ``.npy`` file.

    Raises:
        ValueError: If it is none, holds Python objects, or declares more than it has.
        OSError: If the system refuses.
    """
    with path.open("rb") as file:
        shape, dtype = read_header(file)
        if dtype.hasobject:
            raise ValueError("Python objects, which are not read here")
        declared, there = dtype.itemsize * math.prod(shape), path.stat().st_size - file.tell()
        if declared > there:
            raise ValueError(f"{declared} bytes declared, {there} there")
        file.seek(0)
        return np.load(file, allow_pickle=False)
