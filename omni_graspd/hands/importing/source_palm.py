# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The palm of a described hand, and what is above it: an arm, a forearm, the joints of a floating base."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.hands.importing.source_hand import SourceLink
from omni_graspd.hands.inference.palm_inference import infer_palm
from omni_graspd.hands.inference.separate_hands import separate_palms
from omni_graspd.usd.transforms import IDENTITY, compose


def find_palm(links: Sequence[SourceLink]) -> int:
    """Return the index of the link that the digits branch from.

    Args:
        links: The links, parents first.
    """
    parents, movable, surfaced = tree_of(links)
    return infer_palm(parents, movable, surfaced)


def check_one_hand(links: Sequence[SourceLink], source: Path) -> None:
    """Refuse a file with two hands.

    Raises:
        GraspdError: If digits branch from two places that have nothing to do with each other; the message names both.
    """
    parents, movable, surfaced = tree_of(links)
    positions, radii = np.zeros((len(links), 3)), np.zeros(len(links))
    poses: dict[str, np.ndarray] = {}
    for k, link in enumerate(links):
        poses[link.name] = IDENTITY if link.parent is None else compose(poses[link.parent], link.T_parent_link)
        positions[k] = poses[link.name][:3]
        bounds = [shape.mesh.bounds for shape in (*link.visuals, *link.colliders)]
        radii[k] = max((float(np.linalg.norm(corner, axis=1).max()) for corner in bounds), default=0.0)
        if link.joint is not None and link.joint.kind == "prismatic":
            radii[k] += max(abs(link.joint.lower), abs(link.joint.upper))
    palms = separate_palms(parents, movable, surfaced, positions, radii, find_palm(links))
    if palms:
        raise GraspdError(two_hands_message(source, [links[k].name for k in palms]))


def two_hands_message(source: Path, palms: Sequence[str]) -> str:
    """Say that a file has several hands, and the way out."""
    return (
        f"expected one hand in {source}, got {len(palms)}, with the palms {', '.join(palms)}; choose one by "
        f'palm = "{palms[0]}" in a hand.toml beside it'
    )


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
