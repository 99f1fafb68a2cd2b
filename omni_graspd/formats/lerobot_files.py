# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A LeRobot dataset, version 3.0, on disk: frames in Parquet, and what `meta` says of them.

Source: "LeRobotDataset v3.0", huggingface.co/docs/lerobot/lerobot-dataset-v3, and what its library 0.4.4 reads. The
library itself is not used: it needs PyTorch, and pins packages to versions that exclude ours.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.geometry.picture import loaded_picture

if TYPE_CHECKING:
    import pyarrow as pa

FPS = 30
"""Frames per second."""
_FILE_SIZE = 100_000_000
"""Bytes of frames after which another file is begun."""
_FILES_PER_CHUNK = 1000
_DATA = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
_EPISODES = "meta/episodes/chunk-000/file-000.parquet"
_COUNTERS = ("frame_index", "episode_index", "index", "task_index")


@dataclass(frozen=True)
class Episode:
    """One motion."""

    task: str
    """What is done, in words."""
    frames: dict[str, np.ndarray]
    """Features by name, each [frame_count, number_count], float32 or bool."""
    images: dict[str, Path]
    """Pictures by the name of their camera: the same one in all frames."""


@dataclass(frozen=True)
class _Picture:
    content: bytes
    """A PNG file without transparency."""
    stats: dict[str, Any]
    shape: list[int]


def write_lerobot(
    folder: Path,
    episodes: Iterable[Episode],
    names: Mapping[str, Sequence[str]],
    robot: str,
    *,
    file_size: int = _FILE_SIZE,
) -> int:
    """Write a dataset; the same episodes give the same bytes, and without any there is no folder.

    Args:
        folder: New folder.
        episodes: All with the same features and cameras.
        names: What the numbers of each feature are called.
        robot: Name of the robot.
        file_size: Bytes of frames after which another file is begun.

    Returns:
        How many episodes there are.

    Raises:
        GraspdError: If a picture cannot be read, or is of another size than the camera's first one.
    """
    writer = _Writer(folder, names, file_size)
    for episode in episodes:
        writer.add(episode)
    if writer.rows:
        writer.finish(robot)
    return len(writer.rows)


class _Writer:
    """Writes episode after episode, and at the end what is known of all."""

    def __init__(self, folder: Path, names: Mapping[str, Sequence[str]], file_size: int) -> None:
        self.folder, self.names, self.file_size = folder, names, file_size
        self.rows: list[dict[str, Any]] = []
        self.tasks: dict[str, int] = {}
        self.features: dict[str, dict[str, Any]] = {}
        self.pictures: dict[Path, _Picture] = {}
        self.file, self.file_number, self.frame_count = None, -1, 0

    def add(self, episode: Episode) -> None:
        """Append an episode."""
        length = len(next(iter(episode.frames.values())))
        task = self.tasks.setdefault(episode.task, len(self.tasks))
        columns = {name: np.asarray(values) for name, values in episode.frames.items()}
        columns["timestamp"] = (np.arange(length) / FPS).astype(np.float32)[:, None]
        counters = np.arange(length), len(self.rows), self.frame_count + np.arange(length), task
        for name, values in zip(_COUNTERS, counters, strict=True):
            columns[name] = np.broadcast_to(np.asarray(values, dtype=np.int64), length)[:, None]
        # Episodes of a scene follow each other and share its pictures.
        self.pictures = {path: self.pictures.get(path) or _read_picture(path) for path in episode.images.values()}
        pictures = {camera: self.pictures[path] for camera, path in episode.images.items()}
        self.features = self.features or self._describe(columns, pictures)
        self._require_same_size(episode.images)
        self._append(_table(columns, pictures, length))
        stats = {name: _stats(values) for name, values in columns.items()}
        stats |= {camera: picture.stats | {"count": [length]} for camera, picture in pictures.items()}
        place = {"chunk_index": self.file_number // _FILES_PER_CHUNK, "file_index": self.file_number % _FILES_PER_CHUNK}
        self.rows.append(
            {
                "episode_index": len(self.rows),
                "tasks": [episode.task],
                "length": length,
                "dataset_from_index": self.frame_count,
                "dataset_to_index": self.frame_count + length,
                **{f"data/{name}": value for name, value in place.items()},
                "meta/episodes/chunk_index": 0,
                "meta/episodes/file_index": 0,
                **{f"stats/{name}/{key}": value for name, one in stats.items() for key, value in one.items()},
            }
        )
        self.frame_count += length

    def finish(self, robot: str) -> None:
        """Close the frames' file and write ``meta``."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        if self.file is not None:
            self.file.close()
        meta = self.folder / "meta"
        (self.folder / _EPISODES).parent.mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(self.rows), self.folder / _EPISODES)
        pq.write_table(_task_table(list(self.tasks)), meta / "tasks.parquet")
        _write_json(meta / "stats.json", _joined_stats(self.rows, list(self.features)))
        _write_json(meta / "info.json", self._info(robot))

    def _require_same_size(self, images: Mapping[str, Path]) -> None:
        for camera, path in images.items():
            expected, found = self.features[camera]["shape"], self.pictures[path].shape
            if found != expected:
                sizes = [f"{width} x {height} pixels" for height, width, _ in (expected, found)]
                raise GraspdError(f"expected {sizes[0]} as in scenes before, got {sizes[1]} in {path}; render it again")

    def _append(self, table: pa.Table) -> None:
        import pyarrow.parquet as pq

        if self.file is None or self.file_path.stat().st_size > self.file_size:
            if self.file is not None:
                self.file.close()
            self.file_number += 1
            chunk, number = divmod(self.file_number, _FILES_PER_CHUNK)
            self.file_path = self.folder / _DATA.format(chunk_index=chunk, file_index=number)
            self.file_path.parent.mkdir(parents=True, exist_ok=True)
            # A picture that all frames of an episode share is written once.
            self.file = pq.ParquetWriter(self.file_path, table.schema, dictionary_pagesize_limit=1 << 28)
        self.file.write_table(table)

    def _describe(self, columns: Mapping[str, np.ndarray], pictures: Mapping[str, _Picture]) -> dict[str, Any]:
        numbers = {
            name: {
                "dtype": str(values.dtype),
                "shape": [values.shape[1]],
                "names": list(self.names[name]) if name in self.names else None,
            }
            for name, values in columns.items()
        }
        about = {"dtype": "image", "names": ["height", "width", "channels"]}
        return {camera: about | {"shape": picture.shape} for camera, picture in pictures.items()} | numbers

    def _info(self, robot: str) -> dict[str, Any]:
        return {
            "codebase_version": "v3.0",
            "robot_type": robot,
            "total_episodes": len(self.rows),
            "total_frames": self.frame_count,
            "total_tasks": len(self.tasks),
            "chunks_size": _FILES_PER_CHUNK,
            "data_files_size_in_mb": _FILE_SIZE // 1_000_000,
            "video_files_size_in_mb": 200,
            "fps": FPS,
            "splits": {"train": f"0:{len(self.rows)}"},
            "data_path": _DATA,
            "video_path": None,
            "features": self.features,
        }


def _table(columns: Mapping[str, np.ndarray], pictures: Mapping[str, _Picture], length: int) -> pa.Table:
    import pyarrow as pa

    arrays = {}
    for camera, picture in pictures.items():
        kind = pa.struct({"bytes": pa.binary(), "path": pa.string()})
        arrays[camera] = pa.array([{"bytes": picture.content, "path": None}] * length, type=kind)
    for name, values in columns.items():
        flat = pa.array(np.ascontiguousarray(values).reshape(-1))
        arrays[name] = flat if values.shape[1] == 1 else pa.FixedSizeListArray.from_arrays(flat, values.shape[1])
    return pa.table(arrays)


def _task_table(tasks: Sequence[str]) -> pa.Table:
    """Return the tasks as pandas writes them when they are the index of a frame."""
    import pyarrow as pa

    index = "__index_level_0__"
    number = {"name": "task_index", "field_name": "task_index", "pandas_type": "int64", "numpy_type": "int64"}
    text = {"name": None, "field_name": index, "pandas_type": "unicode", "numpy_type": "object"}
    about = {
        "index_columns": [index],
        "column_indexes": [text | {"field_name": None, "metadata": {"encoding": "UTF-8"}}],
        "columns": [number | {"metadata": None}, text | {"metadata": None}],
        "creator": {"library": "pyarrow", "version": pa.__version__},
        "pandas_version": "2.0.0",
    }
    table = pa.table({"task_index": np.arange(len(tasks)), index: list(tasks)})
    return table.replace_schema_metadata({"pandas": json.dumps(about)})


def _read_picture(path: Path) -> _Picture:
    from PIL import Image

    try:
        with Image.open(path) as opened:
            loaded = loaded_picture(opened)
    except (OSError, SyntaxError, ValueError) as error:
        loaded = str(error)
    if isinstance(loaded, str):
        raise GraspdError(f"expected a readable image, got {path} ({loaded}); render it again")
    image = loaded.convert("RGB")
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    pixels = np.asarray(image, dtype=np.float64).reshape(-1, 3) / 255.0
    found = {name: getattr(pixels, name)(axis=0).reshape(3, 1, 1).tolist() for name in ("min", "max", "mean", "std")}
    return _Picture(buffer.getvalue(), found, [image.height, image.width, 3])


def _stats(values: np.ndarray) -> dict[str, Any]:
    numbers = values.astype(np.float64)
    found = {name: getattr(numbers, name)(axis=0).tolist() for name in ("min", "max", "mean", "std")}
    return found | {"count": [len(values)]}


def _joined_stats(rows: Sequence[Mapping[str, Any]], features: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the statistics of all frames from those of the episodes."""
    joined = {}
    for name in features:
        of = {
            key: np.array([row[f"stats/{name}/{key}"] for row in rows], dtype=np.float64)
            for key in ("min", "max", "mean", "std", "count")
        }
        share = (of["count"] / of["count"].sum()).reshape(-1, *[1] * (of["mean"].ndim - 1))
        mean = (share * of["mean"]).sum(axis=0)
        spread = (share * (of["std"] ** 2 + (of["mean"] - mean) ** 2)).sum(axis=0)
        joined[name] = {
            "min": of["min"].min(axis=0).tolist(),
            "max": of["max"].max(axis=0).tolist(),
            "mean": mean.tolist(),
            "std": np.sqrt(spread).tolist(),
            "count": [int(of["count"].sum())],
        }
    return joined


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=4) + "\n", encoding="utf-8")
