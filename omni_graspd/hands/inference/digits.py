# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A hand's digits: chains of links from the palm to a tip."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.inference.linkages import rockers
from omni_graspd.hands.inference.palm_inference import welded_bodies
from omni_graspd.hands.inference.surface_samples import surface_samples
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.usd.transforms import IDENTITY, pose_to_matrix

_TIP_SAMPLES = 300
# This share of the last link's reach counts as the fingertip.
_TIP_SHARE = 0.35


@dataclass(frozen=True, eq=False)
class Digit:
    """A finger, thumb or jaw."""

    links: tuple[int, ...]
    """Links from the palm outward, those welded on the way included; the palm is not among them."""
    base_point: np.ndarray
    """Origin of its first joint in the palm frame [m], shape [3]."""
    tip_link: int
    """The last link that moves."""
    tip_point: np.ndarray
    """Middle of the fingertip in the frame of ``tip_link`` [m], shape [3]."""
    length: float
    """From the first revolute joint over all others to the tip [m]; of a sliding jaw, from the palm to the tip."""


def find_digits(hand: Hand) -> tuple[Digit, ...]:
    """Find the digits of a hand: one for every chain that ends in a link that moves and has a surface.

    Where no moving link has a surface, all chains count. Rockers of linkages are no digits.
    """
    bodies = hand_bodies(hand)
    surfaced = {bodies[k] for k, link in enumerate(hand.links) if len(link.mesh.faces)} - {0} or set(bodies) - {0}
    carried = set(surfaced)
    for k in reversed(range(1, len(bodies))):
        if bodies[k] in carried:
            carried.add(bodies[hand.links[k].parent])
    inner = {bodies[hand.links[k].parent] for k in carried if k > 0}
    digits = [_digit(hand, bodies, leaf) for leaf in sorted(carried - inner - {0})]
    passive = rockers(hand, [digit.links for digit in digits], [digit.length for digit in digits])
    return tuple(digit for number, digit in enumerate(digits) if number not in passive)


def hand_bodies(hand: Hand) -> list[int]:
    """Return for each link the topmost link that it is welded to; 0 for the palm and what is welded to it."""
    movable = [k >= 0 and hand.joint_lower[k] < hand.joint_upper[k] for k in (link.joint for link in hand.links)]
    return welded_bodies([link.parent for link in hand.links], movable)


def _digit(hand: Hand, bodies: list[int], leaf: int) -> Digit:
    chain = {leaf}
    while 0 not in chain:
        chain.add(bodies[hand.links[min(chain)].parent])
    links = tuple(k for k, body in enumerate(bodies) if body in chain - {0})
    middle = 0.5 * (hand.joint_lower + hand.joint_upper)[hand.actuated]
    T_palm_link = pose_to_matrix(link_poses(hand, IDENTITY, hand.joint_positions(middle)))
    anchors = {
        k: (T_palm_link[hand.links[k].parent] @ pose_to_matrix(hand.links[k].T_parent_joint))[:3, 3] for k in links
    }
    hinges = [anchors[k] for k in links if bodies[k] == k and hand.links[k].joint_type == "revolute"]
    root = anchors[leaf] if hand.links[leaf].joint_type == "revolute" else np.zeros(3)
    tip = _tip(_points_of(hand, [k for k in links if bodies[k] == leaf], T_palm_link), root)
    if not hinges:
        palm = _points_of(hand, [k for k, body in enumerate(bodies) if body == 0], T_palm_link)
        hinges = [palm[np.argmin(np.linalg.norm(palm - tip, axis=1))]]
    path = [*hinges, tip]
    length = sum(float(np.linalg.norm(b - a)) for a, b in pairwise(path))
    tip_point = T_palm_link[leaf][:3, :3].T @ (tip - T_palm_link[leaf][:3, 3])
    base = next(anchors[k] for k in links if bodies[k] == k)
    return Digit(links, base, leaf, tip_point, length)


def _points_of(hand: Hand, links: list[int], T_palm_link: np.ndarray) -> np.ndarray:
    """Return points on the surfaces of some links in the palm frame, or their origins if they have none."""
    parts = []
    for k in links:
        mesh = hand.links[k].mesh
        if len(mesh.faces):
            points, _ = surface_samples(mesh, _TIP_SAMPLES, hand.links[k].name)
            parts.append(points @ T_palm_link[k][:3, :3].T + T_palm_link[k][:3, 3])
    return np.concatenate(parts) if parts else T_palm_link[links, :3, 3]


def _tip(points: np.ndarray, root: np.ndarray) -> np.ndarray:
    """Return the mean of the points that lie farthest out, seen from ``root``, shape [3]."""
    offsets = points - root
    reach = np.linalg.norm(offsets, axis=1)
    farthest = int(np.argmax(reach))
    if reach[farthest] == 0.0:
        return points[farthest]
    along = offsets @ offsets[farthest] / reach[farthest]
    return points[along >= along.max() - _TIP_SHARE * (along.max() - max(along.min(), 0.0))].mean(axis=0)
