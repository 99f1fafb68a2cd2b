# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""All formats by name: what reads and writes them, what they carry, and how to tell them by their content."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

from omni_graspd.errors import GraspdError
from omni_graspd.formats import (
    dataset_export,
    grasp_table,
    lerobot_export,
    mjcf_export,
    projects,
    scene_table,
    usd_export,
    webdataset_export,
)
from omni_graspd.formats.format import Format

DATASET = dataset_export.FORMAT.name
"""Name of our own dataset folders among the formats."""
USD = usd_export.FORMAT.name
"""Name of the stage with one hand for each grasp."""
_PEEK = 1 << 18


def _declared() -> Iterator[Format]:
    yield from (dataset_export.FORMAT, usd_export.FORMAT, mjcf_export.FORMAT, webdataset_export.FORMAT)
    yield lerobot_export.FORMAT
    yield from (grasp_table.FORMAT, scene_table.FORMAT)
    for module in pkgutil.iter_modules(projects.__path__):
        yield from importlib.import_module(f"{projects.__name__}.{module.name}").FORMATS


FORMATS: dict[str, Format] = {known.name: known for known in sorted(_declared(), key=lambda known: known.place)}
"""All formats by name: ours, and those that the files in ``projects`` declare."""


def read_names() -> tuple[str, ...]:
    """Return the names of what can be read."""
    return tuple(name for name, known in FORMATS.items() if known.read)


def write_names() -> tuple[str, ...]:
    """Return the names of what can be written."""
    return tuple(name for name, known in FORMATS.items() if known.is_written)


def export_names() -> tuple[str, ...]:
    """Return the names of what can be written of any grasps: not of a dataset and its images only."""
    return tuple(name for name in write_names() if not FORMATS[name].needs_images)


def guess_format(path: Path) -> tuple[str, str]:
    """Tell a format by the content of a file or folder.

    Args:
        path: The file, or the folder of one of our datasets.

    Returns:
        Its name, and what gave it away.

    Raises:
        GraspdError: If it is of no known kind.
    """
    for name, known in FORMATS.items():
        if known.folder is not None and known.folder.is_one(path):
            return name, known.folder.sign
    if not path.is_file():
        raise GraspdError(f"expected a file with grasps or the folder of a dataset, got {path}; check the path")
    with path.open("rb") as file:
        head = file.read(_PEEK)
        file.seek(max(0, path.stat().st_size - _PEEK))
        content = head + file.read()
    found = _by_content(head, content)
    if found is None:
        raise GraspdError(
            f"expected a file with grasps, got {path}, which looks like none of {', '.join(read_names())}; "
            "name its format with --from"
        )
    return found


def _by_content(head: bytes, content: bytes) -> tuple[str, str] | None:
    signed = [(known.signature, name) for name, known in FORMATS.items() if known.signature is not None]
    for signature, name in sorted(signed, key=lambda entry: entry[0].rank):
        if signature.fits(head, content):
            return name, signature.sign
    return None


def format_for_output(path: Path) -> str:
    """Tell by a path what is to be written there.

    Raises:
        GraspdError: If its suffix says nothing, or leaves a choice.
    """
    suffix = path.suffix.lower()
    fitting = [name for name, known in FORMATS.items() if known.is_written and suffix in known.suffixes]
    if len(fitting) == 1:
        return fitting[0]
    what = f"several formats for {path.name!r}: {', '.join(fitting)}" if fitting else f"{path.name!r}"
    raise GraspdError(
        f"expected a name that tells the format, got {what}; give it with --to, one of {', '.join(write_names())}"
    )
