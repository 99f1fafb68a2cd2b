# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Hands by name or by file."""

from __future__ import annotations

from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.usd.hand_reader import read_hand
from omni_graspd.library import resolve


def load_hand(name_or_path: str) -> Hand:
    """Read one hand.

    Args:
        name_or_path: A built-in name, for example ``"allegro"``, or a USD file.

    Raises:
        GraspdError: If there is no such hand, the pattern fits several, or the file is not a usable hand.
    """
    files = resolve("hands", name_or_path)
    if len(files) > 1:
        raise GraspdError(f"expected one hand, got {name_or_path!r}, which fits {', '.join(p.stem for p in files)}")
    return read_hand(files[0])
