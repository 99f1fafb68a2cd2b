# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""OBJ files as trimesh can take them: plain line ends and blanks, absolute indices, polygons cut into triangles."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np

from omni_graspd.usd.polygons import triangulate

_ELEMENTS = ("v", "vt", "vn")
_BLANKS = "\t\f\v\0\xa0"
_UNEVEN = re.compile(r"^f(?= |$)(?! [^ \n-]+ [^ \n-]+ [^ \n-]+$)", re.MULTILINE)
"""Faces that are not three corners, or that count backwards."""


def plain_text(content: bytes) -> str:
    """Decode a text file of any origin: byte order marks, line ends of any system, tabs, indents, continued lines."""
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    text = content.decode(encoding, errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    # Several times as fast as regular expressions, which shows in scans of a hundred megabytes.
    for blank in _BLANKS:
        text = text.replace(blank, " ")
    while "  " in text:
        text = text.replace("  ", " ")
    text = text.replace("\\ \n", " ").replace("\\\n", " ").replace("  ", " ")
    return text.replace("\n ", "\n").replace(" \n", "\n").strip(" ")


def triangle_text(content: bytes) -> str:
    """Rewrite an OBJ file's text so that each face is one triangle of absolute indices; materials stay as they are.

    Raises:
        ValueError: If a face names a vertex that is not there.
    """
    text = plain_text(content)
    if text.count("#") > text.count("\n#") + text.startswith("#"):
        text = re.sub(r"^((?:v|vt|vn|f) [^#\n]*?) *#.*$", r"\1", text, flags=re.MULTILINE)
    if _UNEVEN.search(text) is None:
        return text
    lines = text.split("\n")
    numbers, counts, corners = _face_corners(lines)
    vertices = _positions(lines)
    indices = np.array([int(corner.partition("/")[0]) - 1 for corner in corners], dtype=np.int64)
    if len(indices) and not 0 <= indices.min() <= indices.max() < len(vertices):
        raise ValueError(f"a face names vertex {indices.max() + 1} of {len(vertices)}")
    _, cut = triangulate(np.array(counts, dtype=np.int64), indices, vertices)
    faces = [f"f {corners[a]} {corners[b]} {corners[c]}" for a, b, c in cut.tolist()]
    ends = np.cumsum([0, *(max(count - 2, 0) for count in counts)]).tolist()
    for number, (first, last) in zip(numbers, pairwise(ends), strict=True):
        lines[number] = "\n".join(faces[first:last])
    return "\n".join(lines)


def _face_corners(lines: list[str]) -> tuple[list[int], list[int], list[str]]:
    """Return the numbers of the lines that are faces, how many corners each has, and all corners, counted from 1."""
    seen: dict[str, int] = dict.fromkeys(_ELEMENTS, 0)
    numbers: list[int] = []
    counts: list[int] = []
    corners: list[str] = []
    for number, line in enumerate(lines):
        keyword, _, rest = line.partition(" ")
        if keyword in seen:
            seen[keyword] += 1
        elif keyword == "f":
            found = rest.split()
            corners += found if "-" not in rest else [_absolute(corner, seen) for corner in found]
            numbers.append(number)
            counts.append(len(found))
    return numbers, counts, corners


def _absolute(corner: str, seen: dict[str, int]) -> str:
    """Count a corner's negative indices from the first element on; they count from the last one before the face."""
    parts = [
        str(seen[element] + 1 + int(part)) if part.startswith("-") else part
        for element, part in zip(_ELEMENTS, corner.split("/"), strict=False)
    ]
    return "/".join(parts)


def _positions(lines: list[str]) -> np.ndarray:
    """Return the positions of all vertices, shape [vertex_count, 3]."""
    rows = [line.split(" ", 4)[1:4] for line in lines if line.startswith("v ")]
    return np.array(rows, dtype=np.float64).reshape(-1, 3)
