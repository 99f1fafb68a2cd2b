# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The report on a file that is to become an object: accepted, repaired and how, or refused with reason and remedy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from omni_graspd.errors import GraspdError
from omni_graspd.objects.length_unit import SharedUnit
from omni_graspd.objects.mass_properties import solid_properties
from omni_graspd.objects.object_reader import ObjectReaderConfig, examine_object
from omni_graspd.objects.rigid_object import RigidObject

Verdict = Literal["accepted", "repaired", "refused"]


@dataclass(frozen=True, eq=False)
class IntakeReport:
    """What became of a file."""

    source: Path
    """The file."""
    verdict: Verdict
    """``accepted`` as it is, ``repaired``, or ``refused``."""
    rigid: RigidObject | None
    """The object; None if it was refused. Its notes have all that was changed or guessed."""
    repairs: tuple[str, ...] = ()
    """What was wrong with its surface and is mended, one sentence each."""
    reason: str = ""
    """Why it was refused, and how to mend it: one line."""
    volume: float = 0.0
    """Volume that its surface encloses [m3]."""

    @property
    def line(self) -> str:
        """The verdict in one line."""
        if self.verdict == "refused":
            return f"refused: {self.reason}"
        return f"repaired: {'; '.join(self.repairs)}" if self.repairs else "accepted"


def check_object(
    path: Path, config: ObjectReaderConfig | None = None, shared_unit: SharedUnit | None = None
) -> IntakeReport:
    """Read a file as an object and report; nothing is raised, whatever is in the file.

    Args:
        path: Mesh or USD file.
        config: Assumptions, limits and tolerances.
        shared_unit: Unit of the files that are read together with it, where it states none.
    """
    try:
        reading = examine_object(path, config, shared_unit)
    except GraspdError as error:
        return IntakeReport(path, "refused", None, reason=str(error))
    verdict: Verdict = "repaired" if reading.repairs else "accepted"
    volume, _, _ = solid_properties(reading.rigid.mesh)
    return IntakeReport(path, verdict, reading.rigid, reading.repairs, volume=volume)
