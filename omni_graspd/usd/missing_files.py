# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What a stage refers to and does not get: files that are missing, or that this OpenUSD cannot read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath

from pxr import Usd, UsdUtils

from omni_graspd.plain_text import shortened

_UNOPENED = re.compile(r"Could not open asset @([^@]*)@")
_UNLOADED = re.compile(r"Could not load sublayer @([^@]*)@")


@dataclass(frozen=True)
class MissingFile:
    """A layer that could not be opened."""

    name: str
    """Its name, shortened."""
    is_materialx: bool
    """Whether it holds materials in a format that OpenUSD's Python package does not read."""

    @property
    def note(self) -> str:
        """What is lost, in a sentence."""
        if self.is_materialx:
            return (
                f"lost the materials of {self.name}: OpenUSD's Python package reads no MaterialX files; export them "
                "into the USD"
            )
        return f"lost what {self.name} holds: it could not be opened; put it back where the file refers to it"


@contextmanager
def without_warnings() -> Iterator[None]:
    """Keep OpenUSD's warnings off the terminal while a stage is composed; :func:`missing_files` has our words."""
    delegate = UsdUtils.CoalescingDiagnosticDelegate()
    try:
        yield
    finally:
        delegate.TakeUncoalescedDiagnostics()
        del delegate


def missing_files(stage: Usd.Stage) -> tuple[MissingFile, ...]:
    """Return the layers that a composed stage refers to and that could not be opened."""
    texts = [str(error) for error in _composition_errors(stage)]
    found = (_UNOPENED.search(text) or _UNLOADED.search(text) for text in texts)
    return tuple(dict.fromkeys(_missing(match[1]) for match in found if match))


def _composition_errors(stage: Usd.Stage) -> Iterator[object]:
    if hasattr(stage, "GetCompositionErrors"):
        yield from stage.GetCompositionErrors()
        return
    yield from stage.GetPseudoRoot().GetPrimIndex().rootNode.layerStack.localErrors  # OpenUSD of Isaac Sim 5.1
    for prim in stage.TraverseAll():
        yield from prim.GetPrimIndex().localErrors


def _missing(asset: str) -> MissingFile:
    path = PurePosixPath(asset.replace("\\", "/"))
    return MissingFile(shortened(path.name), path.suffix.lower() == ".mtlx")
