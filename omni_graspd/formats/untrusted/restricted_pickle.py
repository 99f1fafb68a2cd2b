# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Pickles read without running what they ask for: containers, numbers, text, NumPy arrays and PyTorch tensors only.

A pickle is a program. Here every name that it may look up is one of a few functions of this module, which record what
they are given; arrays are built afterwards from bytes whose length is checked. Pickle's Python implementation is used,
since the C one sets memory aside for whatever index or length a file declares.
"""

from __future__ import annotations

import io
import math
import pickle
import re
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, BinaryIO, ClassVar

import numpy as np

from omni_graspd.errors import GraspdError

_PLAIN_TYPE = re.compile(r"[<>|=]?(b1|[iu][1248]|f[248]|[US]\d{1,6})")
_LONGEST_FILE = 2 * 1024**3
_DEEPEST = 64


class _Type:
    """A NumPy dtype as the pickle describes it."""

    def __init__(self, name: str, *_: Any) -> None:
        self.name, self.order = str(name), ""

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.order = str(state[1])

    def dtype(self) -> np.dtype:
        if self.name == "O8":
            return np.dtype(object)
        if not _PLAIN_TYPE.fullmatch(self.name):
            raise pickle.UnpicklingError(f"dtype {self.name!r}")
        plain = np.dtype(self.name)
        return plain.newbyteorder(self.order) if self.order in ("<", ">") else plain


class _Array:
    """A NumPy array as the pickle describes it."""

    state: tuple[Any, ...] | None = None

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.state = state

    def array(self) -> np.ndarray:
        if self.state is None or len(self.state) != 5:
            raise pickle.UnpicklingError("an array without content")
        _, shape, kind, fortran, data = self.state
        dtype = kind.dtype()
        count = _count(shape)
        if dtype.hasobject:
            if not isinstance(data, list) or len(data) != count:
                raise pickle.UnpicklingError(f"an array of shape {shape} with other content")
            array = np.empty(count, dtype=object)
            array[:] = [None] * count
            for index, value in enumerate(data):
                array[index] = value
        else:
            data = data.encode("latin1") if isinstance(data, str) else data
            if not isinstance(data, bytes) or len(data) != count * dtype.itemsize:
                raise pickle.UnpicklingError(f"an array of shape {shape} with another number of bytes")
            array = np.frombuffer(data, dtype=dtype)
        return array.reshape(shape, order="F" if fortran else "C")


class _Scalar:
    """A NumPy number as the pickle describes it."""

    def __init__(self, kind: _Type, data: Any = b"") -> None:
        self.kind, self.data = kind, data

    def value(self) -> Any:
        dtype = self.kind.dtype()
        data = self.data.encode("latin1") if isinstance(self.data, str) else self.data
        if dtype.hasobject or not isinstance(data, bytes) or len(data) != dtype.itemsize:
            raise pickle.UnpicklingError("a number with another number of bytes")
        return np.frombuffer(data, dtype=dtype)[0].item()


def _count(shape: Any) -> int:
    if not (isinstance(shape, tuple) and len(shape) <= 8 and all(isinstance(n, int) and n >= 0 for n in shape)):
        raise pickle.UnpicklingError(f"shape {shape!r}")
    count = 1
    for n in shape:
        count *= n
    return count


def _reconstruct(*_: Any) -> _Array:
    return _Array()


def _encode(text: str, encoding: str = "latin1") -> bytes:
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"encoding {encoding!r}")
    return text.encode("latin1")


_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Type,
    ("_codecs", "encode"): _encode,
    ("collections", "OrderedDict"): OrderedDict,
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _reconstruct for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): _Scalar for core in ("core", "_core")},
}

# Declared lengths that are set aside before they are read, and what leaves the file.
_REFUSED = (pickle.BYTEARRAY8, pickle.NEXT_BUFFER, pickle.READONLY_BUFFER, pickle.EXT1, pickle.EXT2, pickle.EXT4)


class _Unpickler(pickle._Unpickler):
    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = {
        code: load for code, load in pickle._Unpickler.dispatch.items() if bytes([code]) not in _REFUSED
    }

    def __init__(self, file: BinaryIO, names: dict[tuple[str, str], Any], storage: Callable[[Any], Any] | None) -> None:
        super().__init__(file, encoding="latin1")
        self._names, self._storage = _ALLOWED | names, storage

    def load_build(self) -> None:
        if not isinstance(self.stack[-2], _Array | _Type):
            raise pickle.UnpicklingError(f"content for a {type(self.stack[-2]).__name__}")
        super().load_build()

    dispatch[pickle.BUILD[0]] = load_build

    def find_class(self, module: str, name: str) -> Any:
        found = self._names.get((module, name))
        if found is None:
            raise pickle.UnpicklingError(f"{module}.{name}")
        return found

    def persistent_load(self, pid: Any) -> Any:
        if self._storage is None:
            raise pickle.UnpicklingError("a reference to something outside")
        return self._storage(pid)


def restricted_load(
    content: bytes,
    source: str,
    *,
    names: dict[tuple[str, str], Any] | None = None,
    storage: Callable[[Any], Any] | None = None,
) -> Any:
    """Read a pickle of plain data.

    Args:
        content: The pickle.
        source: Its file, for messages.
        names: Further functions that it may call, by module and name; an object with a method ``value()`` that they
            return is replaced by what that gives.
        storage: What resolves persistent identifiers.

    Returns:
        Dictionaries, lists, tuples, text, numbers, and arrays.

    Raises:
        GraspdError: If it asks for anything else, or is damaged.
    """
    try:
        return _resolved(_Unpickler(io.BytesIO(content), names or {}, storage).load(), {}, 0)
    except GraspdError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise GraspdError(
            f"expected plain data in {source} (numbers, text, lists, dictionaries, arrays), got {reason}; "
            "nothing of it was run; if you trust the file, write it again with plain data"
        ) from error


def _resolved(value: Any, done: dict[int, Any], depth: int) -> Any:
    """Replace records of arrays by arrays; what is shared stays shared, and what contains itself is refused."""
    if not isinstance(value, dict | list | tuple | np.ndarray | _Array) and not hasattr(value, "value"):
        return value
    key = id(value)
    if key in done:
        if done[key] is None:
            raise pickle.UnpicklingError("a list that contains itself")
        return done[key][1]
    if depth > _DEEPEST:
        raise pickle.UnpicklingError(f"lists nested deeper than {_DEEPEST}")
    done[key] = None
    result = _rebuilt(value, done, depth + 1)
    done[key] = (value, result)  # keeps value alive, so that its id is not given again
    return result


def _rebuilt(value: Any, done: dict[int, Any], depth: int) -> Any:
    if isinstance(value, dict):
        return {_resolved(key, done, depth): _resolved(item, done, depth) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolved(item, done, depth) for item in value]
    if isinstance(value, tuple):
        return tuple(_resolved(item, done, depth) for item in value)
    array = value.array() if isinstance(value, _Array) else value if isinstance(value, np.ndarray) else value.value()
    if isinstance(array, np.ndarray) and array.dtype.hasobject:
        flat = np.empty(array.size, dtype=object)
        for index, item in enumerate(array.ravel()):
            flat[index] = _resolved(item, done, depth)
        return flat.reshape(array.shape)
    return array


def load_npy(path: Any) -> Any:
    """Read a ``.npy`` file whose array holds Python objects, or plain numbers.

    Args:
        path: The file.

    Returns:
        The array; of a single object, the object itself.

    Raises:
        GraspdError: If it is no such file, too large, or asks for anything but plain data.
    """
    if path.stat().st_size > _LONGEST_FILE:
        raise GraspdError(f"expected a file of at most {_LONGEST_FILE >> 30} GiB, got {path}; split it")
    try:
        with path.open("rb") as file:
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, _, dtype = read(file)
            if not dtype.hasobject:
                declared = dtype.itemsize * math.prod(shape)
                if declared > path.stat().st_size:
                    raise ValueError(f"{declared} bytes declared, {path.stat().st_size} there")
                file.seek(0)
                return np.load(file, allow_pickle=False)
            content = file.read()
    except (ValueError, OSError, EOFError, SyntaxError) as error:
        raise GraspdError(f"expected a NumPy file, got {path} ({' '.join(str(error).split())[:120]})") from error
    array = restricted_load(content, str(path))
    if not isinstance(array, np.ndarray) or array.shape != tuple(shape):
        raise GraspdError(f"expected an array of shape {tuple(shape)} in {path}, got something else; write it again")
    return array.item() if array.shape == () else array
