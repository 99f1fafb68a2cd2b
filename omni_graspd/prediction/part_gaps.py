# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How far the palm and each digit of posed hands are from an object as it is guessed."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import warp as wp

from omni_graspd.hands.filling_spheres import filling_spheres
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.inference.digits import find_digits
from omni_graspd.hands.placed_hands import PlacedHands
from omni_graspd.prediction.part_gap_kernels import part_gap_kernel
from omni_graspd.prediction.shape_grid import DEEP, ShapeGrids


@dataclass(frozen=True, eq=False)
class Parts:
    """A hand as spheres, and which digit each moves with: 0 the palm and what several digits share, digits from 1."""

    count: int
    """Number of parts, the palm included."""
    of_joint: np.ndarray
    """Part of each actuated joint, shape [actuated_count]."""
    of_sphere: wp.array
    """Part of each sphere, int, shape [sphere_count]."""
    links: wp.array
    """Link of each sphere, int, shape [sphere_count]."""
    centers: wp.array
    """In the link's frame [m], vec3, shape [sphere_count]."""
    radii: wp.array
    """Radii [m], float, shape [sphere_count]."""


@functools.lru_cache(maxsize=8)
def hand_parts(hand: Hand) -> Parts:
    """Return the spheres of a hand by digit; made once for each hand."""
    digits = find_digits(hand)
    owners: list[set[int]] = [set() for _ in hand.links]
    for number, digit in enumerate(digits, start=1):
        for link in digit.links:
            owners[link].add(number)
    of_link = np.array([min(owner) if len(owner) == 1 else 0 for owner in owners])
    of_joint = np.zeros(hand.actuated_count, dtype=int)
    for column in range(hand.actuated_count):
        moved = np.flatnonzero(hand.coupling[:, column])
        found = {int(of_link[index]) for index, link in enumerate(hand.links) if link.joint in moved}
        of_joint[column] = found.pop() if len(found) == 1 else 0
    spheres = filling_spheres(hand)
    return Parts(
        count=len(digits) + 1,
        of_joint=of_joint,
        of_sphere=wp.array(of_link[spheres.link_index].astype(np.int32), dtype=int, device="cpu"),
        links=wp.array(spheres.link_index.astype(np.int32), dtype=int, device="cpu"),
        centers=wp.array(spheres.centers.astype(np.float32), dtype=wp.vec3, device="cpu"),
        radii=wp.array(spheres.radii.astype(np.float32), dtype=float, device="cpu"),
    )


def part_gaps(hands: PlacedHands, shapes: ShapeGrids) -> np.ndarray:
    """Measure how far parts of hands are from a guessed object, by the spheres inside them, on the CPU.

    Args:
        hands: The hands, in the crop frame.
        shapes: The guessed object, of one view.

    Returns:
        Distances [m], negative inside, infinite for parts without surface, shape [hand_count, part_count].
    """
    parts = hand_parts(hands.hand)
    values, origin, spacing = (part[0].cpu().numpy() for part in (shapes.values, shapes.origins, shapes.spacings))
    gaps = wp.empty((len(hands), parts.count), dtype=float, device="cpu")
    inputs = [wp.array(values, dtype=float, device="cpu", copy=False), wp.vec3(*map(float, origin)), float(spacing)]
    inputs += [DEEP, hands.on("cpu"), parts.links, parts.of_sphere, parts.centers, parts.radii]
    wp.launch(part_gap_kernel, dim=len(hands), inputs=inputs, outputs=[gaps], device="cpu")
    return gaps.numpy().astype(np.float64)
