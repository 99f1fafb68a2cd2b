# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Pickles read without running what they ask for: containers, numbers, text, NumPy arrays and PyTorch tensors only.

A pickle is a program. Here every name that it may look up is one of a few functions of this module, which record what
they are given; arrays are built afterwards from bytes whose length is checked. Pickle's Python implementation is used,
since the C one sets memory aside for whatever index or length a file declares.
"""

from __future__ import annotations

import io
import pickle
import re
from collections.abc import Callable
from typing import Any, BinaryIO, ClassVar

import numpy as np

from omni_graspd.array_file import read_array, read_header
from omni_graspd.errors import GraspdError
from omni_graspd.plain_text import shortened

_PLAIN_TYPE = re.compile(r"[<>|=]?(b1|[iu][1248]|f[248]|[US]\d{1,6})")
_LONGEST_FILE = 2 * 1024**3
_DEEPEST = 64
_LARGEST_SIZE = 2**26
_LARGEST_RATIO = 50
"""What takes more than the one in memory [byte], and so many times as much as its file, is refused."""


class _Type:
    """A NumPy dtype as the pickle describes it."""

    def __init__(self, name: str, *_: Any) -> None:
        if not isinstance(name, str | bytes):
            raise pickle.UnpicklingError("a dtype without a name")
        self.name, self.order = name.decode("latin1") if isinstance(name, bytes) else name, ""

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        order = state[1]
        self.order = order.decode("latin1") if isinstance(order, bytes) else order if isinstance(order, str) else ""

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
        raise pickle.UnpicklingError("an array of unreadable shape")
    count = 1
    for n in shape:
        count *= n
    return count


def _reconstruct(*_: Any) -> _Array:
    return _Array()


def _encode(text: str, encoding: str = "latin1") -> bytes:
    if not isinstance(text, str) or encoding != "latin1":
        raise pickle.UnpicklingError("text in another encoding than latin1")
    return text.encode("latin1")


def _ordered(pairs: Any = ()) -> dict[Any, Any]:
    """Stand for OrderedDict, which would hash whatever keys it is given."""
    if not isinstance(pairs, list | tuple) or not all(isinstance(p, list | tuple) and len(p) == 2 for p in pairs):
        raise pickle.UnpicklingError("a dictionary of other things than pairs")
    _check_keys([key for key, _ in pairs])
    return dict(pairs)


def _check_keys(keys: list[Any]) -> None:
    """Refuse keys of dictionaries whose hash may take forever, as that of nested tuples does."""
    if not all(key is None or isinstance(key, str | bytes | int | float) for key in keys):
        raise pickle.UnpicklingError("a dictionary whose keys are no texts or numbers")


_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Type,
    ("_codecs", "encode"): _encode,
    ("collections", "OrderedDict"): _ordered,
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _reconstruct for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): _Scalar for core in ("core", "_core")},
}

# Declared lengths that are set aside before they are read, what leaves the file, and sets, which hash what is in them.
_REFUSED = (
    *(pickle.BYTEARRAY8, pickle.NEXT_BUFFER, pickle.READONLY_BUFFER, pickle.EXT1, pickle.EXT2, pickle.EXT4),
    *(pickle.EMPTY_SET, pickle.ADDITEMS, pickle.FROZENSET),
)


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

    def load_setitem(self) -> None:
        _check_keys([self.stack[-2]])
        super().load_setitem()

    dispatch[pickle.SETITEM[0]] = load_setitem

    def load_setitems(self) -> None:
        _check_keys(self.stack[::2])
        super().load_setitems()

    dispatch[pickle.SETITEMS[0]] = load_setitems

    def load_dict(self) -> None:
        _check_keys(self.stack[::2])
        super().load_dict()

    dispatch[pickle.DICT[0]] = load_dict

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
        value = _resolved(_Unpickler(io.BytesIO(content), names or {}, storage).load(), {}, 0)
        _check_size(value, len(content))
        return value
    except GraspdError:
        raise
    except Exception as error:
        reason = shortened(str(error), 160) or type(error).__name__
        raise GraspdError(
            f"expected plain data in {source} (numbers, text, lists, dictionaries, arrays), got {reason}; "
            "nothing of it was run; if you trust the file, write it again with plain data"
        ) from error


def _check_size(value: Any, packed: int) -> None:
    """Refuse what is small because its parts are shared: a few hundred references can stand for more than fits."""
    size = _written_out(value, {})
    if size > _LARGEST_SIZE and size > _LARGEST_RATIO * packed:
        raise pickle.UnpicklingError(f"lists that refer to one another so often that they take {size:.0e} bytes")


def _written_out(value: Any, known: dict[int, int]) -> int:
    """Return how many bytes a value takes when all that is shared is written out for each time that it is there."""
    if isinstance(value, str | bytes):
        return len(value) + 8
    is_array = isinstance(value, np.ndarray)
    if is_array and not value.dtype.hasobject:
        return value.nbytes + 8
    if not is_array and not isinstance(value, dict | list | tuple):
        return 8
    if id(value) not in known:
        parts = value.ravel() if is_array else [*value, *value.values()] if isinstance(value, dict) else value
        known[id(value)] = 8 + sum(_written_out(part, known) for part in parts)
    return known[id(value)]


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
            shape, dtype = read_header(file)
            if not dtype.hasobject:
                return read_array(path)
            content = file.read()
    except (ValueError, OSError) as error:
        raise GraspdError(f"expected a NumPy file, got {path} ({shortened(str(error), 120)})") from error
    array = restricted_load(content, str(path))
    if not isinstance(array, np.ndarray) or array.shape != tuple(shape):
        said = shortened(str(tuple(shape)))
        raise GraspdError(f"expected an array of shape {said} in {path}, got something else; write it again")
    return array.item() if array.shape == () else array
