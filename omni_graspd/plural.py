# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Numbers of things in words."""

from __future__ import annotations

from collections.abc import Mapping


def counted(count: int, noun: str) -> str:
    """Write a number of things: ``1 scene``, ``2 scenes``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def counts_in_words(counts: Mapping[str, int]) -> str:
    """Write numbers by plural names: ``{"grasps": 2, "rest_poses": 1}`` is ``2 grasps, 1 rest pose``."""
    return ", ".join(counted(count, name.replace("_", " ").removesuffix("s")) for name, count in counts.items())
