# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What a check of a hand found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
"""From bad to harmless."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a hand, and how to mend it."""

    code: str
    """What kind of fault it is, for example ``swapped-limits``; stable, for scripts."""
    severity: Severity
    """``error``: grasps or physics will be wrong; ``warning``: probably a mistake; ``note``: good to know."""
    where: str
    """Path of the prim it concerns."""
    message: str
    """What was expected and what is there."""
    remedy: str
    """How to mend it, in one line."""
