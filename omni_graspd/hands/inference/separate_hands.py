# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Files with more than one hand: digits that branch from places between which no grasp is possible."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from omni_graspd.hands.inference.palm_inference import welded_bodies


def separate_palms(
    parents: Sequence[int],
    movable: Sequence[bool],
    surfaced: Sequence[bool],
    positions: np.ndarray,
    radii: np.ndarray,
    palm: int,
) -> list[int]:
    """Return the links that look like palms of hands of their own, the inferred one or its parts included.

    Another palm is a body from which two digits or more branch and which is neither above nor below the palm; or a part
    welded to the palm whose digits cannot meet those of another such part.

    Args:
        parents: Parent of each link, -1 for the root; parents come first.
        movable: Whether the joint to the parent moves.
        surfaced: Whether the link has shapes.
        positions: Where the links are, with all joints at 0 [m], shape [link_count, 3].
        radii: How far each link's shape reaches from there [m], shape [link_count].
        palm: The inferred palm.

    Returns:
        Links, at least two; none for a file with one hand.
    """
    bodies = welded_bodies(parents, movable)
    useful, reach = list(surfaced), np.array(radii, dtype=np.float64)
    for k in reversed(range(len(parents))):
        if parents[k] >= 0:
            useful[parents[k]] |= useful[k]
            along = reach[k] + float(np.linalg.norm(positions[k] - positions[parents[k]]))
            reach[parents[k]] = max(reach[parents[k]], along)
    digits: dict[int, list[int]] = {}
    for k, parent in enumerate(parents):
        if parent >= 0 and movable[k] and useful[k]:
            digits.setdefault(bodies[parent], []).append(k)
    related = _line(parents, palm) | {k for k in range(len(parents)) if palm in _line(parents, k)}
    others = [body for body, branches in digits.items() if len(branches) > 1 and body not in related]
    others = [body for body in others if bodies[palm] not in _line(parents, body)]
    if others:
        return [palm, *others]
    return _separate_parts(parents, digits.get(bodies[palm], []), positions, reach, palm)


def _line(parents: Sequence[int], link: int) -> set[int]:
    """Return a link and all above it."""
    line = {link}
    while parents[link] >= 0:
        link = parents[link]
        line.add(link)
    return line


def _separate_parts(
    parents: Sequence[int], branches: Sequence[int], positions: np.ndarray, reach: np.ndarray, palm: int
) -> list[int]:
    groups: dict[int, list[int]] = {}
    for branch in branches:
        part = parents[branch]
        while part != palm and parents[part] not in (palm, -1):
            part = parents[part]
        groups.setdefault(part, []).append(branch)
    groups = {part: group for part, group in groups.items() if len(group) > 1}
    if len(groups) < 2 or palm in groups:
        return []
    parts = list(groups)
    return parts if all(_are_apart(groups[parts[0]], groups[b], positions, reach) for b in parts[1:]) else []


def _are_apart(a: Sequence[int], b: Sequence[int], positions: np.ndarray, reach: np.ndarray) -> bool:
    """Tell whether no digit of one group can meet any of the other."""
    gaps = np.linalg.norm(positions[list(a)][:, None] - positions[list(b)][None], axis=-1)
    return bool((gaps > reach[list(a)][:, None] + reach[list(b)][None]).all())
