# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How channels are kept in files, with the names and formats of Replicator's BasicWriter at its defaults.

Segmentations are RGBA pictures whose JSON files map each colour ``"(r, g, b, a)"`` to a label or prim path; the colours
of two ids never agree, so ids are recovered exactly. Normals are 8-bit pictures, ``(n + 1) / 2 * 255`` in each channel.
Distances, disparities, boxes, point clouds and camera parameters are kept exactly.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from omni_graspd.array_file import read_array
from omni_graspd.rendering.annotator_data import BACKGROUND_ID, UNLABELLED_ID, AnnotatorData

_PNG_LEVEL = 1
_LARGEST_PICTURE = 2**28
_LARGEST_RATIO = 50
"""Pictures larger than the one in memory [byte], and so many times as large as their file, are not read."""
_POINT_STEMS = {"pointRgb": "rgb", "pointNormals": "normals", "pointSemantic": "semantic", "pointInstance": "instance"}
_POINT_ROWS = {"pointRgb": 4, "pointNormals": 4}
"""Side data of points that is flat in the annotator but rows of so many numbers in the file."""

Locate = Callable[[str], Path]
"""Returns where the file with a name lies; names are without number and suffix."""


class ChannelFiles(Protocol):
    """The files of one channel. Names of files are without number and suffix."""

    def suffixes(self, name: str) -> dict[str, str]:
        """Return the suffix of each file of the channel ``name``; the file of its array comes first."""
        ...

    def encode(self, name: str, channel: AnnotatorData) -> dict[str, bytes]:
        """Return the content of each file."""
        ...

    def decode(self, name: str, locate: Locate) -> AnnotatorData:
        """Read the channel."""
        ...


class ArrayFile:
    """A NumPy file without side data."""

    def suffixes(self, name: str) -> dict[str, str]:
        """See :class:`ChannelFiles`."""
        return {name: "npy"}

    def encode(self, name: str, channel: AnnotatorData) -> dict[str, bytes]:
        """See :class:`ChannelFiles`."""
        return {name: _npy(channel.data)}

    def decode(self, name: str, locate: Locate) -> AnnotatorData:
        """See :class:`ChannelFiles`."""
        return AnnotatorData(read_array(locate(name)), {})


class BoxFiles:
    """Rows of boxes in a NumPy file, labels and prim paths in JSON files; ``bboxIds`` are not kept."""

    def suffixes(self, name: str) -> dict[str, str]:
        """See :class:`ChannelFiles`."""
        return {name: "npy", f"{name}_labels": "json", f"{name}_prim_paths": "json"}

    def encode(self, name: str, channel: AnnotatorData) -> dict[str, bytes]:
        """See :class:`ChannelFiles`."""
        labels, paths = _json(channel.info["idToLabels"]), _json(channel.info["primPaths"])
        return {name: _npy(channel.data), f"{name}_labels": labels, f"{name}_prim_paths": paths}

    def decode(self, name: str, locate: Locate) -> AnnotatorData:
        """See :class:`ChannelFiles`."""
        labels, paths = _table(locate(f"{name}_labels")), _side(locate(f"{name}_prim_paths"))
        boxes = read_array(locate(name))
        if not isinstance(paths, list) or len(paths) != len(np.atleast_1d(boxes)):
            raise ValueError(f"{len(paths)} prim paths of {np.size(boxes)} boxes")
        ids = np.arange(len(paths), dtype=np.uint32)
        return AnnotatorData(boxes, {"idToLabels": labels, "primPaths": paths, "bboxIds": ids})


class PointFiles:
    """Points in a NumPy file, and what is known of each in one file more per key."""

    def suffixes(self, name: str) -> dict[str, str]:
        """See :class:`ChannelFiles`."""
        return dict.fromkeys((name, *(f"{name}_{stem}" for stem in _POINT_STEMS.values())), "npy")

    def encode(self, name: str, channel: AnnotatorData) -> dict[str, bytes]:
        """See :class:`ChannelFiles`."""
        files = {name: _npy(channel.data)}
        for key, stem in _POINT_STEMS.items():
            values = channel.info[key]
            files[f"{name}_{stem}"] = _npy(values.reshape(-1, _POINT_ROWS[key]) if key in _POINT_ROWS else values)
        return files

    def decode(self, name: str, locate: Locate) -> AnnotatorData:
        """See :class:`ChannelFiles`."""
        points = {key: read_array(locate(f"{name}_{stem}")).ravel() for key, stem in _POINT_STEMS.items()}
        return AnnotatorData(read_array(locate(name)), points)


class InfoFile:
    """Side data without array, in a JSON file."""

    def suffixes(self, name: str) -> dict[str, str]:
        """See :class:`ChannelFiles`."""
        return {name: "json"}

    def encode(self, name: str, channel: AnnotatorData) -> dict[str, bytes]:
        """See :class:`ChannelFiles`."""
        return {name: _json(channel.info)}

    def decode(self, name: str, locate: Locate) -> AnnotatorData:
        """See :class:`ChannelFiles`."""
        return AnnotatorData(np.zeros(0, dtype=np.float32), _table(locate(name)))


class ColourFile:
    """A picture as it is."""

    def suffixes(self, name: str) -> dict[str, str]:
        """See :class:`ChannelFiles`."""
        return {name: "png"}

    def encode(self, name: str, channel: AnnotatorData) -> dict[str, bytes]:
        """See :class:`ChannelFiles`."""
        return {name: _png(channel.data)}

    def decode(self, name: str, locate: Locate) -> AnnotatorData:
        """See :class:`ChannelFiles`."""
        return AnnotatorData(read_picture(locate(name)), {})


class NormalFile(ColourFile):
    """Components from -1 to 1 in the 8 bits of a picture."""

    def encode(self, name: str, channel: AnnotatorData) -> dict[str, bytes]:
        """See :class:`ChannelFiles`."""
        return {name: _png(np.rint((channel.data * 0.5 + 0.5) * 255.0).astype(np.uint8))}

    def decode(self, name: str, locate: Locate) -> AnnotatorData:
        """See :class:`ChannelFiles`."""
        return AnnotatorData(read_picture(locate(name)).astype(np.float32) / 255.0 * 2.0 - 1.0, {})


@dataclass(frozen=True)
class SegmentationFiles:
    """Ids as colours of a picture, and a JSON file for each table of side data that says what the colours are."""

    tables: Mapping[str, str]
    """End of the file's name by the table's key."""

    def suffixes(self, name: str) -> dict[str, str]:
        """See :class:`ChannelFiles`."""
        return {name: "png"} | {f"{name}_{stem}": "json" for stem in self.tables.values()}

    def encode(self, name: str, channel: AnnotatorData) -> dict[str, bytes]:
        """See :class:`ChannelFiles`."""
        ids = sorted({int(key) for table in self.tables for key in channel.info[table]})
        colors = label_colors(ids)
        palette = np.zeros((max(ids) + 1, 4), dtype=np.uint8)
        palette[ids] = [colors[i] for i in ids]
        files = {name: _png(palette[channel.data])}
        for table, stem in self.tables.items():
            mapping = {str(colors[int(key)]): value for key, value in channel.info[table].items()}
            files[f"{name}_{stem}"] = _json(mapping)
        return files

    def decode(self, name: str, locate: Locate) -> AnnotatorData:
        """See :class:`ChannelFiles`."""
        pixels = read_picture(locate(name))
        tables = {table: _table(locate(f"{name}_{stem}")) for table, stem in self.tables.items()}
        colors = list(dict.fromkeys(key for mapping in tables.values() for key in mapping))
        packed = np.ascontiguousarray(pixels).view(np.uint32)[..., 0]
        ids = np.zeros(packed.shape, dtype=np.uint32)
        for index, color in enumerate(colors):
            ids[packed == _rgba(color).view(np.uint32)[0]] = index
        info = {
            table: {str(colors.index(color)): value for color, value in mapping.items()}
            for table, mapping in tables.items()
        }
        return AnnotatorData(ids, info)


def _rgba(text: str) -> np.ndarray:
    """Return the colour that a mapping names as ``(r, g, b, a)``, uint8, shape [4]."""
    parts = [part.strip() for part in text.strip("()").split(",")]
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() and int(part[:4]) < 256 for part in parts):
        raise ValueError(f"{text[:40]!r} where a colour (r, g, b, a) is expected")
    return np.array([int(part) for part in parts], dtype=np.uint8)


def _table(path: Path) -> dict[str, Any]:
    content = _side(path)
    if not isinstance(content, dict):
        raise ValueError(f"a list in {path.name} where a table is expected")
    return content


def label_colors(ids: list[int]) -> dict[int, tuple[int, int, int, int]]:
    """Return an opaque colour per id, the same in every image; background is clear, unlabelled is black."""
    colors = {BACKGROUND_ID: (0, 0, 0, 0), UNLABELLED_ID: (0, 0, 0, 255)}
    return {i: colors.get(i) or _color(i) for i in ids}


def _color(index: int) -> tuple[int, int, int, int]:
    # The factor and 2^24 - 1 have no common divisor, so no two ids share a colour; black stays free.
    value = 1 + (index * 0x9E3779) % 0xFFFFFF
    return value >> 16, value >> 8 & 255, value & 255, 255


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _png(pixels: np.ndarray) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG", compress_level=_PNG_LEVEL)
    return buffer.getvalue()


def _side(path: Path) -> Any:
    """Read side data: a table of labels, prim paths or camera parameters by key, or a list of prim paths."""
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict | list):
        raise ValueError(f"{type(content).__name__} in {path.name} where a table or list is expected")
    return content


def read_picture(path: Path) -> np.ndarray:
    """Read a picture as colours with alpha, uint8, shape [height, width, 4].

    Raises:
        ValueError: If it is damaged, or would take far more memory than its file.
    """
    from PIL import Image

    try:
        # From memory: of a file, Pillow asks for as much as a chunk says that it has, and Python allocates that first.
        with Image.open(io.BytesIO(path.read_bytes())) as image:
            width, height = image.size
            size, packed = 4 * width * height, path.stat().st_size
            if size > _LARGEST_PICTURE and size > _LARGEST_RATIO * packed:
                raise ValueError(f"{width} x {height} pixels in {packed} bytes")
            return np.array(image if image.mode == "RGBA" else image.convert("RGBA"))
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError, Image.DecompressionBombError) as error:
        if getattr(error, "errno", None):
            raise  # The system refused: the picture may be good.
        raise ValueError(" ".join(str(error).replace(str(path), path.name).split())[:160] or "no picture") from error
