# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A file's unit of length: given, stated by the file, or guessed from the size, and then said."""

from __future__ import annotations

from typing import Literal

LengthUnit = Literal["auto", "m", "cm", "mm", "in"]

_METRES = {"m": 1.0, "cm": 0.01, "mm": 0.001, "in": 0.0254}
_NAMES = {"m": "metres", "cm": "centimetres", "mm": "millimetres", "in": "inches"}


def metres_per_unit(extent: float, stated: float | None, unit: LengthUnit) -> tuple[float, tuple[str, ...]]:
    """Decide on a file's unit of length.

    Without word from the user or the file, less than 3 units are metres, else things that hands hold are 3 to 50 cm.
    Where centimetres and millimetres both give that (30 to 50 units), millimetres are meant: 3 to 5 cm are more often
    held than 30 to 50 cm.

    Args:
        extent: Longest side of the bounding box [file's unit].
        stated: What the file says [m], or None where it says nothing.
        unit: What the user says; ``auto`` for nothing.

    Returns:
        The unit [m], and a note unless the file states it and nobody objects.
    """
    if unit != "auto":
        scale = _METRES[unit]
        if stated is None or abs(stated - scale) < 1e-9 * scale:
            return scale, (f"read in {_NAMES[unit]}, as asked",)
        return scale, (f"read in {_NAMES[unit]}, as asked, although the file states {stated:g} m per unit",)
    if stated is not None:
        return stated, ()
    guess = "m" if extent < 3.0 else "cm" if extent < 30.0 else "mm"
    return _METRES[guess], (
        f"read as {_NAMES[guess]}, since its longest side is {extent:.4g} units; give --unit if that is wrong",
    )
