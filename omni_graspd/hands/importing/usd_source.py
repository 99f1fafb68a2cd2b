# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Hands and arms that come as USD: taken as they are, in one file."""

from __future__ import annotations

from pathlib import Path

from omni_graspd.errors import GraspdError
from omni_graspd.usd.missing_files import missing_files
from omni_graspd.usd.self_contained import write_self_contained
from omni_graspd.usd.stage import open_stage


def write_whole(file: Path, scale: float, written: Path) -> tuple[str, ...]:
    """Write all that a USD file is made of as one file.

    Args:
        file: The file.
        scale: Metres per unit that the user gave; must be 1, since USD states its unit itself.
        written: The file to write.

    Returns:
        What is lost, a sentence each: materials in files that OpenUSD does not read.

    Raises:
        GraspdError: If a scale was given, or a layer is missing.
    """
    if scale != 1.0:
        raise GraspdError(f"expected no --scale for {file}, which states its own unit; set its metersPerUnit")
    missing = missing_files(open_stage(file, is_quiet=True))
    lost = [one.name for one in missing if not one.is_materialx]
    if lost:
        raise GraspdError(f"expected all files that {file} refers to, got no {lost[0]}; put it back")
    write_self_contained(file, written)
    return tuple(one.note for one in missing)
