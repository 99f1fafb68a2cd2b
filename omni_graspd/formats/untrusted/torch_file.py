# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""PyTorch files (.pt) read without PyTorch: a zip archive of one pickle and the bytes of the tensors."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.formats.untrusted.restricted_pickle import restricted_load
from omni_graspd.plain_text import shortened

_STORAGES = {
    "DoubleStorage": "f8",
    "FloatStorage": "f4",
    "HalfStorage": "f2",
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "b1",
}
_LONGEST_FILE = 8 * 1024**3


class _StorageType:
    """Kind of numbers in a tensor's bytes."""

    def __init__(self, code: str) -> None:
        self.code = code


class _Tensor:
    """A tensor as the pickle describes it."""

    def __init__(self, storage: Any, offset: Any, size: Any, stride: Any, *_: Any) -> None:
        self.parts = (storage, offset, size, stride)

    def value(self) -> np.ndarray:
        """Build the array; only numbers within the storage are reached, and no more than it has."""
        storage, offset, size, stride = self.parts
        lengths = isinstance(size, tuple) and isinstance(stride, tuple) and len(size) == len(stride) <= 8
        if not (isinstance(storage, np.ndarray) and lengths and _counts((offset, *size, *stride))):
            raise pickle.UnpicklingError("a tensor of unreadable shape")
        count = int(np.prod([int(n) for n in size], dtype=object))
        last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
        if count == 0:
            return np.zeros(size, dtype=storage.dtype)
        if count > len(storage) or last >= len(storage):
            raise pickle.UnpicklingError(f"a tensor of shape {size} in a storage of {len(storage)} numbers")
        strides = tuple(step * storage.itemsize for step in stride)
        return np.lib.stride_tricks.as_strided(storage[offset:], size, strides).copy()


def _counts(values: tuple[Any, ...]) -> bool:
    return all(isinstance(n, int) and not isinstance(n, bool) and 0 <= n < 2**40 for n in values)


def load_torch(path: Path) -> Any:
    """Read a file that ``torch.save`` wrote (PyTorch 1.6 or later); tensors come as arrays.

    Args:
        path: The file.

    Raises:
        GraspdError: If it is of another kind, damaged, or holds anything but plain data and tensors.
    """
    if path.stat().st_size > _LONGEST_FILE:
        raise GraspdError(f"expected a file of at most {_LONGEST_FILE >> 30} GiB, got {path}; split it")
    if not zipfile.is_zipfile(path):
        raise GraspdError(
            f"expected a PyTorch file of version 1.6 or later in {path}, got another kind; "
            "load it with PyTorch and save it again"
        )
    try:
        with zipfile.ZipFile(path) as archive:
            return _load(archive, path)
    except (zipfile.BadZipFile, KeyError, OSError, EOFError, ValueError, RuntimeError, NotImplementedError) as error:
        reason = shortened(str(error))
        raise GraspdError(f"expected a whole PyTorch file, got {path} ({reason}); fetch it again") from error


def _load(archive: zipfile.ZipFile, path: Path) -> Any:
    entries = {info.filename: info for info in archive.infolist()}
    pickles = [name for name in entries if name.endswith("/data.pkl")]
    # PyTorch never packs; what is packed may be far larger than the file.
    packed = [name for name, info in entries.items() if info.compress_type != zipfile.ZIP_STORED]
    too_long = [name for name, info in entries.items() if info.file_size > path.stat().st_size]
    if len(pickles) != 1 or packed or too_long:
        raise GraspdError(f"expected the parts of a PyTorch file in {path}, got others; save it with torch.save")
    folder = pickles[0].removesuffix("data.pkl")
    order = (
        archive.read(folder + "byteorder").decode("ascii", "replace") if folder + "byteorder" in entries else "little"
    )
    loaded: dict[str, np.ndarray] = {}

    def storage(identifier: Any) -> np.ndarray:
        kind, key = (
            (identifier[1], identifier[2]) if isinstance(identifier, tuple) and len(identifier) == 5 else ("", "")
        )
        if not isinstance(kind, _StorageType) or not isinstance(key, str) or f"{folder}data/{key}" not in entries:
            raise pickle.UnpicklingError("a tensor without bytes")
        if str(key) not in loaded:
            dtype = np.dtype(kind.code).newbyteorder(">" if order == "big" else "<")
            content = archive.read(f"{folder}data/{key}")
            if len(content) % dtype.itemsize:
                raise pickle.UnpicklingError("a tensor with half a number")
            loaded[str(key)] = np.frombuffer(content, dtype=dtype)
        return loaded[str(key)]

    names: dict[tuple[str, str], Any] = {("torch", name): _StorageType(code) for name, code in _STORAGES.items()}
    names[("torch._utils", "_rebuild_tensor_v2")] = _Tensor
    return restricted_load(archive.read(pickles[0]), str(path), names=names, storage=storage)
