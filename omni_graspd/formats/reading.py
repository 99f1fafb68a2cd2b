# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grasps from any known file or folder, as grasps of our hands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from omni_graspd.dataset.selection import EVERYTHING, Selection
from omni_graspd.errors import GraspdError
from omni_graspd.formats.format import Format
from omni_graspd.formats.grasp_reading import GraspReading, ReadGrasps, Refusal
from omni_graspd.formats.hand_mapping import guess_hand, to_hand
from omni_graspd.formats.object_files import find_object_file
from omni_graspd.formats.reading_check import check_reading
from omni_graspd.formats.record import GraspRecord, joined_records
from omni_graspd.formats.registry import FORMATS, guess_format, read_names
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.library import list_all_names
from omni_graspd.named_file import is_file
from omni_graspd.progress import Progress, no_progress


def read_grasps(
    path: Path,
    *,
    format_name: str = "",
    hand: str = "",
    object_path: Path | None = None,
    foreign_hands: bool = False,
    check: bool = True,
    selection: Selection = EVERYTHING,
    progress: Progress = no_progress,
) -> GraspReading:
    """Read grasps from a file of any known format, a folder of such files, or the folder of one of our datasets.

    Args:
        path: The file or folder.
        format_name: Name of the format; by default it is told by the content.
        hand: Our hand, by name or USD file; by default it is told by the joints' names or the hand's name in the file.
        object_path: Mesh or USD file of the object, or a folder of objects; by default what the file names is looked
            for.
        foreign_hands: Keep grasps of hands that we do not have, as they are in the file.
        check: Refuse grasps whose quaternions or joints seem to be in another order than the format's.
        selection: Which grasps of each hand and object are taken.
        progress: Called with files read and in total.

    Returns:
        The grasps, and what was refused.

    Raises:
        GraspdError: If the path or the format is unknown, or nothing at all could be read.
    """
    files, format_name, reason = _files(path, format_name)
    known = FORMATS[format_name]
    read: list[ReadGrasps] = []
    refused: list[Refusal] = []
    hands: dict[str, Hand] = {}
    for done, file in enumerate(files):
        progress(done, len(files))
        try:
            records = _records(file, known)
        except GraspdError as error:
            if len(files) == 1:
                raise
            refused.append(Refusal(file, 0, str(error)))
            continue
        for record in records:
            try:
                entry = _our_grasps(record, file, known, hand, hands, object_path, foreign_hands)
                if check and entry.hand is not None and not known.is_ours:
                    check_reading(entry.record, entry.hand, entry.object_path, format_name)
                read.append(entry)
            except GraspdError as error:
                refused.append(Refusal(file, len(record), str(error)))
    progress(len(files), len(files))
    if not read:
        more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
        raise GraspdError(refused[0].reason + more if refused else f"expected grasps in {path}, got none")
    entries = tuple(_joined(read))
    if not selection.takes_all:
        entries = _selected(entries, selection, path)
    return GraspReading(format_name, reason, entries, tuple(refused))


def _selected(entries: Sequence[ReadGrasps], selection: Selection, path: Path) -> tuple[ReadGrasps, ...]:
    """Return what a selection leaves of grasps; of other projects' grasps it knows their scores."""
    kept = []
    for entry in entries:
        record = entry.record
        good = np.asarray(record.scores.get("confidence", np.ones(len(record)))) > 0.0
        own = {"hand": record.hand, "object": record.object, "ok": good, "usable": good}
        rows = selection.rows({**own, **record.scores, **record.facts}, len(record))
        if len(rows):
            kept.append(replace(entry, record=record.rows(rows)))
    if not kept:
        count = sum(len(entry.record) for entry in entries)
        raise GraspdError(f"expected grasps that meet {selection.where!r}, got none among the {count} in {path}")
    return tuple(kept)


def _files(path: Path, format_name: str) -> tuple[list[Path], str, str]:
    """Return the files to be read, the format, and what told it; a folder has the format of its first known file."""
    if format_name and format_name not in read_names():
        raise GraspdError(f"expected --from to be one of {', '.join(read_names())}, got {format_name!r}")
    for name, known in FORMATS.items():
        folder = known.folder
        if folder is not None and (format_name == name or folder.is_one(path)):
            return folder.files(path), name, folder.sign
    if not path.exists():
        raise GraspdError(f"expected a file with grasps or a folder of such, got {path}, which does not exist")
    if path.is_file():
        return ([path], format_name, "as asked") if format_name else ([path], *guess_format(path))
    suffixes = (
        {FORMATS[format_name].suffix} if format_name else {known.suffix for known in FORMATS.values() if known.read}
    )
    files = sorted(file for file in path.rglob("*") if file.suffix.lower() in suffixes and file.is_file())
    if format_name:
        return files, format_name, "as asked"
    guesses = [(file, *guess) for file in files if (guess := _guess_or_none(file))]
    if not guesses:
        raise GraspdError(f"expected a folder with files of grasps, got {path}, which has none of a known format")
    _, name, reason = guesses[0]
    others = sorted({other for _, other, _ in guesses} - {name})
    if others:
        raise GraspdError(
            f"expected files of one format in {path}, got {name} and {', '.join(others)}; name one with --from"
        )
    return [file for file, *_ in guesses], name, f"{guesses[0][0].name}: {reason}"


def _guess_or_none(file: Path) -> tuple[str, str] | None:
    try:
        return guess_format(file)
    except GraspdError:
        return None


def _records(file: Path, known: Format) -> list[GraspRecord]:
    if known.read is None:
        raise GraspdError(f"expected a format that can be read, got {known.name}; one of {', '.join(read_names())}")
    return known.read(file)


def _our_grasps(
    record: GraspRecord,
    file: Path,
    known: Format,
    wanted: str,
    hands: dict[str, Hand],
    object_path: Path | None,
    foreign_hands: bool,
) -> ReadGrasps:
    own = None if known.hand_file is None else known.hand_file(record, file)
    name = wanted or (guess_hand(known.name, record) if own is None else str(own))
    found = find_object_file(record, file, object_path)
    if name not in hands:
        names = list_all_names("hands")
        if not name or (name not in names and not is_file(name)):
            if foreign_hands and not wanted:
                return ReadGrasps(record, None, found, file)
            called = f"the hand {name!r}" if name else "a hand that has no name"
            why = f" ({'; '.join(record.notes)})" if record.notes else ""
            raise GraspdError(
                f"expected grasps of one of our hands ({', '.join(names)}), got {called} in {file}{why}; "
                "take that hand in with `graspd hands add`, or name one with --hand"
            )
        hands[name] = load_hand(name)
    hand = hands[name]
    return ReadGrasps(to_hand(record, hand, known.name), hand, found, file)


def _joined(read: list[ReadGrasps]) -> Iterator[ReadGrasps]:
    """Join grasps of the same hand, object and scale, as formats with one file per grasp have them."""
    groups: dict[tuple[object, ...], list[ReadGrasps]] = {}
    for entry in read:
        record = entry.record
        scene = "" if record.placement is None else record.placement.scene
        key = (record.hand, record.object, record.object_scale, record.joint_names, entry.object_path, scene)
        groups.setdefault(key, []).append(entry)
    for group in groups.values():
        yield replace(group[0], record=joined_records([entry.record for entry in group]))


def count_grasps(reading: GraspReading) -> int:
    """Return how many grasps were read."""
    return int(np.sum([len(entry.record) for entry in reading.grasps], dtype=int))
