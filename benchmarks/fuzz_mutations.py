# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Damage for :mod:`fuzz_readers`: bytes of any file, words and lines of a text, structure of JSON, XML and tables."""

from __future__ import annotations

import io
import json
import re
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

Mutation = Callable[[bytes, np.random.Generator], bytes]

_NUMBER = re.compile(rb"(?<![\w.])-?\d+\.?\d*(?:[eE][-+]?\d+)?")
_WORDS = (
    *(b"nan", b"inf", b"-inf", b"-1", b"0", b"1e400", b"1e308", b"1e-320", b"2147483647", b"-2147483648"),
    *(b"4294967295", b"1999999999", b"9223372036854775807", b"1" + b"0" * 60, b"", b"x", b"null", b"[]", b"{}", b'""'),
)
_WORD = re.compile(rb"[A-Za-z_:][\w:.]*")
_PATTERNS = (
    *(b"\xff" * 4, b"\xff" * 8, b"\0" * 8, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\xff" * 7 + b"\x7f"),
    *(struct.pack("<f", np.nan), struct.pack("<d", np.nan), struct.pack("<d", np.inf), struct.pack("<d", 1e300)),
)
_NODES: tuple[Any, ...] = (
    *(None, True, -1, 0, 0.5, 10**30, 1e300, float("nan"), float("inf"), "", "x", "../../x", "a\nb\x1b[31m"),
    *([], {}, [None], [[]], {"": None}, [1, "x"], {"x": {}}),
)


def flip(content: bytes, random: np.random.Generator) -> bytes:
    """Turn up to sixteen bits over."""
    damaged = bytearray(content)
    for _ in range(random.integers(1, 17)):
        damaged[random.integers(len(damaged))] ^= 1 << int(random.integers(8))
    return bytes(damaged)


def truncate(content: bytes, random: np.random.Generator) -> bytes:
    """Cut the end off."""
    return content[: random.integers(len(content))]


def splice(content: bytes, random: np.random.Generator) -> bytes:
    """Put one stretch in the place of another."""
    start, stop = _stretch(content, random)
    place = int(random.integers(len(content)))
    return content[:place] + content[start:stop] + content[place + stop - start :]


def double(content: bytes, random: np.random.Generator) -> bytes:
    """Let a stretch be there twice."""
    start, stop = _stretch(content, random)
    return content[:stop] + content[start:]


def drop(content: bytes, random: np.random.Generator) -> bytes:
    """Take a stretch out."""
    start, stop = _stretch(content, random)
    return content[:start] + content[stop:]


def overwrite(content: bytes, random: np.random.Generator) -> bytes:
    """Write huge numbers, zeros and NaN as a program keeps them."""
    damaged = bytearray(content)
    for _ in range(random.integers(1, 4)):
        pattern = _PATTERNS[random.integers(len(_PATTERNS))]
        place = int(random.integers(max(1, len(damaged) - len(pattern))))
        damaged[place : place + len(pattern)] = pattern
    return bytes(damaged)


def _stretch(content: bytes, random: np.random.Generator) -> tuple[int, int]:
    start = int(random.integers(len(content)))
    return start, min(len(content), start + int(2 ** random.uniform(0, 10)))


def renumber(content: bytes, random: np.random.Generator) -> bytes:
    """Write something else for numbers of a text."""
    found = list(_NUMBER.finditer(content))
    if not found:
        return flip(content, random)
    for which in sorted(random.integers(len(found), size=random.integers(1, 4)), reverse=True):
        word = _WORDS[random.integers(len(_WORDS))]
        content = content[: found[which].start()] + word + content[found[which].end() :]
    return content


def nest(content: bytes, random: np.random.Generator) -> bytes:
    """Open thousands of brackets somewhere in a text."""
    opening, closing = ((b"[", b"]"), (b'{"a":', b"}"), (b"(", b")"), (b"<a>", b"</a>"))[random.integers(4)]
    count = int(10 ** random.uniform(1, 5))
    place = int(random.integers(len(content)))
    return content[:place] + opening * count + closing * (count if random.random() < 0.5 else 0) + content[place:]


def reword(content: bytes, random: np.random.Generator) -> bytes:
    """Write other words of a text for some of its words."""
    found = list(_WORD.finditer(content))
    if len(found) < 2:
        return flip(content, random)
    for which in sorted(random.integers(len(found), size=random.integers(1, 4)), reverse=True):
        other = found[random.integers(len(found))]
        content = content[: found[which].start()] + other[0] + content[found[which].end() :]
    return content


def relist(content: bytes, random: np.random.Generator) -> bytes:
    """Take lines of a text out, let them be there twice, or exchange two."""
    lines = content.splitlines(keepends=True)
    for _ in range(random.integers(1, 4)):
        one, other = (int(place) for place in random.integers(len(lines), size=2))
        draw = random.random()
        if draw < 0.4 and len(lines) > 1:
            del lines[one]
        elif draw < 0.7:
            lines.insert(other, lines[one])
        else:
            lines[one], lines[other] = lines[other], lines[one]
    return b"".join(lines)


def change_xml(content: bytes, random: np.random.Generator) -> bytes:
    """Change the structure of XML: an element is missing or is there twice; an attribute is another's, or missing."""
    from xml.etree import ElementTree

    root = ElementTree.fromstring(content)
    elements = list(root.iter())
    values = [value for element in elements for value in element.attrib.values()]
    for _ in range(random.integers(1, 4)):
        element = elements[random.integers(len(elements))]
        draw = random.random()
        if draw < 0.3 and len(element):
            element.remove(element[random.integers(len(element))])
        elif draw < 0.5 and len(element):
            element.append(element[random.integers(len(element))])
        elif element.attrib:
            name = list(element.attrib)[random.integers(len(element.attrib))]
            words = [*values, *(word.decode() for word in _WORDS)]
            element.attrib[name] = words[random.integers(len(words))]
            if draw > 0.9:
                del element.attrib[name]
    return ElementTree.tostring(root)


def change_glb(content: bytes, random: np.random.Generator) -> bytes:
    """Change the structure of the JSON in a GLB."""
    length = struct.unpack_from("<I", content, 12)[0]
    changed = change_json(content[20 : 20 + length], random)
    changed += b" " * (-len(changed) % 4)
    rest = content[20 + length :]
    head = struct.pack("<4sIIII", b"glTF", 2, 20 + len(changed) + len(rest), len(changed), 0x4E4F534A)
    return head + changed + rest


def change_json(content: bytes, random: np.random.Generator) -> bytes:
    """Change the structure of JSON: a value is another, is missing or is there twice."""
    return json.dumps(_changed(json.loads(content), random)).encode()


def change_array(content: bytes, random: np.random.Generator) -> bytes:
    """Change what is in a NumPy file: values, structure, kind, shape."""
    array = np.load(io.BytesIO(content), allow_pickle=True)
    if array.dtype.hasobject:
        changed: Any = _changed(array.item() if array.shape == () else array.tolist(), random)
        if isinstance(changed, list):
            listed = np.empty(len(changed), dtype=object)
            listed[:] = changed
            changed = listed
    else:
        choices: tuple[Callable[[], np.ndarray], ...] = (
            lambda: array[:0],
            array.ravel,
            lambda: array[None],
            lambda: np.full(array.shape, np.nan),
            lambda: np.full(array.shape, "x"),
            lambda: np.zeros(3),
        )
        changed = choices[random.integers(len(choices))]()
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(changed, dtype=object) if not isinstance(changed, np.ndarray) else changed)
    return buffer.getvalue()


def _changed(value: Any, random: np.random.Generator) -> Any:
    """Change one value somewhere below."""
    children = list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if _is_list(value) else []
    if not children or random.random() < 0.15:
        return _deep(random) if random.random() < 0.05 else _NODES[random.integers(len(_NODES))]
    key, child = children[random.integers(len(children))]
    draw = random.random()
    if isinstance(value, dict):
        if draw < 0.15:
            return {name: other for name, other in value.items() if name != key}
        return value | {key: _changed(child, random)}
    listed = list(value)
    if draw < 0.1:
        return listed[:key] + listed[key + 1 :]
    if draw < 0.2:
        return listed[: key + 1] + listed[key:]
    return [*listed[:key], _changed(child, random), *listed[key + 1 :]]


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.ndim > 0)


def _deep(random: np.random.Generator) -> Any:
    value: Any = 0
    for _ in range(random.integers(10, 200)):
        value = [value]
    return value


def change_table(content: bytes, random: np.random.Generator) -> bytes:
    """Change a Parquet table: columns missing, doubled, of another kind or width, with nulls; metadata; rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(content))
    which = int(random.integers(table.num_columns))
    field, rows = table.schema.field(which), table.num_rows

    def replaced(array: pa.Array) -> pa.Table:
        return table.set_column(which, pa.field(field.name, array.type), array)

    def metadata() -> pa.Table:
        kept = dict(table.schema.metadata or {b"x": b"x"})
        key = list(kept)[random.integers(len(kept))]
        kept[key] = (b"", b"x", b"[", b"\xff\xfe", b"null", b"[1]", b'{"a": 1}', b"9" * 5000)[random.integers(8)]
        if random.random() < 0.2:
            del kept[key]
        return table.replace_schema_metadata(kept)

    numbers = (np.nan, np.inf, -1.0, 1e300)
    choices: tuple[Callable[[], pa.Table], ...] = (
        metadata,
        lambda: table.remove_column(which),
        lambda: table.append_column(field, table.column(which)),
        lambda: table.slice(0, 0),
        lambda: replaced(pa.nulls(rows, field.type)),
        lambda: replaced(pa.nulls(rows)),
        lambda: replaced(pa.array(["x"] * rows, pa.large_string())),
        lambda: replaced(pa.array(["n" * 400 + "\x1b[31m\n"] * rows)),
        lambda: replaced(pa.array([numbers[random.integers(4)]] * rows, pa.float64())),
        lambda: replaced(pa.array([[]] * rows, pa.list_(pa.float64()))),
        lambda: replaced(pa.array([[]] * rows, pa.list_(pa.float64(), 0))),
        lambda: replaced(pa.array([[numbers[random.integers(4)]] * 7] * rows, pa.list_(pa.float64(), 7))),
        lambda: replaced(pa.array([2**62] * rows, pa.int64())),
        lambda: replaced(pa.array([{"x": None}] * rows)),
        lambda: replaced(pa.array([b"\xff"] * rows, pa.binary())),
        lambda: replaced(pa.array(["x"] * rows).dictionary_encode()),
        lambda: table.rename_columns([*table.column_names[:which], "x", *table.column_names[which + 1 :]]),
        lambda: pa.concat_tables([table, table]),
    )
    buffer = io.BytesIO()
    pq.write_table(choices[random.integers(len(choices))](), buffer)
    return buffer.getvalue()


_BYTES: tuple[Mutation, ...] = (flip, truncate, splice, double, drop, overwrite)
_STRUCTURE: dict[str, Mutation] = {
    **{".json": change_json, ".npy": change_array, ".parquet": change_table},
    **{".glb": change_glb, ".urdf": change_xml, ".xml": change_xml},
}


def mutate(content: bytes, suffix: str, random: np.random.Generator) -> bytes:
    """Return a damaged copy of a file.

    Args:
        content: The file.
        suffix: What kind of file it is.
        random: Random generator.
    """
    is_text = b"\0" not in content[:4096]
    kinds = _BYTES + ((renumber, renumber, reword, reword, relist, nest) if is_text else ())
    if suffix in _STRUCTURE and random.random() < 0.5:
        return _STRUCTURE[suffix](content, random)
    return kinds[random.integers(len(kinds))](content, random)
