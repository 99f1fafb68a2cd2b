# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grasps to and from files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from omni_graspd.api.grasps import Grasps
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.manifest import read_manifest
from omni_graspd.dataset.remote_folder import local_dataset
from omni_graspd.dataset.tables import GraspTable, read_grasps, write_grasps
from omni_graspd.errors import GraspdError
from omni_graspd.formats.conversion import write_reading
from omni_graspd.formats.grasp_table import grasp_table, table_record
from omni_graspd.formats.object_files import load_scaled_object
from omni_graspd.formats.reading import GraspReading, ReadGrasps
from omni_graspd.formats.reading import read_grasps as read_any
from omni_graspd.formats.registry import format_for_output
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.objects.object_library import load_object
from omni_graspd.objects.rigid_object import RigidObject

_TABLE = ".parquet"


def as_table(grasps: Grasps) -> GraspTable:
    """Return grasps as the table that they would be on disk."""
    return GraspTable(
        hand=grasps.hand.name,
        object=grasps.object.name,
        joint_names=tuple(grasps.hand.joint_names),
        indices=grasps.indices,
        seed=grasps.seed,
        grasps=grasps.batch,
        metrics=grasps.metrics,
    )


def write_grasp_file(grasps: Grasps, path: Path) -> Path:
    """Write grasps; ``.parquet`` is our own table, any other suffix tells the format.

    Raises:
        GraspdError: If the file cannot be written, or no format has this suffix.
    """
    table = as_table(grasps)
    if path.suffix == _TABLE:
        write_grasps(table, path)
    else:
        entry = ReadGrasps(table_record(table), grasps.hand, grasps.object.source, path)
        write_reading(GraspReading("table", "made here", (entry,), ()), path, format_for_output(path))
    return path


def read_grasp_files(path: Path, hand: Hand | None, obj: RigidObject | None) -> list[Grasps]:
    """Read grasps from a file or folder of any known format, or from one of our datasets.

    Args:
        path: The file or folder, or the address of a dataset.
        hand: The hand, where the file does not tell it.
        obj: The object, where the file does not tell it.

    Returns:
        One entry per hand and object.

    Raises:
        GraspdError: If nothing can be read, or a hand or object is not to be found.
    """
    path = local_dataset(path)
    if DatasetLayout(path).manifest.is_file():
        return list(_of_dataset(path))
    if path.suffix == _TABLE and path.is_file():
        table = read_grasps(path)
        return [_of_table(table, hand or load_hand(table.hand), obj or _named_object(table.object, path))]
    reading = read_any(path, hand=str(hand.source) if hand else "", object_path=obj.source if obj else None)
    return [_of_reading(entry, obj) for entry in reading.grasps]


def _of_dataset(root: Path) -> Iterator[Grasps]:
    layout, manifest = DatasetLayout(root), read_manifest(root)
    hands = {name: load_hand(str(layout.hand(name))) for name in manifest.hands}
    objects = {name: load_object(str(layout.object(name))) for name in manifest.objects}
    for hand, obj, path in layout.grasp_tables(manifest.hands, manifest.objects):
        yield _of_table(read_grasps(path), hands[hand], objects[obj])


def _of_table(table: GraspTable, hand: Hand, obj: RigidObject) -> Grasps:
    if table.joint_names != tuple(hand.joint_names):
        raise GraspdError(
            f"expected grasps with the joints of {hand.name}, got joints of {table.hand}: "
            f"{', '.join(table.joint_names)}"
        )
    return Grasps(hand, obj, table.grasps, table.indices, table.seed, dict(table.metrics))


def _named_object(name: str, path: Path) -> RigidObject:
    try:
        return load_object(name)
    except GraspdError as error:
        raise GraspdError(
            f"the object {name!r} in {path} is neither built in nor in your library; pass its mesh as obj="
        ) from error


def _of_reading(entry: ReadGrasps, obj: RigidObject | None) -> Grasps:
    if entry.hand is None:
        raise GraspdError(f"expected grasps by a hand in the library, got grasps by {entry.record.hand!r}")
    if obj is None:
        if entry.object_path is None:
            raise GraspdError(f"the mesh of {entry.record.object or 'the object'!r} is missing; pass it as obj=")
        name = entry.record.object or entry.object_path.stem
        obj = load_scaled_object(entry.object_path, name, entry.record.object_scale)
    table = grasp_table(entry.record, foreign=True)
    return Grasps(entry.hand, obj, table.grasps, table.indices, 0, dict(table.metrics))
