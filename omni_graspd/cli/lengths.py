# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Lengths as they are written: ``2mm`` for 0.002 where an option is in metres."""

from __future__ import annotations

import re
from collections.abc import Sequence

from omni_graspd.cli.options import Option

_METRES = {"mm": 1e-3, "cm": 1e-2, "in": 0.0254, "m": 1.0}
_LENGTH = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(mm|cm|in|m)\s*")


def in_metres(arguments: Sequence[str], options: Sequence[Option]) -> list[str]:
    """Write lengths with a unit in metres, behind options whose help says ``[m]``; all else is left as it is.

    Args:
        arguments: The arguments of a command, short forms written out.
        options: The options that the command has.
    """
    lengths = {option.flag for option in options if "[m]" in option.text}
    converted, is_length = [], False
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if argument.startswith("--"):
            is_length = name in lengths
            converted.append(f"{name}={_metres(value)}" if is_length and equals else argument)
        else:
            converted.append(_metres(argument) if is_length else argument)
    return converted


def _metres(text: str) -> str:
    match = _LENGTH.fullmatch(text)
    # Fifteen digits: 2mm is 0.002, not 0.0020000000000000001.
    return f"{float(match[1]) * _METRES[match[2]]:.15g}" if match else text
