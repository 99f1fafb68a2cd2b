# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""PLY files as trimesh can take them: plain headers, one element per line; and their polygons cut into triangles."""

from __future__ import annotations

import re
import struct
from typing import Any

import numpy as np
import trimesh

from omni_graspd.geometry.obj_text import plain_text
from omni_graspd.usd.polygons import fan, triangulate

_HEADER_END = re.compile(rb"(?:^|[\r\n])[ \t]*end_header[ \t]*(\r\n|\r|\n|$)")
_INDEX_NAMES = ("vertex_index", "vertex_indices")
_CODES = {
    **dict.fromkeys(("char", "int8"), "b"),
    **dict.fromkeys(("uchar", "uint8"), "B"),
    **dict.fromkeys(("short", "int16"), "h"),
    **dict.fromkeys(("ushort", "uint16"), "H"),
    **dict.fromkeys(("int", "int32"), "i"),
    **dict.fromkeys(("uint", "uint32"), "I"),
    **dict.fromkeys(("float", "float32"), "f"),
    **dict.fromkeys(("double", "float64"), "d"),
}
"""Types of numbers as struct and NumPy name them."""
_UV_NAMES = (("texture_u", "texture_v"), ("u", "v"), ("s", "t"))


def plain_ply(content: bytes) -> bytes:
    """Rewrite a PLY file's text: byte order marks, line ends, tabs, early comments, elements over several lines.

    Raises:
        ValueError: If the header has no end, or a text file has too few numbers.
    """
    end = _HEADER_END.search(content)
    if end is None:
        raise ValueError("the header has no end_header")
    lines = [line for line in plain_text(content[: end.start()]).split("\n") if line]
    lines.sort(key=lambda line: {"ply": 0, "format": 1}.get(line.split(" ")[0].lower(), 2))
    header = "\n".join([*lines, "end_header", ""])
    body = content[end.end() :]
    if len(lines) < 2 or "ascii" not in lines[1].lower():
        return header.encode() + body
    return (header + _one_per_line(lines, plain_text(body))).encode()


def _one_per_line(header: list[str], body: str) -> str:
    elements = _elements(header)
    rows = [row for row in body.split("\n") if row and not row.startswith("comment")]
    if len(rows) == sum(count for count, _ in elements):
        return "\n".join([*rows, ""])
    numbers, at, rows = " ".join(rows).split(" "), 0, []
    for count, is_list in elements:
        for _ in range(count):
            start = at
            for one in is_list:
                at += 1 + int(numbers[at]) if one else 1
            if at > len(numbers):
                raise ValueError("it ends before its last element")
            rows.append(" ".join(numbers[start:at]))
    return "\n".join([*rows, ""])


def text_ply(content: bytes) -> bytes:
    """Rewrite a binary PLY file as text.

    Args:
        content: The file, its header as :func:`plain_ply` leaves it.

    Raises:
        ValueError: If it is cut short, or of types that PLY does not have.
    """
    head, _, body = content.partition(b"end_header\n")
    lines = head.decode().rstrip("\n").split("\n")
    order = ">" if "big" in lines[1] else "<"
    rows, at = [], 0
    for count, types in _types(lines, order):
        for _ in range(count):
            row: list[str] = []
            for length, kind in types:
                many = 1
                if length is not None:
                    (many,) = length.unpack_from(body, at)
                    at += length.size
                    row.append(str(many))
                if many < 0 or at + many * kind.itemsize > len(body):
                    raise ValueError("it is cut short")
                row += map(repr, np.frombuffer(body, kind, many, at).tolist())
                at += many * kind.itemsize
            rows.append(" ".join(row))
    return "\n".join([lines[0], "format ascii 1.0", *lines[2:], "end_header", *rows, ""]).encode()


def _types(header: list[str], order: str) -> list[tuple[int, list[tuple[struct.Struct | None, np.dtype]]]]:
    """Return how many there are of each kind of element, and the types of its properties: a list's length, a number."""
    elements: list[tuple[int, list[tuple[struct.Struct | None, np.dtype]]]] = []
    for words in (line.split(" ") for line in header):
        if words[0] == "element":
            elements.append((int(words[2]), []))
        elif words[0] == "property":
            codes = [_CODES.get(word) for word in words[1:-1] if word != "list"]
            if None in codes or not codes:
                raise ValueError(f"it has a property of an unknown type: {' '.join(words)}")
            length = struct.Struct(f"{order}{codes[0]}") if words[1] == "list" else None
            elements[-1][1].append((length, np.dtype(f"{order}{codes[-1]}")))
    return [(count, types) for count, types in elements if types]


def _elements(header: list[str]) -> list[tuple[int, list[bool]]]:
    """Return how many there are of each kind of element, and for each of its properties whether it is a list."""
    elements: list[tuple[int, list[bool]]] = []
    for words in (line.split(" ") for line in header):
        if words[0] == "element":
            elements.append((int(words[2]), []))
        elif words[0] == "property":
            elements[-1][1].append(words[1] == "list")
    return elements


def with_strips(loaded: Any) -> Any:
    """Return what trimesh read from PLY with the triangle strips that it leaves out, as scans of Stanford have them."""
    raw = loaded.metadata.get("_ply_raw", {})
    strips = _lists(raw.get("tristrips", {}).get("data"), _INDEX_NAMES)
    if not strips:
        return loaded
    vertices = np.column_stack([_column(raw["vertex"]["data"], axis) for axis in "xyz"])
    faces = [_strip_faces(strip.astype(np.int64)) for strip in strips]
    polygons = _lists(raw.get("face", {}).get("data"), _INDEX_NAMES)
    if polygons:
        counts = np.array([len(polygon) for polygon in polygons])
        faces.append(triangulate(counts, np.concatenate(polygons).astype(np.int64), vertices)[0])
    mesh = trimesh.Trimesh(vertices, np.concatenate(faces), process=False)
    if {"red", "green", "blue"} <= set(_fields(raw["vertex"]["data"])):
        colors = np.stack([_column(raw["vertex"]["data"], name) for name in ("red", "green", "blue")], axis=-1)
        mesh.visual = trimesh.visual.ColorVisuals(mesh, vertex_colors=colors.astype(np.uint8))
    return mesh


def _strip_faces(strip: np.ndarray) -> np.ndarray:
    """Return the triangles of a strip of vertex indices, every other one turned; -1, signed or not, begins anew."""
    strip = np.where(strip == 0xFFFFFFFF, -1, strip)
    faces = np.stack([strip[:-2], strip[1:-1], strip[2:]], axis=-1)
    breaks = np.flatnonzero(strip < 0)
    starts = np.concatenate([[0], breaks + 1])[np.searchsorted(breaks, np.arange(len(faces)))]
    odd = (np.arange(len(faces)) - starts) % 2 == 1
    faces[odd] = faces[odd][:, [1, 0, 2]]
    return faces[(faces >= 0).all(axis=1) & (np.diff(np.sort(faces, axis=1), axis=1) > 0).all(axis=1)]


def with_cut_polygons(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    """Return a mesh that trimesh read from PLY with its concave polygons cut properly, where it has any."""
    raw = mesh.metadata.get("_ply_raw", {})
    face = raw.get("face", {}).get("data")
    polygons = _lists(face, _INDEX_NAMES)
    if not polygons or max(map(len, polygons)) < 4:
        return mesh
    vertex = raw["vertex"]["data"]
    vertices = np.column_stack([_column(vertex, axis) for axis in "xyz"])
    counts = np.array([len(polygon) for polygon in polygons])
    faces, corners = triangulate(counts, np.concatenate(polygons).astype(np.int64), vertices)
    if np.array_equal(corners, fan(counts)):
        return mesh
    uvs = _corner_uvs(vertex, _lists(face, ("texcoord",)), faces, corners)
    if uvs is not None:
        loose = trimesh.Trimesh(vertices[faces].reshape(-1, 3), np.arange(faces.size).reshape(-1, 3), process=False)
        material = getattr(mesh.visual, "material", None)
        loose.visual = trimesh.visual.TextureVisuals(uv=uvs.reshape(-1, 2), material=material)
        return loose
    cut = trimesh.Trimesh(vertices, faces, process=False)
    visual: Any = mesh.visual
    if getattr(visual, "kind", None) == "vertex" and len(visual.vertex_colors) == len(vertices):
        cut.visual = trimesh.visual.ColorVisuals(cut, vertex_colors=visual.vertex_colors)
    elif {"red", "green", "blue"} <= set(_fields(face)):
        colors = np.stack([_column(face, name) for name in ("red", "green", "blue")], axis=-1).astype(np.uint8)
        of_faces = np.repeat(colors, np.maximum(counts - 2, 0), axis=0)
        cut.visual = trimesh.visual.ColorVisuals(cut, face_colors=of_faces)
    return cut


def _corner_uvs(vertex: Any, per_face: list[np.ndarray], faces: np.ndarray, corners: np.ndarray) -> np.ndarray | None:
    """Return texture coordinates per corner, shape [face_count, 3, 2], from the vertices or from the faces."""
    if per_face:
        return np.concatenate(per_face).reshape(-1, 2)[corners]
    for names in _UV_NAMES:
        if all(name in _fields(vertex) for name in names):
            return np.stack([_column(vertex, name) for name in names], axis=-1)[faces]
    return None


def _fields(data: Any) -> tuple[str, ...]:
    return tuple(data) if isinstance(data, dict) else getattr(getattr(data, "dtype", None), "names", None) or ()


def _column(data: Any, name: str) -> np.ndarray:
    return np.asarray(data[name], dtype=np.float64).ravel()


def _lists(data: Any, names: tuple[str, ...]) -> list[np.ndarray]:
    """Return a list property of each face, under one of its names; none where faces have no such property."""
    for name in names:
        if name in _fields(data):
            values = data[name]
            # Lists of one length come as a structure of the length and the values.
            rows = values["f1"] if getattr(values, "dtype", None) is not None and values.dtype.names else values
            return [np.atleast_1d(row) for row in rows]
    return list(data) if isinstance(data, np.ndarray) and data.dtype.names is None and name in _INDEX_NAMES else []
