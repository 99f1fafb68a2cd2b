# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Rockers of four-bar linkages: chains of links whose end is pinned to a longer chain that the same joint moves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.inference.surface_samples import surface_samples
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.usd.transforms import IDENTITY, pose_to_matrix

_LONGER = 1.2
"""A chain that a rocker belongs to is so many times as long; fingers that move alike side by side are not."""
_PINNED = 0.1
"""Chains nearer to each other than this part of the rocker's length, whatever the joint does, are pinned together."""
_POSTURES, _POINTS = 5, 300


def rockers(hand: Hand, chains: Sequence[tuple[int, ...]], lengths: Sequence[float]) -> set[int]:
    """Return which chains are rockers; they carry no fingertip.

    Args:
        hand: The hand, its loops cut open as URDF has them.
        chains: Links of each chain, from the palm outward.
        lengths: Length of each chain [m].
    """
    joints = [[hand.links[k].joint for k in chain if hand.links[k].joint >= 0] for chain in chains]
    movers = [frozenset(np.flatnonzero(np.abs(hand.coupling[of_chain]).sum(axis=0)).tolist()) for of_chain in joints]
    found = set()
    for short, chain in enumerate(chains):
        for long, other in enumerate(chains):
            alike = movers[short] == movers[long] and len(movers[short]) == 1
            longer = alike and lengths[long] > _LONGER * lengths[short]
            if longer and _are_pinned(hand, chain, other, _PINNED * lengths[short]):
                found.add(short)
    return found


def _are_pinned(hand: Hand, chain: tuple[int, ...], other: tuple[int, ...], reach: float) -> bool:
    """Tell whether the last link of a chain stays within reach [m] of another chain over the joints' ranges."""
    last = next((k for k in reversed(chain) if len(hand.links[k].mesh.faces)), None)
    if last is None:
        return False
    lower, upper = hand.joint_lower[hand.actuated], hand.joint_upper[hand.actuated]
    postures = lower + np.linspace(0.0, 1.0, _POSTURES)[:, None] * (upper - lower)
    matrices = pose_to_matrix(link_poses(hand, IDENTITY, hand.joint_positions(postures)))
    return all(_gap(hand, T, [last], other) < reach for T in matrices)


def _gap(hand: Hand, T_palm_link: np.ndarray, first: Sequence[int], second: Sequence[int]) -> float:
    """Return about how near two groups of links are to each other [m], infinity where one has no surface."""
    from scipy.spatial import KDTree

    sides = [
        [_points(hand, k, T_palm_link[k]) for k in group if len(hand.links[k].mesh.faces)] for group in (first, second)
    ]
    if not all(sides):
        return np.inf
    distances, _ = KDTree(np.concatenate(sides[0])).query(np.concatenate(sides[1]))
    return float(distances.min())


def _points(hand: Hand, link: int, T: np.ndarray) -> np.ndarray:
    points, _ = surface_samples(hand.links[link].mesh, _POINTS, hand.links[link].name)
    return points @ T[:3, :3].T + T[:3, 3]
