# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Frames as files, with the names and formats of Replicator's BasicWriter at its defaults.

Segmentations are RGBA pictures whose JSON files map each colour ``"(r, g, b, a)"`` to a label or prim path; the colours
of two ids never agree, so ids are recovered exactly. Normals are 8-bit pictures, ``(n + 1) / 2 * 255`` in each channel.
Distances, disparities, boxes, point clouds and camera parameters are kept exactly.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from omni_graspd.atomic import atomic_path
from omni_graspd.errors import GraspdError
from omni_graspd.rendering.annotators import ANNOTATORS, BACKGROUND_ID, UNLABELLED_ID
from omni_graspd.rendering.frame import AnnotatorData, Frame

_PNG_LEVEL = 1
_ARRAYS = ("distance_to_camera", "distance_to_image_plane", "stereo_disparity", "occlusion")
_BOXES = ("bounding_box_2d_tight", "bounding_box_2d_loose", "bounding_box_3d")
_POINTS = {
    "pointRgb": "pointcloud_rgb",
    "pointNormals": "pointcloud_normals",
    "pointSemantic": "pointcloud_semantic",
    "pointInstance": "pointcloud_instance",
}
_POINT_ROWS = {"pointRgb": 4, "pointNormals": 4}
"""Side data of points that is flat in the annotator but rows of so many numbers in the file."""
_MAPPINGS = {
    "semantic_segmentation": {"idToLabels": "semantic_segmentation_labels"},
    "instance_segmentation": {
        "idToLabels": "instance_segmentation_mapping",
        "idToSemantics": "instance_segmentation_semantics_mapping",
    },
}


def write_frame(frame: Frame, folder: Path, frame_index: int = 0) -> list[Path]:
    """Write all channels of a frame, each file all or nothing.

    Args:
        frame: The frame; channels it lacks are left out.
        folder: Where the files go; made if missing.
        frame_index: Number in the file names, four digits.

    Returns:
        The files.

    Raises:
        ValueError: If the frame has a channel that is not in the contract.
    """
    unknown = set(frame.channels) - set(ANNOTATORS)
    if unknown:
        raise ValueError(f"expected channels among {', '.join(ANNOTATORS)}, got {', '.join(sorted(unknown))}")
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, bytes] = {}
    for name, channel in frame.channels.items():
        files |= _encode(name, channel, f"{frame_index:04d}")
    paths = []
    for file_name, content in files.items():
        path = folder / file_name
        with atomic_path(path) as temporary:
            temporary.write_bytes(content)
        paths.append(path)
    return paths


def file_names(annotators: Sequence[str], frame_index: int = 0) -> dict[str, str]:
    """Return the files that :func:`write_frame` writes for these channels, by name without number, in its order."""
    return {
        stem: f"{stem}_{frame_index:04d}.{suffix}" for name in annotators for stem, suffix in _suffixes(name).items()
    }


def _suffixes(name: str) -> dict[str, str]:
    """Return the suffix of each file of a channel; the channel's array comes first."""
    if name in _MAPPINGS:
        return {name: "png"} | dict.fromkeys(_MAPPINGS[name].values(), "json")
    if name in _BOXES:
        return {name: "npy", f"{name}_labels": "json", f"{name}_prim_paths": "json"}
    if name == "pointcloud":
        return dict.fromkeys((name, *_POINTS.values()), "npy")
    return {name: "npy" if name in _ARRAYS else "json" if name == "camera_params" else "png"}


def _encode(name: str, channel: AnnotatorData, number: str) -> dict[str, bytes]:
    if name in _ARRAYS:
        return {f"{name}_{number}.npy": _npy(channel.data)}
    if name in _MAPPINGS:
        return _encode_segmentation(name, channel, number)
    if name in _BOXES:
        return {
            f"{name}_{number}.npy": _npy(channel.data),
            f"{name}_labels_{number}.json": _json(channel.info["idToLabels"]),
            f"{name}_prim_paths_{number}.json": _json(channel.info["primPaths"]),
        }
    if name == "camera_params":
        return {f"{name}_{number}.json": _json(channel.info)}
    if name == "pointcloud":
        arrays = {stem: channel.info[key] for key, stem in _POINTS.items()}
        arrays |= {_POINTS[key]: channel.info[key].reshape(-1, width) for key, width in _POINT_ROWS.items()}
        return {f"{stem}_{number}.npy": _npy(array) for stem, array in ({name: channel.data} | arrays).items()}
    pixels = channel.data if name == "rgb" else np.rint((channel.data * 0.5 + 0.5) * 255.0).astype(np.uint8)
    return {f"{name}_{number}.png": _png(pixels)}


def _encode_segmentation(name: str, channel: AnnotatorData, number: str) -> dict[str, bytes]:
    ids = sorted({int(key) for table in _MAPPINGS[name] for key in channel.info[table]})
    colors = label_colors(ids)
    palette = np.zeros((max(ids) + 1, 4), dtype=np.uint8)
    palette[ids] = [colors[i] for i in ids]
    files = {f"{name}_{number}.png": _png(palette[channel.data])}
    for table, stem in _MAPPINGS[name].items():
        mapping = {str(colors[int(key)]): value for key, value in channel.info[table].items()}
        files[f"{stem}_{number}.json"] = _json(mapping)
    return files


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


def read_frame(folder: Path, frame_index: int = 0, annotators: Sequence[str] = tuple(ANNOTATORS)) -> Frame:
    """Read what :func:`write_frame` wrote.

    Everything comes back equal but normals, which were rounded to 8 bits, the camera's path, which is not in the files,
    and ``bboxIds``, which are counted from 0. Segmentation ids are counted in the order of the mapping files, which for
    frames of this library gives the ids they had.

    Args:
        folder: Where the files are.
        frame_index: Number in the file names.
        annotators: The channels to read; all by default.

    Returns:
        The frame with those of the channels that are there.

    Raises:
        GraspdError: If the folder has none of them for this frame, or a file is damaged.
    """
    number = f"{frame_index:04d}"
    channels = {}
    for name in annotators:
        path = folder / file_names([name], frame_index)[name]
        if path.is_file():
            channels[name] = _decode_whole(name, path, number)
    if not channels:
        raise GraspdError(f"expected images of frame {number} in {folder}, found none; render it first")
    return Frame("", channels)


def _decode_whole(name: str, path: Path, number: str) -> AnnotatorData:
    from PIL import Image

    try:
        return _decode(name, path, number)
    except (
        *(OSError, ValueError, KeyError, TypeError, RecursionError, MemoryError),
        Image.DecompressionBombError,
    ) as error:
        raise GraspdError(
            f"expected the channel {name} in {path}, got a damaged file ({str(error).splitlines()[0]}); render it again"
        ) from error


def _decode(name: str, path: Path, number: str) -> AnnotatorData:
    def side(stem: str) -> Any:
        return json.loads((path.parent / f"{stem}_{number}.json").read_text())

    if name in _ARRAYS:
        return AnnotatorData(np.load(path), {})
    if name in _BOXES:
        info = {"idToLabels": side(f"{name}_labels"), "primPaths": side(f"{name}_prim_paths")}
        return AnnotatorData(np.load(path), info | {"bboxIds": np.arange(len(info["primPaths"]), dtype=np.uint32)})
    if name == "pointcloud":
        points = {key: np.load(path.parent / f"{stem}_{number}.npy").ravel() for key, stem in _POINTS.items()}
        return AnnotatorData(np.load(path), points)
    if name == "camera_params":
        return AnnotatorData(np.zeros(0, dtype=np.float32), side(name))
    if name in _MAPPINGS:
        return _decode_segmentation(name, _pixels(path), side)
    pixels = _pixels(path)
    return AnnotatorData(pixels if name == "rgb" else pixels.astype(np.float32) / 255.0 * 2.0 - 1.0, {})


def _pixels(path: Path) -> np.ndarray:
    from PIL import Image

    with Image.open(path) as image:
        return np.array(image if image.mode == "RGBA" else image.convert("RGBA"))


def _decode_segmentation(name: str, pixels: np.ndarray, side: Callable[[str], Any]) -> AnnotatorData:
    tables = {table: side(stem) for table, stem in _MAPPINGS[name].items()}
    colors = list(dict.fromkeys(key for mapping in tables.values() for key in mapping))
    packed = np.ascontiguousarray(pixels).view(np.uint32)[..., 0]
    ids = np.zeros(packed.shape, dtype=np.uint32)
    for index, color in enumerate(colors):
        rgba = np.array([int(part) for part in color.strip("()").split(",")], dtype=np.uint8)
        ids[packed == rgba.view(np.uint32)[0]] = index
    info = {
        table: {str(colors.index(color)): value for color, value in mapping.items()}
        for table, mapping in tables.items()
    }
    return AnnotatorData(ids, info)
