# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""USD as text with brackets within brackets, on which OpenUSD's parser spends minutes."""

from __future__ import annotations

from pathlib import Path

from omni_graspd.errors import GraspdError

_TEXT = b"#usda"
_DEEPEST = 64
_SPACE = b" \t\n\r\v\f"
_ONE_BRACKET = bytes.maketrans(b"[{", b"((")


def check_nesting(path: Path) -> None:
    """Refuse a USD text file with dozens of brackets in a row; values of USD are nested three deep.

    Args:
        path: A USD file of any kind; others than text are left to OpenUSD.

    Raises:
        GraspdError: If it is such a file.
    """
    with path.open("rb") as file:
        if file.read(len(_TEXT)) != _TEXT:
            return
        # Large arrays of vectors: a search for one string takes a tenth of a regular expression's time.
        if b"(" * _DEEPEST in file.read().translate(_ONE_BRACKET, _SPACE):
            raise GraspdError(
                f"expected values nested a few deep in {path}, got {_DEEPEST} brackets in a row; re-export it"
            )
