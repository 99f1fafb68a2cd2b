# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The palm of a described hand, and what is above it: an arm, a forearm, the joints of a floating base."""

from __future__ import annotations

from collections.abc import Sequence

from omni_graspd.hands.importing.source_hand import SourceLink
from omni_graspd.hands.inference.palm_inference import infer_palm


def find_palm(links: Sequence[SourceLink]) -> int:
    """Return the index of the link that the digits branch from.

    Args:
        links: The links, parents first.
    """
    parents, movable, surfaced = tree_of(links)
    return infer_palm(parents, movable, surfaced)


def tree_of(links: Sequence[SourceLink]) -> tuple[list[int], list[bool], list[bool]]:
    """Return, for each link, its parent's index (-1 for the root), whether its joint moves, whether it has shapes."""
    index = {link.name: k for k, link in enumerate(links)}
    parents = [-1 if link.parent is None else index[link.parent] for link in links]
    movable = [link.joint is not None and link.joint.lower < link.joint.upper for link in links]
    return parents, movable, [bool(link.visuals or link.colliders) for link in links]


def links_above_palm(links: Sequence[SourceLink], palm: int | None = None) -> set[str]:
    """Return the names of the links that are neither the palm nor hang on it, and of the palm, whose joint is above it.

    Args:
        links: The links, parents first.
        palm: Index of the palm; None to infer it.
    """
    palm = find_palm(links) if palm is None else palm
    below = {links[palm].name}
    for link in links:
        if link.parent in below:
            below.add(link.name)
    return {link.name for link in links if link.name not in below} | {links[palm].name}
