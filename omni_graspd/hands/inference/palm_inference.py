# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Which link of a tree is the palm: the one that the digits branch from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def infer_palm(parents: Sequence[int], movable: Sequence[bool], surfaced: Sequence[bool]) -> int:
    """Return the link that the most digits branch from.

    Links welded together count as one body; of those that tie, the one nearest to the root is taken. Branches without
    any surface, as frames and sensors are, count for nothing, unless there are no others. A body that carries several
    digits and hangs by one joint on another that carries some, too, is a movable part of the palm, as a little finger's
    metacarpal; the palm is then the other. Where no body carries more than one, as an arm that ends in a gripper with a
    single jaw, the jaw is the last that moves, and the palm what it hangs on. Of a welded body the link that all its
    digits hang on is taken, or the nearest one above it under which the palm has any surface.

    Args:
        parents: Parent of each link, -1 for the root; parents come first.
        movable: Whether the joint to the parent moves.
        surfaced: Whether the link has meshes.
    """
    bodies = welded_bodies(parents, movable)
    branches = [k for k, parent in enumerate(parents) if parent >= 0 and movable[k]]
    useful = _with_descendants(parents, surfaced)
    counts = _counts(bodies, parents, [k for k in branches if useful[k]])
    if counts.max() > 1:
        branches = [k for k in branches if useful[k]]
    else:
        counts = _counts(bodies, parents, branches)
    body = int(np.argmax(counts)) if counts.max() > 1 else _last_body(bodies, parents, branches, useful)
    if parents[body] >= 0 and counts[bodies[parents[body]]] > 1:
        body = bodies[parents[body]]
    roots = [_path(parents, parents[k], body) for k in branches if bodies[parents[k]] == body]
    palm = body
    for level in zip(*roots, strict=False):
        if len(set(level)) > 1:
            break
        palm = level[0]
    while palm != body and not _has_surface(palm, parents, movable, surfaced):
        palm = parents[palm]
    return palm


def _last_body(bodies: Sequence[int], parents: Sequence[int], branches: Sequence[int], useful: Sequence[bool]) -> int:
    """Return the body that the last useful link of a chain hangs on; the root if there is none."""
    return max((bodies[parents[k]] for k in branches if useful[k]), default=0)


def welded_bodies(parents: Sequence[int], movable: Sequence[bool]) -> list[int]:
    """Return for each link the topmost link that it is welded to, itself if its joint moves."""
    bodies = list(range(len(parents)))
    for k, parent in enumerate(parents):
        if parent >= 0 and not movable[k]:
            bodies[k] = bodies[parent]
    return bodies


def _counts(bodies: Sequence[int], parents: Sequence[int], branches: Sequence[int]) -> np.ndarray:
    """Return how many of the branches hang on each body, shape [link_count]."""
    return np.bincount(np.array([bodies[parents[k]] for k in branches], dtype=np.int64), minlength=len(parents))


def _with_descendants(parents: Sequence[int], surfaced: Sequence[bool]) -> list[bool]:
    """Tell which links have meshes on or below them."""
    useful = list(surfaced)
    for k in reversed(range(len(parents))):
        if useful[k] and parents[k] >= 0:
            useful[parents[k]] = True
    return useful


def _path(parents: Sequence[int], link: int, top: int) -> list[int]:
    """Return the links from ``top`` down to ``link``."""
    path = [link]
    while path[-1] != top:
        path.append(parents[path[-1]])
    return path[::-1]


def _has_surface(top: int, parents: Sequence[int], movable: Sequence[bool], surfaced: Sequence[bool]) -> bool:
    """Tell whether a link, or one welded below it, has meshes."""
    welded = {top}
    for k in range(top + 1, len(parents)):
        if parents[k] in welded and not movable[k]:
            welded.add(k)
    return any(surfaced[k] for k in welded)
