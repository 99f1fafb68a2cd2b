# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A file's unit of length: given, stated by the file, or guessed from the size, and then said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

LengthUnit = Literal["auto", "m", "cm", "mm", "in"]

_METRES = {"m": 1.0, "cm": 0.01, "mm": 0.001, "in": 0.0254}
_NAMES = {"m": "metres", "cm": "centimetres", "mm": "millimetres", "in": "inches"}


def metres_per_unit(
    extent: float, stated: float | None, unit: LengthUnit, suffix: str = "", shared: SharedUnit | None = None
) -> tuple[float, tuple[str, ...]]:
    """Decide on a file's unit of length.

    Args:
        extent: Longest side of the bounding box [file's unit].
        stated: What the file says [m], or None where it says nothing.
        unit: What the user says; ``auto`` for nothing.
        suffix: The file's kind, for example ``.stl``.
        shared: What the files that are read together suggest, where there are several.

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
    if shared is not None:
        return _METRES[shared.unit], shared.notes
    guess = guess_unit(extent, suffix)
    return _METRES[guess], (
        f"read as {_NAMES[guess]}, since its longest side is {extent:.4g} units; give --unit if that is wrong",
    )


def guess_unit(extent: float, suffix: str) -> LengthUnit:
    """Guess a file's unit from its size.

    Less than 3 units are metres, else things that hands hold are 3 to 50 cm. Where centimetres and millimetres both
    give that (30 to 50 units), millimetres are meant: 3 to 5 cm are more often held than 30 to 50 cm. STL files come
    from CAD and printing, where from 3 units on everything is in millimetres.
    """
    if extent < 3.0:
        return "m"
    return "cm" if extent < 30.0 and suffix.lower() != ".stl" else "mm"


@dataclass(frozen=True)
class SharedUnit:
    """The unit that several files of a kind are read in."""

    unit: LengthUnit
    """The unit."""
    notes: tuple[str, ...] = ()
    """What there is to say about it: on the first of the files only."""


def share_unit(extents: Sequence[float], suffix: str, smallest: float, largest: float) -> SharedUnit:
    """Guess one unit for several files of a kind: that in which most of them are of a plausible size.

    Args:
        extents: Longest side of each file's bounding box [file's unit]; at least one.
        suffix: Their kind, for example ``.stl``.
        smallest: Smallest plausible extent [m].
        largest: Largest plausible extent [m].
    """
    middle = guess_unit(float(np.median(extents)), suffix)
    candidates: list[LengthUnit] = [middle, "m", "mm"] if suffix.lower() == ".stl" else [middle, "m", "mm", "cm"]
    fits: dict[LengthUnit, int] = {
        unit: sum(smallest <= extent * _METRES[unit] <= largest for extent in extents)
        for unit in dict.fromkeys(candidates)
    }
    best: LengthUnit = max(fits, key=lambda unit: fits[unit])
    sides = f"{min(extents):.4g} to {max(extents):.4g}"
    note = (
        f"read as {_NAMES[best]}, like all {len(extents)} {suffix} files, whose longest sides are {sides} units; give "
        "--unit if that is wrong"
    )
    return SharedUnit(best, (note,))
