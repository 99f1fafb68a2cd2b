# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The views of a dataset as WebDataset shards: tar files from which images and grasps are read in one go."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from omni_graspd.atomic import atomic_path
from omni_graspd.dataset.camera_grasps import camera_grasps
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.manifest import read_manifest
from omni_graspd.dataset.splits import SPLITS, split_by_object
from omni_graspd.dataset.views import View, scene_views
from omni_graspd.errors import GraspdError
from omni_graspd.formats.dataset_export import require_dataset, require_empty
from omni_graspd.formats.format import Format, WrittenFile
from omni_graspd.formats.grasp_reading import GraspReading, ReadGrasps, Refusal
from omni_graspd.progress import Progress, no_progress
from omni_graspd.rendering.camera_file import read_camera_file
from omni_graspd.usd.camera_axes import to_opencv
from omni_graspd.usd.transforms import matrix_to_pose

_SHARD_SIZE = 500_000_000
"""Bytes after which another shard is begun."""


def write_shards(
    reading: GraspReading, target: Path, *, shard_size: int = _SHARD_SIZE, progress: Progress = no_progress
) -> int:
    """Write ``train-000000.tar``, ..., also ``validation`` and ``test``: a sample for each view, all or nothing.

    The key of a sample is ``mug/scene_0000/view_0000``. It has

    * the image files of each eye as they are, without the number in their names: ``left.rgb.png``,
      ``left.distance_to_camera.npy``, ``left.camera_params.json``; a single camera's without ``left.``;
    * ``grasps_<hand>.npz``: the scene's grasps before the first eye as in
      :class:`~omni_graspd.dataset.view_samples.ViewSamples`, those that were chosen;
    * ``json``: object, scene, view, split, and the joints' names of each hand.

    Args:
        reading: Grasps of one of our datasets.
        target: Folder to write.
        shard_size: Bytes after which another shard is begun.
        progress: Called with views written and in total.

    Returns:
        How many views were written.

    Raises:
        GraspdError: If the grasps are from elsewhere, or there are no images.
    """
    layout = require_dataset(reading, "WebDataset shards, which hold images,")
    split_of = split_by_object(read_manifest(layout.root).objects)
    chosen: dict[str, list[ReadGrasps]] = {}
    for entry in reading.grasps:
        chosen.setdefault(entry.source.stem, []).append(entry)
    views = {name: _views(layout, name) for name in chosen}
    if not any(views.values()):
        raise GraspdError(f"there are no images of {', '.join(sorted(chosen))} in {layout.root}; run `graspd render`")
    total, before = sum(map(len, views.values())), 0
    with atomic_path(target) as partial:
        partial.mkdir()
        for split in SPLITS:
            samples = (
                (view, _files(layout, view, chosen[name], split))
                for name in sorted(chosen)
                if split_of[name] == split
                for view in views[name]
            )
            for _ in _write_split(samples, partial, split, shard_size):
                before += 1
                progress(before, total)
    return total


def _views(layout: DatasetLayout, name: str) -> list[View]:
    return [view for scene in layout.scene_indices(name) for view in scene_views(layout, name, scene)]


def _files(layout: DatasetLayout, view: View, chosen: Sequence[ReadGrasps], split: str) -> dict[str, bytes]:
    """Return the content of a sample by the ends of its names."""
    files: dict[str, bytes] = {}
    for eye, folder in view.eye_folders(layout).items():
        prefix = f"{eye}." if view.eyes else ""
        files |= {f"{prefix}{_bare(path)}": path.read_bytes() for path in _images(folder)}
    first = next(iter(view.eye_folders(layout).values()))
    T_world_camera = to_opencv(read_camera_file(first / "camera_params_0000.json").T_world_camera)
    T_camera_world, joints = matrix_to_pose(np.linalg.inv(T_world_camera)), {}
    for entry in chosen:
        hand = entry.source.parent.name
        grasps = camera_grasps(layout, view.object, view.scene_index, hand, T_camera_world)
        files[f"grasps_{hand}.npz"] = _packed(_chosen(grasps, entry))
        joints[hand] = list(entry.record.joint_names)
    about = {"object": view.object, "scene_index": view.scene_index, "view": view.name, "split": split}
    return files | {"json": json.dumps(about | {"joints": joints}, sort_keys=True).encode()}


def _images(folder: Path) -> list[Path]:
    """Return the files of an eye, but what a killed run left."""
    return [path for path in sorted(folder.iterdir()) if path.is_file() and not path.name.startswith(".")]


def _chosen(grasps: Mapping[str, np.ndarray], entry: ReadGrasps) -> dict[str, np.ndarray]:
    """Return the columns of a scene's grasps, of those that were chosen."""
    mine = np.isin(grasps["grasp_index"], entry.record.facts["index"])
    return {name: values if name == "T_camera_object" else values[mine] for name, values in grasps.items()}


def _bare(path: Path) -> str:
    """Return the name of an image file without the number of its frame: ``rgb_0000.png`` -> ``rgb.png``."""
    return f"{path.stem.rpartition('_')[0] or path.stem}{path.suffix}"


def _packed(arrays: Mapping[str, Any]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def _write_split(
    samples: Iterator[tuple[View, dict[str, bytes]]], folder: Path, split: str, shard_size: int
) -> Iterator[View]:
    """Write samples to shards and yield each that is written; the same samples give the same bytes."""
    shard, written, number = None, 0, 0
    for view, files in samples:
        if shard is None or written > shard_size:
            if shard is not None:
                shard.close()
            shard, written = tarfile.open(folder / f"{split}-{number:06d}.tar", "w"), 0  # noqa: SIM115
            number += 1
        key = f"{view.object}/scene_{view.scene_index:04d}/{view.name}"
        for name, content in files.items():
            member = tarfile.TarInfo(f"{key}.{name}")
            member.size = len(content)
            shard.addfile(member, io.BytesIO(content))
            written += len(content)
        yield view
    if shard is not None:
        shard.close()


def _write_all(reading: GraspReading, target: Path, progress: Progress) -> tuple[WrittenFile, tuple[Refusal, ...]]:
    write_shards(reading, target, progress=progress)
    layout = DatasetLayout(reading.grasps[0].source.parents[2])
    seen, unseen = [], []
    for entry in reading.grasps:
        (seen if _views(layout, entry.source.stem) else unseen).append(entry)
    hands = dict.fromkeys(entry.record.hand for entry in seen)
    objects = dict.fromkeys(entry.record.object for entry in seen)
    why = "there are no images of {}; run `graspd render`"
    refused = tuple(Refusal(one.source, len(one.record), why.format(one.record.object)) for one in unseen)
    count = sum(len(entry.record) for entry in seen)
    return WrittenFile(target, ", ".join(hands), ", ".join(objects), count), refused


FORMAT = Format(
    name="webdataset",
    title="shards of a dataset's views for the webdataset library",
    place=18,
    write_all=_write_all,
    check_target=require_empty,
    needs_our_hand=True,
    needs_images=True,
)
