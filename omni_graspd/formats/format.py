# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What there is to know of a format: what reads and writes it, what it carries, how it is told by its content."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from omni_graspd.formats.grasp_reading import GraspReading, ReadGrasps, Refusal
from omni_graspd.formats.record import GraspRecord
from omni_graspd.progress import Progress


@dataclass(frozen=True)
class Signature:
    """How files are told by their content."""

    fits: Callable[[bytes, bytes], bool]
    """Takes the beginning of a file, and beginning and end together; tells whether the file is of the format."""
    sign: str
    """What gives it away."""
    rank: int = 0
    """Formats with lower ranks are tried first, as where the key of one is part of another's."""


def magic(start: bytes, kind: str, inside: bytes = b"") -> Signature:
    """Tell files by their first bytes, and by some that are anywhere in them.

    Args:
        start: First bytes.
        kind: What such a file is called, with its article.
        inside: Bytes somewhere in it.
    """
    return Signature(lambda head, content: head.startswith(start) and inside in content, f"it is {kind}")


def numpy_key(key: str, rank: int) -> Signature:
    """Tell NumPy files by a key of their dictionaries."""
    return Signature(
        lambda head, content: head.startswith(b"\x93NUMPY") and key.encode() in content,
        f"it is a NumPy file with {key!r}",
        rank,
    )


def json_keys(*keys: str, rank: int) -> Signature:
    """Tell JSON files by keys that they all have."""
    return Signature(
        lambda head, content: head.lstrip()[:1] in (b"{", b"[") and all(f'"{key}"'.encode() in content for key in keys),
        "it is JSON with " + " and ".join(repr(key) for key in keys),
        rank,
    )


@dataclass(frozen=True)
class Folder:
    """A format whose grasps are spread over a folder."""

    is_one: Callable[[Path], bool]
    """Tells whether a path is such a folder."""
    sign: str
    """What gives it away."""
    files: Callable[[Path], list[Path]]
    """Returns its files with grasps; raises GraspdError if it is no such folder."""


@dataclass(frozen=True)
class WrittenFile:
    """A file that was written."""

    path: Path
    """The file; for a dataset its folder."""
    hand: str
    """Name of the hand there."""
    object: str
    """Name of the object there."""
    count: int
    """How many grasps, or what ``unit`` says."""
    unit: str = "grasp"
    """What is counted, in the singular."""
    notes: tuple[str, ...] = ()
    """What there is to say of it, one sentence each."""


@dataclass(frozen=True, kw_only=True)
class Format:
    """A kind of file with grasps of one hand on one object, or of several."""

    name: str
    """Name in commands."""
    title: str
    """What it is, for lists."""
    place: int
    """Place in lists, in steps of ten to leave room."""
    suffixes: tuple[str, ...] = ()
    """Suffixes of its files, that of files we write first; none for folders."""
    signature: Signature | None = None
    """How files are told by their content; None where they are not."""
    folder: Folder | None = None
    """How a folder of it is told and read; None where grasps are in single files."""
    read: Callable[[Path], list[GraspRecord]] | None = None
    """Reads a file; None where we only write."""
    write: Callable[[GraspRecord, Path], None] | None = None
    """Writes a file of grasps alone; None where we only read, or write as follows."""
    write_with_assets: Callable[[ReadGrasps, GraspRecord, Path, Path], Sequence[str]] | None = None
    """Writes a file with grasps, hand and object; the last argument is the folder for the assets. Returns what there is
    to say of it, one sentence each."""
    write_all: Callable[[GraspReading, Path, Progress], tuple[WrittenFile, tuple[Refusal, ...]]] | None = None
    """Writes all grasps into one folder and tells how far it is; returns what was written and what was left out."""
    check_target: Callable[[Path], None] | None = None
    """Refuses a path that cannot be written to, before anything is read."""
    hand_file: Callable[[GraspRecord, Path], Path] | None = None
    """Returns the USD file of the hand where the format has one; takes a record and its file."""
    is_ours: bool = False
    """Whether grasps are as our library has them: joints in our order, poses of our palm, objects as our USD files."""
    needs_our_hand: bool = False
    """Whether only grasps of hands that we have can be written."""
    needs_images: bool = False
    """Whether it holds the images of a dataset, and so only grasps as they are in its tables."""
    has_placement: bool = False
    """Whether files that we write say where in the world the object lies, for grasps in a scene."""
    has_way: bool = False
    """Whether files that we write say how the hand gets to each grasp past a table, and out again."""
    lacks: tuple[str, ...] = ()
    """Fields of a record that have no place in the files that we write."""
    rotation: str = "quaternions"
    """How rotations are kept: quaternions, matrices or angles."""

    @property
    def suffix(self) -> str:
        """Suffix of files that we write."""
        return self.suffixes[0] if self.suffixes else ""

    @property
    def is_written(self) -> bool:
        """Whether we write it."""
        return any((self.write, self.write_with_assets, self.write_all))
