# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grasps from one format to another, single files and whole datasets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from omni_graspd.atomic import atomic_path, writing_to
from omni_graspd.dataset.selection import EVERYTHING, Selection
from omni_graspd.errors import GraspdError
from omni_graspd.formats.format import Format, WrittenFile
from omni_graspd.formats.grasp_reading import GraspReading, ReadGrasps, Refusal
from omni_graspd.formats.hand_mapping import from_hand
from omni_graspd.formats.object_files import file_name, load_scaled_object
from omni_graspd.formats.reading import read_grasps
from omni_graspd.formats.record import GraspRecord
from omni_graspd.formats.registry import FORMATS, format_for_output, write_names
from omni_graspd.progress import Progress, no_progress


@dataclass(frozen=True, kw_only=True)
class ConvertConfig:
    """From which format to which, and what the files do not say."""

    from_name: str = ""
    """Format that is read; by default told by the content."""
    to: str = ""
    """Format that is written; by default told by the name."""
    hand: str = ""
    """Our hand, by name or USD file; by default told by the names of the joints, or of the hand in the file."""
    object_path: Path | None = None
    """Mesh or USD file of the object, or a folder of objects; by default what the file names is looked for."""
    selection: Selection = EVERYTHING
    """Which grasps are taken."""
    check: bool = True
    """Refuse files whose quaternions or joints seem to be in another order than the format has them."""


@dataclass(frozen=True)
class Conversion:
    """What came of a conversion."""

    from_name: str
    """Format that was read."""
    reason: str
    """What told that format."""
    to_name: str
    """Format that was written."""
    files: tuple[WrittenFile, ...]
    """What was written."""
    refused: tuple[Refusal, ...]
    """What was left out, and why."""
    notes: tuple[str, ...]
    """What was guessed in reading, or lost or added in writing, one sentence each."""


def convert(
    source: Path, target: Path, config: ConvertConfig | None = None, progress: Progress = no_progress
) -> Conversion:
    """Read grasps in one format and write them in another.

    Args:
        source: A file, a folder of files of one format, or the folder of one of our datasets.
        target: A file; for a dataset, or for several hands and objects, a folder.
        config: Formats, hand and object, where they cannot be told.
        progress: Called with files read and in total.

    Returns:
        What was written, left out, guessed and lost.

    Raises:
        GraspdError: If nothing can be read, or the target cannot be written.
    """
    reading, to_name = read_for_conversion(source, target, config, progress)
    return write_reading(reading, target, to_name)


def read_for_conversion(
    source: Path, target: Path, config: ConvertConfig | None = None, progress: Progress = no_progress
) -> tuple[GraspReading, str]:
    """Read grasps as :func:`convert` does.

    Args:
        source: A file, a folder of files of one format, or the folder of one of our datasets.
        target: What will be written, which tells the format if the configuration does not.
        config: Formats, hand and object, where they cannot be told.
        progress: Called with files read and in total.

    Returns:
        The grasps, and the format that will be written.

    Raises:
        GraspdError: If nothing can be read, or the target cannot be written.
    """
    config = config or ConvertConfig()
    to_name = config.to or format_for_output(target)
    _require_writable(target, to_name)
    reading = read_grasps(
        source,
        format_name=config.from_name,
        hand=config.hand,
        object_path=config.object_path,
        foreign_hands=not FORMATS[to_name].needs_our_hand,
        check=config.check,
        selection=config.selection,
        progress=progress,
    )
    return reading, to_name


def write_reading(reading: GraspReading, target: Path, to_name: str, progress: Progress = no_progress) -> Conversion:
    """Write grasps that have been read.

    Args:
        reading: The grasps.
        target: A file; for a dataset, or for several hands and objects, a folder.
        to_name: Format that is written.
        progress: Called with steps done and in total: files, tables, scenes or views, as the format has them.

    Returns:
        What was written, left out, guessed and lost.

    Raises:
        GraspdError: If the target cannot be written.
    """
    _require_writable(target, to_name)
    known = FORMATS[to_name]
    refused, files, notes = list(reading.refused), [], _reading_notes(reading)
    with writing_to(target, resumes=False):
        if known.write_all is not None:
            file, left_out = known.write_all(reading, target, progress)
            refused += left_out
            files.append(file)
            notes += file.notes
        else:
            for done, (entry, path) in enumerate(_targets(reading, target, known.suffix)):
                progress(done, len(reading.grasps))
                record, besides = _write(entry, path, target, known, from_ours=FORMATS[reading.format_name].is_ours)
                files.append(WrittenFile(path, record.hand, record.object, len(record)))
                notes += [*besides, *_losses(record, known)]
            progress(len(reading.grasps), len(reading.grasps))
    return Conversion(
        reading.format_name, reading.reason, to_name, tuple(files), tuple(refused), tuple(dict.fromkeys(notes))
    )


def _require_writable(target: Path, to_name: str) -> None:
    if to_name not in write_names():
        raise GraspdError(f"expected --to to be one of {', '.join(write_names())}, got {to_name!r}")
    check = FORMATS[to_name].check_target
    if check is not None:
        check(target)


def _reading_notes(reading: GraspReading) -> list[str]:
    return [note for entry in reading.grasps for note in entry.record.notes]


def _targets(reading: GraspReading, target: Path, suffix: str) -> Iterator[tuple[ReadGrasps, Path]]:
    """Yield where each hand's grasps of each object go."""
    if target.suffix and not target.is_dir():
        first, *others = reading.grasps
        if others:
            raise GraspdError(
                f"expected a folder for grasps of {len(reading.grasps)} hands, objects and scales, got {target}; "
                "give a name without a suffix, and the format with --to"
            )
        yield first, target
        return
    names: dict[str, int] = {}
    for entry in reading.grasps:
        record = entry.record
        scale = "" if record.object_scale == 1.0 else f"_x{record.object_scale:.6g}"
        scale += "" if record.placement is None else f"_{record.placement.scene}"
        hand = file_name(record.hand or "hand", "grasps")
        name = f"{hand}/{file_name(record.object or entry.source.stem, 'grasps')}{scale}"
        names[name] = names.get(name, 0) + 1
        yield entry, target / f"{name}{'' if names[name] == 1 else f'_{names[name]}'}{suffix}"


def _write(
    entry: ReadGrasps, path: Path, target: Path, known: Format, *, from_ours: bool
) -> tuple[GraspRecord, Sequence[str]]:
    """Write a file; return what was written, and what to say of it."""
    record = entry.record
    if entry.hand is not None:
        record = replace(record, palm_path=entry.hand.links[0].prim_path)
    if known.write_with_assets is not None:
        folder = target / "assets" if path != target else path.with_name(f"{path.stem}_assets")
        return record, known.write_with_assets(entry, record, path, folder)
    if from_ours:
        record = replace(record, object_file=_export_object(entry, path, target))
    assert known.write is not None
    known.write(from_hand(record, known.name) if entry.hand is not None else record, path)
    return record, ()


def _export_object(entry: ReadGrasps, path: Path, target: Path) -> str:
    """Write the object of our grasps as OBJ in metres, and return its path relative to the grasps' file."""
    if entry.object_path is None:
        return ""
    import trimesh

    folder = (target if path != target else path.parent) / "objects"
    file = folder / f"{file_name(entry.record.object, 'grasps')}.obj"
    if not file.is_file():
        mesh = load_scaled_object(entry.object_path, entry.record.object, 1.0).mesh
        content = str(trimesh.Trimesh(mesh.vertices, mesh.faces, process=False).export(file_type="obj", digits=9))
        with atomic_path(file) as temporary:
            temporary.write_text(content, encoding="utf-8")
    return ("../" if path != target else "") + f"objects/{file.name}"


def _losses(record: GraspRecord, known: Format) -> list[str]:
    """Say what of a record has no place in a format."""
    if record.placement is not None and not known.has_placement:
        return [f"{known.name} has no place for scenes: its grasps are those of the object", *_lost(record, known)]
    return _lost(record, known)


def _lost(record: GraspRecord, known: Format) -> list[str]:
    lacks = known.lacks
    lost = [name for name in lacks if name != "scores" and _has(getattr(record, name))]
    scores = [name for name in record.scores if name != "confidence"] if "scores" in lacks else []
    loses_way = record.way is not None and not known.has_way
    if not lost and not scores and not loses_way:
        return []
    names = [name.replace("T_object_", "").replace("_", " ") for name in lost]
    names += ["the way past the table"] if loses_way else []
    names += [f"{len(scores)} scores"] if scores else []
    return [f"{known.name} has no place for: {', '.join(names)}"]


def _has(value: object) -> bool:
    return value is not None and (not isinstance(value, str | np.ndarray) or len(value) > 0)
