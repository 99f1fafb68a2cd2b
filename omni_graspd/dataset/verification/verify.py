# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a dataset is whole and makes sense: checksums, tables, references between files, images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from omni_graspd.dataset.checksums import dataset_files, file_checksum, read_checksums
from omni_graspd.dataset.grasp_numbers import grasp_indices
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.manifest import Manifest, is_around_table, read_manifest
from omni_graspd.dataset.scene_rest_poses import read_scene_rest_poses
from omni_graspd.dataset.tables import GraspTable
from omni_graspd.dataset.verification.verify_images import check_scene_images
from omni_graspd.dataset.verification.verify_reach import check_reach_tables
from omni_graspd.dataset.verification.verify_tables import check_grasp_table, check_scene_table
from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.objects.object_library import load_object
from omni_graspd.progress import Progress, no_progress

_MOST_NUMBERS = 100_000_000


@dataclass(frozen=True)
class Fault:
    """Something that is wrong with a dataset."""

    file: str
    """File or folder, relative to the dataset, with ``/``."""
    problem: str
    """What was expected and what came, in one line."""


@dataclass(frozen=True)
class Verification:
    """What a look over a dataset found."""

    checked: int
    """Files that were read."""
    faults: tuple[Fault, ...]
    """What is wrong; empty for a good dataset."""


def verify_dataset(root: Path, progress: Progress = no_progress) -> Verification:
    """Look a dataset over: every file against its checksum, every row and every image for sense.

    Args:
        root: The dataset folder.
        progress: Called with files read and in total.

    Returns:
        What is wrong. Nothing is changed.

    Raises:
        GraspdError: If the folder is no dataset of this version, or has no checksums.
    """
    manifest, listed = read_manifest(root), read_checksums(root)
    faults = list(_file_faults(root, listed, progress))
    broken = {fault.file for fault in faults}
    faults += _hand_and_object_faults(root, manifest, broken)
    if not any(fault.file.startswith("hands/") for fault in faults):
        faults += _table_faults(root, manifest, broken)
    return Verification(len(listed), tuple(faults))


def _file_faults(root: Path, listed: dict[str, str], progress: Progress) -> Iterator[Fault]:
    for count, (name, checksum) in enumerate(listed.items(), start=1):
        path = root / name
        if not path.is_file():
            yield Fault(name, "this file is missing; it was deleted or renamed after the dataset was made")
        elif file_checksum(path) != checksum:
            yield Fault(
                name, "the contents have changed since the file was written; copy the file again, or make it again"
            )
        progress(count, len(listed))
    for name in dataset_files(root):
        if name not in listed:
            yield Fault(name, "this file is not part of the dataset: no stage wrote it")


def _hand_and_object_faults(root: Path, manifest: Manifest, broken: set[str]) -> Iterator[Fault]:
    layout = DatasetLayout(root)
    loads: dict[Path, Callable[[str], object]] = {layout.hand(name): load_hand for name in manifest.hands}
    loads |= {layout.object(name): load_object for name in manifest.objects}
    for path, load in loads.items():
        name = path.relative_to(root).as_posix()
        if name in broken:
            continue
        if not path.is_file():
            yield Fault(name, "this file is missing, though dataset.json names it")
            continue
        try:
            load(str(path))
        except GraspdError as error:
            yield Fault(name, str(error))


def _table_faults(root: Path, manifest: Manifest, broken: set[str]) -> Iterator[Fault]:
    layout = DatasetLayout(root)
    hands: dict[str, Hand] = {name: load_hand(str(layout.hand(name))) for name in manifest.hands}
    for obj in manifest.objects:
        try:
            expected = _expected_numbers(layout, manifest, obj)
        except GraspdError as error:
            yield Fault("dataset.json", str(error))
            continue
        tables: dict[str, GraspTable] = {}
        for name, hand in hands.items():
            path = layout.grasps(name, obj)
            where = path.relative_to(root).as_posix()
            if not path.is_file():
                if manifest.counts.get("grasps") and where not in broken:
                    yield Fault(where, "this table is missing, though dataset.json names its hand and object")
                continue
            if where in broken:
                continue
            try:
                imported = "imported" in manifest.config
                table, problems = check_grasp_table(path, hand, obj, expected, imported=imported)
            except GraspdError as error:
                yield Fault(where, str(error))
                continue
            tables[name] = table
            yield from (Fault(where, problem) for problem in problems)
        yield from _scene_faults(root, manifest, obj, tables, broken)


def _expected_numbers(layout: DatasetLayout, manifest: Manifest, object_name: str) -> np.ndarray | None:
    """Return the numbers of the base grasps that a run asks for; None where that is not known."""
    count = manifest.config.get("grasps")
    if count is None:
        return None
    rest_poses = 1
    if is_around_table(manifest.config) and manifest.config["scene"]["clutter"]:
        rest_poses = manifest.config["scenes"]  # each scene is a rest pose of its own
    elif is_around_table(manifest.config):
        try:
            rest_poses = read_scene_rest_poses(layout, object_name, range(manifest.config["scenes"])).count
        except GraspdError:  # a scene is missing or damaged, which is a fault of its own
            return None
    if rest_poses * count > _MOST_NUMBERS:
        raise GraspdError(
            f"expected at most {_MOST_NUMBERS} grasps of an object by a hand, got {rest_poses * count} in dataset.json"
        )
    none = np.zeros(0, dtype=np.int32)  # a damaged manifest may speak of no scene
    return np.concatenate([none, *(grasp_indices(rest_pose, 0, count) for rest_pose in range(rest_poses))])


def _scene_faults(
    root: Path, manifest: Manifest, object_name: str, base: dict[str, GraspTable], broken: set[str]
) -> Iterator[Fault]:
    layout = DatasetLayout(root)
    try:
        indices = layout.scene_indices(object_name)
    except GraspdError as error:
        yield Fault(layout.scene(object_name, 0).parent.relative_to(root).as_posix(), str(error))
        return
    for index in indices:
        path = layout.scene_grasps(object_name, index)
        where = path.relative_to(root).as_posix()
        if where in broken:
            continue
        if path.is_file():
            yield from (Fault(where, problem) for problem in check_scene_table(path, layout, object_name, base))
        elif manifest.counts.get("scene_grasps"):
            yield Fault(where, "this table is missing, though its scene exists")
        if where not in broken and path.is_file():
            found = check_reach_tables(layout, object_name, index)
            yield from (Fault(file, problem) for file, problem in found if file not in broken)
        for file, problem in check_scene_images(layout, object_name, index, broken):
            yield Fault(file, problem)
