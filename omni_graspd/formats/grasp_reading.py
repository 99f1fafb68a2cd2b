# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What was read from files of grasps, or is to be written to some."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from omni_graspd.formats.record import GraspRecord
from omni_graspd.hands.hand import Hand


@dataclass(frozen=True)
class ReadGrasps:
    """Grasps of one hand on one object, and what they need."""

    record: GraspRecord
    """The grasps: palm and joints of our hand, or the file's own where ``hand`` is None."""
    hand: Hand | None
    """Our hand; None where the file's hand is none of ours."""
    object_path: Path | None
    """Mesh or USD file of the object, before ``record.object_scale``; None where none was found."""
    source: Path
    """File that they come from, the first where there are several."""


@dataclass(frozen=True)
class Refusal:
    """Grasps that cannot be had as grasps of our hands."""

    source: Path
    """File that they are in."""
    count: int
    """How many they are; 0 where the file cannot be read."""
    reason: str
    """Why, in one line."""


@dataclass(frozen=True)
class GraspReading:
    """What lies in a file or folder."""

    format_name: str
    """Name of the format."""
    reason: str
    """What told the format."""
    grasps: tuple[ReadGrasps, ...]
    """One entry per hand, object and scale."""
    refused: tuple[Refusal, ...]
    """What was left out, and why."""
