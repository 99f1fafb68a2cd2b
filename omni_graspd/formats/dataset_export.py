# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Other projects' grasps as one of our datasets: hands, objects, tables and a manifest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from omni_graspd.atomic import atomic_path, writing_to
from omni_graspd.dataset.asset_copies import asset_entry, copy_hand
from omni_graspd.dataset.checksums import update_checksums
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.manifest import Manifest, package_versions, read_manifest, write_manifest
from omni_graspd.dataset.tables import write_grasps
from omni_graspd.errors import GraspdError
from omni_graspd.formats.format import Folder, Format, WrittenFile
from omni_graspd.formats.grasp_reading import GraspReading, ReadGrasps, Refusal
from omni_graspd.formats.grasp_table import grasp_table, read_table
from omni_graspd.formats.object_files import file_name, load_scaled_object, scaled_name
from omni_graspd.formats.record import GraspRecord, joined_records
from omni_graspd.hands.hand import Hand
from omni_graspd.objects.object_reader import read_object
from omni_graspd.objects.resting_pieces import write_resting_object
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.plain_text import shortened
from omni_graspd.progress import Progress, no_progress


@dataclass(frozen=True)
class WrittenDataset:
    """What came of writing a dataset."""

    grasp_count: int
    """Grasps in its tables."""
    hands: tuple[str, ...]
    """Names of its hands."""
    objects: tuple[str, ...]
    """Names of its objects; those that are scaled have the scale in their name."""
    refused: tuple[Refusal, ...]
    """Grasps that were left out, and why."""


def write_dataset(reading: GraspReading, root: Path, *, progress: Progress = no_progress) -> WrittenDataset:
    """Write grasps as a dataset, all or nothing. ``graspd evaluate`` adds the metrics.

    Objects are written at their scale, so that grasps and objects are in metres. What the source says of its grasps
    becomes columns that begin with ``source_``.

    Args:
        reading: Grasps of our hands, as :func:`omni_graspd.formats.reading.read_grasps` returns them.
        root: The dataset folder; new or empty.
        progress: Called with tables written and in total.

    Raises:
        GraspdError: If the folder is not empty, an object is missing everywhere, or nothing can be written.
    """
    require_empty(root)
    hands: dict[str, Hand] = {}
    objects: dict[str, tuple[RigidObject, Path]] = {}
    kept: list[tuple[ReadGrasps, Hand, str]] = []
    refused: list[Refusal] = []
    for entry in reading.grasps:
        try:
            name = _take_object(entry, objects)
            kept.append((entry, _take_hand(entry, hands), name))
        except GraspdError as error:
            refused.append(Refusal(entry.source, len(entry.record), str(error)))
    if not kept:
        raise GraspdError(refused[0].reason if refused else "expected grasps to write, got none")
    with writing_to(root, resumes=False), atomic_path(root) as partial:
        _write(kept, hands, {name: rigid for name, (rigid, _) in objects.items()}, reading, partial, progress)
    count = sum(len(entry.record) for entry, _, _ in kept)
    return WrittenDataset(count, tuple(hands), tuple(objects), tuple(refused))


def _take_object(entry: ReadGrasps, objects: dict[str, tuple[RigidObject, Path]]) -> str:
    """Load the object of some grasps if that has not been done; return its name in the dataset."""
    record, path = entry.record, entry.object_path
    if path is None:
        where = f" (the file says {record.object_file!r})" if record.object_file else ""
        raise GraspdError(
            f"expected the mesh of {record.object or 'the object'!r} for the dataset, got none{where}; "
            "give the file or its folder with --object"
        )
    name = file_name(scaled_name(record) or path.stem, "object")
    known = objects.get(name)
    if known is None:
        objects[name] = (load_scaled_object(path, name, record.object_scale), path)
    elif known[1] != path:
        raise GraspdError(f"expected one object of each name, got {name!r} from {known[1]} and from {path}; rename one")
    return name


def _take_hand(entry: ReadGrasps, hands: dict[str, Hand]) -> Hand:
    if entry.hand is None:
        raise GraspdError(f"expected grasps of one of our hands, got those of {entry.record.hand!r}")
    known = hands.setdefault(entry.hand.name, entry.hand)
    if known.source != entry.hand.source:
        raise GraspdError(f"expected one hand of each name, got {known.name!r} from {known.source} and {entry.source}")
    return known


def _write(
    kept: Sequence[tuple[ReadGrasps, Hand, str]],
    hands: dict[str, Hand],
    objects: dict[str, RigidObject],
    reading: GraspReading,
    root: Path,
    progress: Progress,
) -> None:
    layout = DatasetLayout(root)
    root.mkdir()
    for hand in hands.values():
        copy_hand(hand, layout.hand(hand.name))
    written: dict[str, RigidObject] = {}
    for name, rigid in objects.items():
        write_resting_object(rigid, layout.object(name))
        written[name] = replace(read_object(layout.object(name)), source=rigid.source)
    tables: dict[tuple[str, str], list[GraspRecord]] = {}
    for entry, hand, name in kept:
        record = replace(entry.record, object=name, object_scale=1.0)
        tables.setdefault((hand.name, name), []).append(record)
    for done, ((hand_name, name), records) in enumerate(tables.items()):
        progress(done, len(tables))
        write_grasps(grasp_table(joined_records(records), foreign=True), layout.grasps(hand_name, name))
    progress(len(tables), len(tables))
    write_manifest(_manifest(kept, hands, written, reading), root)
    update_checksums(root)


def _manifest(
    kept: Sequence[tuple[ReadGrasps, Hand, str]],
    hands: dict[str, Hand],
    objects: dict[str, RigidObject],
    reading: GraspReading,
) -> Manifest:
    return Manifest(
        config={
            "hand": list(hands),
            "object": list(objects),
            "seed": 0,
            "backend": "none",
            "device": "none",
            "imported": {
                "format": reading.format_name,
                "files": sorted({entry.source.name for entry, _, _ in kept}),
                "object_scale": {name: entry.record.object_scale for entry, _, name in kept},
                "notes": sorted({note for entry, _, _ in kept for note in entry.record.notes}),
            },
        },
        hands={name: asset_entry(hand, f"hands/{name}.usd") for name, hand in hands.items()},
        objects={name: asset_entry(replace(rigid, notes=()), f"objects/{name}.usd") for name, rigid in objects.items()},
        packages=package_versions(),
        counts={"grasps": sum(len(entry.record) for entry, _, _ in kept), "scenes": 0, "scene_grasps": 0, "images": 0},
    )


def require_dataset(reading: GraspReading, what: str) -> DatasetLayout:
    """Return where the dataset is that grasps were read from.

    Args:
        reading: Grasps as read.
        what: What needs more of a dataset than its grasps.

    Raises:
        GraspdError: If they are from elsewhere.
    """
    if reading.format_name != FORMAT.name:
        raise GraspdError(
            f"{what} need the folder of a dataset, and these grasps were read as {reading.format_name}; "
            "convert the dataset itself"
        )
    return _layout_of(reading.grasps[0].source)


def require_empty(root: Path) -> None:
    """Refuse a folder that has something in it.

    Raises:
        GraspdError: If it has.
    """
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise GraspdError(f"expected a new or empty folder for the dataset, got {root}; choose another")


def _layout_of(table: Path) -> DatasetLayout:
    return DatasetLayout(table.parents[2])


def _tables(root: Path) -> list[Path]:
    manifest, layout = read_manifest(root), DatasetLayout(root)
    tables = [layout.grasps(name, obj) for name in manifest.hands for obj in manifest.objects]
    return [table for table in tables if table.is_file()]


def _read(table: Path) -> list[GraspRecord]:
    (record,) = read_table(table)
    hand, obj = table.parent.name, table.stem
    if (record.hand, record.object) != (hand, obj):
        raise GraspdError(
            f"expected grasps of {obj} by {hand} in {table}, got those of {shortened(record.object)!r} by "
            f"{shortened(record.hand)!r}; run `graspd verify {_layout_of(table).root}`"
        )
    return [replace(record, object_file=str(_layout_of(table).object(obj).absolute()))]


def _write_all(reading: GraspReading, target: Path, progress: Progress) -> tuple[WrittenFile, tuple[Refusal, ...]]:
    written = write_dataset(reading, target, progress=progress)
    file = WrittenFile(target, ", ".join(written.hands), ", ".join(written.objects), written.grasp_count)
    return file, written.refused


FORMAT = Format(
    name="dataset",
    title="our dataset folder",
    place=10,
    folder=Folder(
        is_one=lambda path: path.is_dir() and DatasetLayout(path).manifest.is_file(),
        sign="it has a dataset.json",
        files=_tables,
    ),
    read=_read,
    write_all=_write_all,
    check_target=require_empty,
    hand_file=lambda record, table: _layout_of(table).hand(table.parent.name),
    is_ours=True,
    needs_our_hand=True,
)
