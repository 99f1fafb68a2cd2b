# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What a stage refers to and does not get: files that are missing, or that this OpenUSD cannot read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath

from pxr import Usd, UsdUtils

from omni_graspd.plain_text import shortened

_UNOPENED = re.compile(r"Could not open asset @([^@]*)@")


@contextmanager
def without_warnings() -> Iterator[None]:
    """Keep OpenUSD's warnings off the terminal while a stage is composed; :func:`missing_files` has our words."""
    delegate = UsdUtils.CoalescingDiagnosticDelegate()
    try:
        yield
    finally:
        delegate.TakeUncoalescedDiagnostics()
        del delegate


def missing_files(stage: Usd.Stage) -> tuple[str, ...]:
    """Return a note on each layer that the stage refers to and that could not be opened.

    Args:
        stage: A composed stage.
    """
    found = (_UNOPENED.search(str(error)) for error in stage.GetCompositionErrors())
    return tuple(dict.fromkeys(_note(match[1]) for match in found if match))


def _note(asset: str) -> str:
    path = PurePosixPath(asset.replace("\\", "/"))
    name = shortened(path.name)
    if path.suffix.lower() == ".mtlx":
        return (
            f"lost the materials of {name}: OpenUSD's Python package reads no MaterialX files; export them into the USD"
        )
    return f"lost what {name} holds: it could not be opened; put it back where the file refers to it"
