# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How much memory the values of a binary USD file ask for, told before OpenUSD unpacks one.

Arrays of whole numbers and of floating-point numbers are packed, so that a hundred kilobytes may stand for gigabytes;
so are names and paths. All other values lie in the file as they are, and OpenUSD checks that they end within it. The
layout of the file is that of OpenUSD's ``crateFile.cpp``; nothing was packed before version 0.4, no array before 0.5.
"""

from __future__ import annotations

import mmap
import struct
import zipfile
from pathlib import Path

import numpy as np

from omni_graspd.errors import GraspdError

_MAGIC = b"PXR-USDC"
_MOST_BYTES, _MOST_TIMES = 2**28, 100
"""Values larger than the one in memory, and so many times as large as their file, are taken for made on purpose."""
_MOST_ENTRIES = 20_000_000
_SECTIONS = frozenset((b"TOKENS", b"STRINGS", b"FIELDS", b"FIELDSETS", b"PATHS", b"SPECS"))
_IS_ARRAY, _IS_INLINED, _IS_PACKED = 1 << 63, 1 << 62, 1 << 61
_PLACE = (1 << 48) - 1
_DICTIONARY, _TIME_SAMPLES = 31, 46
_DEEPEST, _MOST_VALUES = 32, 1_000_000
"""Dictionaries within one another, and values in all of them."""
_SIZES = {3: 4, 4: 4, 5: 8, 6: 8, 7: 2, 8: 4, 9: 8}
"""Bytes of the packed types: int, uint, int64, uint64, half, float, double."""


def check_crate(path: Path) -> None:
    """Refuse a binary USD file, or a package with one, whose values would fill the memory.

    Args:
        path: A USD file of any kind; others than binary ones are left alone.

    Raises:
        GraspdError: If it is such a file, or too damaged to tell.
    """
    with path.open("rb") as file:
        magic = file.read(len(_MAGIC))
        if magic != _MAGIC and not magic.startswith(b"PK\3\4"):
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            starts = [0] if magic == _MAGIC else _members(path, data)
            try:
                size = sum(unpacked_bytes(data, start) for start in starts)
            except (ValueError, IndexError, struct.error) as error:
                reason = str(error) if isinstance(error, ValueError) else "it ends too early"
                raise GraspdError(f"{path} is not a readable USD file ({reason}); export it again") from error
            if size > _MOST_BYTES and size > _MOST_TIMES * len(data):
                raise GraspdError(
                    f"expected a USD file, got {path}, which is {len(data)} bytes and whose values would take "
                    f"{size / 2**30:.1f} GiB of memory; do not use it"
                )


def unpacked_bytes(data: mmap.mmap | bytes, start: int = 0) -> int:
    """Return how many bytes the names and packed arrays of a crate take, arrays as often as attributes have them.

    Args:
        data: The file.
        start: Where the crate begins in it.

    Raises:
        ValueError: If the file is damaged (or IndexError, struct.error).
    """
    version = data[start + 8], data[start + 9]
    if version < (0, 4):
        return 0
    crate = _Crate(data, start, wide=version >= (0, 7))
    sections = crate.sections()
    if not sections.keys() >= _SECTIONS:
        raise ValueError("sections are missing")
    names = crate.name_bytes(sections)
    crate.check_paths(sections)
    if version < (0, 5):
        return names
    sizes = crate.field_bytes(sections[b"FIELDS"])
    # A set of fields is a run of their numbers that ends with -1.
    (in_sets,) = crate.columns(sections[b"FIELDSETS"], 1)
    ends = np.flatnonzero(in_sets < 0)
    inside = in_sets >= 0
    if inside.any() and in_sets[inside].max() >= len(sizes):
        raise ValueError("fields that are not there")
    of_entries = np.append(sizes, 0.0)[np.where(inside, in_sets, len(sizes))]
    sums = np.concatenate([[0.0], np.cumsum(of_entries)])
    _, sets, _ = crate.columns(sections[b"SPECS"], 3)
    if len(sets) and not (sets.min() >= 0 and sets.max() < len(in_sets) and len(ends)):
        raise ValueError("sets of fields that are not there")
    last = ends[np.minimum(np.searchsorted(ends, sets), len(ends) - 1)] if len(sets) else sets
    return names + int((sums[last] - sums[sets]).sum())


def _members(path: Path, data: mmap.mmap) -> list[int]:
    """Return where in a package the crates begin; its members are not compressed, so they lie there as they are."""
    starts = []
    try:
        with zipfile.ZipFile(path) as package:
            members = [member for member in package.infolist() if member.compress_type == zipfile.ZIP_STORED]
        for member in members:
            name, extra = struct.unpack_from("<HH", data, member.header_offset + 26)
            start = member.header_offset + 30 + name + extra
            if data[start : start + len(_MAGIC)] == _MAGIC:
                starts.append(start)
    except (zipfile.BadZipFile, struct.error, NotImplementedError, ValueError):
        return []  # OpenUSD says what is wrong with it.
    return starts


class _Crate:
    """Reads the parts of a crate that say how large its values are."""

    def __init__(self, data: mmap.mmap | bytes, start: int, wide: bool) -> None:
        self._data, self._start = data, start
        self._count = "<Q" if wide else "<I"
        self._values = 0

    def sections(self) -> dict[bytes, int]:
        """Return where each section begins by its name."""
        at = self._number("<q", 16)
        count = self._number("<Q", at)
        if count > 64:
            raise ValueError("too many sections")
        found = {}
        for entry in range(count):
            name, place, _ = struct.unpack_from("<16sqq", self._data, self._place(at + 8 + 32 * entry))
            found[name.rstrip(b"\0")] = place
        return found

    def name_bytes(self, sections: dict[bytes, int]) -> int:
        """Return how many bytes the names take, once it is clear that none of the lists of names is too long."""
        for name in (b"TOKENS", b"STRINGS", b"PATHS"):
            self._entries(sections[name])
        return self._number("<Q", sections[b"TOKENS"] + 8)

    def check_paths(self, sections: dict[bytes, int]) -> None:
        """Check that the paths are a tree that is walked once; OpenUSD walks others for hours, in all the memory.

        Each path says where the next one at its level is: -2 for the last without a child, -1 for the last with one, 0
        where it follows at once, else so many entries ahead, past the children.
        """
        at = sections[b"PATHS"]
        paths, names, jumps = self.columns(at + 8, 3)
        if not len(paths):
            return
        if paths.min() < 0 or paths.max() >= self._entries(at):
            raise ValueError("paths that are not there")
        if np.abs(names).max() >= self._entries(sections[b"TOKENS"]):
            raise ValueError("names that are not there")
        steps, waiting, visited = jumps.tolist(), [0], 0
        while waiting:
            place, goes_on = waiting.pop(), True
            while goes_on:
                visited += 1
                if place >= len(steps) or visited > len(steps):
                    raise ValueError("paths that are no tree")
                if steps[place] > 0:
                    waiting.append(place + steps[place])
                goes_on = steps[place] >= -1
                place += 1

    def field_bytes(self, at: int) -> np.ndarray:
        """Return how many bytes the value of each field takes when it is unpacked, shape [field_count]."""
        count = self._entries(at)
        names = self._number("<Q", at + 8)
        packed = self._number("<Q", at + 16 + names)
        values = _unpacked(self._bytes(at + 24 + names, packed), 8 * count)
        found = np.frombuffer(values, dtype="<u8", count=count)
        kinds = (found >> 48) & 255
        packed_ones = np.flatnonzero((found & _IS_PACKED) | (kinds == _TIME_SAMPLES) | (kinds == _DICTIONARY))
        sizes = np.zeros(count)
        sizes[packed_ones] = [self.value_bytes(int(value)) for value in found[packed_ones]]
        return sizes

    def columns(self, at: int, width: int) -> list[np.ndarray]:
        """Return columns of whole numbers that are packed one after the other."""
        count, at, found = self._entries(at), at + 8, []
        for _ in range(width):
            packed = self._number("<Q", at)
            found.append(_integers(self._bytes(at + 8, packed), count))
            at += 8 + packed
        return found

    def value_bytes(self, value: int, depth: int = 0) -> int:
        """Return how many bytes the packed arrays in a value take when they are unpacked."""
        self._values += 1
        if depth > _DEEPEST or self._values > _MOST_VALUES:
            raise ValueError("too many values within values")
        place, kind = value & _PLACE, (value >> 48) & 255
        if value & _IS_INLINED or not place:
            return 0
        if value & _IS_ARRAY:
            return _SIZES.get(kind, 8) * self._number(self._count, place) if value & _IS_PACKED else 0
        if kind == _TIME_SAMPLES:
            return self._sample_bytes(place, depth)
        return self._dictionary_bytes(place, depth) if kind == _DICTIONARY else 0

    def _sample_bytes(self, place: int, depth: int) -> int:
        """Return the bytes of times and values; before each stands how far away it is."""
        times = place + self._number("<q", place)
        after = times + 8
        values = after + self._number("<q", after)
        count = self._entries(values)
        samples = np.frombuffer(self._bytes(values + 8, 8 * count), dtype="<u8").tolist()
        return sum(self.value_bytes(value, depth + 1) for value in (self._number("<Q", times), *samples))

    def _dictionary_bytes(self, place: int, depth: int) -> int:
        """Return the bytes of the values of a dictionary: key, how far away the value is, and what it refers to."""
        size, at = 0, place + 8
        for _ in range(self._entries(place)):
            value = at + 4 + self._number("<q", at + 4)
            size += self.value_bytes(self._number("<Q", value), depth + 1)
            at = value + 8
        return size

    def _entries(self, at: int) -> int:
        count = self._number("<Q", at)
        if count > _MOST_ENTRIES:
            raise ValueError(f"{count} entries of one kind")
        return count

    def _number(self, kind: str, at: int) -> int:
        return int(struct.unpack_from(kind, self._data, self._place(at))[0])

    def _bytes(self, at: int, count: int) -> bytes:
        place = self._place(at)
        if count > len(self._data) - place:
            raise ValueError("parts beyond the end of the file")
        return bytes(self._data[place : place + count])

    def _place(self, at: int) -> int:
        if at < 0 or at > len(self._data):
            raise ValueError("parts beyond the end of the file")
        return self._start + at


def _integers(packed: bytes, count: int) -> np.ndarray:
    """Unpack whole numbers, shape [count], int64.

    Kept are the differences from one to the next: two bits each say whether it is the most common one, which stands
    first, or in how many bytes (1, 2, 4) it follows.
    """
    if not count:
        return np.zeros(0, dtype=np.int64)
    code_bytes = (2 * count + 7) // 8
    data = np.frombuffer(_unpacked(packed, 4 + code_bytes + 4 * count), dtype=np.uint8)
    if len(data) < 4 + code_bytes:
        raise ValueError("whole numbers that end too early")
    codes = ((data[4 : 4 + code_bytes, None] >> np.array([0, 2, 4, 6], dtype=np.uint8)) & 3).reshape(-1)[:count]
    widths = np.array([0, 1, 2, 4])[codes]
    places = 4 + code_bytes + np.cumsum(widths) - widths
    if places[-1] + widths[-1] > len(data):
        raise ValueError("whole numbers that end too early")
    steps = np.full(count, data[:4].view("<i4")[0], dtype=np.int64)
    for code, width in ((1, 1), (2, 2), (3, 4)):
        own = np.flatnonzero(codes == code)
        raw = data[places[own, None] + np.arange(width)]
        steps[own] = np.ascontiguousarray(raw).view(f"<i{width}").reshape(-1)
    return np.cumsum(steps).astype(np.int32).astype(np.int64)


def _unpacked(packed: bytes, most: int) -> bytes:
    """Unpack what OpenUSD has packed with LZ4: one block, or several with the size before each.

    Raises:
        ValueError: If it is more than ``most`` bytes, or damaged.
    """
    if not packed:
        raise ValueError("a packed part without bytes")
    if not packed[0]:
        return _block(packed[1:], most)
    parts, at = b"", 1
    for _ in range(packed[0]):
        (size,) = struct.unpack_from("<i", packed, at)
        if not 0 <= size <= len(packed) - at - 4:
            raise ValueError("a packed part that ends too early")
        parts += _block(packed[at + 4 : at + 4 + size], most - len(parts))
        at += 4 + size
    return parts


def _block(packed: bytes, most: int) -> bytes:
    """Unpack one block of LZ4: turns of bytes as they are and of bytes that were there before."""
    out, at = bytearray(), 0
    while at < len(packed):
        token = packed[at]
        count, at = _length(packed, at + 1, token >> 4)
        out += packed[at : at + count]
        at += count
        if at >= len(packed):  # the last turn has no second half
            break
        back = packed[at] | packed[at + 1] << 8
        count, at = _length(packed, at + 2, token & 15)
        count += 4
        if not 0 < back <= len(out) or len(out) + count > most:
            raise ValueError("a packed part that is damaged")
        out += (bytes(out[-back:]) * (count // back + 1))[:count]
    if len(out) > most:
        raise ValueError("a packed part that is larger than it says")
    return bytes(out)


def _length(packed: bytes, at: int, first: int) -> tuple[int, int]:
    """Read a length that begins with four bits, and return where reading goes on."""
    total, byte = first, 255 if first == 15 else 0
    while byte == 255:
        byte = packed[at]
        total, at = total + byte, at + 1
    return total, at
